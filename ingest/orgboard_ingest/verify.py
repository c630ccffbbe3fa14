"""Prove that the database equals the files: read them again and compare every point.

Two sides, each a digest a series: how many points, and a hash over all of them (attempt,
whether superseded, step, wall time, value and its width, bit for bit), sorted, so that
the order in which files written side by side were read does not matter. Attempts are
worked out from the files alone.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, select

from orgboard_ingest.attempts import NOTHING, Cut, FileFacts, Lives, joined, observed
from orgboard_ingest.catalog import KnownRun, load_runs
from orgboard_ingest.complaints import printable
from orgboard_ingest.discover import FoundFile, scan
from orgboard_ingest.stage import PointSeries, SeriesKey, stage
from orgboard_ingest.tail import NO_HEAD, read_on
from orgboard_ingest.transactions import read_once
from orgboard_schema.blocks import BlobRef, ScalarSeries, StoredMedia, head_rows
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import check_version
from orgboard_schema.sql.registry import DEFAULT_TEAM
from orgboard_schema.sql.text import sha256, to_sql
from orgboard_schema.types import Kind, Media, Metadata, Value
from orgboard_schema.wire.unpacked import Marks

__all__ = ["Digest", "differences", "verify_logdirs"]

EQUAL: Final = 0
DIFFERENT: Final = 1

WINDOW_BYTES: Final = 8 * 1024 * 1024
"""Read at once: as ingest does."""

POINT: Final = np.dtype(
    [("attempt", "<i4"), ("hidden", "?"), ("step", "<i8"), ("wall", "<u8"), ("value", "V32")]
)
"""A point as sortable bytes; a value that is not a number stands by its hash."""


@dataclass(frozen=True, slots=True)
class Digest:
    """All points of one series."""

    count: int
    checksum: str


@dataclass(slots=True)
class _Read:
    """What a run's files hold, before attempts are known."""

    facts: list[FileFacts] = field(default_factory=list)
    pieces: list[tuple[int, int, SeriesKey, NDArray[np.void]]] = field(default_factory=list)
    """File, section, series, points."""
    marks: Marks = field(default_factory=Marks)


def verify_logdirs(logdirs: Sequence[Path], db: str, project: str | None, out: TextIO) -> int:
    """Print where the database differs from the files and return the exit status.

    Raises:
        OrgboardError: A logdir was never ingested, or the database cannot be used.
    """
    engine = open_engine(db, create=False)
    found: list[str] = []
    try:
        check_version(engine)
        for logdir in logdirs:
            lines = read_once(engine, partial(_logdir_differences, logdir=logdir, project=project))
            out.writelines(f"{printable(line)}\n" for line in lines)
            what = f"{len(lines):,} differences" if lines else "the database equals the files"
            out.write(f"{printable(str(logdir))}: {what}\n")
            found += lines
    finally:
        engine.dispose()
    return DIFFERENT if found else EQUAL


def _logdir_differences(conn: Connection, logdir: Path, project: str | None) -> list[str]:
    ids = _logdir_ids(conn, logdir, project)
    return [line for logdir_id in ids for line in differences(conn, logdir_id, logdir)]


def differences(conn: Connection, logdir_id: int, root: Path) -> Iterator[str]:
    """Yield one line for each way in which a logdir's stored points differ from its files."""
    known = load_runs(conn, logdir_id)
    on_disk: dict[str, list[FoundFile]] = {}
    for file in scan(root).files:
        on_disk.setdefault(file.run, []).append(file)
    for name in sorted(on_disk.keys() - known.keys()):
        yield f"{name}: not stored"
    for name, run in sorted(known.items()):
        yield from _run_differences(conn, run, on_disk.get(name, []))


def _run_differences(conn: Connection, run: KnownRun, found: Sequence[FoundFile]) -> Iterator[str]:
    gone = sorted(run.files.keys() - {file.name for file in found})
    if gone:
        yield f"{run.name}: cannot be compared, {len(gone)} of its files are gone ({gone[0]})"
        return
    held = _Read()
    remembered: dict[str, Metadata] = {}
    for file in sorted(found, key=lambda file: file.name):
        stored = run.files[file.name].row.offset if file.name in run.files else 0
        unread = _read_file(held, Path(file.path), stored, remembered)
        if unread:
            yield f"{run.name}: {file.name}: not stored from byte {stored} on"
    expected, actual = _expected(held), _stored(conn, run)
    for tag, kind in sorted(expected.keys() | actual.keys()):
        there, here = expected.get((tag, kind)), actual.get((tag, kind))
        if there != here:
            yield f"{run.name}: {tag} ({kind}): {_told(there)} in the files, {_told(here)} stored"


def _told(digest: Digest | None) -> str:
    return f"{digest.count} points {digest.checksum[:12]}" if digest is not None else "nothing"


