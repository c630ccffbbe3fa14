"""Remote logs through ingest into SQL: step by step the same as of a folder with the same files."""

from __future__ import annotations

import gzip
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon
from orgboard_ingest.source import Source
from orgboard_schema.wire.event_pb2 import SessionLog
from support.both_places import Side, Step, points, put
from support.event_files import event_file, scalar_event
from support.ingested import (
    mark,
    stored_scalars,
    version_event,
)

NAME = "events.out.tfevents.1"
LATER = "events.out.tfevents.2"


def _start(step: int, wall: float, *steps: int) -> bytes:
    return event_file(
        version_event(wall),
        mark(SessionLog.START, step, wall),
        *(scalar_event("loss", each, -1.0, wall + each) for each in steps),
    )


_LONG = points(*range(3000))
_DAMAGED = _LONG[:50_000] + b"\0" * 3 + _LONG[50_003:]

STORIES: Mapping[str, Sequence[Step]] = {
    "grows": [{f"a/{NAME}": _LONG[:at]} for at in (0, 5, 4000, 4097, 70_000, len(_LONG))],
    "is replaced by a larger one": [
        {f"a/{NAME}": points(1, 2, 3)},
        {f"a/{NAME}": points(5, 6, 7, 8, 9, value=7.0)},
    ],
    "is replaced by one of its size": [
        {f"a/{NAME}": points(1, 2, 3)},
        {f"a/{NAME}": points(1, 2, 3, value=7.0)},
    ],
    "shrinks": [{f"a/{NAME}": _LONG}, {f"a/{NAME}": _LONG[:90_000]}, {f"a/{NAME}": _LONG[:100]}],
    "is emptied and comes again": [
        {f"a/{NAME}": points(1, 2)},
        {f"a/{NAME}": b""},
        {f"a/{NAME}": points(3, value=5.0)},
    ],
    "restarts": [
        {f"a/{NAME}": points(*range(10))},
        {f"a/{LATER}": _start(5, 500.0, 5, 6)},
        {f"a/{LATER}": _start(5, 500.0, 5, 6, 7, 8)},
    ],
    "is told later to have begun earlier": [
        {f"a/{LATER}": points(5, 6, wall=500.0)},
        {f"a/{NAME}": points(*range(10))},
    ],
    "moves": [
        {f"a/{NAME}": points(1, 2), f"b/{NAME}": points(1, value=9.0)},
        {f"a/{NAME}": None, f"deep/er/{NAME}": points(1, 2)},
    ],
    "is copied": [{f"a/{NAME}": points(1, 2)}, {f"b/{NAME}": points(1, 2)}],
    "is removed": [{f"a/{NAME}": points(1), f"b/{NAME}": points(2)}, {f"a/{NAME}": None}],
    "lies at the root": [{NAME: points(1, 2)}, {NAME: points(1, 2, 3)}],
    "is damaged": [{f"a/{NAME}": _DAMAGED[:60_000]}, {f"a/{NAME}": _DAMAGED}],
    "is packed": [
        {f"a/{NAME}": gzip.compress(_LONG[:60_000], mtime=0)},
        {f"a/{NAME}": gzip.compress(_LONG[:60_000], mtime=0) + gzip.compress(_LONG[60_000:])},
    ],
    "has a name of its own": [{f"löss = 1% + 2/ä b/{NAME}": points(1)}],
}

LOST = {("is emptied and comes again", 1), ("is removed", 1)}


@pytest.mark.parametrize("story", STORIES)
def test_a_file_that(story: str, sides: tuple[Side, Side], memory: Any) -> None:
    local, remote = sides
    assert isinstance(local.where, Path)
    for number, step in enumerate(STORIES[story]):
        put(local.where, memory, step)
        local.read()
        remote.read()

        here, there = local.seen(), remote.seen()
        assert there[:2] == here[:2], f"step {number}"
        assert there[2] == here[2]
        # What the files have no more stays stored.
        assert bool(there[2]) == ((story, number) in LOST)


def test_a_run_that_moved_keeps_its_address_and_one_that_is_gone_is_said_to_be(
    sides: tuple[Side, Side], memory: Any
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(1, 2))
    memory.pipe_file(f"/logs/b/{NAME}", points(3))
    remote.read()
    before = remote.runs()
    memory.mv(f"/logs/a/{NAME}", f"/logs/c/{NAME}")
    memory.rm_file(f"/logs/b/{NAME}")
    remote.read()
    after = remote.runs()

    assert after["c"] == (before["a"][0], False)
    assert after["b"] == (before["b"][0], True)
    assert "a" not in after


def test_what_is_idle_is_listed_ever_more_rarely(memory: Any, sides: tuple[Side, Side]) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(1))
    began = time.time()
    passed = 0.0
    config = IngestConfig(("memory://logs",), "")
    intake = make_daemon(config, remote.engine, Hints()).sources[0].intake
    source = Source(config, intake, None, lambda: passed, lambda: began + passed)

    pauses = []
    for passed in (0.0, 60.0, 300.0, 600.0, 3600.0, 1e6):
        source.scan()
        pauses.append(round(source.next_scan - passed))
    assert pauses == [2, 2, 5, 10, 30, 30]

    memory.pipe_file(f"/logs/b/{NAME}", points(1))
    memory.store[f"/logs/b/{NAME}"].created = datetime.fromtimestamp(began + passed, UTC)
    source.scan()
    assert round(source.next_scan - passed) == 2


def test_nothing_is_stored_of_an_object_that_took_the_name_between_two_ranges(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _LONG[:90_000])
    remote.read()
    before = stored_scalars(remote.engine)
    memory.pipe_file(f"/logs/a/{NAME}", _LONG)
    # Of the same shape: what is read of it behind the offset are sound records.
    other = points(*range(3000), value=7.0)
    cat_file, swapped = type(memory).cat_file, list[str]()

    def cat(self: Any, path: str, start: int, end: int) -> bytes:
        if start and not swapped:
            swapped.append(path)
            memory.pipe_file(f"/logs/a/{NAME}", other)
        return bytes(cat_file(self, path, start=start, end=end))

    monkeypatch.setattr(type(memory), "cat_file", cat)
    remote.read()
    assert swapped
    assert stored_scalars(remote.engine) == before

    remote.read()
    assert {point.value - point.step for point in stored_scalars(remote.engine)["a", "loss"]} == {7}
    assert remote.seen()[2] == []
