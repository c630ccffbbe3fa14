"""Find or create what points hang on: team, project, logdir, run, file.

Every function may meet a rival that creates the same row at the same time: each inserts
what is missing, leaves what is there, and reads back whichever row stands.
"""

from __future__ import annotations

import hashlib
import secrets
import string
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Result, bindparam, func, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.beside import settings_of
from orgboard_schema.sql.dictionary import chunked, find_ids
from orgboard_schema.sql.listed import KEYS, Listed
from orgboard_schema.sql.many import execute_many
from orgboard_schema.sql.roles import TEAM, Visibility
from orgboard_schema.sql.standing import SHADOW, SHOWN
from orgboard_schema.sql.text import from_sql, sha256, to_sql
from orgboard_schema.sql.upsert import insert_new

__all__ = [
    "FileRow",
    "RunRow",
    "ensure_file",
    "ensure_files",
    "ensure_logdir",
    "ensure_project",
    "ensure_run",
    "ensure_runs",
    "ensure_team",
    "files",
    "files_of",
    "locked_project",
    "new_uid",
    "parse_project",
    "replace_file",
    "runs",
]

DEFAULT_TEAM: Final = "default"

ROWS_AT_ONCE: Final = 1000
"""Fetched together: more saves no more time."""

NO_BYTES: Final = hashlib.sha256(b"").digest()
"""The head of a file of which nothing was read: it fits any file."""

# Built once: to build a statement costs more than to run it.
_FIND_RUNS: Final = Listed(
    select(tables.run.c.name_sha256, tables.run.c.run_id).where(
        tables.run.c.logdir_id == bindparam("logdir")
    ),
    tables.run.c.name_sha256,
)
# The runs' locks first: of two daemons that find the same file, one counts it.
_LOCK_RUNS: Final = Listed(
    select(tables.run.c.run_id)
    .where(tables.run.c.standing.in_((SHOWN, SHADOW)))
    .order_by(tables.run.c.run_id)
    .with_for_update(),
    tables.run.c.run_id,
)
_FIND_NAMES: Final = Listed(
    select(tables.source_file.c.run_id, tables.source_file.c.name_sha256),
    tables.source_file.c.run_id,
)
_COUNT_FILES: Final = (
    update(tables.run)
    .where(tables.run.c.run_id == bindparam("run"))
    .values(files=tables.run.c.files + bindparam("more"))
)

_UID_CHARACTERS: Final = string.digits + string.ascii_letters

_UID_DIGITS: Final = (_UID_CHARACTERS * 5).encode()[:256]
_UID_TOO_HIGH: Final = bytes(range(256 - 256 % len(_UID_CHARACTERS), 256))
"""Octets that would make some characters likelier than others."""

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
    encoding: str
    """How the whole file is packed; "" when it is not. Offsets count what is unpacked."""


_FILE = tables.source_file.c
_FIND_FILES: Final = select(*(_FILE[name] for name in FileRow.__dataclass_fields__)).order_by(
    _FILE.run_id, _FILE.file_id
)
_FIND_FILES_OF: Final = Listed(_FIND_FILES, _FILE.run_id)
_FIND_ALL_FILES: Final = _FIND_FILES.where(
    _FILE.run_id.in_(
        select(tables.run.c.run_id).where(tables.run.c.logdir_id == bindparam("logdir"))
    )
)


def parse_project(text: str) -> tuple[str, str]:
    """Split TEAM/PROJECT; a bare name belongs to team "default".

    Raises:
        ValueError: An empty part, more than two, or one that stands for all (`*`).
    """
    team, slash, name = text.rpartition("/")
    if not name or (slash and not team) or "/" in team or "*" in (team, name):
        raise ValueError(f"a project is written TEAM/PROJECT or PROJECT, got {text!r}")
    return (team or DEFAULT_TEAM), name


def ensure_team(conn: Connection, name: str, *, now: float) -> int:
    """Return the id of the team of that name, creating it when there is none."""
    row = {"name": to_sql(name), "created_at": now}
    insert_new(conn, tables.team, [row])
    query = select(tables.team.c.team_id).where(tables.team.c.name == row["name"])
    return int(conn.execute(query).scalar_one())


def ensure_project(
    conn: Connection, text: str, *, now: float, visibility: Visibility = TEAM
) -> int:
    """Return the id of the project written TEAM/PROJECT or PROJECT, creating what is missing.

    `visibility` is a new one's; one that is there keeps its own.
    """
    team, name = parse_project(text)
    team_id = ensure_team(conn, team, now=now)
    row = {"team_id": team_id, "name": to_sql(name), "created_at": now, "visibility": visibility}
    insert_new(conn, tables.project, [row])
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
    ensure_runs(conn, logdir_id, [name], now=now)
    columns = tables.run.c
    here = (columns.logdir_id == logdir_id) & (columns.name_sha256 == sha256(name))
    return next(_runs(conn, here))


