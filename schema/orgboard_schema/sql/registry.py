"""Find or create what points hang on: team, project, logdir, run, file.

Every function may meet a rival that creates the same row at the same time: each inserts
what is missing, leaves what is there, and reads back whichever row stands.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql, sha256, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = [
    "FileRow",
    "RunRow",
    "ensure_file",
    "ensure_logdir",
    "ensure_project",
    "ensure_run",
    "ensure_runs",
    "ensure_team",
    "files",
    "new_uid",
    "parse_project",
    "replace_file",
    "runs",
]

DEFAULT_TEAM: Final = "default"

_UID_CHARACTERS: Final = string.digits + string.ascii_letters

_UID_LENGTH: Final = 12
"""62^12 names: nobody guesses one, and two runs never draw the same."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run, as ingest needs it."""

    run_id: int
    uid: str
    project_id: int
    logdir_id: int
    name: str
    color: int
    attempts: int
    finished: str | None


@dataclass(slots=True)
class FileRow:
    """A source file, and how far it is stored. Never changed in place: `replace` it.

    Not frozen only because that costs six times as much, a hundred thousand times at a start.
    """

    file_id: int
    run_id: int
    name: str
    generation: int
    head_sha256: bytes
    head_bytes: int
    size: int
    mtime_ns: int
    offset: int
    pending: str | None
    records: int
    first_wall: float | None
    last_wall: float | None
    first_attempt: int
    last_attempt: int
    source_writer: str | None
    error: str


_FILE = tables.source_file.c
_FIND_FILES: Final = select(*(_FILE[name] for name in FileRow.__dataclass_fields__))


def parse_project(text: str) -> tuple[str, str]:
    """Split TEAM/PROJECT; a bare name belongs to team "default".

    Raises:
        ValueError: An empty part, or more than two.
    """
    team, slash, name = text.rpartition("/")
    if not name or (slash and not team) or "/" in team:
        raise ValueError(f"a project is written TEAM/PROJECT or PROJECT, got {text!r}")
    return (team or DEFAULT_TEAM), name


def ensure_team(conn: Connection, name: str, *, now: float) -> int:
    """Return the id of the team of that name, creating it when there is none."""
    row = {"name": to_sql(name), "created_at": now}
    insert_new(conn, tables.team, [row])
    query = select(tables.team.c.team_id).where(tables.team.c.name == row["name"])
    return int(conn.execute(query).scalar_one())


def ensure_project(conn: Connection, text: str, *, now: float) -> int:
    """Return the id of the project written TEAM/PROJECT or PROJECT, creating what is missing."""
    team, name = parse_project(text)
    team_id = ensure_team(conn, team, now=now)
    insert_new(
        conn, tables.project, [{"team_id": team_id, "name": to_sql(name), "created_at": now}]
    )
    columns = tables.project.c
    query = select(columns.project_id).where(
        columns.team_id == team_id, columns.name == to_sql(name)
    )
    return int(conn.execute(query).scalar_one())


def ensure_logdir(conn: Connection, project_id: int, path: str) -> int:
    """Return the id of the logdir at `path` (resolved, absolute) in that project."""
    key = sha256(path)
    row = {"project_id": project_id, "path": to_sql(path), "path_sha256": key}
    insert_new(conn, tables.logdir, [row])
    columns = tables.logdir.c
    query = select(columns.logdir_id).where(
        columns.project_id == project_id, columns.path_sha256 == key
    )
    return int(conn.execute(query).scalar_one())


def ensure_run(conn: Connection, logdir_id: int, name: str, *, now: float) -> RunRow:
    """Return the run of that name (relative path) in the logdir, creating it with a new uid."""
    return ensure_runs(conn, logdir_id, [name], now=now)[name]


def ensure_runs(
    conn: Connection, logdir_id: int, names: Collection[str], *, now: float
) -> dict[str, RunRow]:
    """Return the runs of these names in the logdir, in few statements, creating those missing.

    Each new one gets the next colour of its project; rivals may draw the same, which harms
    nothing.
    """
    found = _runs_named(conn, logdir_id, names)
    missing = sorted(set(names) - found.keys())
    if not missing:
        return found
    columns = tables.run.c
    project_id = conn.execute(
        select(tables.logdir.c.project_id).where(tables.logdir.c.logdir_id == logdir_id)
    ).scalar_one()
    color = conn.execute(
        select(func.coalesce(func.max(columns.color), -1) + 1).where(
            columns.project_id == project_id
        )
    ).scalar_one()
    rows: list[dict[str, object]] = [
        {
            "uid": new_uid(),
            "project_id": project_id,
            "logdir_id": logdir_id,
            "name": to_sql(name),
            "name_sha256": sha256(name),
            "color": color + number,
            "created_at": now,
            "touched_ms": int(now * 1000),
        }
        for number, name in enumerate(missing)
    ]
    insert_new(conn, tables.run, rows)
    return found | _runs_named(conn, logdir_id, missing)


