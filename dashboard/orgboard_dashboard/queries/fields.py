"""The fields that every run has: one row each, for queries, for sorting and for columns.

A field is a column in SQL and a kind of value. To add one is to add a row to `FIELDS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

from sqlalchemy import ColumnElement, case, exists, func, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.text import to_sql

__all__ = [
    "FIELDS",
    "LIVE_WITHIN_S",
    "STATUS_WORDS",
    "Field",
    "FieldKind",
    "Status",
    "has_tag",
    "status_of",
    "status_rank",
]

Status = Literal["live", "stale", "finished", "failed"]

STATUS_WORDS: Final[tuple[str, ...]] = (*get_args(Status), "damaged")
"""What `status` can be asked for. Damaged, some bytes could not be read, goes with any other."""

LIVE_WITHIN_S: Final = 120.0
"""A run whose files grew within this time is live; a slow step may take a minute."""

_STATUS_ORDER: Final[tuple[Status, ...]] = ("live", "stale", "failed", "finished")

FieldKind: TypeAlias = Literal["text", "status", "number", "time", "span", "tags"]
"""time: a moment; span: a length of time. Both are seconds in SQL. tags: any number of texts."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field of every run."""

    name: str
    kind: FieldKind
    about: str
    column: Callable[[float], ColumnElement[Any]]
    """Its value in SQL, at the moment of asking."""


def status_of(finished: str | None, last_write: float | None, now: float) -> Status:
    """Judge a run by its data: an end was logged, or bytes came lately, or neither."""
    if finished is not None:
        return "failed" if finished == "failed" else "finished"
    return "live" if last_write is not None and last_write > now - LIVE_WITHIN_S else "stale"


def status_rank(now: float, status: Status | None = None) -> ColumnElement[Any]:
    """Return `status_of` as a number to sort by, in SQL; with `status`, whether it is that."""
    run = tables.run.c
    rank = case(
        (run.finished == "failed", _STATUS_ORDER.index("failed")),
        (run.finished.is_not(None), _STATUS_ORDER.index("finished")),
        (run.last_write > now - LIVE_WITHIN_S, _STATUS_ORDER.index("live")),
        else_=_STATUS_ORDER.index("stale"),
    )
    return rank if status is None else rank == _STATUS_ORDER.index(status)


_run = tables.run.c


def _shown_name() -> ColumnElement[Any]:
    return func.coalesce(_run.display_name, _run.name)


def _first_tag() -> ColumnElement[Any]:
    tag = tables.run_tag.c
    return select(func.min(tag.name)).where(tag.uid == _run.uid).scalar_subquery()


def _note() -> ColumnElement[Any]:
    note = tables.run_note.c
    return select(note.text).where(note.uid == _run.uid).scalar_subquery()


def _star() -> ColumnElement[Any]:
    """Return 1, or NULL, so that `has:starred` finds the starred ones."""
    return case((_run.starred > 0, 1))


def has_tag(names: Iterable[str]) -> ColumnElement[bool]:
    """Return the condition that a run has one of these tags."""
    tag = tables.run_tag.c
    wanted = [to_sql(name) for name in names]
    return exists().where(tag.uid == _run.uid, tag.name.in_(wanted))


FIELDS: Final[dict[str, Field]] = {
    field.name: field
    for field in (
        Field("name", "text", "what people call it, or its directory", lambda _now: _shown_name()),
        Field("tag", "tags", "a tag that people gave it", lambda _now: _first_tag()),
        Field("note", "text", "what people wrote of it", lambda _now: _note()),
        Field("starred", "number", "1 when it has a star", lambda _now: _star()),
        Field("status", "status", "live, stale, finished, failed; damaged", status_rank),
        Field("started", "time", "its first event", lambda _now: _run.started),
        Field("last_event", "time", "its newest event", lambda _now: _run.last_event),
        Field(
            "duration",
            "span",
            "from the first event to the newest",
            lambda _now: _run.last_event - _run.started,
        ),
        Field("last_step", "number", "the largest step", lambda _now: _run.last_step),
        Field("points", "number", "points stored, of every tag", lambda _now: _run.points),
        Field("gaps", "number", "places that could not be read", lambda _now: _run.gaps),
        Field("attempts", "number", "1, and one more a restart", lambda _now: _run.attempts),
        Field("files", "number", "event files", lambda _now: _run.files),
        Field("host", "text", "the machine it ran on", lambda _now: _run.host),
        Field("user", "text", "whose it is", lambda _now: _run.username),
    )
}
"""By name, in the order that menus list them."""
