"""What a team did lately, day by day: runs, notes, comments and views, counted and not listed.

    runs started, ended, damaged ──┐
    notes, comments, views ────────┴─▶ one entry a day, project, person and sort: "ana started 12"

All of it stands in SQL for other reasons; nothing is kept for this. Every question has a bound in
time and in rows, and begins with what the viewer may see. Of many events of one entry the newest
are named.
"""

from __future__ import annotations

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
from orgboard_schema.sql.text import from_sql

__all__ = ["MAX_ENTRIES", "Feed", "FeedEntry", "FeedItem", "FeedSort", "team_feed"]

FeedSort: TypeAlias = Literal["started", "finished", "failed", "damaged", "note", "comment", "view"]

MAX_ENTRIES: Final = 300
"""Of one answer, the newest."""
_NAMED: Final = 3
"""Of one entry."""
_MOST: Final = 2000
"""Events of people that are looked at: the newest."""
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


@dataclass(frozen=True, slots=True)
class _Event:
    """One row of any sort."""

    what: FeedSort
    who: str
    project_id: int
    at: float
    item: FeedItem
    of: int = 1
    """How many there are like it: of the same day, person and project."""
    comment: str | None = None


@dataclass(slots=True)
class _Asked:
    """Who asks of which projects and days."""

    viewer: Viewer
    project: ProjectRef
    days: Sequence[float]
    """Where they begin, and where the last one ends."""
    ids: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.ids = self.project.several or ()

    def among(self, at: ColumnElement[Any]) -> ColumnElement[bool]:
        return (at >= self.days[0]) & (at < self.days[-1])

    def day(self, at: ColumnElement[Any]) -> ColumnElement[int]:
        """Return the number of the day in which a moment is, in SQL."""
        begins = list(enumerate(self.days[:-1]))
        return case(*((at >= begin, literal(n)) for n, begin in reversed(begins)), else_=literal(0))

    def day_of(self, at: float) -> int:
        return max(n for n, begin in enumerate(self.days[:-1]) if n == 0 or at >= begin)


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
    places = _places(conn, asked.ids)
    by_runs = chain(_started(conn, asked), _ended(conn, asked), _damaged(conn, asked))
    by_people = chain(_notes(conn, asked), _comments(conn, asked), _views(conn, asked))
    entries = _grouped(asked, chain(by_runs, by_people), places)
    shown = _with_best(conn, asked, entries[:MAX_ENTRIES])
    return Feed(
        tuple(_with_excerpts(conn, shown)), len(entries) - len(shown), _earlier(conn, asked)
    )


def _places(conn: Connection, ids: Sequence[int]) -> Mapping[int, tuple[str, str]]:
    project, team = tables.project.c, tables.team.c
    rows = conn.execute(
        select(project.project_id, team.name, project.name)
        .join(tables.team)
        .where(project.project_id.in_(ids))
    )
    return {row[0]: (from_sql(row[1]), from_sql(row[2])) for row in rows}


def _grouped(
    asked: _Asked, events: Iterable[_Event], places: Mapping[int, tuple[str, str]]
) -> list[FeedEntry]:
    groups: dict[tuple[object, ...], list[_Event]] = {}
    for event in events:
        key = (asked.day_of(event.at), event.what, event.who, event.project_id)
        groups.setdefault(key, []).append(event)
    found = []
    for events_of in groups.values():
        ordered = sorted(events_of, key=lambda event: -event.at)
        newest = ordered[0]
        items = tuple(dict.fromkeys(event.item for event in ordered))[:_NAMED]
        team, project = places[newest.project_id]
        found.append(
            FeedEntry(
                *(newest.what, newest.who, team, project, asked.day_of(newest.at), newest.at),
                count=max(newest.of, len(ordered)),
                items=items,
                comment=newest.comment,
            )
        )
    return sorted(found, key=lambda entry: (-entry.at, entry.what, entry.who, entry.project))


def _lately(asked: _Asked) -> ColumnElement[bool]:
    """Return the condition on runs that may have done something then; an index finds them."""
    at_ms = int((asked.days[0] - _LATE_S) * 1000)
    seen = runs_of(asked.viewer, asked.project)
    return (_run.touched_ms >= at_ms) & _run.archived_at.is_(None) & seen


def _newest_of_each(
    asked: _Asked, at: ColumnElement[Any], what: ColumnElement[Any], *more: ColumnElement[bool]
) -> Select[Any]:
    """Return the newest runs of each day, person, project and sort, and how many there are."""
    who = func.coalesce(_run.username, "").label("who")
    group = (_run.project_id, who, what, asked.day(at))
    ranked = (
        select(
            *(_run.project_id, who, _run.uid, _called(), at.label("at")),
            what.label("what"),
            func.count().over(partition_by=group).label("n"),
            func.row_number().over(partition_by=group, order_by=(at.desc(), _run.uid)).label("nth"),
        )
        .where(_lately(asked), asked.among(at), *more)
        .subquery()
    )
    return select(ranked).where(ranked.c.nth <= _NAMED)


