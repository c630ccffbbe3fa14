"""Which project a directory's runs belong to: rules of the board, and what they move.

A rule names a directory; it holds for the logdirs at it and below it, unless a longer one does.
Runs keep their identity, points and all that was said of them when their logdir moves, or when
they are moved one by one: only the project changes, and with it who sees them. Ingest knows a run
by its logdir and its path in it, which stay: it goes on feeding it wherever it is. What was moved
by itself stays where it was put when the others of its logdir are moved.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from sqlalchemy import Connection, case, select, update

from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql, sha256

__all__ = [
    "UNASSIGNED",
    "Governed",
    "LogdirTaken",
    "governed",
    "has_accounts",
    "move_logdir",
    "move_runs",
    "rule_for",
]

UNASSIGNED: Final = "Unassigned"
"""The project, private in team "default", of what no rule and no flag gives to another."""

_rule, _logdir, _run = tables.logdir_rule.c, tables.logdir.c, tables.run.c


class LogdirTaken(OrgboardError):  # noqa: N818  # says what is, as its siblings do
    """The project has a logdir of that path already."""


@dataclass(frozen=True, slots=True)
class Governed:
    """A logdir that a rule decides on, and where it is now."""

    logdir_id: int
    path: str
    project_id: int


def has_accounts(conn: Connection) -> bool:
    """Tell whether this board has people, who may not all see everything."""
    return conn.scalar(select(tables.account.c.account_id).limit(1)) is not None


def rule_for(conn: Connection, path: str) -> int | None:
    """Return the project that the rules give a logdir to; None when none does."""
    keys = {sha256(end): len(end) for end in _ends_of(path)}
    rows = conn.execute(
        select(_rule.path_sha256, _rule.project_id).where(_rule.path_sha256.in_(list(keys)))
    ).all()
    longest = max(rows, key=lambda row: keys[bytes(row.path_sha256)], default=None)
    return None if longest is None else int(longest.project_id)


def governed(conn: Connection, path: str) -> list[Governed]:
    """Return the logdirs at `path` or below it on which no longer rule decides."""
    rules = {
        from_sql(other) for other in conn.scalars(select(_rule.path)) if from_sql(other) != path
    }
    rows = conn.execute(select(_logdir.logdir_id, _logdir.path, _logdir.project_id))
    found = []
    for logdir_id, stored, project_id in rows:
        ends = list(_ends_of(from_sql(stored)))
        if path in ends and not any(end in rules for end in ends[: ends.index(path)]):
            found.append(Governed(logdir_id, from_sql(stored), project_id))
    return found


def move_logdir(conn: Connection, logdir_id: int, project_id: int, now: float) -> int:
    """Give a logdir, its runs and what was said of them to a project; return how many runs.

    Those of its runs that are in another project than it is were moved there, and stay.

    Raises:
        LogdirTaken: the project has one of that path already.
    """
    # Before its runs: who adds one to it holds this lock too (`registry.ensure_runs`).
    here = _logdir.logdir_id == logdir_id
    row = conn.execute(select(tables.logdir).where(here).with_for_update()).one()
    same = (_logdir.project_id == project_id) & (_logdir.path_sha256 == row.path_sha256)
    if conn.scalar(select(_logdir.logdir_id).where(same, _logdir.logdir_id != logdir_id)):
        raise LogdirTaken(f"the project has runs of {from_sql(row.path)} already")
    conn.execute(update(tables.logdir).where(here).values(project_id=project_id))
    if row.project_id == project_id:
        return 0
    its_own = (_run.logdir_id == logdir_id) & (_run.project_id == row.project_id)
    return move_runs(conn, conn.scalars(select(_run.run_id).where(its_own)).all(), project_id, now)


def move_runs(conn: Connection, run_ids: Collection[int], project_id: int, now: float) -> int:
    """Give runs and what was said of them to a project; return how many. Their logdir stays."""
    at, moved = int(now * 1000), 0
    for some in chunked(sorted(run_ids)):
        these = _run.run_id.in_(some)
        # In the order in which ingest takes them.
        conn.execute(select(_run.run_id).where(these).order_by(_run.run_id).with_for_update())
        moved += conn.execute(
            update(tables.run)
            .where(these, _run.project_id != project_id)
            .values(
                project_id=project_id,
                edits=_run.edits + 1,
                revision=_run.revision + 1,
                touched_ms=case((_run.touched_ms > at, _run.touched_ms), else_=at),
            )
        ).rowcount
        conn.execute(
            update(tables.annotation)
            .where(tables.annotation.c.uid.in_(select(_run.uid).where(these)))
            .values(project_id=project_id)
        )
    return moved


def _ends_of(path: str) -> Iterator[str]:
    """Yield a directory and all that it is below of, the nearest first: of a URL up to its host."""
    scheme, separator, rest = path.rpartition("://")
    pure = PurePosixPath(rest if separator else path)
    ends = (str(end) for end in (pure, *pure.parents))
    yield from (f"{scheme}{separator}{end}" for end in ends if not separator or end != ".")
