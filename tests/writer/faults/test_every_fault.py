"""Every fault of a disk meets every method: nobody is told by an exception, nothing is doubled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from orgboard import SummaryWriter
from orgboard._methods import recorder
from orgboard_schema.wire.event_pb2 import Event
from support.every_method import GOOD_CALLS, logging_methods
from support.faulty_disks import FAULTS, FaultyDisk
from support.logged_runs import event_files, whole_records

BEFORE, DURING, AFTER = range(1), range(1, 3), range(3, 4)

OWN_FILES = {"add_embedding"}
"""Methods that write files beside the event files, by the system's own calls."""


def test_every_method_that_logs_meets_the_faults() -> None:
    assert sorted(GOOD_CALLS) == logging_methods()


@pytest.mark.parametrize("fault", FAULTS)
def test_no_method_is_disturbed_and_what_was_accepted_is_written_once_when_it_is_over(
    fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FaultyDisk(tmp_path / "run")
    monkeypatch.setattr(recorder, "Outside", disk.outside)
    writer = SummaryWriter(disk.directory, fsync_secs=0.0, flush_secs=3600)

    log(writer, BEFORE)
    before = read(disk.directory)
    for method in GOOD_CALLS:
        FAULTS[fault](disk)
        log(writer, DURING, [method])
        assert disk.was_met() or method in OWN_FILES, method
    disk.end()
    log(writer, AFTER)
    writer.close()

    expected, found = undisturbed(), read(disk.directory)
    assert before <= expected
    assert found <= expected, "something that was not logged, or something twice"
    if "deleted" in fault:
        assert undisturbed(AFTER) <= found
    else:
        assert (expected - found).total() == writer.dropped


def log(writer: SummaryWriter, steps: range, methods: Iterable[str] = tuple(GOOD_CALLS)) -> None:
    with writer.use_metadata(walltime=1.5):
        for method in methods:
            for step in steps:
                GOOD_CALLS[method](writer, step)
                # Each call meets the fault by itself.
                writer.flush()


@cache
def undisturbed(steps: range = range(4)) -> Counter[bytes]:
    """Count the events that all methods leave on a disk without faults."""
    with TemporaryDirectory() as directory:
        with SummaryWriter(directory) as writer:
            log(writer, steps)
        return read(Path(directory))


def read(directory: Path) -> Counter[bytes]:
    """Count the events below a directory, without those that only say how a file came and went."""
    return Counter(payload for payload in _payloads(directory) if _is_logged(payload))


def _payloads(directory: Path) -> Iterator[bytes]:
    for run in {path.parent for path in directory.rglob("*tfevents*")}:
        for path in event_files(run):
            yield from whole_records(path.read_bytes())[0]


def _is_logged(payload: bytes) -> bool:
    return Event.FromString(payload).wall_time == 1.5
