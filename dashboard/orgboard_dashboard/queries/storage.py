"""What takes how much room: of teams, of a team's projects, of a project's runs.

    point bytes   what a run's points, heads and pyramids take, as they are packed
    media bytes   pictures, sounds, graphs: stored once by content, however many runs refer to
                  them; each of those counts an equal part, so that the parts add up to the whole.
                  Of a project, what people opened from their disks, too, which is of no run

Who looks at it runs the board. To measure a run is to look at all rows of its points, so what was
measured is kept for as long as the run does not change (`Measured`), and no question measures for
longer than its budget: the rest is told as not measured yet, and is measured by the next one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, func, select

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.people.accounts import require_admin
from orgboard_dashboard.queries.visible import find_project, visible_projects
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks import decode_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = ["MOST_LISTED", "Measured", "Room", "Storage", "storage_of"]

MOST_LISTED: Final = 200
"""Rows of one answer, the largest first; the others are told as one."""

_AT_ONCE: Final = 250
"""Runs measured by one statement: some ten milliseconds, which is how well a budget is kept."""
_MOST_KEPT: Final = 500_000
"""Of runs, some 100 MB: those measured longest ago are forgotten first."""
_MEDIA_FOR_S: Final = 30.0
"""How long the parts of media are kept: any run that comes may change those of all others."""
_LOOKED_BACK_S: Final = 30 * 86_400.0
"""What the days to come are told from."""

_run, _blob, _ref, _head = tables.run.c, tables.blob.c, tables.blob_ref.c, tables.run_head.c


@dataclass(slots=True)
class Room:
    """What a team, a project or a run takes; added to while it is counted, and then left alone."""

    name: str
    uid: str = ""
    """Of a run."""
    runs: int = 0
    files: int = 0
    points: int = 0
    point_bytes: int = 0
    media_bytes: float = 0.0
    archived_bytes: float = 0.0
    """Of both, what archived runs take."""
    leaving_bytes: float = 0.0
    """Of both, what deleted runs take until it is given back, and runs that are read anew."""
    superseded_points: int = 0
    """That a restart replaced."""
    recent_bytes: float = 0.0
    """Of both, what began in the last thirty days."""

    @property
    def bytes(self) -> float:
        """Return all of it."""
        return self.point_bytes + self.media_bytes

    def add(self, other: Room) -> None:
        """Count another one in."""
        self.runs += other.runs
        self.files += other.files
        self.points += other.points
        self.point_bytes += other.point_bytes
        self.media_bytes += other.media_bytes
        self.archived_bytes += other.archived_bytes
        self.leaving_bytes += other.leaving_bytes
        self.superseded_points += other.superseded_points
        self.recent_bytes += other.recent_bytes


@dataclass(frozen=True, slots=True)
class Storage:
    """What there is in one place, the largest first."""

    rows: tuple[Room, ...]
    others: int
    """How many are not listed; in `total` they are."""
    total: Room
    unmeasured: int
    """Runs whose points were not measured yet."""
    is_whole: bool
    """Whether all was measured, media too: if not, asking again tells more."""
    database_bytes: int
    free_bytes: int
    """Of the database's, what is free for what comes."""
    outside_bytes: int
    """Of media in files beside the database."""
    days: float
    """Of how many days `recent_bytes` is."""


@dataclass(slots=True)
class Measured:
    """What was measured, of one web process."""

    points: dict[int, tuple[int, int, int]] = field(default_factory=dict)
    """By run: its revision, the bytes of its points, and how many of them are superseded."""
    media: dict[int, float] = field(default_factory=dict)
    media_at: float = float("-inf")


