"""What there is to tell of the runs that one watches: nothing of it is kept but what was seen.

    how a run stands now ──┐
    how it stood when last seen (`watch`) ──┴──▶ "finished", "failed", "went stale", "damaged"
    comments since the watching began ── less those seen (`watch_seen`) ──▶ "ben commented"

So an event is told once, whoever's browser is open when, by however many processes; and who may
not see a run any more is told nothing of it, not even what there was. What was over before one
looked (a run that was stale for an hour, and lives) is not told.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select, update

from orgboard_dashboard.mentions import excerpt_of
from orgboard_dashboard.queries.comments import names_in
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.fields import LIVE_WITHIN_S, status_of
from orgboard_dashboard.queries.mentions import MAX_UNSEEN, count_unseen
from orgboard_dashboard.queries.people.accounts import signed_in
from orgboard_dashboard.queries.visible import visible_runs
from orgboard_dashboard.queries.watches import standing_key
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = ["MAX_NEWS", "NewsRow", "What", "count_new", "list_news", "see_news"]

What: TypeAlias = Literal["finished", "failed", "stale", "damaged", "comment"]

MAX_NEWS: Final = 200
"""The newest; what is older stands on the runs' own pages."""

_ID: Final = re.compile(
    r"(?P<uid>[0-9A-Za-z]{1,16}):(?:"
    r"(?P<standing>(?:finished|failed|stale)@[0-9.e+-]{1,40})"
    r"|damaged@(?P<gaps>[0-9]{1,9})@(?P<gap_at>[0-9]{1,12}(?:\.[0-9]{1,20})?)"
    r"|comment@(?P<comment>[0-9A-Za-z]{1,16}))"
)

_of, _run, _gap = tables.watch.c, tables.run.c, tables.gap.c
_said, _seen, _account = tables.comment.c, tables.watch_seen.c, tables.account.c


@dataclass(frozen=True, slots=True)
class NewsRow:
    """One thing to tell of a run that one watches. Times are epoch seconds."""

    id: str
    """Of this event: what was seen is named by it."""
    what: What
    at: float
    seen_at: float | None
    run: str
    """Uid."""
    about: str
    """What the run is called."""
    team: str
    project: str
    gaps: int = 0
    lost_bytes: int = 0
    """Of a damaged run: in how many places, and how much, could not be read."""
    comment: str | None = None
    author: str = ""
    excerpt: str = ""


