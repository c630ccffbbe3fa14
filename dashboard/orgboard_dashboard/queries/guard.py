"""A second look at every statement of the web process, for the day when a query forgets its viewer.

    reading(engine, viewer) ──▶ connection, marked with who asks
    visible_runs(viewer) …  ──▶ "a condition for this one was made, in this thread"
    a statement on runs, what is in them or said of them
        ├─ a condition for who asks was made before it ──▶ goes on
        └─ none was, or for another one                ──▶ Unguarded; nothing is read

Beside it: what opens a way in (passwords, sessions, tokens, links) is read by `queries.people`
alone, whoever asks; and a question changes nothing.

What it cannot see: whether the condition is in the statement, or only another one before it on
the same connection had it; and what goes past SQLAlchemy, to the driver's own cursor.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from threading import local
from types import FrameType
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

from orgboard_dashboard.queries.announced import announce
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write

__all__ = ["Unguarded", "made_condition", "reading", "watch_over", "writing"]

WAYS_IN: Final = frozenset(
    {
        *("password", "second_factor", "recovery_code", "identity", "identity_attempt"),
        *("session", "token", "one_time_link", "share", "embed", "sign_in_delay"),
    }
)
"""Tables of what one is let in by."""

_OF_NOBODY: Final = frozenset(
    {
        *("tag", "tag_set", "metadata", "lease"),  # words, without who wrote them where
        *("metric", "metric_alias"),  # what the organisation calls things, for all of it
        *("team", "account", "team_member", "project_grant", "audit", "logdir_rule", "group_rule"),
    }
)
"""Tables that hold nothing of a run; of people's, `queries.people` knows who may read what."""

KEPT: Final = frozenset(tables.schema.tables) - WAYS_IN - _OF_NOBODY
"""Tables of projects, runs, what is in them and what is said of them."""

_TRUSTED: Final = ("orgboard_dashboard.queries.people", "orgboard_dashboard.queries.health")
"""Modules that ask for who is no viewer yet, or for nobody; few, and read twice."""

_MARK: Final = "orgboard_guard"
_CHANGES: Final = re.compile(
    r"\s*(?:INSERT|UPDATE|DELETE|REPLACE|TRUNCATE|CREATE|DROP|ALTER|ATTACH|VACUUM|REINDEX"
    r"|WITH\b.*?\b(?:INSERT\s+INTO|UPDATE\s+\w|DELETE\s+FROM))\b",
    re.IGNORECASE | re.DOTALL,
)
_built: Final = local()


class Unguarded(RuntimeError):  # noqa: N818  # says what it is, as its siblings do
    """A statement was about to be sent that no viewer stands behind: a fault of the program."""


@dataclass(slots=True)
class _Guard:
    """Of one transaction."""

    viewer: Viewer | None
    """None: nobody is known yet."""
    may_change: bool
    is_scoped: bool = False
    """Whether a condition for the viewer was made in it."""


@dataclass(frozen=True, slots=True)
class _Touched:
    """What a statement is about."""

    ways_in: bool
    kept: bool
    changes: bool


@contextmanager
def reading(engine: Engine, viewer: Viewer | None) -> Iterator[Connection]:
    """Open one snapshot, on which `viewer` asks; None: somebody who is not known yet.

    Raises:
        DatabaseUnreachable: No connection could be made.
    """
    with begin_read(engine) as conn, _marked(conn, _Guard(viewer, may_change=False)):
        announce(conn, viewer)
        yield conn


@contextmanager
def writing(engine: Engine, viewer: Viewer | None) -> Iterator[Connection]:
    """Open one transaction, in which `viewer` makes a change; None: somebody not known yet.

    Raises:
        DatabaseUnreachable: No connection could be made.
    """
    with begin_write(engine) as conn, _marked(conn, _Guard(viewer, may_change=True)):
        announce(conn, viewer)
        yield conn


@contextmanager
def _marked(conn: Connection, guard: _Guard) -> Iterator[None]:
    # What was made before, was made for another question.
    _built.viewer = None
    info = conn.info
    info[_MARK] = guard
    try:
        yield
    finally:
        info.pop(_MARK, None)


def made_condition(viewer: Viewer) -> None:
    """Remember that a condition for `viewer` was made: of `queries.visible` alone."""
    _built.viewer = viewer


def watch_over(engine: Engine, *, strict: bool) -> None:
    """Look at every statement that is sent through `engine`, from now on.

    `strict`: on what is not marked, too. Once, for an engine that serves the web and nothing else.
    """
    if not event.contains(engine, "before_cursor_execute", _look):
        event.listen(engine, "before_cursor_execute", _look)
    if strict and not event.contains(engine, "before_cursor_execute", _look_closely):
        event.listen(engine, "before_cursor_execute", _look_closely)


def _look(conn: Connection, _cursor: object, statement: str, *_rest: Any) -> None:
    guard: _Guard | None = conn.info.get(_MARK)
    if guard is None:
        return
    touched = _touched(statement)
    if touched.changes and not guard.may_change:
        raise Unguarded("a question was about to change something")
    if touched.ways_in and not _is_trusted():
        raise Unguarded("what opens a way in was about to be read outside of queries.people")
    if touched.kept and not _is_scoped(guard) and not _is_trusted():
        raise Unguarded("a statement on runs was made without a condition for who asks")


def _look_closely(conn: Connection, _cursor: object, statement: str, *_rest: Any) -> None:
    if conn.info.get(_MARK) is None:
        touched = _touched(statement)
        if (touched.ways_in or touched.kept or touched.changes) and not _is_trusted():
            raise Unguarded("a statement was sent that nobody stands behind")


def _is_scoped(guard: _Guard) -> bool:
    if not guard.is_scoped and guard.viewer is not None:
        made = getattr(_built, "viewer", None)
        guard.is_scoped = made is guard.viewer or made == guard.viewer
    return guard.is_scoped


def _is_trusted() -> bool:
    """Tell whether a module that is trusted with it sends the statement at hand."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        name: str = frame.f_globals.get("__name__", "")
        if name.startswith(_TRUSTED):
            return True
        frame = frame.f_back
    return False


@lru_cache(maxsize=2048)
def _touched(statement: str) -> _Touched:
    # As SQLAlchemy writes them: after FROM, JOIN and the like, or in front of a column.
    named = set(re.findall(r"(?:FROM|JOIN|INTO|UPDATE|TABLE|,)\s+\"?(\w+)", statement, re.I))
    named |= set(re.findall(r"\b\"?(\w+)\"?\.", statement))
    return _Touched(
        not WAYS_IN.isdisjoint(named), not KEPT.isdisjoint(named), bool(_CHANGES.match(statement))
    )
