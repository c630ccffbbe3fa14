"""Cards in other sites' pages: who may frame one, by which secret it is read, and until when.

    GET /embed/ID           origins_of_embed   before anybody has said a secret: who may frame it
    GET /embed/ID/card      viewer_of_embed    by the secret: the one whose sight the card has

A card shows what its maker may see of the project at that moment, and of that only its runs: who
loses sight of a run or of the project takes it out of the frame with the next request. The address
opens nothing without the secret, and the secret opens nothing but that one card.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, insert, select, update

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.embeds.drawing import kept_state
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.people.handed_out import (
    DAY_S,
    check_title,
    giving,
    require_room,
    require_runs,
    revoke,
)
from orgboard_dashboard.queries.people.ways_in import Known
from orgboard_dashboard.queries.visible import find_project, visible_projects
from orgboard_dashboard.viewer import Viewer, Within
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "DEFAULT_DAYS",
    "MAX_DAYS",
    "MAX_RUNS",
    "Embed",
    "EmbedRow",
    "NewEmbed",
    "embed_is_open",
    "embed_stands",
    "find_embed",
    "list_embeds",
    "make_embed",
    "origins_of_embed",
    "revoke_embed",
    "touch_embed",
    "viewer_of_embed",
]

DEFAULT_DAYS: Final = 90
MAX_DAYS: Final = 366
MAX_RUNS: Final = 100
"""Lines that a card shows at most, on a page of the board as well."""
_MAX_TAG_CHARS: Final = 2000
_MAX_STATE_CHARS: Final = 8000
_TOUCH_EVERY_S: Final = 3600.0
"""That it was shown is written down no more often: a page of a wiki is looked at all day."""

_of, _account = tables.embed.c, tables.account.c


@dataclass(frozen=True, slots=True)
class NewEmbed:
    """What is shown: a card, which runs are in it, and by whose pages."""

    tag: str
    state: str
    """The view that it is drawn by, as the query part of an address."""
    title: str
    origins: tuple[str, ...]
    """As `embeds.origins` checked them."""
    uids: tuple[str, ...] | None = None
    """None: those that the view's filter finds first, whenever it is looked at."""
    days: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class EmbedRow:
    """A card that is still shown. Times are epoch seconds."""

    id: str
    title: str
    tag: str
    runs: int | None
    origins: tuple[str, ...]
    made_by: str
    created_at: float
    expires_at: float
    used_at: float | None


@dataclass(frozen=True, slots=True)
class Embed:
    """A card as who came by its secret finds it."""

    team: str
    project: str
    tag: str
    state: str
    title: str
    uids: tuple[str, ...] | None


def make_embed(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    secret: str,
    new: NewEmbed,
    now: float,
) -> EmbedRow:
    """Let `secret` show a card of the project, in pages of the origins that are named.

    Raises:
        NotFound: there is no such project or run, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
        BadQuery: title, days or tag are out of bounds.
        TooMuch: the project has too many of them.
    """
    found = giving(viewer, conn, team, project)
    _check(new)
    require_runs(viewer, conn, found, new.uids)
    require_room(conn, found, tables.embed, embed_is_open(now), "embedded cards")
    embed_id = new_uid()
    known = {"embed_id": embed_id, "secret_sha256": digest(secret), "created_at": now}
    of = {"project_id": found.project_id, "account_id": viewer.account_id}
    ends = {"expires_at": now + new.days * DAY_S}
    conn.execute(insert(tables.embed), {**known, **of, **ends, **_kept(new)})
    subject = f"{team}/{project}: {embed_id}"
    note_down(conn, actor_of(viewer), "embed.made", subject, now, after=_noted(new))
    return _listed(conn, _of.embed_id == embed_id)[0]


def list_embeds(
    viewer: Viewer, conn: Connection, team: str, project: str, now: float
) -> tuple[EmbedRow, ...]:
    """Return the project's cards that other pages may still show, the newest first.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
    """
    found = find_project(viewer, conn, team, project, Role.ADMIN)
    return _listed(conn, (_of.project_id == found.project_id) & embed_is_open(now))


def revoke_embed(
    viewer: Viewer, conn: Connection, team: str, project: str, embed_id: str, now: float
) -> None:
    """Let a card be shown no more, from the next request on, also in frames that are open.

    Raises:
        NotFound: there is no such project or card, or `viewer` may not see it.
        Forbidden: `viewer` does not run the project.
    """
    revoke(viewer, conn, (team, project), tables.embed, embed_is_open(now), embed_id, now)


def origins_of_embed(conn: Connection, embed_id: str, now: float) -> tuple[str, ...] | None:
    """Return whose pages may frame a card; None: there is none, or it is shown no more."""
    here = (_of.embed_id == to_sql(embed_id)) & embed_stands(now)
    asked = select(_of.origins).outerjoin(tables.account, _account.account_id == _of.account_id)
    found = conn.scalar(asked.where(here))
    return None if found is None else tuple(json.loads(found))


