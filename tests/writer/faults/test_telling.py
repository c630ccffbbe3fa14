"""What is told of troubles, how often, and who is never told by an exception."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orgboard import SummaryWriter
from orgboard._log.account import Account
from orgboard._log.guard import DISK, QUEUE_FULL, Guard
from orgboard._log.outside import Outside
from orgboard._log.run_file import RunFile
from orgboard._methods import recorder
from support.every_method import GOOD_CALLS
from support.logged_runs import Logged, scalars, summaries


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_a_trouble_that_lasts_is_told_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    guard = Guard(strict=False, now=clock)

    for second in range(300):
        clock.time = float(second)
        guard.drop("queue", "the queue is full", kind=QUEUE_FULL)
        guard.drop("closed", "not written", kind=DISK)

    assert len(caplog.records) == 2 * 5
    assert "the queue is full; 481 values were dropped" in caplog.text
    assert guard.dropped == 600
    assert guard.reasons == {"queue full": 300, "disk": 300}


@pytest.mark.parametrize(
    ("set_up", "beginning"),
    [("", "orgboard: <string>:"), ("logging.basicConfig()", "WARNING:orgboard:<string>:")],
)
def test_whoever_reads_stderr_sees_whose_warning_it_is(
    tmp_path: Path, set_up: str, beginning: str
) -> None:
    script = f"""
import logging
{set_up}
from orgboard import SummaryWriter
SummaryWriter({str(tmp_path)!r}).add_scalar("x", None)
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)

    assert done.stderr.startswith(beginning)
    assert len(done.stderr.splitlines()) == 1


def test_a_mistake_is_told_once_for_each_line_of_the_script(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path) as writer:
        for step in range(10):
            writer.add_scalar("x", "wrong", step)
            writer.add_scalar("x", object(), step)

    assert len(caplog.records) == 2
    assert all("test_telling.py:" in record.getMessage() for record in caplog.records)
    assert writer.dropped == 20


def test_new_mistakes_without_end_fill_neither_memory_nor_the_screen(
    caplog: pytest.LogCaptureFixture,
) -> None:
    guard = Guard(strict=False)

    for number in range(2000):
        guard.drop(f"mistake {number}", "wrong")

    assert len(caplog.records) == 256
    assert guard.dropped == 2000


def test_the_environment_raises_nothing_even_when_strict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    refuses = False

    def append(descriptor: int, data: bytes) -> int:
        if refuses:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return os.write(descriptor, data)

    monkeypatch.setattr(recorder, "Outside", lambda: Outside(append=append))
    writer = SummaryWriter(tmp_path, strict=True)
    refuses = True
    for call in GOOD_CALLS.values():
        call(writer, 1)
        writer.flush()
    writer.close()

    assert writer.dropped > 0
    assert len([r for r in caplog.records if "No space left" in r.getMessage()]) == 1


def test_what_was_dropped_is_in_the_file_by_kind_of_trouble(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuses = False

    def append(descriptor: int, data: bytes) -> int:
        if refuses:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return os.write(descriptor, data)

    monkeypatch.setattr(recorder, "Outside", lambda: Outside(append=append))
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("x", "wrong", 1)
    writer.flush()
    refuses = True
    writer.add_scalars("x", {"a": 1.0}, 1)
    writer.close()
    refuses = False
    writer.add_scalar("x", 1.0, 1)
    writer.close()

    told = [
        (event.step, json.loads(value.tensor.string_val[0]))
        for event, value in summaries(tmp_path)
        if value.tag == b"orgboard/dropped"
    ]
    assert told == [
        (0, {"dropped": 1, "reasons": {"bad value": 1}}),
        (0, {"dropped": 2, "reasons": {"bad value": 1, "disk": 1}}),
    ]


def test_a_file_is_synced_at_most_as_often_as_asked(tmp_path: Path) -> None:
    clock, synced = Clock(), []
    outside = Outside(now=clock, sync=lambda _: synced.append(clock.time))
    file = RunFile(str(tmp_path), "", Guard(strict=False), outside, Account(), fsync_secs=10.0)

    for second in range(1, 26):
        clock.time = float(second)
        file.keep(file.scalars.encode("x", 1.0, second, 1.0))
        file.write()
    clock.time = 40.0
    file.write()
    clock.time = 60.0
    file.write()
    file.end()

    # The first at once; then every ten seconds, and not again when nothing new is there.
    assert synced == [1.0, 11.0, 21.0, 40.0]


def test_without_being_asked_nothing_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: int) -> None:
        raise AssertionError("nobody asked for this")

    monkeypatch.setattr(recorder, "Outside", lambda: Outside(sync=refuse))
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert scalars(tmp_path) == [Logged("x", 1, 1.0)]
    assert writer.dropped == 0


def test_a_directory_deleted_again_and_again_is_made_every_half_minute(tmp_path: Path) -> None:
    clock, run, made = Clock(), tmp_path / "run", []
    outside = Outside(now=clock)
    file = RunFile(str(run), "", Guard(strict=False, now=clock), outside, Account())

    for second in range(1, 121):
        clock.time = float(second)
        file.keep(file.scalars.encode("x", 1.0, second, 1.0))
        file.write()
        if run.exists():
            made.append(second)
            shutil.rmtree(run)

    assert made == [1, 2, 32, 62, 92]


@pytest.fixture(autouse=True)
def _no_context(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "orgboard")
