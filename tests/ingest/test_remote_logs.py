"""Remote logs through ingest into SQL: step by step the same as of a folder with the same files."""

from __future__ import annotations

import gzip
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.commands import verify
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.damage import Damage, damages
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon
from orgboard_ingest.source import Source
from orgboard_ingest.verify import differences
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.rebuild import candidates, read_anew
from orgboard_schema.wire.event_pb2 import SessionLog
from support.event_files import event_file, scalar_event
from support.ingested import (
    Scalars,
    StoredPoint,
    mark,
    migrated,
    stored_scalars,
    version_event,
)
from support.waiting import wait_until

NAME = "events.out.tfevents.1"
LATER = "events.out.tfevents.2"
WITHIN_S = 20.0

Step: TypeAlias = Mapping[str, bytes | None]
"""Files that are put, by name; None: removed."""


def _points(*steps: int, value: float = 1.0, wall: float = 100.0) -> bytes:
    events = (scalar_event("loss", step, value + step, wall + step) for step in steps)
    return event_file(version_event(wall), *events)


def _start(step: int, wall: float, *steps: int) -> bytes:
    return event_file(
        version_event(wall),
        mark(SessionLog.START, step, wall),
        *(scalar_event("loss", each, -1.0, wall + each) for each in steps),
    )


_LONG = _points(*range(3000))
_DAMAGED = _LONG[:50_000] + b"\0" * 3 + _LONG[50_003:]

STORIES: Mapping[str, Sequence[Step]] = {
    "grows": [{f"a/{NAME}": _LONG[:at]} for at in (0, 5, 4000, 4097, 70_000, len(_LONG))],
    "is replaced by a larger one": [
        {f"a/{NAME}": _points(1, 2, 3)},
        {f"a/{NAME}": _points(5, 6, 7, 8, 9, value=7.0)},
    ],
    "is replaced by one of its size": [
        {f"a/{NAME}": _points(1, 2, 3)},
        {f"a/{NAME}": _points(1, 2, 3, value=7.0)},
    ],
    "shrinks": [{f"a/{NAME}": _LONG}, {f"a/{NAME}": _LONG[:90_000]}, {f"a/{NAME}": _LONG[:100]}],
    "is emptied and comes again": [
        {f"a/{NAME}": _points(1, 2)},
        {f"a/{NAME}": b""},
        {f"a/{NAME}": _points(3, value=5.0)},
    ],
    "restarts": [
        {f"a/{NAME}": _points(*range(10))},
        {f"a/{LATER}": _start(5, 500.0, 5, 6)},
        {f"a/{LATER}": _start(5, 500.0, 5, 6, 7, 8)},
    ],
    "is told later to have begun earlier": [
        {f"a/{LATER}": _points(5, 6, wall=500.0)},
        {f"a/{NAME}": _points(*range(10))},
    ],
    "moves": [
        {f"a/{NAME}": _points(1, 2), f"b/{NAME}": _points(1, value=9.0)},
        {f"a/{NAME}": None, f"deep/er/{NAME}": _points(1, 2)},
    ],
    "is copied": [{f"a/{NAME}": _points(1, 2)}, {f"b/{NAME}": _points(1, 2)}],
    "is removed": [{f"a/{NAME}": _points(1), f"b/{NAME}": _points(2)}, {f"a/{NAME}": None}],
    "lies at the root": [{NAME: _points(1, 2)}, {NAME: _points(1, 2, 3)}],
    "is damaged": [{f"a/{NAME}": _DAMAGED[:60_000]}, {f"a/{NAME}": _DAMAGED}],
    "is packed": [
        {f"a/{NAME}": gzip.compress(_LONG[:60_000], mtime=0)},
        {f"a/{NAME}": gzip.compress(_LONG[:60_000], mtime=0) + gzip.compress(_LONG[60_000:])},
    ],
    "has a name of its own": [{f"löss = 1% + 2/ä b/{NAME}": _points(1)}],
}

LOST = {("is emptied and comes again", 1), ("is removed", 1)}


@dataclass
class Side:
    """A logdir, its database, and a new process that reads it after each step."""

    where: Path | str
    url: str
    engine: Engine = field(init=False)

    def __post_init__(self) -> None:
        self.engine = migrated(self.url)

    def read(self) -> None:
        """Read all there is."""
        config = IngestConfig(
            (self.where,), self.url, "tests/ingest", once=True, batch_bytes=50_000
        )
        make_daemon(config, self.engine, Hints()).run_once(lambda _: None)

    def seen(self) -> tuple[Scalars, list[Damage], list[str]]:
        """Return what is stored, what was damaged, and how that differs from the files."""
        with begin_read(self.engine) as conn:
            return (
                stored_scalars(self.engine),
                damages(conn, [1]),
                list(differences(conn, 1, self.where)),
            )

    def runs(self) -> dict[str, tuple[str, bool]]:
        """Return each run's uid, and whether it is known to have no files."""
        with begin_read(self.engine) as conn:
            columns = tables.run.c
            query = select(columns.name, columns.uid, columns.gone_at)
            return {name: (uid, at is not None) for name, uid, at in conn.execute(query)}


