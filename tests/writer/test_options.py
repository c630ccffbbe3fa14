"""How a writer is made: torch's arguments, tensorboardX's, and the switches of the environment."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

import orgboard
from orgboard import SummaryWriter
from support.logged_runs import Logged, event_files, events, scalars


def test_torchs_arguments_are_taken_by_position(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path), "ignored", 17, 10, 120, ".suffix") as writer:
        writer.add_scalar("x", 1.0, 18)

    assert writer.log_dir == str(tmp_path)
    assert event_files(tmp_path)[0].name.endswith(".suffix")
    assert events(tmp_path)[1].step == 17


def test_tensorboardxs_arguments_are_taken_by_position(tmp_path: Path) -> None:
    given = (None, "", None, 10, 120, "", True, str(tmp_path / "run"), {"disabled": True})
    with SummaryWriter(*given) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert scalars(tmp_path / "run") == [Logged("x", 1, 1.0)]


def test_tensorboardxs_seventh_argument_writes_nothing(tmp_path: Path) -> None:
    with SummaryWriter(str(tmp_path / "run"), "", None, 10, 120, "", False) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.log({"x": 1.0})
        writer.file_writer.add_summary(b"")

    assert list(tmp_path.iterdir()) == []


def test_unknown_arguments_are_told_once_and_ignored(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path, project="x", comet_config={"disabled": True}, entity="y"):
        pass

    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "['entity', 'project']" in caplog.text


@pytest.mark.parametrize(
    ("value", "strict"), [("1", True), ("true", True), ("0", False), ("", False)]
)
def test_the_environment_can_make_wrong_arguments_raise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str, strict: bool
) -> None:
    monkeypatch.setenv("ORGBOARD_STRICT", value)
    with SummaryWriter(tmp_path) as writer:
        if strict:
            with pytest.raises(TypeError):
                writer.add_scalar("x", None, 1)
        else:
            writer.add_scalar("x", None, 1)
            assert writer.dropped == 1


@pytest.mark.parametrize("step", [1 << 63, -(1 << 63) - 1, "one", float("nan")])
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_no_step_raises_when_strict_whatever_it_comes_with(
    tmp_path: Path, step: Any, strict: bool
) -> None:
    calls: list[Callable[[SummaryWriter], None]] = [
        lambda writer: writer.add_scalar("a", 0.5, step),
        lambda writer: writer.add_scalars("a", {"b": 0.5}, step),
        lambda writer: writer.log({"a": 0.5}, step),
        lambda writer: writer.add_text("a", "b", step),
        lambda writer: writer.add_histogram("a", [0.5], step),
        lambda writer: writer.add_embedding([[0.5]], global_step=step),
    ]
    with SummaryWriter(tmp_path, strict=strict) as writer:
        # From here on a call may find that it need not look closely.
        writer.add_scalar("first", 0.5, 0)
        for call in calls:
            with pytest.raises(ValueError, match=r"step|int") if strict else nullcontext():
                call(writer)

    assert writer.dropped == (0 if strict else len(calls))
    assert scalars(tmp_path) == [Logged("first", 0, 0.5)]


@pytest.mark.parametrize("tag", [3, b"tag", None])
def test_what_is_no_tag_is_refused_by_every_kind(tmp_path: Path, tag: Any) -> None:
    calls: list[Callable[[SummaryWriter], None]] = [
        lambda writer: writer.add_scalar(tag, 0.5, 1),
        lambda writer: writer.add_text(tag, "b"),
        lambda writer: writer.add_histogram(tag, [0.5]),
        lambda writer: writer.add_embedding([[0.5]], tag=tag),
    ]
    with SummaryWriter(tmp_path, strict=True) as writer:
        for call in calls:
            with pytest.raises(TypeError, match="a tag must be a string"):
                call(writer)


def test_an_argument_goes_before_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORGBOARD_STRICT", "1")
    with SummaryWriter(tmp_path, strict=False) as writer:
        writer.add_scalar("x", None, 1)

    assert writer.dropped == 1


def test_a_copy_keeps_the_options(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, strict=True, filename_suffix=".s", fsync_secs=1.5) as writer:
        with pickle.loads(pickle.dumps(writer)) as copy, pytest.raises(TypeError):
            copy.add_scalar("x", None, 1)
        with pickle.loads(pickle.dumps(copy)):
            pass

    assert [path.name.endswith(".s") for path in event_files(tmp_path)] == [True] * 3


def test_the_package_offers_what_it_names() -> None:
    for name in orgboard.__all__:
        assert getattr(orgboard, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = orgboard.no_such_name


def test_names_that_few_scripts_use_are_imported_when_asked_for() -> None:
    script = (
        "import sys, orgboard; before = 'orgboard.file_writer' in sys.modules; "
        "from orgboard import FileWriter; print(before, FileWriter.__module__)"
    )

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stdout.split() == ["False", "orgboard.file_writer"]
