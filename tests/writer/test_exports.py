"""`export_scalars_to_json`: what was logged, as tensorboardX writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter


def test_scalars_are_exported_by_directory_tag_and_name(tmp_path: Path) -> None:
    run = str(tmp_path / "run")
    with SummaryWriter(run) as writer:
        writer.add_scalars("loss/all", {"train": 0.5, "a_b": 0.25}, 3, walltime=1.5)
        writer.add_scalar("x", 2.0, 4, walltime=2.5)
        writer.add_histogram("h", np.ones(3), 1)
        writer.export_scalars_to_json(tmp_path / "scalars.json")

    assert _read(tmp_path) == {
        f"{run}/loss/all/train": [[1.5, 3, 0.5]],
        f"{run}/loss/all/a_b": [[1.5, 3, 0.25]],
        f"{run}/x": [[2.5, 4, 2.0]],
    }


def test_a_later_export_holds_what_was_logged_since(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "run") as writer:
        for step in range(3):
            writer.add_scalar("x", float(step), step, walltime=1.0)
            writer.export_scalars_to_json(tmp_path / "scalars.json")

    assert _read(tmp_path) == {f"{tmp_path / 'run'}/x": [[1.0, 2, 2.0]]}


def test_files_of_other_processes_are_not_exported(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "run") as writer:
        (tmp_path / "run" / "events.out.tfevents.1.elsewhere.1.0").write_bytes(b"not ours")
        writer.add_scalar("x", 1.0, 1, walltime=1.0)
        writer.export_scalars_to_json(tmp_path / "scalars.json")

    assert list(_read(tmp_path).values()) == [[[1.0, 1, 1.0]]]


def test_a_path_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path / "run") as writer:
        (tmp_path / "no").write_text("a file where a directory should be")
        writer.add_scalar("x", 1.0, 1)
        writer.export_scalars_to_json(tmp_path / "no" / "such" / "directory.json")
        writer.export_scalars_to_json(tmp_path / "scalars.json")

    assert "Not a directory" in caplog.text
    assert len(_read(tmp_path)) == 1


def _read(directory: Path) -> Any:
    return json.loads((directory / "scalars.json").read_text(encoding="utf-8"))
