"""Disks that are full, hang or lose a directory: nothing of it may stop or delay a training."""

from __future__ import annotations

import errno
import json
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgboard import SummaryWriter
from orgboard._encoding.records import as_given, scalar_body
from orgboard._log import queue as log_module
from orgboard._log.account import SCALAR_BYTES, WAITING_BYTES
from orgboard._log.files import MAIN, Item, RunFiles
from orgboard._log.guard import Guard
from orgboard._log.outside import Outside
from orgboard._log.queue import EventLog
from support.logged_runs import Logged, events, has_ended, scalars
from support.waiting import wait_until

WAIT_S = 30.0


class Disk:
    """A disk with room for so many bytes, which can hang, and be repaired."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.moves = threading.Event()
        self.moves.set()
        self.was_asked = threading.Event()

    def append(self, descriptor: int, data: bytes) -> int:
        self.was_asked.set()
        self.moves.wait()
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        written = os.write(descriptor, data[: self.room])
        self.room -= written
        return written


class Training:
    """An event log on a disk that a test controls."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self.guard = Guard(strict=False)
        outside = Outside(time.time, time.monotonic, disk.append)
        files = RunFiles(str(directory), "", self.guard, outside)
        self.log = EventLog(files, self.guard, wake_at=100, flush_secs=0.01)

    def put(self, step: int, size: int = 0) -> None:
        body = scalar_body("x", float(step))
        item: Item = (MAIN, as_given, "x", body, step, 1.0, size)
        self.log.put(item)


@pytest.fixture
def disk() -> Iterator[Disk]:
    broken = Disk(1 << 40)
    yield broken
    broken.moves.set()


@pytest.mark.parametrize("room", [0, 10, 100, 150, 1000])
def test_a_disk_that_was_full_gets_everything_once_it_has_room(
    tmp_path: Path, disk: Disk, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    training = Training(tmp_path, disk)
    disk.room = room

    for step in range(200):
        training.put(step)
    training.log.flush()
    disk.room = 1 << 40
    training.log.flush()
    training.log.close()

    # A torn record may end a file, never stand within one; what follows is in a new file.
    assert [p.step for p in scalars(tmp_path, torn_allowed=True)] == list(range(200))
    assert training.guard.dropped == 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "no space left" in caplog.text


def test_values_that_a_closed_writer_could_not_write_are_counted(
    tmp_path: Path, disk: Disk
) -> None:
    training = Training(tmp_path, disk)
    disk.room = 0

    for step in range(5):
        training.put(step)
    training.log.close()

    assert training.guard.dropped == 5


def test_what_was_dropped_is_logged_when_writing_works_again(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard._log.account.WAITING_BYTES", 1000)
    training = Training(tmp_path, disk)
    training.put(0)
    training.log.flush()
    disk.room = 0
    training.put(1)
    training.log.flush()

    for step in range(2, 100):
        training.put(step)
    training.log.flush()
    dropped = training.guard.dropped
    disk.room = 1 << 40
    training.put(100)
    training.log.close()

    told = [
        json.loads(value.tensor.string_val[0])
        for event in events(tmp_path)
        for value in event.summary.value
        if value.tag == b"orgboard/dropped"
    ]
    kept = [point.step for point in scalars(tmp_path)]
    assert 0 < dropped < 99
    assert told[-1] == {"dropped": dropped, "reasons": {"queue full": dropped}}
    assert dropped == 101 - len(kept)
    assert kept == sorted(kept)


def test_a_hung_disk_fills_the_queue_and_delays_nobody(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard._log.account.WAITING_BYTES", 500 * SCALAR_BYTES)
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.01)
    training = Training(tmp_path, disk)
    disk.moves.clear()
    training.put(0)
    training.log.flush()
    assert disk.was_asked.wait(WAIT_S)

    for step in range(1, 2000):
        training.put(step)
    training.log.flush()
    training.log.close()
    disk.moves.set()
    wait_until(lambda: has_ended(tmp_path), WAIT_S, "the log is written to its end")

    kept = [point.step for point in scalars(tmp_path)]
    assert kept == list(range(len(kept)))
    assert len(kept) + training.guard.dropped == 2000
    assert training.guard.dropped >= 2000 - 500 - log_module.BATCH - 1


def test_large_values_do_not_push_out_scalars(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.01)
    training = Training(tmp_path, disk)
    disk.moves.clear()
    training.put(0)
    assert disk.was_asked.wait(WAIT_S)

    for step in range(1, 11):
        training.put(step, size=WAITING_BYTES // 4 - 1024)
        training.put(step + 100)
    disk.moves.set()
    monkeypatch.setattr(log_module, "PATIENCE_S", 10.0)
    training.log.close()

    steps = [point.step for point in scalars(tmp_path)]
    assert {step for step in steps if step > 100} == set(range(101, 111))
    assert len([step for step in steps if 0 < step <= 100]) == 4
    assert training.guard.dropped == 6


def test_a_deleted_directory_is_made_again(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with SummaryWriter(run) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.flush()
        shutil.rmtree(run)
        writer.add_scalar("x", 2.0, 2)

    assert scalars(run) == [Logged("x", 2, 2.0)]


def test_a_sub_run_that_cannot_be_made_does_not_harm_the_others(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("x", {"a" * 300: 1.0, "nul\0": 1.0, "good": 2.0}, 1)
        writer.add_scalar("x", 3.0, 1)

    assert scalars(tmp_path) == [Logged("x", 1, 3.0)]
    assert scalars(tmp_path / "x_good") == [Logged("x", 1, 2.0)]
    assert writer.dropped == 2
