"""Where the runs of several projects come from, when they are looked at together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.visible import ProjectRef
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql

__all__ = ["HERE", "Home", "homes_of"]

_APART: Final = 3
"""In the palette: the first runs of two projects have the same place in it."""


@dataclass(frozen=True, slots=True)
class Home:
    """The project of a run among several."""

    place: str
    """TEAM/PROJECT; "" where only one is looked at."""
    shift: int
    """By how many places of the palette its runs' colours are moved, to be told from others'."""


HERE: Final = Home("", 0)


def homes_of(conn: Connection, project: ProjectRef) -> Mapping[int, Home]:
    """Return the projects that are looked at together, by id; none when it is one."""
    if project.several is None:
        return {}
    of, team = tables.project.c, tables.team.c
    rows = conn.execute(
        select(of.project_id, team.name, of.name)
        .join(tables.team)
        .where(of.project_id.in_(project.several))
        .order_by(of.project_id)
    ).all()
    return {
        row[0]: Home(f"{from_sql(row[1])}/{from_sql(row[2])}", number * _APART)
        for number, row in enumerate(rows)
    }
