"""Runs of a project: found, ordered and counted without touching a point.

SQL orders the runs and takes the page. A filter is RE2, which SQL does not have: with
one, the names of all runs are read, and only the rows of the asked page in full.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal, get_args

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, case, func, select

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.queries.visible import ProjectRef, find_project, visible_runs
from orgboard_dashboard.queries.words import NOTHING_SAID, Words, words_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text

__all__ = [
    "LIVE_WITHIN_S",
    "MAX_ROWS",
    "RunPage",
    "RunQuery",
    "RunRow",
    "Status",
    "any_matches",
    "list_runs",
    "newest_touch",
    "project_revision",
    "rows_of",
    "status_of",
]

Status = Literal["live", "stale", "finished", "failed"]
SortKey = Literal[
    "name", "started", "last_event", "last_step", "points", "status", "gaps", "attempts"
]

LIVE_WITHIN_S: Final = 120.0
"""A run whose files grew within this time is live; a slow step may take a minute."""

MAX_ROWS: Final = 1000
"""Rows of one answer."""

_STATUS_ORDER: Final[tuple[Status, ...]] = ("live", "stale", "failed", "finished")


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which rows of the table of runs are wanted."""

    q: str = ""
    """RE2 on the name, unanchored."""
    sort: str = "-last_event"
    """A `SortKey`, with "-" in front for the largest first."""
    offset: int = 0
    limit: int = 100
    archived: bool = False
    """Those that were put aside, too."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """One run as lists show it. Times are epoch seconds."""

    uid: str
    name: str
    color: int
    """Place in the palette."""
    status: Status
    started: float | None
    last_event: float | None
    last_step: int | None
    points: int
    gaps: int
    files: int
    attempts: int
    revision: int
    hparams: Mapping[str, Any]
    display_name: str | None
    """What people call it; None while they call it by its directory."""
    chosen_color: str | None
    """"#rrggbb" instead of the place in the palette."""
    starred: bool
    archived_at: float | None
    edits: int
    tags: tuple[str, ...]
    """By name."""
    note: str
    """How its note begins; "" without one."""

    @property
    def shown_name(self) -> str:
        """The name that lists show."""
        return self.display_name or self.name

    @property
    def damaged(self) -> bool:
        """Whether some bytes of its files could not be read."""
        return self.gaps > 0


@dataclass(frozen=True, slots=True)
class RunPage:
    """Some rows, and how many there are."""

    revision: int
    total: int
    """Runs of the project."""
    matching: int
    """Those that the filter lets through."""
    runs: tuple[RunRow, ...]


def list_runs(
    viewer: Viewer, conn: Connection, team: str, project: str, query: RunQuery, now: float
) -> RunPage:
    """Return the rows that `query` asks for.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: the filter, the order or the limits are none.
    """
    found = find_project(viewer, conn, team, project)
    order = _order(query.sort, now)
    matches = matcher(query.q) if query.q else None
    if query.offset < 0 or not 0 < query.limit <= MAX_ROWS:
        raise BadQuery(f"A page has 1 to {MAX_ROWS} runs and begins at 0 or later.")
    run = tables.run.c
    here = (run.project_id == found.project_id) & visible_runs(viewer)
    if not query.archived:
        here &= run.archived_at.is_(None)
    total = int(conn.execute(select(func.count()).select_from(tables.run).where(here)).scalar_one())
    ordered = select(run.run_id).where(here).order_by(*order)
    # No engine takes a number that is longer than its own.
    first = min(query.offset, total)
    page = slice(first, first + query.limit)
    if matches is None:
        matching = total
        wanted = list(conn.scalars(ordered.slice(page.start, page.stop)))
    else:
        named = conn.execute(ordered.add_columns(run.name, run.display_name))
        ids = [run_id for run_id, *names in named if any_matches(matches, names)]
        matching, wanted = len(ids), ids[page]
    by_id = rows_of(viewer, conn, wanted, now)
    rows = tuple(by_id[run_id] for run_id in wanted if run_id in by_id)
    return RunPage(project_revision(viewer, conn, found), total, matching, rows)


def project_revision(viewer: Viewer, conn: Connection, project: ProjectRef) -> int:
    """Return the time of the newest commit to a visible run, in ms of the ingest's clock."""
    newest = conn.execute(newest_touch(viewer), {"project": project.project_id})
    return int(newest.scalar() or 0)


