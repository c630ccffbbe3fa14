"""What a run's note said before: each time it is written anew, the earlier one is kept.

It is for those of the board: who was given a link sees the page, and not what it said before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, func, insert, select

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.visible import find_run
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["MAX_VERSIONS", "Version", "count_versions", "find_version", "keep_version", "versions"]

MAX_VERSIONS: Final = 50
"""Of one run, the newest: at the longest some three megabytes, and nobody goes further back."""

_of = tables.run_note_before.c


@dataclass(frozen=True, slots=True)
class Version:
    """A note as it was: the first one that was written anew is version 1."""

    version: int
    author: str
    written_at: float


def versions(viewer: Viewer, conn: Connection, uid: str) -> tuple[Version, ...]:
    """Return the earlier versions of a run's note, the newest first.

    Raises:
        NotFound: there is no such run, or `viewer` may not see what is said of it.
    """
    known = _known(viewer, conn, uid)
    rows = conn.execute(
        select(_of.version, _of.author, _of.written_at)
        .where(_of.uid == known)
        .order_by(_of.version.desc())
        .limit(MAX_VERSIONS)
    )
    return tuple(Version(row.version, from_sql(row.author), row.written_at) for row in rows)


def find_version(viewer: Viewer, conn: Connection, uid: str, version: int) -> str:
    """Return what an earlier version says.

    Raises:
        NotFound: there is none, or `viewer` may not see what is said of the run.
    """
    known = _known(viewer, conn, uid)
    here = (_of.uid == known) & (_of.version == version)
    found = conn.scalar(select(tables.run_note_before.c.text).where(here))
    if found is None:
        raise NotFound
    return from_sql(found)


def _known(viewer: Viewer, conn: Connection, uid: str) -> str:
    run_id = find_run(viewer, conn, uid)
    if viewer.kind == "share":
        raise NotFound
    here = tables.run.c.run_id == run_id
    known: str = conn.execute(select(tables.run.c.uid).where(here)).scalar_one()
    return known


def count_versions(conn: Connection, uid: str) -> int:
    """Return how many earlier versions there are of the note of a run that the caller may see."""
    counted = select(func.count()).select_from(tables.run_note_before).where(_of.uid == uid)
    return conn.execute(counted).scalar_one()


def keep_version(conn: Connection, uid: str, text: str, author: str, written_at: float) -> None:
    """Keep a note that another one takes the place of; the oldest goes when there are too many."""
    here = _of.uid == uid
    last = conn.scalar(select(func.max(_of.version)).where(here)) or 0
    row = {"uid": uid, "version": last + 1, "text": to_sql(text), "author": to_sql(author)}
    conn.execute(insert(tables.run_note_before), row | {"written_at": written_at})
    conn.execute(delete(tables.run_note_before).where(here, _of.version <= last + 1 - MAX_VERSIONS))