def _called() -> ColumnElement[Any]:
    return func.coalesce(_run.display_name, _run.name).label("called")


def _started(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    rows = conn.execute(_newest_of_each(asked, _run.started, literal("started")))
    return map(_of_run, rows)


def _ended(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    at = func.coalesce(_run.last_event, _run.last_write)
    what = case((_run.finished == "failed", "failed"), else_="finished")
    rows = conn.execute(_newest_of_each(asked, at, what, _run.finished.is_not(None)))
    return map(_of_run, rows)


def _of_run(row: Any) -> _Event:
    item = FeedItem(from_sql(row.called), row.uid)
    return _Event(row.what, from_sql(row.who), row.project_id, row.at, item, row.n)


def _damaged(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    day = asked.day(_gap.found_at).label("day")
    at = func.max(_gap.found_at)
    rows = conn.execute(
        select(_run.project_id, _run.username, _run.uid, _called(), at.label("at"), day)
        .join(tables.gap, _gap.run_id == _run.run_id)
        .where(_lately(asked), _run.gaps > 0, asked.among(_gap.found_at))
        .group_by(*(_run.project_id, _run.username, _run.uid, _called(), day))
        .order_by(at.desc())
        .limit(_MOST)
    )
    for row in rows:
        item = FeedItem(from_sql(row.called), row.uid)
        yield _Event("damaged", from_sql(row.username or ""), row.project_id, row.at, item)


def _notes(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    rows = conn.execute(
        select(_note.author, _note.written_at, _run.project_id, _run.uid, _called())
        .join(tables.run, _run.uid == _note.uid)
        .where(asked.among(_note.written_at), runs_of(asked.viewer, asked.project))
        .order_by(_note.written_at.desc())
        .limit(_MOST)
    )
    for row in rows:
        item = FeedItem(from_sql(row.called), row.uid)
        yield _Event("note", from_sql(row.author), row.project_id, row.written_at, item)


def _comments(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    place = func.coalesce(_run.project_id, _view.project_id)
    rows = conn.execute(
        select(
            *(_said.comment_id, _said.author, _said.written_at, _account.name.label("known")),
            *(place.label("project_id"), _run.uid, _called(), *_of_views()),
        )
        .outerjoin(tables.account, _account.account_id == _said.account_id)
        .outerjoin(tables.run, _run.uid == _said.uid)
        .outerjoin(tables.saved_view, _view.view_id == _said.view_id)
        .where(asked.among(_said.written_at), _said.removed_at.is_(None))
        .where(place.in_(asked.ids), visible_comments(asked.viewer))
        .order_by(_said.written_at.desc())
        .limit(_MOST)
    )
    for row in rows:
        is_of_run = row.uid is not None
        item = FeedItem(from_sql(row.called), row.uid) if is_of_run else _view_item(row)
        who = from_sql(row.known or row.author)
        yield _Event(
            *("comment", who, row.project_id, row.written_at, item), comment=row.comment_id
        )


def _views(conn: Connection, asked: _Asked) -> Iterator[_Event]:
    of_team = (_view.for_team == 1) & _view.name.is_not(None)
    rows = conn.execute(
        select(_view.project_id, _view.owner, _view.created_at, *_of_views())
        .where(of_team, asked.among(_view.created_at), _view.project_id.in_(asked.ids))
        .where(visible_views(asked.viewer))
        .order_by(_view.created_at.desc())
        .limit(_MOST)
    )
    for row in rows:
        yield _Event(
            *("view", from_sql(row.owner), row.project_id, row.created_at, _view_item(row))
        )


def _of_views() -> tuple[ColumnElement[Any], ...]:
    return _view.view_id, _view.page, _view.name.label("view_name")


def _view_item(row: Any) -> FeedItem:
    return FeedItem(from_sql(row.view_name or ""), view=row.view_id, page=row.page or "")


def _with_best(conn: Connection, asked: _Asked, entries: Sequence[FeedEntry]) -> list[FeedEntry]:
    """Add to what started where the best of it stands."""
    groups = {
        at: Started(
            *(one.who, one.team, one.project),
            since=asked.days[one.day],
            until=asked.days[one.day + 1],
            count=one.count,
        )
        for at, one in enumerate(entries)
        if one.what == "started"
    }
    best = best_of(asked.viewer, conn, groups)
    return [replace(one, best=best.get(at)) for at, one in enumerate(entries)]


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
        .join(tables.run, _run.uid == _note.uid)
        .where(_note.written_at < before, seen)
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
