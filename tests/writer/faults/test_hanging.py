"""A disk that does not answer: the training goes on, memory stays bounded, the process can end."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from orgboard import SummaryWriter
from orgboard._log import account, queue
from orgboard._log.outside import Outside
from orgboard._methods import recorder
from support.every_method import GOOD_CALLS
from support.logged_runs import has_ended, scalars
from support.waiting import wait_until

WAIT_S = 30.0


class HungDisk:
    """Holds every write back until it is told to go on."""

    def __init__(self) -> None:
        self.goes_on = threading.Event()
        self.was_asked = threading.Event()

    def append(self, descriptor: int, data: bytes) -> int:
        self.was_asked.set()
        self.goes_on.wait()
        return os.write(descriptor, data)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[HungDisk]:
    """Give every writer made in the test a disk that hangs after it was made."""
    hung = HungDisk()
    hung.goes_on.set()
    monkeypatch.setattr(recorder, "Outside", lambda: Outside(append=hung.append))
    monkeypatch.setattr(queue, "PATIENCE_S", 0.05)
    yield hung
    hung.goes_on.set()


def hang(disk: HungDisk, writer: SummaryWriter) -> None:
    """Let the disk hang, with the background thread in it."""
    disk.was_asked.clear()
    disk.goes_on.clear()
    writer.add_scalar("first", 0.0, 0)
    writer.flush()
    assert disk.was_asked.wait(WAIT_S)


def held_bytes(writer: SummaryWriter) -> int:
    """Add up what really waits: the arrays by their size, the rest as the account has it."""
    log = writer._log
    return len(log.queue) * account.SCALAR_BYTES + sum(_size(item[3]) for item in log.queue)


def _size(value: Any) -> int:
    if isinstance(value, account.Cell):
        return sum(_size(each) for each in value)
    if isinstance(value, (tuple, list)):
        return sum(_size(each) for each in value)
    return getattr(value, "nbytes", 0) or (len(value) if isinstance(value, (str, bytes)) else 0)


def test_whatever_is_logged_meanwhile_stays_within_the_bound(
    tmp_path: Path, disk: HungDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "WAITING_BYTES", 400_000)
    writer = SummaryWriter(tmp_path)
    hang(disk, writer)

    most = 0
    for step in range(100):
        for call in GOOD_CALLS.values():
            call(writer, step)
        most = max(most, held_bytes(writer))

    assert writer.dropped > 0
    assert most <= 400_000
    disk.goes_on.set()
    writer.close()
    wait_until(lambda: has_ended(tmp_path), WAIT_S, "all that was kept is written")


def test_scalars_push_out_what_is_large(
    tmp_path: Path, disk: HungDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "WAITING_BYTES", 200_000)
    writer = SummaryWriter(tmp_path, max_queue=1)
    hang(disk, writer)

    for step in range(100):
        GOOD_CALLS["add_image"](writer, step)
    pictures_dropped = writer.dropped
    for step in range(500):
        writer.add_scalar("x", 1.0, step)
    disk.goes_on.set()
    writer.close()
    wait_until(lambda: has_ended(tmp_path), WAIT_S, "all that was kept is written")

    assert [point.step for point in scalars(tmp_path) if point.tag == "x"] == list(range(500))
    assert 0 < pictures_dropped < writer.dropped < 100


def test_one_value_larger_than_all_that_may_wait_is_taken_while_little_waits() -> None:
    waiting = account.Account()
    waiting.hold("a text", 512)
    assert waiting.has_room(10, 3 * account.WAITING_BYTES)

    waiting.hold("a picture", 3 * account.WAITING_BYTES)
    assert not waiting.has_room(10, account.SMALL_BYTES + 1)


def test_flushing_at_every_step_piles_nothing_up(tmp_path: Path, disk: HungDisk) -> None:
    writer = SummaryWriter(tmp_path)
    hang(disk, writer)

    for step in range(1000):
        writer.add_scalar("x", 1.0, step)
        writer.flush()

    assert len(writer._log._tickets) <= 2
    assert writer._log._wake.qsize() <= 2


def test_closing_gives_up_says_so_and_leaves_the_rest_to_the_thread(
    tmp_path: Path, disk: HungDisk, caplog: pytest.LogCaptureFixture
) -> None:
    writer = SummaryWriter(tmp_path)
    hang(disk, writer)
    writer.add_scalar("x", 1.0, 1)
    writer.close()
    writer.close()

    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert len(told) == 1
    assert "has not answered" in told[0]
    disk.goes_on.set()
    wait_until(lambda: has_ended(tmp_path), WAIT_S, "the thread has written what was left")
    assert [point.step for point in scalars(tmp_path)] == [0, 1]


# A named pipe that nobody reads is a disk that hangs: a write to it waits in the kernel.
HANGING_PROGRAM = """
    import os, sys, threading
    from orgboard import SummaryWriter
    from orgboard._log import process, queue
    from orgboard._log.outside import Outside
    from orgboard._methods import recorder
    process.PATIENCE_S = queue.PATIENCE_S = 0.2
    pipe = os.open(sys.argv[2], os.O_RDWR)
    hangs = threading.Event()
    def append(descriptor, data):
        if hangs.is_set():
            return os.write(pipe, bytes(1 << 20))
        return os.write(descriptor, data)
    recorder.Outside = lambda: Outside(append=append)
    writers = [SummaryWriter(sys.argv[1] + str(number), flush_secs=0.01) for number in range(8)]
    for writer in writers:
        writer.add_scalar("x", 1.0, 1)
        writer.flush()
    hangs.set()
    for writer in writers:
        writer.add_scalar("x", 1.0, 2)
    {ending}
"""


@pytest.mark.parametrize(
    "ending",
    ["pass", "sys.exit(0)", "[writer.close() for writer in writers]", "del writer, writers"],
)
def test_the_interpreter_ends_while_eight_disks_hang(tmp_path: Path, ending: str) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    program = dedent(HANGING_PROGRAM).format(ending=ending)

    done = subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", "-c", program, tmp_path / "run", pipe],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "has not answered" in done.stderr
    for number in range(8):
        assert [point.step for point in scalars(tmp_path / f"run{number}")] == [1]