@pytest.fixture
def sides(tmp_path: Path, memory: Any) -> Iterator[tuple[Side, Side]]:
    """Give a folder and a store in memory, both empty."""
    folder = tmp_path / "logs"
    folder.mkdir()
    local = Side(folder, str(tmp_path / "local.db"))
    remote = Side("memory://logs", str(tmp_path / "remote.db"))
    yield local, remote
    local.engine.dispose()
    remote.engine.dispose()


def _put(folder: Path, files: Any, step: Step) -> None:
    for name, data in step.items():
        path = folder / name
        if data is None:
            path.unlink()
            path.parent.rmdir()
            files.rm_file(f"/logs/{name}")
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        files.pipe_file(f"/logs/{name}", data)


@pytest.mark.parametrize("story", STORIES)
def test_a_file_that(story: str, sides: tuple[Side, Side], memory: Any) -> None:
    local, remote = sides
    assert isinstance(local.where, Path)
    for number, step in enumerate(STORIES[story]):
        _put(local.where, memory, step)
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
    memory.pipe_file(f"/logs/a/{NAME}", _points(1, 2))
    memory.pipe_file(f"/logs/b/{NAME}", _points(3))
    remote.read()
    before = remote.runs()
    memory.mv(f"/logs/a/{NAME}", f"/logs/c/{NAME}")
    memory.rm_file(f"/logs/b/{NAME}")
    remote.read()
    after = remote.runs()

    assert after["c"] == (before["a"][0], False)
    assert after["b"] == (before["b"][0], True)
    assert "a" not in after


def test_a_place_that_cannot_be_listed_ends_who_reads_once_and_says_nothing_of_its_runs(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1))
    remote.read()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("away")

    monkeypatch.setattr(type(memory), "find", broken)
    with pytest.raises(
        OrgboardError, match=r"^memory://logs cannot be listed: RuntimeError: away$"
    ):
        remote.read()
    assert [gone for _, gone in remote.runs().values()] == [False]


@contextmanager
def _following(side: Side, **more: Any) -> Iterator[None]:
    config = IngestConfig((side.where,), side.url, "tests/ingest", rescan_polling_s=0.02, **more)
    daemon = make_daemon(config, side.engine, Hints())
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        yield
    finally:
        daemon.stop()
        thread.join(WITHIN_S)
    assert not thread.is_alive()


def _steps(engine: Engine, run: str) -> list[int]:
    points: list[StoredPoint] = stored_scalars(engine).get((run, "loss"), [])
    return [point.step for point in points]


def test_it_is_followed_by_polling_through_an_outage(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1))
    columns = tables.logdir.c

    def watched() -> tuple[str, str | None, float | None]:
        with begin_read(remote.engine) as conn:
            query = select(columns.watch, columns.watch_reason, columns.seen_at)
            row = conn.execute(query).one()
            return row.watch, row.watch_reason, row.seen_at

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("slow down")

    monkeypatch.setattr("orgboard_ingest.source.NOTE_EVERY_S", 0.0)
    with _following(remote):
        wait_until(lambda: _steps(remote.engine, "a") == [1], WITHIN_S, "read")
        assert watched()[:2] == ("polling", "memory:// tells of no changes")
        with monkeypatch.context() as broke:
            broke.setattr(type(memory), "find", broken)
            broke.setattr(type(memory), "cat_file", broken)
            wait_until(lambda: "slow down" in str(watched()[1]), WITHIN_S, "the outage is told")
            seen_at = watched()[2]
            memory.pipe_file(f"/logs/a/{NAME}", _points(1, 2))
            memory.pipe_file(f"/logs/b/{NAME}", _points(5))
            assert watched()[2] == seen_at
        wait_until(lambda: _steps(remote.engine, "a") == [1, 2], WITHIN_S, "gone on")
        wait_until(lambda: _steps(remote.engine, "b") == [5], WITHIN_S, "the new run")
        assert watched()[1] == "memory:// tells of no changes"
    assert remote.seen()[2] == []


def test_what_is_idle_is_listed_ever_more_rarely(memory: Any, sides: tuple[Side, Side]) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1))
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

    memory.pipe_file(f"/logs/b/{NAME}", _points(1))
    memory.store[f"/logs/b/{NAME}"].created = datetime.fromtimestamp(began + passed, UTC)
    source.scan()
    assert round(source.next_scan - passed) == 2


