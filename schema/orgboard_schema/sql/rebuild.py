"""Make a database again from the event files, and keep what only people know.

Names of teams and projects, the colour and the address (`uid`) of each run, what was put
aside or deleted, what people say of runs, the views they saved, who may see what: none of that is
in a file.
Points are, and are read anew.
"""

from __future__ import annotations

import contextlib
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select, update

from orgboard_schema.errors import DatabaseUnreachable
from orgboard_schema.remote import is_url, list_names
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.rebuild_people import copy_people
from orgboard_schema.sql.registry import ensure_logdir, ensure_project, ensure_run, ensure_team
from orgboard_schema.sql.shadow import begin_shadow
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.sql.text import from_sql, sha256
from orgboard_schema.sql.upsert import insert_new

__all__ = ["Candidate", "Salvaged", "candidates", "copy_what_people_made", "read_anew"]

_run = tables.run.c
_file = tables.source_file.c


@dataclass(frozen=True, slots=True)
class Candidate:
    """A run that could be read anew."""

    run_id: int
    revision: int
    project: str
    """TEAM/PROJECT."""
    logdir: str
    name: str
    missing: tuple[str, ...]
    """Files that were read and are gone: their points would be lost."""


@dataclass(frozen=True, slots=True)
class Salvaged:
    """What was readable of a damaged database."""

    logdirs: tuple[tuple[str, str], ...]
    """TEAM/PROJECT and path."""
    runs: int
    accounts: int


def candidates(
    conn: Connection, *, project: str | None, run: re.Pattern[str] | None
) -> Iterator[Candidate]:
    """Yield the shown runs of the project (None: of all) whose name matches.

    Raises:
        OrgboardError: Remote logs cannot be listed.
    """
    query = (
        select(
            _run.run_id,
            _run.revision,
            _run.name,
            tables.logdir.c.path,
            (tables.team.c.name + "/" + tables.project.c.name).label("project"),
        )
        .join(tables.logdir, tables.logdir.c.logdir_id == _run.logdir_id)
        .join(tables.project, tables.project.c.project_id == tables.logdir.c.project_id)
        .join(tables.team)
        .where(_run.standing == SHOWN)
        .order_by(_run.run_id)
    )
    listed = cache(list_names)
    for row in conn.execute(query).all():
        name, of, logdir = from_sql(row.name), from_sql(row.project), from_sql(row.path)
        if (project is None or of == project) and (run is None or run.search(name)):
            there = partial(_is_there, logdir, name, listed)
            missing = tuple(_missing(conn, row.run_id, there))
            yield Candidate(row.run_id, row.revision, of, logdir, name, missing)


def read_anew(conn: Connection, candidate: Candidate) -> None:
    """Let the next ingest read a run from its files into the place of what is stored of it.

    Raises:
        OffsetMoved: An ingest changed the run just now; look again.
    """
    begin_shadow(conn, candidate.run_id, revision=candidate.revision)


def _is_there(logdir: str, run: str, listed: Callable[[str], frozenset[str]], name: str) -> bool:
    """Tell whether a run's file is where it was read; `listed` lists a place once for all runs."""
    if is_url(logdir):
        return (name if run == "." else f"{run}/{name}") in listed(logdir)
    return (Path(logdir) / run / name).is_file()


def _missing(conn: Connection, run_id: int, there: Callable[[str], bool]) -> Iterator[str]:
    query = select(_file.name).where(_file.run_id == run_id, _file.offset > 0).order_by(_file.name)
    for stored in conn.scalars(query):
        name = from_sql(stored)
        if not there(name):
            yield name