def ensure_runs(
    conn: Connection,
    logdir_id: int,
    names: Collection[str],
    *,
    now: float,
    hosts: Mapping[str, str] | None = None,
) -> None:
    """Create the runs of those names (relative paths) that the logdir does not have.

    Each gets the next colour of its project; rivals may draw the same one, which harms nothing.
    `hosts`: by name, where a run takes place as far as it is known.
    """
    keys = {sha256(name): name for name in names}
    known = find_ids(conn, _FIND_RUNS, keys, {"logdir": logdir_id})
    missing = sorted(keys.keys() - known.keys(), key=keys.__getitem__)
    if not missing:
        return
    project_id = locked_project(conn, logdir_id)
    color = conn.execute(
        select(func.coalesce(func.max(tables.run.c.color), -1) + 1).where(
            tables.run.c.project_id == project_id
        )
    ).scalar_one()
    rows: list[dict[str, object]] = [
        {
            "uid": uid,
            "project_id": project_id,
            "logdir_id": logdir_id,
            "name": to_sql(keys[key]),
            "name_sha256": key,
            "settings_of": settings_of(keys[key]),
            "color": color + number,
            "created_at": now,
            "touched_ms": int(now * 1000),
            "host": to_sql(hosts[keys[key]]) if hosts and keys[key] in hosts else None,
        }
        for number, (key, uid) in enumerate(zip(missing, _new_uids(len(missing)), strict=True))
    ]
    insert_new(conn, tables.run, rows)


def locked_project(conn: Connection, logdir_id: int) -> int:
    """Return the project of a logdir, which stays in it until this transaction has ended."""
    here = tables.logdir.c.logdir_id == logdir_id
    query = select(tables.logdir.c.project_id).where(here)
    return int(conn.execute(query.with_for_update(read=True)).scalar_one())


def new_uid() -> str:
    """Return a name for a run that no other has, and that says nothing about it."""
    return _new_uids(1)[0]


def _new_uids(count: int) -> list[str]:
    """Return as many: to ask for the system's randomness has its price, ten thousand times."""
    drawn = ""
    while len(drawn) < count * _UID_LENGTH:
        octets = secrets.token_bytes(count * _UID_LENGTH + 16)
        drawn += octets.translate(_UID_DIGITS, _UID_TOO_HIGH).decode("ascii")
    return [drawn[at : at + _UID_LENGTH] for at in range(0, count * _UID_LENGTH, _UID_LENGTH)]


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
    ensure_files(conn, {run_id: [name]}, head_sha256=head_sha256, head_bytes=head_bytes)
    columns = tables.source_file.c
    here = (columns.run_id == run_id) & (columns.name_sha256 == sha256(name))
    return next(_files(conn.execute(_FIND_FILES.where(here))))


def ensure_files(
    conn: Connection,
    names: Mapping[int, Collection[str]],
    *,
    head_sha256: bytes = NO_BYTES,
    head_bytes: int = 0,
) -> None:
    """Create the files of those names that a run does not have, at offset 0; names by run."""
    for run_ids in chunked(sorted(names)):
        run_ids = list(conn.execute(_LOCK_RUNS.of(conn), {KEYS: run_ids}).scalars())
        found = conn.execute(_FIND_NAMES.of(conn), {KEYS: run_ids})
        known = {(run_id, bytes(key)) for run_id, key in found}
        wanted = [(run_id, sha256(name), name) for run_id in run_ids for name in names[run_id]]
        new = [each for each in wanted if each[:2] not in known]
        rows: list[dict[str, object]] = [
            {
                "run_id": run_id,
                "name": to_sql(name),
                "name_sha256": key,
                "head_sha256": head_sha256,
                "head_bytes": head_bytes,
            }
            for run_id, key, name in sorted(new, key=lambda each: (each[0], each[2]))
        ]
        if rows:
            insert_new(conn, tables.source_file, rows)
            counts = Counter(run_id for run_id, _, _ in new)
            more: list[dict[str, object]] = [
                {"run": run_id, "more": count} for run_id, count in sorted(counts.items())
            ]
            execute_many(conn, _COUNT_FILES, more)


def files(conn: Connection, run_ids: Collection[int]) -> list[FileRow]:
    """Return the files of these runs, in order of creation within each."""
    found: list[FileRow] = []
    for some in chunked(sorted(run_ids)):
        found.extend(_files(conn.execute(_FIND_FILES_OF.of(conn), {KEYS: some})))
    return found


def files_of(conn: Connection, logdir_id: int) -> Iterator[FileRow]:
    """Yield the files of all runs of a logdir, in order of creation within each."""
    return _files(conn.execute(_FIND_ALL_FILES, {"logdir": logdir_id}))


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


def _files(found: Result[*tuple[Any, ...]]) -> Iterator[FileRow]:
    # A logdir may have a hundred thousand: no mapping a row, and not all rows at once.
    for some in found.partitions(ROWS_AT_ONCE):
        rows: Sequence[Any] = some
        for row in rows:
            yield FileRow(row[0], row[1], from_sql(row[2]), row[3], bytes(row[4]), *row[5:])