def _read_file(held: _Read, path: Path, stored: int, remembered: dict[str, Metadata]) -> bool:
    """Read the stored part of a file; return whether there is more that could be stored."""
    facts, offset = NOTHING, 0
    while True:
        limit = min(stored - offset, WINDOW_BYTES) if offset < stored else WINDOW_BYTES
        # What is stored was judged; behind it the end of a live file is still waited for.
        now = math.inf if offset < stored else time.time()
        looked = read_on(
            path, offset, NO_HEAD, remembered, max_bytes=limit, now=now, marks=held.marks
        )
        batch = looked.batch
        if batch is None or batch.end == offset or offset >= stored:
            break
        staged = stage(batch)
        base = len(facts.sections) - 1
        facts = joined(facts, observed(staged, batch.first_wall, batch.last_wall))
        for piece in staged.pieces:
            points = _points(piece.series)
            key = (piece.tag, piece.kind)
            held.pieces.append((len(held.facts), base + piece.section, key, points))
        for (tag, _), value in staged.metadata.items():
            remembered.setdefault(tag, value)
        offset = batch.end
    held.facts.append(facts)
    return offset != stored or (batch is not None and batch.end > offset)


def _points(series: ScalarSeries | PointSeries) -> NDArray[np.void]:
    if isinstance(series, ScalarSeries):
        return _packed(series.step, series.wall, _scalar_bytes(series.value))
    points = series.points
    return _packed(
        np.array([point.step for point in points], np.int64),
        np.array([point.wall_time for point in points], np.float64),
        _value_bytes(_as_stored(point.value) for point in points),
    )


def _packed(
    step: NDArray[np.int64], wall: NDArray[np.float64], value: NDArray[np.void]
) -> NDArray[np.void]:
    packed = np.zeros(len(step), POINT)
    packed["step"], packed["wall"], packed["value"] = step, wall.view(np.uint64), value
    return packed


def _scalar_bytes(value: NDArray[np.float32 | np.float64]) -> NDArray[np.void]:
    # The width takes part: 4 or 8 bytes, then zeros.
    octets = np.zeros((len(value), 32), np.uint8)
    width = value.dtype.itemsize
    octets[:, :width] = np.ascontiguousarray(value).view(np.uint8).reshape(-1, width)
    octets[:, 31] = width
    packed: NDArray[np.void] = octets.view("V32").reshape(-1)
    return packed


def _value_bytes(values: Iterable[object]) -> NDArray[np.void]:
    # The text form of these frozen values has every number in full.
    texts = (repr(value).encode("utf-8", "surrogatepass") for value in values)
    return np.frombuffer(b"".join(hashlib.sha256(text).digest() for text in texts), "V32")


def _as_stored(value: Value) -> object:
    if not isinstance(value, Media):
        return value
    blobs = tuple(
        BlobRef(hashlib.sha256(blob.data).digest(), len(blob.data), blob.media_type, blob.label)
        for blob in value.blobs
    )
    return StoredMedia(blobs, value.width, value.height, value.sample_rate)


def _expected(held: _Read) -> dict[SeriesKey, Digest]:
    """Return the digests that the files alone lead to."""
    lives = Lives()
    numbers = lives.take_all(held.facts)
    parts: dict[SeriesKey, list[NDArray[np.void]]] = {}
    for file, section, key, points in held.pieces:
        attempt = numbers[file][section]
        points["attempt"] = attempt
        points["hidden"] = _hidden(lives.cuts, key, attempt, points["step"])
        parts.setdefault(key, []).append(points)
    return {key: _digest(np.concatenate(some)) for key, some in parts.items()}


def _hidden(
    cuts: Mapping[Cut, int], key: SeriesKey, attempt: int, step: NDArray[np.int64]
) -> NDArray[np.bool_]:
    mask = np.zeros(len(step), np.bool_)
    for (later, series), from_step in cuts.items():
        if later > attempt and series in (None, key):
            mask |= step >= from_step
    return mask


def _stored(conn: Connection, run: KnownRun) -> dict[SeriesKey, Digest]:
    """Return the digests of what the database holds."""
    heads = read.heads(conn, [run.run_id])[run.run_id]
    pairs: list[tuple[int, Kind]] = [(head.tag_id, head.kind) for head in head_rows(heads)]
    names = tag_names(conn, {tag_id for tag_id, _ in pairs})
    digests: dict[SeriesKey, Digest] = {}
    for (tag_id, kind), data in read.series(conn, run.run_id, pairs).items():
        value = _scalar_bytes(data.value) if kind == "scalar" else _value_bytes(data.values)
        points = _packed(data.step, data.wall, value)
        points["attempt"], points["hidden"] = data.attempt, data.superseded
        digests[names[tag_id], kind] = _digest(points)
    return digests


def _digest(points: NDArray[np.void]) -> Digest:
    octets = np.sort(points.view(f"V{POINT.itemsize}").view(f"S{POINT.itemsize}"))
    return Digest(len(points), hashlib.sha256(octets.tobytes()).hexdigest())


def _logdir_ids(conn: Connection, path: Path, project: str | None) -> list[int]:
    logdir, owner, team = tables.logdir.c, tables.project.c, tables.team.c
    query = (
        select(logdir.logdir_id)
        .join_from(tables.logdir, tables.project, logdir.project_id == owner.project_id)
        .join(tables.team, team.team_id == owner.team_id)
        .where(logdir.path_sha256 == sha256(str(path)))
        .order_by(logdir.logdir_id)
    )
    if project is not None:
        team_name, _, name = project.rpartition("/")
        query = query.where(team.name == to_sql(team_name or DEFAULT_TEAM))
        query = query.where(owner.name == to_sql(name))
    found = [int(number) for number in conn.execute(query).scalars()]
    if not found:
        raise OrgboardError(f"{path} was never ingested into this database: `orgboard ingest` does")
    return found
