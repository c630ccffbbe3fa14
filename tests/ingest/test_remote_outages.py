"""Remote logs whose place is away for a while: nothing is lost, guessed or held against a run."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.commands import verify
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.hints import Hints
from orgboard_ingest.run import make_daemon
from orgboard_ingest.source import Source
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.rebuild import candidates, read_anew
from support.both_places import WITHIN_S, Side, following, points, put
from support.ingested import (
    StoredPoint,
    stored_scalars,
)
from support.waiting import wait_until

NAME = "events.out.tfevents.1"
LATER = "events.out.tfevents.2"


def test_a_place_that_cannot_be_listed_ends_who_reads_once_and_says_nothing_of_its_runs(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(1))
    remote.read()

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("away")

    monkeypatch.setattr(type(memory), "find", broken)
    with pytest.raises(
        OrgboardError, match=r"^memory://logs cannot be listed: RuntimeError: away$"
    ):
        remote.read()
    assert [gone for _, gone in remote.runs().values()] == [False]


def _steps(engine: Engine, run: str) -> list[int]:
    points: list[StoredPoint] = stored_scalars(engine).get((run, "loss"), [])
    return [point.step for point in points]


def test_it_is_followed_by_polling_through_an_outage(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(1))
    columns = tables.logdir.c

    def watched() -> tuple[str, str | None, float | None]:
        with begin_read(remote.engine) as conn:
            query = select(columns.watch, columns.watch_reason, columns.seen_at)
            row = conn.execute(query).one()
            return row.watch, row.watch_reason, row.seen_at

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("slow down")

    monkeypatch.setattr("orgboard_ingest.source.NOTE_EVERY_S", 0.0)
    with following(remote):
        wait_until(lambda: _steps(remote.engine, "a") == [1], WITHIN_S, "read")
        assert watched()[:2] == ("polling", "memory:// tells of no changes")
        with monkeypatch.context() as broke:
            broke.setattr(type(memory), "find", broken)
            broke.setattr(type(memory), "cat_file", broken)
            wait_until(lambda: "slow down" in str(watched()[1]), WITHIN_S, "the outage is told")
            seen_at = watched()[2]
            memory.pipe_file(f"/logs/a/{NAME}", points(1, 2))
            memory.pipe_file(f"/logs/b/{NAME}", points(5))
            assert watched()[2] == seen_at
        wait_until(lambda: _steps(remote.engine, "a") == [1, 2], WITHIN_S, "gone on")
        wait_until(lambda: _steps(remote.engine, "b") == [5], WITHIN_S, "the new run")
        assert watched()[1] == "memory:// tells of no changes"
    assert remote.seen()[2] == []


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
        memory.pipe_file(f"/logs/r{number}/{NAME}", points(*range(number + 1)))
    failing = threading.Event()
    tries: list[str] = []
    cat_file = type(memory).cat_file

    def cat(self: Any, path: str, **more: Any) -> bytes:
        if not failing.is_set():
            tries.append(path)
            raise RuntimeError("reset by peer")
        return bytes(cat_file(self, path, **more))

    monkeypatch.setattr(type(memory), "cat_file", cat)
    with following(remote):
        wait_until(lambda: len(tries) > 1, WITHIN_S, "it tried again")
        failing.set()
        wait_until(lambda: len(stored_scalars(remote.engine)) == 20, WITHIN_S, "all is read")
    assert remote.seen()[1:] == ([], [])


def test_who_reads_once_waits_a_little_for_a_place_that_is_away(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(1, 2))
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
    put(local.where, memory, {f"a/{NAME}": points(*range(10))})
    local.read()
    remote.read()
    put(local.where, memory, {f"a/{LATER}": points(5, 6, 7, value=9.0, wall=500.0)})
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
    memory.pipe_file(f"/logs/a/{NAME}", points(1, 2))
    remote.read()
    ((uid, _),) = remote.runs().values()
    memory.mv(f"/logs/a/{NAME}", f"/logs/c/{NAME}")
    failed = _away_when(memory, monkeypatch, lambda path: "/c/" in path, 2)
    with pytest.raises(OrgboardError, match=r"^memory://logs cannot be read: RuntimeError: reset"):
        remote.read()
    with following(remote):
        wait_until(lambda: remote.runs() == {"c": (uid, False)}, WITHIN_S, "it moved")

    assert len(failed) == 2


def test_a_run_that_is_read_anew_goes_on_after_an_outage(
    sides: tuple[Side, Side], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, remote = sides
    memory.pipe_file(f"/logs/a/{NAME}", points(*range(3000)))
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
    memory.pipe_file(f"/logs/a/{NAME}", points(1))
    remote.read()
    _away_when(memory, monkeypatch, lambda _: True, 1)
    # Where an earlier test let ingest set its log up, that is none of this command's.
    monkeypatch.setattr(logging.getLogger(), "handlers", [logging.NullHandler()])

    assert verify(["memory://logs", "--db", remote.url]) == 2
    said = capsys.readouterr()
    assert (
        said.err == "orgboard verify: memory://logs cannot be read: RuntimeError: reset by peer\n"
    )
    assert said.out == ""