# Built once for each viewer: to build a statement costs more than to run it.
@lru_cache(maxsize=64)
def newest_touch(viewer: Viewer) -> Select[int]:
    """Return the statement of `project_revision`; it asks for the id of a `project`."""
    return select(func.max(tables.run.c.touched_ms)).where(
        tables.run.c.project_id == bindparam("project"), visible_runs(viewer)
    )


def rows_of(
    viewer: Viewer, conn: Connection, run_ids: Sequence[int], now: float
) -> dict[int, RunRow]:
    """Return the rows of those runs that `viewer` may see."""
    rows: dict[int, RunRow] = {}
    for start in range(0, len(run_ids), MAX_ROWS):
        piece = run_ids[start : start + MAX_ROWS]
        asked = select(tables.run).where(tables.run.c.run_id.in_(piece), visible_runs(viewer))
        found = conn.execute(asked).all()
        said = words_of(conn, [row.uid for row in found])
        rows |= {row.run_id: _row(row, said.get(row.uid, NOTHING_SAID), now) for row in found}
    return rows


def any_matches(matches: Callable[[str], bool], names: Iterable[str | None]) -> bool:
    """Tell whether one of a run's names, as they are stored, passes a filter."""
    return any(matches(text.from_sql(name)) for name in names if name is not None)


def status_of(finished: str | None, last_write: float | None, now: float) -> Status:
    """Judge a run by its data: an end was logged, or bytes came lately, or neither."""
    if finished is not None:
        return "failed" if finished == "failed" else "finished"
    return "live" if last_write is not None and last_write > now - LIVE_WITHIN_S else "stale"


def _order(sort: str, now: float) -> list[ColumnElement[Any]]:
    """Return the columns to order by. Runs without the value count as the smallest."""
    key = sort.removeprefix("-")
    if key not in get_args(SortKey):
        raise BadQuery(f"Runs can be sorted by {', '.join(get_args(SortKey))}.")
    run = tables.run.c
    named: dict[str, ColumnElement[Any]] = {"status": _status_rank(now), "name": _shown_name()}
    by = named[key] if key in named else run[key]
    # The engines do not agree on where NULL belongs.
    first = by.desc().nulls_last() if sort.startswith("-") else by.asc().nulls_first()
    return [first, run.name.asc(), run.run_id.asc()]


def _status_rank(now: float) -> ColumnElement[int]:
    """Return `status_of` as a place in `_STATUS_ORDER`, in SQL."""
    run = tables.run.c
    return case(
        (run.finished == "failed", _STATUS_ORDER.index("failed")),
        (run.finished.is_not(None), _STATUS_ORDER.index("finished")),
        (run.last_write > now - LIVE_WITHIN_S, _STATUS_ORDER.index("live")),
        else_=_STATUS_ORDER.index("stale"),
    )


def _shown_name() -> ColumnElement[str]:
    return func.coalesce(tables.run.c.display_name, tables.run.c.name)


def _row(row: Row[Any], said: Words, now: float) -> RunRow:
    return RunRow(
        uid=row.uid,
        name=text.from_sql(row.name),
        color=row.color,
        status=status_of(row.finished, row.last_write, now),
        started=row.started,
        last_event=row.last_event,
        last_step=row.last_step,
        points=row.points,
        gaps=row.gaps,
        files=row.files,
        attempts=row.attempts,
        revision=row.revision,
        hparams=_hparams(row.hparams),
        display_name=None if row.display_name is None else text.from_sql(row.display_name),
        chosen_color=row.chosen_color,
        starred=row.starred > 0,
        archived_at=row.archived_at,
        edits=row.edits,
        tags=said.tags,
        note=said.note,
    )


def _hparams(stored: str | None) -> Mapping[str, Any]:
    read = json.loads(text.from_sql(stored)) if stored else {}
    return read if isinstance(read, dict) else {}
