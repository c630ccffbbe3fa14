"""Which one-time links still open: those that whoever made them could make again now.

A link is as good as its maker. Who was put to sleep, or runs the board or the team no more, has
nothing out that lets somebody in; and who got the role back later has to make it anew.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, and_, delete, exists, or_

from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import Role

__all__ = ["drop_resets", "drop_unbacked", "is_backed"]

_of = tables.one_time_link.c
_maker, _member = tables.account.alias("maker"), tables.team_member.alias("maker_in_team")


def is_backed() -> ColumnElement[bool]:
    """Return the condition on links that holds while who made them may make them.

    Who has the host may make any.
    """
    runs_team = exists().where(
        _member.c.account_id == _of.made_by,
        _member.c.team_id == _of.team_id,
        _member.c.role >= int(Role.ADMIN),
    )
    may = exists().where(
        _maker.c.account_id == _of.made_by,
        _maker.c.disabled_at.is_(None),
        or_(_maker.c.is_admin == 1, runs_team),
    )
    return or_(_of.made_by.is_(None), may)


def drop_unbacked(conn: Connection) -> None:
    """Void the open links whose makers may not make them any more: after a role was taken."""
    conn.execute(delete(tables.one_time_link).where(and_(_of.used_at.is_(None), ~is_backed())))


def drop_resets(conn: Connection, account_id: int) -> None:
    """Void the open links that set an account's password: it has another now."""
    theirs = (_of.account_id == account_id) & _of.used_at.is_(None)
    conn.execute(delete(tables.one_time_link).where(theirs))
