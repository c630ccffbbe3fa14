"""What SQL says of a logdir's runs and files, held in memory while they are read.

A cache: all of it can be had again from SQL and the files, and is after any doubt
(`load`). Facts that attempts depend on are not in SQL; `facts` is None until they were
read, or read again.
"""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Connection, RowMapping, bindparam, select

from orgboard_ingest.attempts import NOTHING, Cut, FileFacts, Lives
from orgboard_schema.blocks import decode_heads, head_rows
from orgboard_schema.blocks.heads import sum_each
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, load_metadata, tag_names
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.listed import KEYS, Listed
from orgboard_schema.sql.packing import is_worth_packing
from orgboard_schema.sql.registry import FileRow, files, files_of
from orgboard_schema.sql.shadow import shadow_key
from orgboard_schema.sql.standing import DELETED, DISCARDED, SHADOW, SHOWN
from orgboard_schema.sql.supersede import load_cuts as stored_cuts
from orgboard_schema.sql.text import from_sql, sha256
from orgboard_schema.types import Metadata

__all__ = [
    "KnownFile",
    "KnownRun",
    "add_files",
    "load_described",
    "load_named",
    "load_run",
    "load_runs",
    "still_deleted",
    "worth_packing",
]

_run = tables.run.c
_FIND_RUNS: Final = select(
    _run.run_id,
    _run.uid,
    _run.logdir_id,
    _run.name,
    _run.revision,
    _run.attempts,
    _run.finished,
    _run.last_event,
    _run.segments,
    _run.gaps,
    _run.standing,
    _run.shadow_of,
    _run.gone_at,
    _run.opened,
)
_FIND_NAMED: Final = Listed(
    _FIND_RUNS.where(_run.logdir_id == bindparam("logdir")), _run.name_sha256
)
_FIND_HEADS: Final = Listed(
    select(tables.run_head.c.run_id, tables.run_head.c.payload).execution_options(**IN_BINARY),
    tables.run_head.c.run_id,
)


@dataclass(slots=True)
class KnownFile:
    """A file, how far it is stored, and what its bytes say about attempts."""

    row: FileRow
    facts: FileFacts | None
    """Of the bytes before `known_end`; None: not known at present."""
    known_end: int
    """Beyond the stored offset while a run is read again."""
    section: int = 0
    """Which section of `facts` the stored offset lies in."""
    stored: dict[int, int] = field(default_factory=dict)
    """Attempt of each section that has stored points, as far as known."""

    @classmethod
    def at(cls, row: FileRow) -> KnownFile:
        """Return the file as SQL knows it."""
        return cls(row, NOTHING if row.offset == 0 else None, 0)

    @property
    def place(self) -> tuple[int, int]:
        """Return how far which file of this name is stored."""
        return self.row.generation, self.row.offset

    def forget(self) -> None:
        """Drop what can be read again."""
        if self.row.offset:
            self.facts, self.known_end, self.section, self.stored = None, 0, 0, {}


@dataclass(slots=True)
class KnownRun:
    """A run and its files by name."""

    run_id: int
    """Where its points are stored from now on: in its shadow, while it is read anew."""
    uid: str
    """By which it is found again whatever happens to it."""
    name: str
    revision: int
    attempts: int
    finished: str | None
    last_event: float | None
    end_wall: float | None
    """When it said that it had finished."""
    settled: bool
    """Whether all its points are packed as they should be once it grows no more."""
    gaps: int = 0
    replaces: int | None = None
    """The id of the run that people see, while this is its shadow."""
    stood: dict[str, FileRow] = field(default_factory=dict)
    """How far the files are stored in that run, those of which something is."""
    deleted: bool = False
    """Somebody deleted it: its files are not read."""
    opened: bool = False
    """Whether a START came before its first point."""
    gone_at: float | None = None
    """Since when none of its files is there."""
    files: dict[str, KnownFile] = field(default_factory=dict)
    remembered: dict[str, Metadata] | None = None
    """First metadata of each tag; None: not looked up yet."""
    cuts: dict[Cut, int] | None = None
    """The stored ones; None: not looked up yet."""
    prefix: tuple[str, Lives] | None = None
    """Lives of all files before the named one."""

    @property
    def shown_id(self) -> int:
        """Return the id of the run that people see."""
        return self.run_id if self.replaces is None else self.replaces

    def was_set_back(self, now: KnownRun) -> bool:
        """Tell whether files that were read have something to give again, as `now` knows them.

        A rival began to read the run anew, or let a new reading take its place.
        """
        if (now.run_id, now.replaces) != (self.run_id, self.replaces):
            return True
        return any(
            old.row.generation != file.row.generation or old.row.offset > file.row.offset
            for name, file in now.files.items()
            if (old := self.files.get(name)) is not None
        )

    def forget(self) -> None:
        """Drop all that can be had again, to save memory."""
        self.remembered = self.cuts = self.prefix = None
        for file in self.files.values():
            file.forget()


def load_runs(conn: Connection, logdir_id: int) -> dict[str, KnownRun]:
    """Return the runs of a logdir by name, deleted ones too: their files are known as well.

    A run that is read anew is given with its shadow's files and points.
    """
    query = _FIND_RUNS.where(_run.logdir_id == logdir_id, _run.standing != DISCARDED)
    rows = conn.execute(query.order_by(_run.run_id)).mappings().all()
    shadows = {row["shadow_of"]: row for row in rows if row["standing"] == SHADOW}
    shown = [row for row in rows if row["standing"] != SHADOW]
    with _no_collection():
        found = [_known_run(row, shadows.get(row["run_id"])) for row in shown]
        _give_files({run.run_id: run for run in found}, files_of(conn, logdir_id))
    return {run.name: run for run in found}