def storage_of(
    viewer: Viewer,
    conn: Connection,
    measured: Measured,
    within: Sequence[str],
    now: float,
    spent: Callable[[], float],
    budget_s: float,
) -> Storage:
    """Return the teams; `within` a team its projects, within a team's project its runs.

    Measures for `budget_s` seconds at most, as `spent` counts them.

    Raises:
        NotFound: there is no such team or project, or `viewer` does not run the installation.
    """
    require_admin(viewer)
    runs = _runs(viewer, conn, within)
    if not runs and within:
        _require(viewer, conn, within)
    began = spent()
    unmeasured = _measure(conn, measured, runs, spent, budget_s)
    is_old = abs(now - measured.media_at) > _MEDIA_FOR_S
    # No question measures much of both.
    if is_old and spent() - began < budget_s / 2:
        measured.media, measured.media_at, is_old = _media(conn), now, False
    opened = _opened(viewer, conn, within)
    rooms = _rooms(runs, opened, len(within), measured, now)
    ordered = sorted(rooms, key=lambda room: (-room.bytes, room.name))
    total = Room("")
    for room in ordered:
        total.add(room)
    if len(within) > 1:
        total.media_bytes += sum(opened.values())
    size, free = _database(conn)
    outside = select(func.coalesce(func.sum(_blob.size), 0)).where(_blob.uri.is_not(None))
    oldest = min((run.created_at for run in runs), default=now)
    return Storage(
        rows=tuple(ordered[:MOST_LISTED]),
        others=max(len(ordered) - MOST_LISTED, 0),
        total=total,
        unmeasured=unmeasured,
        is_whole=not unmeasured and not is_old,
        database_bytes=size,
        free_bytes=free,
        outside_bytes=int(conn.execute(outside).scalar_one()),
        days=max(min(now - oldest, _LOOKED_BACK_S) / 86_400.0, 1.0),
    )


def _runs(viewer: Viewer, conn: Connection, within: Sequence[str]) -> Sequence[Any]:
    team, project = tables.team.c, tables.project.c
    query = (
        select(
            *(_run.run_id, _run.revision, _run.uid, _run.name, _run.display_name),
            *(_run.points, _run.files, _run.attempts, _run.created_at),
            *(_run.archived_at, _run.standing),
            *(team.name.label("team"), project.name.label("project")),
        )
        .join_from(tables.run, tables.project, project.project_id == _run.project_id)
        .join(tables.team, team.team_id == project.team_id)
        .where(visible_projects(viewer))
        .order_by(_run.run_id)
    )
    for column, name in zip((team.name, project.name), within, strict=False):
        query = query.where(column == to_sql(name))
    return conn.execute(query).all()


def _require(viewer: Viewer, conn: Connection, within: Sequence[str]) -> None:
    """Tell a place that has no run yet from one that is not there."""
    if len(within) > 1:
        find_project(viewer, conn, within[0], within[1])
    elif conn.scalar(select(tables.team.c.team_id).where(_is_named(within[0]))) is None:
        raise NotFound


def _is_named(team: str) -> Any:
    return tables.team.c.name == to_sql(team)


def _opened(viewer: Viewer, conn: Connection, within: Sequence[str]) -> dict[str, int]:
    """Return what graphs from people's disks take, by team, or of a team by project."""
    team, project, of = tables.team.c, tables.project.c, tables.graph_upload.c
    key = project.name if within else team.name
    query = (
        select(key, func.sum(func.length(of.payload)))
        .join_from(tables.graph_upload, tables.project, project.project_id == of.project_id)
        .join(tables.team, team.team_id == project.team_id)
        .where(visible_projects(viewer))
        .group_by(key)
    )
    for column, name in zip((team.name, project.name), within, strict=False):
        query = query.where(column == to_sql(name))
    return {name: int(octets) for name, octets in conn.execute(query)}


