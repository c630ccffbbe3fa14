"""What a team did lately, day by day: runs, notes, comments and views, counted and not listed.

    runs started, ended, damaged ──┐
    notes, comments, views ────────┴─▶ one entry a day, project, person and sort: "ana started 12"

All of it stands in SQL for other reasons; nothing is kept for this. Every question has a bound in
time and in rows, and begins with what the viewer may see. Of many events of one entry the newest
are named.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, case, func, literal, select

from orgboard_dashboard.mentions import excerpt_of
from orgboard_dashboard.queries.comments import names_in, visible_comments
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.feed_best import Best, Started, best_of
from orgboard_dashboard.queries.views import visible_views
from orgboard_dashboard.queries.visible import ANY, ProjectRef, find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql

__all__ = ["MAX_ENTRIES", "Feed", "FeedEntry", "FeedItem", "FeedSort", "team_feed"]

FeedSort: TypeAlias = Literal["started", "finished", "failed", "damaged", "note", "comment", "view"]

MAX_ENTRIES: Final = 300
"""Of one answer, the newest."""
_NAMED: Final = 3
"""Of one entry."""
_MOST: Final = 2000
"""Of what people did: the newest, of each sort."""
_TOGETHER: Final = 500
"""Rows in memory at once."""
_LATE_S: Final = 86_400.0
"""By how much the clock of a training host may be ahead of the one that stored its run."""

_run, _note, _said = tables.run.c, tables.run_note.c, tables.comment.c
_view, _gap, _account = tables.saved_view.c, tables.gap.c, tables.account.c


@dataclass(frozen=True, slots=True)
class FeedItem:
    """One of the things that an entry is about."""

    name: str
    run: str | None = None
    """Uid; None: it is a view."""
    view: str | None = None
    page: str = ""
    """Of the view."""


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """What one person did of one sort in one project on one day."""

    what: FeedSort
    who: str
    """As the runs' writer or the board calls that one; "" when nobody says."""
    team: str
    project: str
    day: int
    """Of the days that were asked for."""
    at: float
    """When it happened last, epoch seconds."""
    count: int
    items: tuple[FeedItem, ...]
    """The newest."""
    best: Best | None = None
    """Of runs that started: where the best of them stands."""
    comment: str | None = None
    """Of comments: the newest."""
    excerpt: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """What happened, the newest first."""

    entries: tuple[FeedEntry, ...]
    left_out: int
    """Entries that are older than those."""
    earlier: float | None
    """When something happened last before; None: nothing ever did, of what is seen."""


_Key: TypeAlias = tuple[FeedSort, int, str, int]
"""What makes a group of runs: sort, day, person, project."""


