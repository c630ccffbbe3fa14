"""Runs of a project: found, ordered and counted, without touching a point unless one is asked for.

Which ones, `matching` knows; only the rows of the asked page are read in full, and of the metrics
only what the heads of those runs say, or their last points where a column is of those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Row, Select, bindparam, func, select

from orgboard_dashboard.queries.beside import Beside, settings_beside_rows
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.fields import Status, status_of
from orgboard_dashboard.queries.homes import HERE, Home, homes_of
from orgboard_dashboard.queries.hparam_texts import decode_hparams
from orgboard_dashboard.queries.matching import candidates_of, matching_runs
from orgboard_dashboard.queries.metrics import read_metrics
from orgboard_dashboard.queries.moments import moment_of_key, read_moments
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.order import tag_of_key
from orgboard_dashboard.queries.statistics import read_statistics, statistic_of_key
from orgboard_dashboard.queries.visible import ProjectRef, find_project, runs_of, visible_runs
from orgboard_dashboard.queries.words import NOTHING_SAID, Words, words_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables, text

__all__ = [
    "MAX_METRICS",
    "MAX_ROWS",
    "RunPage",
    "RunQuery",
    "RunRow",
    "list_runs",
    "newest_touch",
    "project_revision",
    "rows_of",
]

MAX_ROWS: Final = 1000
"""Rows of one answer."""

MAX_METRICS: Final = 50
"""Columns of metrics of one answer."""


@dataclass(frozen=True, slots=True)
class RunQuery:
    """Which rows of the table of runs are wanted."""

    q: str = ""
    """In the language of `queries.language`; without an operator, RE2 on the name, unanchored."""
    sort: str = "-last_event"
    """A key of `queries.order`, with "-" in front for the largest first."""
    offset: int = 0
    limit: int = 100
    metrics: tuple[str, ...] = ()
    """Columns of metrics that are wanted: keys such as `last:val/loss` or `hist:layer1:std`."""
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
    """Its own, or those that its writer put beside it."""
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
    host: str | None
    user: str | None
    comments: int = 0
    """0 also to who came by a share link, who reads none."""
    beside: Beside | None = None
    """Where its hyperparameters stand, if not in the run itself."""
    place: str = ""
    """TEAM/PROJECT, where several projects are looked at together."""
    metrics: Mapping[str, float] = field(default_factory=dict)
    """Of the columns that were asked for, those that the run has."""

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
    if query.offset < 0 or not 0 < query.limit <= MAX_ROWS:
        raise BadQuery(f"A page has 1 to {MAX_ROWS} runs and begins at 0 or later.")
    if len(query.metrics) > MAX_METRICS:
        raise BadQuery(f"A table has at most {MAX_METRICS} columns of metrics.")
    here = runs_of(viewer, found)
    if not query.archived:
        here &= tables.run.c.archived_at.is_(None)
    total = int(conn.execute(select(func.count()).select_from(tables.run).where(here)).scalar_one())
    # No engine takes a number that is longer than its own.
    first = min(query.offset, total)
    names = ProjectNames(viewer, conn, found)
    matched = matching_runs(
        viewer,
        conn,
        found,
        q=query.q,
        sort=query.sort,
        now=now,
        page=slice(first, first + query.limit),
        archived=query.archived,
        names=names,
    )
    by_id = rows_of(viewer, conn, matched.page, now, homes_of(conn, found))
    told = _metrics(viewer, conn, found, names, matched.page, query.metrics)
    rows = tuple(
        replace(by_id[run_id], metrics=told[run_id]) if told.get(run_id) else by_id[run_id]
        for run_id in matched.page
        if run_id in by_id
    )
    return RunPage(project_revision(viewer, conn, found), total, matched.matching, rows)


def _metrics(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    names: ProjectNames,
    run_ids: Sequence[int],
    keys: Sequence[str],
) -> dict[int, dict[str, float]]:
    """Return what the columns of metrics have of these runs; an unknown one has nothing."""
    found = {key: tag_of_key(key, names) for key in keys}
    tags = {key: tag for key, tag in found.items() if tag is not None}
    moments = {key: moment for key in keys if (moment := moment_of_key(key, names))}
    statistics = {key: of for key in keys if (of := statistic_of_key(key, names))}
    if not (tags or moments or statistics) or not run_ids:
        return {}
    runs = candidates_of(viewer, conn, run_ids)
    columns = read_metrics(conn, project, names, runs, [tag for tag, _ in tags.values()])
    told: dict[int, dict[str, float]] = {run_id: {} for run_id in runs.run_id.tolist()}
    for key, (tag_id, aggregate) in tags.items():
        column = columns[tag_id]
        _tell(told, key, column.has(aggregate), column.of(aggregate))
    at = read_moments(viewer, conn, project, names, runs, list(moments.values()))
    for key, moment in moments.items():
        _tell(told, key, at[moment].present, at[moment].value)
    of_last = read_statistics(conn, project, names, runs, list(statistics.values()))
    for key, statistic in statistics.items():
        _tell(told, key, ~np.isnan(of_last[statistic]), of_last[statistic])
    return told


def _tell(
    told: Mapping[int, dict[str, float]],
    key: str,
    has: NDArray[np.bool_],
    values: NDArray[np.float64],
) -> None:
    for of_run, is_there, value in zip(told.values(), has.tolist(), values.tolist(), strict=True):
        if is_there:
            of_run[key] = value


def project_revision(viewer: Viewer, conn: Connection, project: ProjectRef) -> int:
    """Return the time of the newest commit to a visible run, in ms of the ingest's clock."""
    # One after the other: each is one look into an index, and all together would be none.
    ids = (project.project_id,) if project.several is None else project.several
    newest = (conn.scalar(newest_touch(viewer), {"project": project_id}) for project_id in ids)
    return max(int(touched or 0) for touched in newest)


