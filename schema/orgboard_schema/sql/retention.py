"""What a policy by age would put aside or delete, and doing it. Files are never touched.

Age is counted from the last growth of a run's files. To put a run aside changes one mark
on its row; to delete it is `sql.delete`, so its files' rows stay and nothing is read again.
To thin it is `sql.thinning`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, case, func, select, update

from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.delete import LIVE_WITHIN_S, Space, delete_run, space_of
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.thinning.rule import Rule

__all__ = [
    "WRITTEN_AT",
    "Candidate",
    "Fate",
    "Planned",
    "Policy",
    "candidates",
    "planned",
    "put_aside",
    "settle",
]

DAY_S: Final = 86_400.0

Fate: TypeAlias = Literal["archive", "delete"]

_run, _project, _team = tables.run.c, tables.project.c, tables.team.c
WRITTEN_AT: Final = func.coalesce(_run.last_write, _run.created_at)
"""Seconds, when a run's files last grew."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Which runs, and how many days after they last grew."""

    archive_after: float | None = None
    delete_after: float | None = None
    project: tuple[str, str] | None = None
    """Team and name; None is every project."""
    names: re.Pattern[str] | None = None
    """Found anywhere in the run's name; None is every run."""
    thin: Rule | None = None
    """What becomes of points of runs that are kept."""

    def thins(self, age_s: float) -> bool:
        """Tell whether points are to be taken from a run of this age: never from a live one."""
        if self.thin is None or self.fate(age_s, is_archived=False) == "delete":
            return False
        return age_s > LIVE_WITHIN_S and age_s >= self.thin.after_days * DAY_S

    def fate(self, age_s: float, *, is_archived: bool) -> Fate | None:
        """Return what is to be done with a run of this age; a live one is left alone."""
        if age_s <= LIVE_WITHIN_S:
            return None
        if self.delete_after is not None and age_s >= self.delete_after * DAY_S:
            return "delete"
        if self.archive_after is not None and age_s >= self.archive_after * DAY_S:
            return None if is_archived else "archive"
        return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """One run that a policy may speak of."""

    run_id: int
    uid: str
    project: str
    """As TEAM/PROJECT."""
    name: str
    written_at: float
    """Seconds, when its files last grew."""
    is_archived: bool


@dataclass(frozen=True, slots=True)
class Planned:
    """One run that the policy speaks of."""

    run_id: int
    uid: str
    project: str
    """As TEAM/PROJECT."""
    name: str
    fate: Fate
    written_at: float
    """Seconds, when its files last grew."""
    points: dict[str, int]
    """By kind."""
    space: Space
    """What it takes; given back only where it is deleted."""


def planned(conn: Connection, policy: Policy, *, now: float) -> Iterator[Planned]:
    """Yield what the policy would do with each run, by project, the oldest run first."""
    for run in candidates(conn, policy):
        fate = policy.fate(now - run.written_at, is_archived=run.is_archived)
        if fate is not None:
            yield Planned(
                *(run.run_id, run.uid, run.project, run.name, fate, run.written_at),
                points=_points(conn, run.run_id),
                space=space_of(conn, run.run_id),
            )


def candidates(conn: Connection, policy: Policy) -> Iterator[Candidate]:
    """Yield the runs that the policy names, of any age, by project, the oldest first."""
    query = (
        select(
            *(_run.run_id, _run.uid, _run.name, _run.archived_at),
            WRITTEN_AT.label("written_at"),
            *(_project.name.label("project"), _team.name.label("team")),
        )
        .join(tables.project, _project.project_id == _run.project_id)
        .join(tables.team, _team.team_id == _project.team_id)
        .where(_run.standing == SHOWN)
        .order_by(_team.name, _project.name, WRITTEN_AT, _run.run_id)
    )
    if policy.project is not None:
        team, name = policy.project
        query = query.where(_team.name == to_sql(team), _project.name == to_sql(name))
    for row in conn.execute(query).all():
        name = from_sql(row.name)
        if policy.names is None or policy.names.search(name):
            project = f"{from_sql(row.team)}/{from_sql(row.project)}"
            is_archived = row.archived_at is not None
            yield Candidate(row.run_id, row.uid, project, name, row.written_at, is_archived)


def settle(conn: Connection, plan: Planned, policy: Policy, *, now: float) -> bool:
    """Do with one run what was planned; False when it grew or changed since, and is left alone."""
    # The lock that every change of a run takes: what is asked next stays true.
    query = select(WRITTEN_AT.label("written_at"), _run.archived_at, _run.standing)
    query = query.where(_run.run_id == plan.run_id).with_for_update(key_share=True)
    row = conn.execute(query).one_or_none()
    if row is None or row.standing != SHOWN:
        return False
    if policy.fate(now - row.written_at, is_archived=row.archived_at is not None) != plan.fate:
        return False
    if plan.fate == "delete":
        delete_run(conn, plan.run_id, now=now)
    else:
        put_aside(conn, plan.run_id, now=now)
    return True


def put_aside(conn: Connection, run_id: int, *, now: float) -> None:
    """Mark a run as archived."""
    at = int(now * 1000)
    conn.execute(
        update(tables.run)
        .where(_run.run_id == run_id)
        .values(
            archived_at=now,
            revision=_run.revision + 1,
            # Never before a change that live readers have seen.
            touched_ms=case((_run.touched_ms > at, _run.touched_ms), else_=at),
        )
    )


def _points(conn: Connection, run_id: int) -> dict[str, int]:
    counted: Counter[str] = Counter()
    for head in head_rows(read.heads(conn, [run_id])[run_id]):
        counted[head.kind] += head.n_all
    return dict(sorted(counted.items()))