@dataclass(slots=True)
class _Group:
    """What becomes an entry."""

    what: FeedSort
    who: str
    project_id: int
    day: int
    at: float
    count: int
    items: list[FeedItem] = field(default_factory=list)
    run_ids: list[int] = field(default_factory=list)
    """Of runs, the newest first."""
    comment: str | None = None


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who asks of which projects and days."""

    viewer: Viewer
    project: ProjectRef
    days: Sequence[float]
    """Where they begin, and where the last one ends."""

    @property
    def ids(self) -> tuple[int, ...]:
        return self.project.several or ()

    def among(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        return (at >= self.days[0]) & (at < self.days[-1])

    def day(self, at: ColumnElement[Any]) -> ColumnElement[int]:
        """Return the number of the day in which a moment is, in SQL."""
        begins = list(enumerate(self.days[:-1]))
        return case(*((at >= begin, literal(n)) for n, begin in reversed(begins)), else_=literal(0))


def team_feed(viewer: Viewer, conn: Connection, team: str, days: Sequence[float]) -> Feed:
    """Return what happened in a team's projects (`*`: in all) between the first and last of `days`.

    `days` are the moments at which a day begins where the reader is, ascending, and the end of the
    last one. What may not be seen is not there, be it a run, a project, or a whole team.

    Raises:
        NotFound: who came by a share link is told nothing of what people do.
    """
    if viewer.kind == "share":
        raise NotFound
    try:
        project = find_project(viewer, conn, team, ANY)
    except NotFound:
        return Feed((), 0, None)
    asked = _Asked(viewer, project, days)
    by_people = chain(_notes(conn, asked), _comments(conn, asked), _views(conn, asked))
    groups = [*_runs(conn, asked), *by_people]
    groups.sort(key=lambda one: (-one.at, one.what, one.who, one.project_id))
    left_out, groups = len(groups) - MAX_ENTRIES, groups[:MAX_ENTRIES]
    _name_runs(conn, groups)
    entries = _entries(conn, asked, groups)
    return Feed(tuple(_with_excerpts(conn, entries)), max(0, left_out), _earlier(conn, asked))


def _entries(conn: Connection, asked: _Asked, groups: Sequence[_Group]) -> list[FeedEntry]:
    places = _places(conn, asked.ids)
    began = {
        at: Started(*places[one.project_id], tuple(one.run_ids))
        for at, one in enumerate(groups)
        if one.what == "started"
    }
    best = best_of(asked.viewer, conn, began)
    return [
        FeedEntry(
            *(one.what, one.who, *places[one.project_id], one.day, one.at, one.count),
            items=tuple(one.items),
            best=best.get(at),
            comment=one.comment,
        )
        for at, one in enumerate(groups)
    ]


def _places(conn: Connection, ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    project, team = tables.project.c, tables.team.c
    rows = conn.execute(
        select(project.project_id, team.name, project.name)
        .join(tables.team)
        .where(project.project_id.in_(ids))
    )
    return {row[0]: (from_sql(row[1]), from_sql(row[2])) for row in rows}


def _called() -> ColumnElement[Any]:
    return func.coalesce(_run.display_name, _run.name).label("called")


def _lately(asked: _Asked) -> ColumnElement[bool]:
    """Return the condition on runs that may have done something then; an index finds them."""
    at_ms = int((asked.days[0] - _LATE_S) * 1000)
    seen = runs_of(asked.viewer, asked.project)
    return (_run.touched_ms >= at_ms) & _run.archived_at.is_(None) & seen


def _runs(conn: Connection, asked: _Asked) -> Iterable[_Group]:
    """Return what started, ended, and was damaged. It is counted here: an engine takes as long
    to, and names no run.
    """
    ended = func.coalesce(_run.last_event, _run.last_write)
    columns = (_run.run_id, _run.project_id, _run.username, _run.finished, _run.gaps)
    is_about = asked.among(_run.started) | (asked.among(ended) & _run.finished.is_not(None))
    rows = conn.execute(
        select(*columns, _run.started, ended).where(_lately(asked), is_about | (_run.gaps > 0))
    )
    groups: dict[_Key, list[tuple[float, int]]] = defaultdict(list)
    damaged: dict[int, tuple[str, int]] = {}
    # Ten thousand rows: what a loop does once more each time is felt.
    days, first, last = asked.days, asked.days[0], asked.days[-1]
    for run_id, project_id, who, finished, gaps, began, end in chain.from_iterable(
        rows.partitions(_TOGETHER)
    ):
        if began is not None and first <= began < last:
            day = bisect_right(days, began) - 1
            groups["started", day, who or "", project_id].append((began, run_id))
        if finished is not None and end is not None and first <= end < last:
            what: FeedSort = "failed" if finished == "failed" else "finished"
            day = bisect_right(days, end) - 1
            groups[what, day, who or "", project_id].append((end, run_id))
        if gaps:
            damaged[run_id] = (who or "", project_id)
    for run_id, day, at in _damages(conn, asked, sorted(damaged)):
        groups["damaged", day, *damaged[run_id]].append((at, run_id))
    return map(_of_runs, groups, groups.values())


def _damages(
    conn: Connection, asked: _Asked, run_ids: Sequence[int]
) -> Iterator[tuple[int, int, float]]:
    """Yield runs, the days on which gaps of theirs were found, and when the last one was."""
    day = asked.day(_gap.found_at).label("day")
    for some in chunked(run_ids):
        found = (
            select(_gap.run_id, day, func.max(_gap.found_at))
            .where(_gap.run_id.in_(some), asked.among(_gap.found_at))
            .group_by(_gap.run_id, day)
        )
        yield from ((row[0], row[1], row[2]) for row in conn.execute(found))


def _of_runs(key: _Key, runs: list[tuple[float, int]]) -> _Group:
    what, day, who, project_id = key
    runs.sort(reverse=True)
    ids = [run_id for _at, run_id in runs]
    return _Group(what, from_sql(who), project_id, day, runs[0][0], len(runs), run_ids=ids)


def _name_runs(conn: Connection, groups: Sequence[_Group]) -> None:
    """Name the newest runs of each group, which were chosen by who may see them."""
    wanted = {run_id for one in groups for run_id in one.run_ids[:_NAMED]}
    named: dict[int, FeedItem] = {}
    for some in chunked(sorted(wanted)):
        asked = select(_run.run_id, _run.uid, _called()).where(_run.run_id.in_(some))
        named |= {row[0]: FeedItem(from_sql(row[2]), row[1]) for row in conn.execute(asked)}
    for one in groups:
        one.items += [named[run_id] for run_id in one.run_ids[:_NAMED]]


def _newest_of_each(
    asked: _Asked,
    at: ColumnElement[Any],
    who: ColumnElement[Any],
    project: ColumnElement[Any],
    *columns: ColumnElement[Any],
) -> Select[Any]:
    """Begin a question for the newest of each day, person and project, and how many there are."""
    group = (project, who, asked.day(at))
    nth = func.row_number().over(partition_by=group, order_by=at.desc())
    return select(
        *(project.label("project_id"), who.label("who"), at.label("at"), *columns),
        asked.day(at).label("day"),
        func.count().over(partition_by=group).label("n"),
        nth.label("nth"),
    ).where(asked.among(at))


def _grouped(conn: Connection, what: FeedSort, asked: Select[Any]) -> Iterable[_Group]:
    """Make a group of each day, person and project of `_newest_of_each`."""
    ranked = asked.subquery()
    few = select(ranked).where(ranked.c.nth <= _NAMED).order_by(ranked.c.at.desc()).limit(_MOST)
    groups: dict[tuple[object, ...], _Group] = {}
    for row in conn.execute(few).all():
        is_of_run = getattr(row, "uid", None) is not None
        item = FeedItem(from_sql(row.called), row.uid) if is_of_run else _view_item(row)
        key = (row.day, row.who, row.project_id)
        if key not in groups:
            who, comment = from_sql(row.who), getattr(row, "comment_id", None)
            groups[key] = _Group(what, who, row.project_id, row.day, row.at, row.n)
            groups[key].comment = comment
        if item not in groups[key].items:
            groups[key].items.append(item)
    return groups.values()


def _notes(conn: Connection, asked: _Asked) -> Iterable[_Group]:
    # An outer join, so that no engine begins with all runs: few have a note, and fewer lately.
    place = func.coalesce(_run.project_id, 0)
    newest = (
        _newest_of_each(asked, _note.written_at, _note.author, place, _run.uid, _called())
        .select_from(tables.run_note)
        .outerjoin(tables.run, _run.uid == _note.uid)
        .where(_is_seen(asked))
    )
    return _grouped(conn, "note", newest)


def _is_seen(asked: _Asked) -> ColumnElement[bool]:
    """Return the condition on notes that are of runs which the viewer may see, one by one."""
    seen = select(_run.uid).where(_run.uid == _note.uid, runs_of(asked.viewer, asked.project))
    return seen.correlate(tables.run_note).exists()


def _comments(conn: Connection, asked: _Asked) -> Iterable[_Group]:
    place = func.coalesce(_run.project_id, _view.project_id)
    who = func.coalesce(_account.name, _said.author)
    more = (_said.comment_id, _run.uid, _called(), *_of_views())
    newest = (
        _newest_of_each(asked, _said.written_at, who, place, *more)
        .select_from(tables.comment)
        .outerjoin(tables.account, _account.account_id == _said.account_id)
        .outerjoin(tables.run, _run.uid == _said.uid)
        .outerjoin(tables.saved_view, _view.view_id == _said.view_id)
        .where(_said.removed_at.is_(None), place.in_(asked.ids), visible_comments(asked.viewer))
    )
    return _grouped(conn, "comment", newest)


def _views(conn: Connection, asked: _Asked) -> Iterable[_Group]:
    of_team = (_view.for_team == 1) & _view.name.is_not(None)
    of = (_view.created_at, _view.owner, _view.project_id)
    newest = _newest_of_each(asked, *of, *_of_views())
    here = _view.project_id.in_(asked.ids) & visible_views(asked.viewer)
    return _grouped(conn, "view", newest.where(of_team, here))


def _of_views() -> tuple[ColumnElement[Any], ...]:
    return _view.view_id, _view.page, _view.name.label("view_name")


def _view_item(row: Any) -> FeedItem:
    return FeedItem(from_sql(row.view_name or ""), view=row.view_id, page=row.page or "")


def _with_excerpts(conn: Connection, entries: Sequence[FeedEntry]) -> Iterator[FeedEntry]:
    """Add to comments how the newest begins: they were chosen by who may read them."""
    keys = [entry.comment for entry in entries if entry.comment is not None]
    texts = select(_said.comment_id, _said.text).where(_said.comment_id.in_(keys))
    told = {row[0]: from_sql(row[1]) for row in conn.execute(texts)} if keys else {}
    names = names_in(conn, keys) if keys else {}
    for entry in entries:
        key = entry.comment
        text = told.get(key, "") if key is not None else ""
        yield replace(entry, excerpt=excerpt_of(text, names.get(key or "", {})))


def _earlier(conn: Connection, asked: _Asked) -> float | None:
    """Return when something happened last before the days that are asked for."""
    before, seen = asked.days[0], runs_of(asked.viewer, asked.project)
    ends = func.coalesce(_run.last_event, _run.last_write)
    runs = select(
        func.max(case((_run.started < before, _run.started))),
        func.max(case(((ends < before) & _run.finished.is_not(None), ends))),
    ).where(seen, _run.archived_at.is_(None))
    noted = (
        select(_note.written_at)
        .where(_note.written_at < before, _is_seen(asked))
        .order_by(_note.written_at.desc())
        .limit(1)
    )
    of_team = (_view.for_team == 1) & _view.name.is_not(None)
    saved = select(func.max(_view.created_at)).where(
        *(_view.created_at < before, of_team, _view.project_id.in_(asked.ids)),
        visible_views(asked.viewer),
    )
    place = func.coalesce(_run.project_id, _view.project_id)
    said = (
        select(_said.written_at)
        .outerjoin(tables.run, _run.uid == _said.uid)
        .outerjoin(tables.saved_view, _view.view_id == _said.view_id)
        .where(_said.written_at < before, _said.removed_at.is_(None), place.in_(asked.ids))
        .where(visible_comments(asked.viewer))
        .order_by(_said.written_at.desc())
        .limit(1)
    )
    found = [*conn.execute(runs).one(), *(conn.scalar(each) for each in (noted, saved, said))]
    return max((at for at in found if at is not None), default=None)