def copy_what_people_made(damaged: Path, engine: Engine, *, now: float) -> Salvaged:
    """Copy what is readable of a damaged SQLite file's registry into a new database.

    Raises:
        DatabaseUnreachable: Not even its table of tables can be read, or `engine` has runs.
    """
    teams, projects, logdirs, runs, files = (
        _readable(damaged, name) for name in ("team", "project", "logdir", "run", "source_file")
    )
    if not (teams and projects and logdirs):
        raise DatabaseUnreachable(
            f"of {damaged} not even the logdirs can be read: ingest them anew"
        )
    team_of = {row["team_id"]: row["name"] for row in teams}
    project_of = {
        row["project_id"]: f"{team_of[row['team_id']]}/{row['name']}"
        for row in projects
        if row["team_id"] in team_of
    }
    places: dict[int, tuple[str, str]] = {
        row["logdir_id"]: (project_of[row["project_id"]], row["path"])
        for row in logdirs
        if row["project_id"] in project_of
    }
    count = 0
    with begin_write(engine) as conn:
        if conn.execute(select(func.count()).select_from(tables.run)).scalar_one():
            raise DatabaseUnreachable("the new database has runs already: name one that is new")
        ids = {
            number: ensure_logdir(conn, ensure_project(conn, project, now=now), path)
            for number, (project, path) in places.items()
        }
        for row in runs:
            if row["logdir_id"] in ids and row.get("standing", SHOWN) in (SHOWN, DELETED):
                mine = [each for each in files if each["run_id"] == row["run_id"]]
                _copy_run(conn, ids[row["logdir_id"]], row, mine, now)
                _put_back(conn, row, places[row["logdir_id"]][0], project_of, now)
                count += 1
        names = {number: ensure_project(conn, name, now=now) for number, name in project_of.items()}
        team_ids = {number: ensure_team(conn, name, now=now) for number, name in team_of.items()}
        people = copy_people(conn, partial(_readable, damaged), team_ids, names)
    return Salvaged(tuple(places.values()), count, people)


_KEPT: Final = (
    *("uid", "color", "created_at", "archived_at", "standing"),
    *("display_name", "starred", "chosen_color", "edits", "host", "username"),
)

_FILE_KEPT: Final = (
    *("generation", "head_sha256", "head_bytes", "size", "mtime_ns", "offset", "records"),
    *("encoding", "source_writer"),
)


def _copy_run(
    conn: Connection,
    logdir_id: int,
    row: dict[str, Any],
    files: Sequence[dict[str, Any]],
    now: float,
) -> None:
    made = ensure_run(conn, logdir_id, row["name"], now=now)
    kept = {name: row[name] for name in _KEPT if row.get(name) is not None}
    conn.execute(update(tables.run).where(_run.run_id == made.run_id).values(kept))
    if kept.get("standing", SHOWN) == SHOWN:
        return
    # Of a deleted run the files stay known, so that nobody reads them again.
    for file in files:
        fields = {name: file[name] for name in _FILE_KEPT if file.get(name) is not None}
        fields |= {"run_id": made.run_id, "name": file["name"]}
        fields["name_sha256"] = sha256(from_sql(file["name"]))
        insert_new(conn, tables.source_file, [fields])
    conn.execute(update(tables.run).where(_run.run_id == made.run_id).values(files=len(files)))


def _put_back(
    conn: Connection,
    row: dict[str, Any],
    of_logdir: str,
    project_of: Mapping[int, str],
    now: float,
) -> None:
    """Let a run that was moved by itself be in its own project, and not in its logdir's."""
    project = project_of.get(row.get("project_id", 0), of_logdir)
    if project != of_logdir:
        project_id = ensure_project(conn, project, now=now)
        here = _run.uid == row.get("uid")
        conn.execute(update(tables.run).where(here).values(project_id=project_id))


def _readable(damaged: Path, table: str) -> list[dict[str, Any]]:
    """Return the rows of a table that can be read, from its beginning and from its end."""
    found: dict[int, dict[str, Any]] = {}
    wanted = {column.name: column.type.python_type for column in tables.schema.tables[table].c}
    # Never written to, and no log beside it is played back.
    with contextlib.closing(
        sqlite3.connect(f"{damaged.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    ) as conn:
        conn.text_factory = bytes
        for order in ("ASC", "DESC"):
            with contextlib.suppress(sqlite3.Error, UnicodeDecodeError):
                rows = conn.execute(f"SELECT rowid, * FROM {table} ORDER BY rowid {order}")  # noqa: S608 - our own names
                names = [name for name, *_ in rows.description]
                for values in rows:
                    row = _sound(dict(zip(names[1:], values[1:], strict=True)), wanted)
                    if row is not None:
                        found.setdefault(values[0], row)
    return list(found.values())


def _sound(row: dict[str, Any], wanted: dict[str, type]) -> dict[str, Any] | None:
    """Return a row's known columns, of the type that they should have; None when one is not."""
    sound: dict[str, Any] = {}
    for name in row.keys() & wanted.keys():
        value = row[name]
        if isinstance(value, bytes) and wanted[name] is str:
            try:
                value = value.decode()
            except UnicodeDecodeError:
                return None
        types = (int, float) if wanted[name] is float else (wanted[name],)
        if value is not None and not isinstance(value, types):
            return None
        sound[name] = value
    return sound