def list_news(viewer: Viewer, conn: Connection, now: float) -> tuple[NewsRow, ...]:
    """Return what there is to tell `viewer`, the newest first; what was seen, too.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    watched = conn.execute(_watched(viewer)).all()
    found = [*_standings(watched, now), *_damages(conn, watched), *_comments(viewer, conn)]
    return tuple(sorted(found, key=lambda row: (-row.at, row.id))[:MAX_NEWS])


def count_new(viewer: Viewer, conn: Connection, now: float) -> int:
    """Return how much `viewer` has not seen, mentions and news, `MAX_UNSEEN` at most.

    Raises:
        NotFound: `viewer` is not signed in.
    """
    watched = conn.execute(_watched(viewer)).all()
    found = [*_standings(watched, now), *_damages(conn, watched)]
    fresh = _about_watched(viewer, select(_said.comment_id)).where(_seen.seen_at.is_(None))
    said = select(func.count()).select_from(fresh.limit(MAX_UNSEEN).subquery())
    count = sum(row.seen_at is None for row in found) + conn.execute(said).scalar_one()
    return min(MAX_UNSEEN, count + count_unseen(viewer, conn))


def see_news(viewer: Viewer, conn: Connection, ids: Iterable[str], now: float) -> None:
    """Take what is named for seen. What is not there, or may not be seen, is passed over.

    Raises:
        NotFound: `viewer` is not signed in.
        BadQuery: these are no names of news.
    """
    account_id, told = signed_in(viewer), [_ID.fullmatch(each) for each in ids]
    if None in told:
        raise BadQuery("That is no name of anything that was told.")
    for found in filter(None, told):
        if found["comment"] is not None:
            _see_comment(viewer, conn, account_id, found["comment"], now)
            continue
        seen: dict[str, object] = {"seen_standing": found["standing"], "standing_seen_at": now}
        if found["standing"] is None:
            gaps: dict[str, object] = {"seen_gaps": int(found["gaps"]), "gaps_seen_at": now}
            seen = gaps | {"seen_gap_at": float(found["gap_at"])}
        here = select(_run.uid).where(_run.uid == found["uid"], visible_runs(viewer))
        mine = (_of.account_id == account_id) & _of.uid.in_(here)
        conn.execute(update(tables.watch).where(mine).values(seen))


def _see_comment(viewer: Viewer, conn: Connection, account_id: int, key: str, now: float) -> None:
    known = conn.scalar(
        _about_watched(viewer, select(_said.comment_id)).where(_said.comment_id == key)
    )
    if known is not None:
        row: dict[str, object] = {"comment_id": known, "account_id": account_id, "seen_at": now}
        insert_new(conn, tables.watch_seen, [row])


def _watched(viewer: Viewer) -> Select[Any]:
    """Return the runs that `viewer` watches and may see, and how they stand."""
    return (
        select(
            *(tables.watch, _run.run_id, _run.finished, _run.last_event, _run.last_write),
            *(_run.gaps, *_named()),
        )
        .join(tables.run, _run.uid == _of.uid)
        .join(tables.project, tables.project.c.project_id == _run.project_id)
        .join(tables.team, tables.team.c.team_id == tables.project.c.team_id)
        .where(_of.account_id == signed_in(viewer), visible_runs(viewer))
    )


def _named() -> tuple[ColumnElement[Any], ...]:
    called = func.coalesce(_run.display_name, _run.name).label("about")
    place = tables.team.c.name.label("team"), tables.project.c.name.label("project")
    return (called, *place)


def _standings(watched: Sequence[Any], now: float) -> Iterator[NewsRow]:
    for row in watched:
        status = status_of(row.finished, row.last_write, now)
        key = standing_key(status, row.last_event, row.last_write)
        is_seen = key == row.seen_standing
        if status == "live" or (is_seen and row.standing_seen_at is None):
            # It stood so already when the watching began.
            continue
        at = (row.last_write or row.since) + LIVE_WITHIN_S
        if status != "stale":
            at = row.last_event or row.last_write or row.since
        seen_at = row.standing_seen_at if is_seen else None
        yield NewsRow(f"{row.uid}:{key}", status, at, seen_at, row.uid, *_told(row))


def _damages(conn: Connection, watched: Sequence[Any]) -> Iterator[NewsRow]:
    damaged = {row.run_id: row for row in watched if row.gaps}
    for some in chunked(sorted(damaged)):
        lost = conn.execute(
            select(_gap.run_id, func.max(_gap.found_at), func.sum(_gap.length))
            .where(_gap.run_id.in_(some))
            .group_by(_gap.run_id)
        )
        for run_id, at, lost_bytes in lost:
            row = damaged[run_id]
            is_new = row.gaps > row.seen_gaps or at > row.seen_gap_at
            if not is_new and row.gaps_seen_at is None:
                continue
            told = NewsRow(
                f"{row.uid}:damaged@{row.gaps}@{at!r}",
                *("damaged", at, None if is_new else row.gaps_seen_at, row.uid),
                *_told(row),
                gaps=row.gaps,
                lost_bytes=int(lost_bytes),
            )
            yield told


def _told(row: Any) -> tuple[str, str, str]:
    return from_sql(row.about), from_sql(row.team), from_sql(row.project)


def _comments(viewer: Viewer, conn: Connection) -> Iterator[NewsRow]:
    asked = _about_watched(
        viewer,
        select(
            *(_said.comment_id, _said.uid, _said.text, _said.author, _said.written_at),
            *(_seen.seen_at, _account.name.label("called"), *_named()),
        ),
    )
    asked = (
        asked.outerjoin(tables.account, _account.account_id == _said.account_id)
        .join(tables.project, tables.project.c.project_id == _run.project_id)
        .join(tables.team, tables.team.c.team_id == tables.project.c.team_id)
        .order_by(_said.written_at.desc(), _said.comment_id)
        .limit(MAX_NEWS)
    )
    rows = conn.execute(asked).all()
    names = names_in(conn, [row.comment_id for row in rows])
    for row in rows:
        yield NewsRow(
            f"{row.uid}:comment@{row.comment_id}",
            *("comment", row.written_at, row.seen_at, row.uid),
            *_told(row),
            comment=row.comment_id,
            author=from_sql(row.called or row.author),
            excerpt=excerpt_of(from_sql(row.text), names.get(row.comment_id, {})),
        )


def _about_watched(viewer: Viewer, asked: Select[Any]) -> Select[Any]:
    """Narrow a question down to what others said of what `viewer` watches, since it does.

    What names `viewer` is a mention, and told as one.
    """
    account_id = signed_in(viewer)
    mention = tables.mention.c
    names_me = exists().where(
        mention.comment_id == _said.comment_id, mention.account_id == account_id
    )
    mine = (_seen.comment_id == _said.comment_id) & (_seen.account_id == account_id)
    others = or_(_said.account_id.is_(None), _said.account_id != account_id)
    return (
        asked.select_from(tables.watch)
        .join(tables.run, _run.uid == _of.uid)
        .join(tables.comment, _said.uid == _of.uid)
        .outerjoin(tables.watch_seen, mine)
        .where(
            *(_of.account_id == account_id, _said.written_at > _of.since, others),
            *(_said.removed_at.is_(None), ~names_me, visible_runs(viewer)),
        )
    )