def _rooms(
    runs: Iterable[Any], opened: dict[str, int], depth: int, measured: Measured, now: float
) -> Iterable[Room]:
    """Count runs together by team, by project, or each by itself."""
    rooms: dict[str, Room] = {}
    for run in runs:
        key = (run.team, run.project, run.uid)[depth]
        room = rooms.get(key)
        if room is None:
            named = from_sql(run.display_name or run.name) if depth > 1 else from_sql(key)
            room = rooms[key] = Room(named, run.uid if depth > 1 else "")
        _, octets, superseded = measured.points.get(run.run_id, _NOTHING)
        of_media = measured.media.get(run.run_id, 0.0)
        room.point_bytes += octets
        room.media_bytes += of_media
        if run.standing != SHOWN:
            room.leaving_bytes += octets + of_media
            continue
        room.runs += 1
        room.files += run.files
        room.points += run.points
        room.superseded_points += superseded
        if run.archived_at is not None:
            room.archived_bytes += octets + of_media
        if run.created_at > now - _LOOKED_BACK_S:
            room.recent_bytes += octets + of_media
    for key, octets in opened.items() if depth < 2 else ():
        rooms.setdefault(key, Room(from_sql(key))).media_bytes += octets
    # A run that was deleted and has given all back takes nothing.
    return [room for room in rooms.values() if room.runs or room.bytes]


_NOTHING: Final = (0, 0, 0)


def _measure(
    conn: Connection,
    measured: Measured,
    runs: Sequence[Any],
    spent: Callable[[], float],
    budget_s: float,
) -> int:
    """Measure the runs that changed, while the budget lasts; return how many are left."""
    kept = measured.points
    # What is being taken away changes without a revision.
    changed = [
        run
        for run in runs
        if run.standing != SHOWN or kept.get(run.run_id, _NEVER)[0] != run.revision
    ]
    began, done = spent(), 0
    while done < len(changed):
        some = changed[done : done + _AT_ONCE]
        if done and spent() - began > budget_s:
            break
        octets = _octets(conn, [run.run_id for run in some])
        hidden = _superseded(conn, {run.run_id: run.points for run in some if run.attempts > 1})
        for run in some:
            # Anew, so that it stands behind those measured before.
            kept.pop(run.run_id, None)
            found = (octets.get(run.run_id, 0), hidden.get(run.run_id, 0))
            kept[run.run_id] = (run.revision, *found)
        done += len(some)
    for run_id in list(kept)[: max(len(kept) - _MOST_KEPT, 0)]:
        del kept[run_id]
    return len(changed) - done


_NEVER: Final = (-1, 0, 0)


def _octets(conn: Connection, run_ids: Sequence[int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for table in (tables.block, tables.segment, tables.run_head, tables.thinned):
        of = table.c.run_id
        query = select(of, func.sum(func.length(table.c.payload))).where(of.in_(run_ids))
        for run_id, octets in conn.execute(query.group_by(of)):
            found[run_id] = found.get(run_id, 0) + int(octets)
    return found


def _superseded(conn: Connection, points: dict[int, int]) -> dict[int, int]:
    """Return how many of the points of runs that were restarted are hidden."""
    if not points:
        return {}
    rows = conn.execute(
        select(_head.run_id, _head.payload).where(_head.run_id.in_(list(points)))
    ).all()
    found = {}
    for run_id, payload in rows:
        heads = decode_heads(bytes(payload))
        found[run_id] = int(heads["n_all"].sum() - heads["n"].sum())
    return found


def _media(conn: Connection) -> dict[int, float]:
    """Return each run's part of all media: a blob's bytes, over how many runs refer to it."""
    refs = select(_ref.sha256, func.count().label("n")).group_by(_ref.sha256).subquery()
    part = (
        select(_blob.sha256, (_blob.size * 1.0 / refs.c.n).label("octets"))
        .join(refs, refs.c.sha256 == _blob.sha256)
        .subquery()
    )
    query = (
        select(_ref.run_id, func.sum(part.c.octets))
        .join(part, part.c.sha256 == _ref.sha256)
        .group_by(_ref.run_id)
    )
    return {run_id: float(octets) for run_id, octets in conn.execute(query)}


def _database(conn: Connection) -> tuple[int, int]:
    """Return how many bytes the database takes, and how many of those are free."""
    if conn.dialect.name == "postgresql":
        size = conn.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
        return int(size), 0
    pages, page, free = (
        int(conn.exec_driver_sql(f"PRAGMA {name}").scalar_one())
        for name in ("page_count", "page_size", "freelist_count")
    )
    return pages * page, free * page