def test_a_listing_that_failed_is_tried_again_as_soon_as_the_place_lets_it(
    memory: Any, sides: tuple[Side, Side], monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long it took to fail."""
    _, remote = sides
    config = IngestConfig(("memory://logs",), "")
    intake = make_daemon(config, remote.engine, Hints()).sources[0].intake
    times = iter((0.0, 60.0))
    source = Source(config, intake, None, lambda: next(times))

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no answer")

    monkeypatch.setattr(type(memory), "find", broken)
    source.scan()

    assert source.next_scan == 62.0


def test_an_outage_between_listing_and_reading_loses_nothing_and_ends_nothing(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    for number in range(20):
        memory.pipe_file(f"/logs/r{number}/{NAME}", _points(*range(number + 1)))
    failing = threading.Event()
    tries: list[str] = []
    cat_file = type(memory).cat_file

    def cat(self: Any, path: str, **more: Any) -> bytes:
        if not failing.is_set():
            tries.append(path)
            raise RuntimeError("reset by peer")
        return bytes(cat_file(self, path, **more))

    monkeypatch.setattr(type(memory), "cat_file", cat)
    with _following(remote):
        wait_until(lambda: len(tries) > 1, WITHIN_S, "it tried again")
        failing.set()
        wait_until(lambda: len(stored_scalars(remote.engine)) == 20, WITHIN_S, "all is read")
    assert remote.seen()[1:] == ([], [])


def test_who_reads_once_waits_a_little_for_a_place_that_is_away(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1, 2))
    cat_file, tries = type(memory).cat_file, iter(range(1))

    def cat(self: Any, path: str, **more: Any) -> bytes:
        for _ in tries:
            raise RuntimeError("reset by peer")
        return bytes(cat_file(self, path, **more))

    monkeypatch.setattr(type(memory), "cat_file", cat)
    remote.read()

    assert _steps(remote.engine, "a") == [1, 2]


def _away_when(
    memory: Any, monkeypatch: pytest.MonkeyPatch, wanted: Callable[[str], bool], times: int
) -> list[str]:
    """Let so many ranges of keys that are wanted fail as if the store were away."""
    cat_file, failed = type(memory).cat_file, list[str]()

    def cat(self: Any, path: str, **more: Any) -> bytes:
        if wanted(path) and len(failed) < times:
            failed.append(path)
            raise RuntimeError("reset by peer")
        return bytes(cat_file(self, path, **more))

    monkeypatch.setattr(type(memory), "cat_file", cat)
    return failed


def test_attempts_are_the_same_when_an_earlier_file_could_not_be_read_for_a_moment(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To know what restarted, files that are stored are read again: which is no time to guess."""
    local, remote = sides
    assert isinstance(local.where, Path)
    _put(local.where, memory, {f"a/{NAME}": _points(*range(10))})
    local.read()
    remote.read()
    _put(local.where, memory, {f"a/{LATER}": _points(5, 6, 7, value=9.0, wall=500.0)})
    local.read()
    failed = _away_when(memory, monkeypatch, lambda path: path.endswith(NAME), 1)
    remote.read()

    assert failed
    assert {point.attempt for point in stored_scalars(local.engine)["a", "loss"]} == {0, 1}
    assert remote.seen() == local.seen()


def test_a_run_that_moved_while_the_place_was_away_keeps_its_address(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1, 2))
    remote.read()
    ((uid, _),) = remote.runs().values()
    memory.mv(f"/logs/a/{NAME}", f"/logs/c/{NAME}")
    failed = _away_when(memory, monkeypatch, lambda path: "/c/" in path, 2)
    with pytest.raises(OrgboardError, match=r"^memory://logs cannot be read: RuntimeError: reset"):
        remote.read()
    with _following(remote):
        wait_until(lambda: remote.runs() == {"c": (uid, False)}, WITHIN_S, "it moved")

    assert len(failed) == 2


def test_a_run_that_is_read_anew_goes_on_after_an_outage(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _LONG)
    remote.read()
    with begin_write(remote.engine) as conn:
        (run,) = candidates(conn, project=None, run=re.compile("a"))
        read_anew(conn, run)
    failed = _away_when(memory, monkeypatch, lambda path: "/a/" in path, 2)
    remote.read()

    assert len(failed) == 2
    columns = tables.run.c
    with begin_read(remote.engine) as conn:
        shown = conn.execute(select(columns.run_id).where(columns.name == "a")).scalars().all()
    # Not what was there before: a shadow that is given up would leave that.
    assert run.run_id not in shown
    assert remote.seen()[2] == []


def test_verify_that_cannot_read_says_so_and_not_that_something_differs(
    sides: tuple[Side, Side],
    memory: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", _points(1))
    remote.read()
    _away_when(memory, monkeypatch, lambda _: True, 1)

    assert verify(["memory://logs", "--db", remote.url]) == 2
    said = capsys.readouterr()
    assert (
        said.err == "orgboard verify: memory://logs cannot be read: RuntimeError: reset by peer\n"
    )
    assert said.out == ""