def _runs_named(conn: Connection, logdir_id: int, names: Collection[str]) -> dict[str, RunRow]:
    columns = tables.run.c
    found: dict[str, RunRow] = {}
    for some in chunked([sha256(name) for name in sorted(names)]):
        here = (columns.logdir_id == logdir_id) & columns.name_sha256.in_(some)
        found |= {run.name: run for run in _runs(conn, here)}
    return found


def new_uid() -> str:
    """Return a name for a run that no other has, and that says nothing about it."""
    return "".join(secrets.choice(_UID_CHARACTERS) for _ in range(_UID_LENGTH))


def runs(conn: Connection, logdir_id: int) -> list[RunRow]:
    """Return the runs of a logdir, in order of creation."""
    return list(_runs(conn, tables.run.c.logdir_id == logdir_id))


def ensure_file(
    conn: Connection, run_id: int, name: str, *, head_sha256: bytes, head_bytes: int
) -> FileRow:
    """Return the file of that name in the run, creating it at offset 0.

    The head (hash of the first bytes, and how many) is only stored for a new file:
    compare it with the row's to learn whether another file took the name.
    """
    key = sha256(name)
    columns = tables.source_file.c
    here = (columns.run_id == run_id) & (columns.name_sha256 == key)
    found = next(_files(conn, here), None)
    if found is not None:
        return found
    row = {
        "run_id": run_id,
        "name": to_sql(name),
        "name_sha256": key,
        "head_sha256": head_sha256,
        "head_bytes": head_bytes,
    }
    # The run's lock first: of two daemons that find the file, one counts it.
    conn.execute(select(tables.run.c.run_id).where(tables.run.c.run_id == run_id).with_for_update())
    found = next(_files(conn, here), None)
    if found is not None:
        return found
    insert_new(conn, tables.source_file, [row])
    conn.execute(
        update(tables.run).where(tables.run.c.run_id == run_id).values(files=tables.run.c.files + 1)
    )
    return next(_files(conn, here))


def files(conn: Connection, run_ids: Collection[int]) -> list[FileRow]:
    """Return the files of these runs, in order of creation within each."""
    found: list[FileRow] = []
    for some in chunked(sorted(run_ids)):
        found.extend(_files(conn, tables.source_file.c.run_id.in_(some)))
    return found


def replace_file(
    conn: Connection,
    file: FileRow,
    *,
    head_sha256: bytes,
    head_bytes: int,
    new_generation: bool,
    size: int = 0,
) -> bool:
    """Store a file's new head; with `new_generation` it is another file and starts at 0.

    `size` is that other file's, as last seen. Returns False when a rival changed the row
    first; then look it up again.
    """
    columns = tables.source_file.c
    values: dict[str, object] = {"head_sha256": head_sha256, "head_bytes": head_bytes}
    if new_generation:
        values |= {"generation": file.generation + 1, "offset": 0, "size": size, "mtime_ns": 0}
        values |= {"pending": None, "records": 0, "first_wall": None, "last_wall": None}
    changed = conn.execute(
        update(tables.source_file)
        .where(
            columns.file_id == file.file_id,
            columns.generation == file.generation,
            columns.offset == file.offset,
            columns.head_sha256 == file.head_sha256,
        )
        .values(values)
    )
    return changed.rowcount == 1


def _runs(conn: Connection, where: ColumnElement[bool]) -> Iterator[RunRow]:
    columns = tables.run.c
    wanted = [columns[name] for name in RunRow.__dataclass_fields__]
    query = select(*wanted).where(where).order_by(columns.run_id)
    for row in conn.execute(query):
        fields: dict[str, Any] = row._asdict()
        fields["name"] = from_sql(fields["name"])
        yield RunRow(**fields)


def _files(conn: Connection, where: ColumnElement[bool]) -> Iterator[FileRow]:
    query = _FIND_FILES.where(where).order_by(_FILE.run_id, _FILE.file_id)
    # A logdir may have a hundred thousand: no mapping a row.
    rows: Sequence[Any] = conn.execute(query).all()
    for row in rows:
        yield FileRow(row[0], row[1], from_sql(row[2]), row[3], bytes(row[4]), *row[5:])
