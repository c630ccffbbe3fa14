"""Which project a logdir belongs to when nobody says."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Final, Protocol

from sqlalchemy import Connection, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.logdirs import UNASSIGNED, has_accounts, rule_for
from orgboard_schema.sql.registry import DEFAULT_TEAM, ensure_logdir, ensure_project
from orgboard_schema.sql.roles import PRIVATE
from orgboard_schema.sql.text import sha256, to_sql

__all__ = ["candidate_names", "settle_logdir"]

SAYS_NOTHING: Final = frozenset({"logs", "runs", "output"})
"""Directory names so usual that they do not tell two projects apart."""


class Named(Protocol):
    """A logdir by its name, which is its text."""

    @property
    def parts(self) -> Sequence[str]:
        """Return the names that lead there."""
        ...


def candidate_names(path: Named) -> Iterator[str]:
    """Yield project names for the logdir at `path`, the best first, without end."""
    # A star alone is written for all projects, in addresses and questions.
    parts = [part for part in path.parts if part.strip("/*")] or ["root"]
    names = ["-".join(parts[-n:]) for n in range(1, len(parts) + 1)]
    if names[0] in SAYS_NOTHING and len(names) > 1:
        del names[0]
    yield from names
    yield from (f"{names[0]}-{n}" for n in count(2))


def settle_logdir(conn: Connection, path: Named, project: str | None, *, now: float) -> int:
    """Return the logdir's id, creating what is missing.

    It belongs to `project`; else where the board's rules say; else where it is already. What is
    new belongs to a project of its own, or, on a board with people, to the one that only who
    runs the board sees: nobody has said yet who may see it.
    """
    if project is not None:
        return ensure_logdir(conn, ensure_project(conn, project, now=now), str(path))
    ruled = rule_for(conn, str(path))
    if ruled is not None:
        return ensure_logdir(conn, ruled, str(path))
    if has_accounts(conn):
        known = select(tables.logdir.c.logdir_id).where(
            tables.logdir.c.path_sha256 == sha256(str(path))
        )
        before = conn.scalar(known.order_by(tables.logdir.c.logdir_id).limit(1))
        return before if before is not None else _unassigned(conn, path, now)
    for name in candidate_names(path):
        if _is_free(conn, name, path):
            project_id = ensure_project(conn, f"{DEFAULT_TEAM}/{name}", now=now)
            return ensure_logdir(conn, project_id, str(path))
    raise AssertionError("candidate names never end")


def _unassigned(conn: Connection, path: Named, now: float) -> int:
    name = f"{DEFAULT_TEAM}/{UNASSIGNED}"
    project_id = ensure_project(conn, name, now=now, visibility=PRIVATE)
    return ensure_logdir(conn, project_id, str(path))


def _is_free(conn: Connection, name: str, path: Named) -> bool:
    logdir, owner, team = tables.logdir.c, tables.project.c, tables.team.c
    others = (
        select(logdir.logdir_id)
        .join_from(tables.logdir, tables.project, logdir.project_id == owner.project_id)
        .join(tables.team, owner.team_id == team.team_id)
        .where(team.name == DEFAULT_TEAM, owner.name == to_sql(name))
        .where(logdir.path_sha256 != sha256(str(path)))
    )
    return conn.execute(others.limit(1)).first() is None
