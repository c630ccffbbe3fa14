"""An export's memory does not go by what is exported: long series, and many of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow.parquet as pq  # type: ignore[import-untyped]  # its stubs are not published
import pytest

from orgboard_ingest.commands import ingest
from orgboard_schema.sql.engine import shown
from orgboard_schema.types import Tensor
from support.boards import Board, scalars, values

MOST_KIB: Final = 300 * 1024
"""The interpreter and its libraries take a third to a half of it, pyarrow the most; a million
points held as rows would take twice as much."""

POINTS: Final = 1_000_000
AT_ONCE: Final = 100_000
SERIES: Final = 30_000

_EXPORT: Final = """
import sys
from orgboard_dashboard.commands import export
status = export(sys.argv[1:])
(peak,) = (line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(status, peak)
"""
"""In a program of its own: this one has seen much else."""


def _peak_kib(*arguments: object) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _EXPORT, *map(str, arguments)],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
    )
    status, peak = map(int, done.stdout.split())
    assert status == 0, done.stderr
    return peak


@pytest.fixture(scope="module")
def tags_100k(corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database of one run of a hundred thousand tags."""
    path = tmp_path_factory.mktemp("tags") / "board.db"
    logs = corpus / "hostile" / "tags_100k" / "logs"
    assert ingest([str(logs), "--once", "--db", str(path)]) == 0
    return path


@pytest.mark.slow
def test_a_series_of_a_million_points_is_streamed(board: Board, tmp_path: Path) -> None:
    numbers = np.arange(AT_ONCE, dtype=np.float64)
    for begin in range(0, POINTS, AT_ONCE):
        board.log("run", [scalars("loss", numbers, step=range(begin, begin + AT_ONCE))])

    for form in ("csv", "jsonl", "parquet"):
        out = tmp_path / f"out.{form}"
        peak = _peak_kib("scalars", "--db", shown(board.engine.url), "--format", form, "-o", out)
        assert peak < MOST_KIB, form
        assert out.stat().st_size > POINTS


@pytest.mark.slow
def test_values_of_many_tags_are_streamed(board: Board, tmp_path: Path) -> None:
    words = [Tensor("string", (), (b"some words",))]
    board.log("run", [values(f"tag {number}", "text", words) for number in range(SERIES)])

    for form in ("jsonl", "parquet"):
        out = tmp_path / f"out.{form}"
        peak = _peak_kib("values", "--db", shown(board.engine.url), "--format", form, "-o", out)
        assert peak < MOST_KIB, form
    assert pq.read_table(out).num_rows == SERIES


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_a_run_of_a_hundred_thousand_tags_is_streamed(
    tags_100k: Path, tmp_path: Path, form: str
) -> None:
    out = tmp_path / f"out.{form}"

    assert _peak_kib("scalars", "--db", tags_100k, "--format", form, "-o", out) < MOST_KIB
    assert out.stat().st_size > 0