def viewer_of_embed(
    conn: Connection, embed_id: str, secret: str, now: float, *, address: str
) -> Known | None:
    """Return who comes by the secret of this card: its maker, held to its runs and to reading."""
    row = conn.execute(
        select(_of.project_id, _of.uids, _of.account_id, _of.used_at, _account.is_admin)
        .outerjoin(tables.account, _account.account_id == _of.account_id)
        .where(
            _of.embed_id == to_sql(embed_id), _of.secret_sha256 == digest(secret), embed_stands(now)
        )
    ).one_or_none()
    if row is None:
        return None
    uids = None if row.uids is None else tuple(json.loads(row.uids))
    viewer = Viewer(
        kind="embed",
        name="embed",
        account_id=row.account_id,
        # Who has the host sees all of it; on a board without accounts that is who made it.
        is_admin=row.account_id is None or bool(row.is_admin),
        within=Within(project_id=row.project_id, uids=uids),
        via=embed_id,
        address=address,
    )
    return Known(viewer, row.used_at is None or row.used_at < now - _TOUCH_EVERY_S)


def touch_embed(conn: Connection, embed_id: str, now: float) -> None:
    """Write down that a card was shown."""
    conn.execute(update(tables.embed).where(_of.embed_id == to_sql(embed_id)).values(used_at=now))


def find_embed(viewer: Viewer, conn: Connection) -> Embed:
    """Return the card that `viewer` came by.

    Raises:
        NotFound: `viewer` came by none, or who made it may not see the project any more.
    """
    row = conn.execute(
        select(tables.embed, tables.project.c.name.label("project"), tables.team.c.name)
        .join(tables.project, tables.project.c.project_id == _of.project_id)
        .join(tables.team, tables.team.c.team_id == tables.project.c.team_id)
        .where(_of.embed_id == to_sql(viewer.via), visible_projects(viewer))
    ).one_or_none()
    if row is None or viewer.kind != "embed":
        raise NotFound
    return Embed(
        team=from_sql(row.name),
        project=from_sql(row.project),
        tag=from_sql(row.tag),
        state=from_sql(row.state),
        title=from_sql(row.title),
        uids=None if row.uids is None else tuple(json.loads(row.uids)),
    )


def _kept(new: NewEmbed) -> dict[str, str | None]:
    return {
        "tag": to_sql(new.tag),
        "state": to_sql(kept_state(new.state, new.tag)),
        "uids": None if new.uids is None else json.dumps(new.uids),
        "title": to_sql(new.title.strip()),
        "origins": json.dumps(new.origins),
    }


def _noted(new: NewEmbed) -> dict[str, Any]:
    told = {"title": new.title, "tag": new.tag, "runs": new.uids}
    return {**told, "origins": new.origins, "days": new.days}


def _check(new: NewEmbed) -> None:
    check_title(new.title, "A card")
    if not 0 < new.days <= MAX_DAYS:
        raise BadQuery(f"A card is shown for 1 to {MAX_DAYS} days.")
    if new.uids is not None and not 0 < len(new.uids) <= MAX_RUNS:
        raise BadQuery(f"A card has 1 to {MAX_RUNS} runs.")
    if not 0 < len(new.tag) <= _MAX_TAG_CHARS or len(new.state) > _MAX_STATE_CHARS:
        raise BadQuery("This card cannot be shown elsewhere: its tag or its view is too long.")


def embed_is_open(now: float) -> ColumnElement[bool]:
    """Return the condition on cards alone that holds for those neither over nor revoked."""
    return _of.revoked_at.is_(None) & (_of.expires_at > now)


def embed_stands(now: float) -> ColumnElement[bool]:
    """Return the condition on cards and their makers that holds for those that are shown."""
    return embed_is_open(now) & _account.disabled_at.is_(None)


def _listed(conn: Connection, here: ColumnElement[bool]) -> tuple[EmbedRow, ...]:
    rows = conn.execute(
        select(tables.embed, _account.name.label("maker"))
        .outerjoin(tables.account, _account.account_id == _of.account_id)
        .where(here)
        .order_by(_of.created_at.desc(), _of.embed_id)
    )
    return tuple(map(_row, rows))


def _row(row: Any) -> EmbedRow:
    uids: Sequence[str] | None = None if row.uids is None else json.loads(row.uids)
    return EmbedRow(
        id=row.embed_id,
        title=from_sql(row.title),
        tag=from_sql(row.tag),
        runs=None if uids is None else len(uids),
        origins=tuple(json.loads(row.origins)),
        made_by=from_sql(row.maker or ""),
        created_at=row.created_at,
        expires_at=row.expires_at,
        used_at=row.used_at,
    )