@contextmanager
def _no_collection() -> Iterator[None]:
    """Let the collector rest while hundreds of thousands of objects are made that all stay.

    It would look through them again and again, for half as long as it takes to make them.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def load_named(conn: Connection, logdir_id: int, names: Collection[str]) -> list[KnownRun]:
    """Return these runs of a logdir, without their files."""
    found: list[KnownRun] = []
    for some in chunked([sha256(name) for name in sorted(names)]):
        rows = _rows_keyed(conn, logdir_id, some)
        keys = [shadow_key(row["run_id"]) for row in rows]
        shadows = {row["shadow_of"]: row for row in _rows_keyed(conn, logdir_id, keys)}
        found += [_known_run(row, shadows.get(row["run_id"])) for row in rows]
    return found


def _rows_keyed(conn: Connection, logdir_id: int, keys: Sequence[bytes]) -> Sequence[RowMapping]:
    found = conn.execute(_FIND_NAMED.of(conn), {"logdir": logdir_id, KEYS: keys})
    return found.mappings().all()


def load_run(conn: Connection, uid: str) -> KnownRun | None:
    """Return one run as SQL knows it now; None when there is none of that uid any more."""
    row = conn.execute(_FIND_RUNS.where(_run.uid == uid)).mappings().one_or_none()
    if row is None or row["standing"] not in (SHOWN, DELETED):
        return None
    shadow = _rows_keyed(conn, row["logdir_id"], [shadow_key(row["run_id"])])
    run = _known_run(row, shadow[0] if shadow else None)
    add_files(conn, {run.run_id: run})
    return run


def still_deleted(conn: Connection, uids: Iterable[str]) -> set[str]:
    """Return which of these runs nobody took back from deletion."""
    found: set[str] = set()
    for some in chunked(sorted(uids)):
        query = select(_run.uid).where(_run.uid.in_(some), _run.standing == DELETED)
        found |= set(conn.execute(query).scalars())
    return found


def load_described(conn: Connection, run_id: int) -> tuple[dict[str, Metadata], dict[Cut, int]]:
    """Return the first metadata of each tag of a run, and from where on attempts supersede."""
    return _load_remembered(conn, run_id), _load_cuts(conn, run_id)


def worth_packing(conn: Connection, run_ids: Collection[int]) -> set[int]:
    """Return those of these runs whose waiting points are better kept in blocks."""
    found: set[int] = set()
    for some in chunked(sorted(run_ids)):
        rows = conn.execute(_FIND_HEADS.of(conn), {KEYS: some}).all()
        sums = sum_each([bytes(payload) for _, payload in rows])
        # `orgboard db check` names the run of which there is none; the others are packed as ever.
        found |= {
            run_id
            for (run_id, _), told in zip(rows, sums, strict=True)
            if told is not None and is_worth_packing(told)
        }
    return found


def _load_remembered(conn: Connection, run_id: int) -> dict[str, Metadata]:
    query = select(tables.run_head.c.payload).where(tables.run_head.c.run_id == run_id)
    payload = conn.execute(query).scalar_one_or_none()
    if payload is None:
        return {}
    heads = [head for head in head_rows(decode_heads(bytes(payload))) if head.metadata_id]
    names = tag_names(conn, {head.tag_id for head in heads})
    metadata = load_metadata(conn, {head.metadata_id for head in heads})
    remembered: dict[str, Metadata] = {}
    for head in heads:
        remembered.setdefault(names[head.tag_id], metadata[head.metadata_id])
    return remembered


def _load_cuts(conn: Connection, run_id: int) -> dict[Cut, int]:
    found = stored_cuts(conn, [run_id])[run_id]
    names = tag_names(conn, {cut.tag_id for cut in found if cut.kind is not None})
    return {
        (cut.attempt, (names[cut.tag_id], cut.kind) if cut.kind is not None else None): cut.step
        for cut in found
    }


def _known_run(shown: RowMapping, shadow: RowMapping | None) -> KnownRun:
    """Return the run that `shown` is to people; it is read in its shadow when it has one."""
    deleted = shown["standing"] == DELETED
    row = shown if shadow is None or deleted else shadow
    return KnownRun(
        run_id=row["run_id"],
        uid=shown["uid"],
        name=from_sql(shown["name"]),
        revision=row["revision"],
        attempts=row["attempts"],
        finished=row["finished"],
        last_event=row["last_event"],
        end_wall=row["last_event"] if row["finished"] else None,
        settled=row["segments"] == 0 or deleted,
        gaps=row["gaps"],
        replaces=None if row is shown else shown["run_id"],
        deleted=deleted,
        opened=bool(row["opened"]),
        gone_at=shown["gone_at"],
    )


def add_files(conn: Connection, runs: Mapping[int, KnownRun]) -> None:
    """Give runs, by id, the files that SQL has of them."""
    replaced = [run.replaces for run in runs.values() if run.replaces is not None]
    _give_files(runs, files(conn, [*runs, *replaced]))


def _give_files(runs: Mapping[int, KnownRun], found: Iterable[FileRow]) -> None:
    replaced = {run.replaces: run for run in runs.values() if run.replaces is not None}
    for row in found:
        if row.run_id in runs:
            runs[row.run_id].files[row.name] = KnownFile.at(row)
        elif row.offset and row.run_id in replaced:
            replaced[row.run_id].stood[row.name] = row