# Built once for each viewer: to build a statement costs more than to run it.
@lru_cache(maxsize=512)
def newest_touch(viewer: Viewer) -> Select[int]:
    """Return the statement of `project_revision`; it asks for the id of a `project`."""
    run = tables.run.c
    here = select(run.touched_ms).where(
        run.project_id == bindparam("project"), visible_runs(viewer)
    )
    # Not max(): that would read the row of every run to see whether it is visible.
    return here.order_by(run.touched_ms.desc()).limit(1)


def rows_of(
    viewer: Viewer,
    conn: Connection,
    run_ids: Sequence[int],
    now: float,
    homes: Mapping[int, Home] | None = None,
) -> dict[int, RunRow]:
    """Return the rows of those runs that `viewer` may see, told apart by their projects."""
    known = homes or {}
    rows: dict[int, RunRow] = {}
    for start in range(0, len(run_ids), MAX_ROWS):
        piece = run_ids[start : start + MAX_ROWS]
        asked = select(tables.run).where(tables.run.c.run_id.in_(piece), visible_runs(viewer))
        found = conn.execute(asked).all()
        said = words_of(conn, [row.uid for row in found])
        if viewer.kind == "share":
            said = {uid: replace(words, comments=0) for uid, words in said.items()}
        beside = settings_beside_rows(viewer, conn, found)
        rows |= {
            row.run_id: _row(
                row,
                beside.get(row.run_id),
                said.get(row.uid, NOTHING_SAID),
                known.get(row.project_id, HERE),
                now,
            )
            for row in found
        }
    return rows


def _row(row: Row[Any], beside: Beside | None, said: Words, home: Home, now: float) -> RunRow:
    return RunRow(
        uid=row.uid,
        name=text.from_sql(row.name),
        color=row.color + home.shift,
        status=status_of(row.finished, row.last_write, now),
        started=row.started,
        last_event=row.last_event,
        last_step=row.last_step,
        points=row.points,
        gaps=row.gaps,
        files=row.files,
        attempts=row.attempts,
        revision=row.revision,
        hparams=decode_hparams(row.hparams) if beside is None else beside.hparams,
        beside=beside,
        display_name=None if row.display_name is None else text.from_sql(row.display_name),
        chosen_color=row.chosen_color,
        starred=row.starred > 0,
        archived_at=row.archived_at,
        edits=row.edits,
        tags=said.tags,
        note=said.note,
        comments=said.comments,
        host=None if row.host is None else text.from_sql(row.host),
        user=None if row.username is None else text.from_sql(row.username),
        place=home.place,
    )
