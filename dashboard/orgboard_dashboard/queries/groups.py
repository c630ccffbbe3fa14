"""Which runs belong together: by a hyperparameter, a part of their names, tags, user, project …

A group's place in the palette is the order in which the groups first appeared in the
project, whichever runs are asked about: it stays when runs are selected and when others come.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from sqlalchemy import ColumnElement, Connection, select

from orgboard_dashboard.queries.beside import settings_beside
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.patterns import capturer
from orgboard_dashboard.queries.visible import find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text

__all__ = ["MAX_NAME_CHARS", "RunGroup", "group_runs"]

MAX_NAME_CHARS: Final = 200
"""Of a group's name; what is longer ends with an ellipsis."""

_Key: TypeAlias = tuple[int, float, str]
"""Orders groups: numbers by size, then words, then the runs without a value."""

_NONE: Final = 3

_WORDS: Final = ("tag", "user", "host", "project")
"""What else runs are grouped by; those of several tags by all of them together."""


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that are drawn as one line."""

    id: str
    """Stable as long as the project's first runs are."""
    name: str
    color: int
    runs: tuple[str, ...]
    """Uids, in the order they were asked about."""


def group_runs(
    viewer: Viewer, conn: Connection, team: str, project: str, uids: Sequence[str], by: str
) -> tuple[RunGroup, ...]:
    """Return the groups of these runs.

    `by` is `hp:NAME`, `re:PATTERN` on the run's name, `tag`, `user`, `host` or `project`. A
    pattern groups by what its parentheses captured, or else by what it matched. Runs that do not
    exist, or are not visible, are in no group.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: `by` is none of these, or no pattern.
    """
    key_of = _keys(by)
    found = find_project(viewer, conn, team, project)
    run = tables.run.c
    # All of the project, in the order they came: a colour does not depend on a selection.
    here = runs_of(viewer, found)
    columns = (run.run_id, run.uid, run.name, run.hparams, run.username.label("user"), run.host)
    asked = (
        select(*columns, _place()).select_from(tables.run).join(tables.project).join(tables.team)
    )
    rows = conn.execute(asked.where(here).order_by(run.run_id)).all()
    told = _told(viewer, conn, here, rows, by)
    keys = {row.uid: key_of(row, told.get(row.uid, "")) for row in rows}
    place = {key: at for at, key in enumerate(dict.fromkeys(keys.values()))}
    members: dict[_Key, list[str]] = {}
    for uid in dict.fromkeys(uids):
        if uid in keys:
            members.setdefault(keys[uid], []).append(uid)
    return tuple(
        RunGroup(f"g{place[key]}", _name(by, key), place[key], tuple(members[key]))
        for key in sorted(members)
    )


def _told(
    viewer: Viewer, conn: Connection, here: ColumnElement[bool], rows: Sequence[Any], by: str
) -> Mapping[str, str]:
    """Return what a key is read from and does not stand in a run's own row, by uid."""
    if by == "tag":
        return _tags(conn, here)
    if not by.startswith("hp:"):
        return {}
    uids = {row.run_id: row.uid for row in rows}
    beside = settings_beside(viewer, conn, here)
    return {uids[run_id]: one.stored for run_id, one in beside.items() if run_id in uids}


def _place() -> ColumnElement[str]:
    return (tables.team.c.name + "/" + tables.project.c.name).label("project")


def _tags(conn: Connection, here: ColumnElement[bool]) -> dict[str, str]:
    """Return the tags of runs, by uid, those of a run joined."""
    tag, run = tables.run_tag.c, tables.run.c
    asked = select(tag.uid, tag.name).join(tables.run, run.uid == tag.uid).where(here)
    names: dict[str, list[str]] = {}
    for uid, name in conn.execute(asked):
        names.setdefault(uid, []).append(name)
    return {uid: ", ".join(sorted(several)) for uid, several in names.items()}


def _keys(by: str) -> Callable[[Any, str], _Key]:
    """Return what gives a run's key from its row and what is told of it besides."""
    sort, _, what = by.partition(":")
    if sort == "hp" and what:
        return lambda row, beside: _value_key(_read(row.hparams or beside), what)
    if sort == "re" and what:
        captured = capturer(what)
        return lambda row, _tags: _words_key(captured(text.from_sql(row.name)))
    if by == "tag":
        return lambda _row, tags: _words_key(text.from_sql(tags) if tags else None)
    if by in _WORDS:
        return lambda row, _tags: _words_key(_known(getattr(row, by)))
    raise BadQuery(
        "Runs are grouped by `hp:` and a hyperparameter, by `re:` and a pattern, by `tag`, `user`,"
        " `host` or `project`."
    )


def _known(stored: str | None) -> str | None:
    return None if stored is None else text.from_sql(stored)


def _words_key(words: str | None) -> _Key:
    return (_NONE, 0.0, "") if words is None else _text_key(words)


def _read(stored: str) -> Mapping[str, Any]:
    read = json.loads(text.from_sql(stored)) if stored else {}
    return read if isinstance(read, dict) else {}


def _value_key(hparams: Mapping[str, Any], name: str) -> _Key:
    value = hparams.get(name)
    if value is None:
        return (_NONE, 0.0, "")
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            number = float(value)
        except OverflowError:
            return (1, 0.0, str(value))
        # NaN equals nothing, not even itself: it would be a group for each run.
        return (1, 0.0, "NaN") if math.isnan(number) else (0, number, "")
    return (1, 0.0, value if isinstance(value, str) else json.dumps(value, sort_keys=True))


def _text_key(part: str) -> _Key:
    # Seeds and sizes are numbers to whoever named the runs: 2 comes before 10.
    if part.isascii() and part.isdigit() and len(part) <= 15:
        return (0, float(part), part)
    return (1, 0.0, part)


def _name(by: str, key: _Key) -> str:
    sort, _, what = by.partition(":")
    kind, number, words = key
    if kind == _NONE:
        name = "no match" if sort == "re" else f"no {what or by}"
    else:
        value = words if words or kind else _written(number)
        name = value or "(empty)" if sort == "re" else f"{what or by} = {value}"
    return name if len(name) <= MAX_NAME_CHARS else name[: MAX_NAME_CHARS - 1] + "…"


def _written(number: float) -> str:
    is_whole = number.is_integer() and abs(number) < 1e15
    return str(int(number)) if is_whole else repr(number)
