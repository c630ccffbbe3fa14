"""One run, both sides: where they differ. One snapshot holds for all that is read of SQL."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from sqlalchemy import Connection

from orgboard_ingest.proof.differences import Difference
from orgboard_ingest.proof.files import (
    FileSide,
    Place,
    PointKey,
    StoredFile,
    Unreadable,
    read_files,
)
from orgboard_ingest.proof.store import StoreSide
from orgboard_ingest.proof.sums import COUNT, STEPS, WALLS, Tally, Words
from orgboard_ingest.stage import SeriesKey
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql.registry import files as stored_files
from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Gap

__all__ = ["Behind", "RunProof", "prove_run"]


@dataclass(frozen=True, slots=True)
class Behind:
    """A file that had more than was stored."""

    run_id: int
    run: str
    file: str
    offset: int
    end: int


@dataclass(slots=True)
class RunProof:
    """What came of one run."""

    differences: list[Difference] = field(default_factory=list)
    behind: list[Behind] = field(default_factory=list)
    points: int = 0


def prove_run(
    conn: Connection,
    run_id: int,
    run: str,
    found: Mapping[str, Place],
    read: Callable[[int], None],
    sound: set[bytes],
) -> RunProof:
    """Compare a run with its files, given by name: those that are there."""
    proof = RunProof()
    rows = {row.name: row for row in stored_files(conn, [run_id])}
    gone = sorted(rows.keys() - found.keys())
    if gone:
        what = f"cannot be compared, {len(gone)} of its files are gone ({gone[0]})"
        proof.differences.append(Difference(run, what))
        return proof
    offsets = {name: rows[name].offset if name in rows else 0 for name in found}
    files = [StoredFile(name, place, offsets[name]) for name, place in found.items()]
    try:
        side = read_files(files, read)
        store, differing = _compared(conn, run_id, run, side, sound)
        if differing and len(files) > 1 and side.described:
            # Files written side by side are not read in order of name, and a value that does
            # not say what it is, is taken for what the tag was known to be by then.
            later = read_files(files, lambda _: None, side.described)
            other, left = _compared(conn, run_id, run, later, sound)
            if not left:
                side, store, differing = later, other, left
        proof.differences += differing
    except (Unreadable, CorruptBlock) as error:
        proof.differences.append(Difference(run, str(error)))
        return proof
    proof.differences += store.thinned()
    proof.points = int(store.tally.sums()[:, COUNT].sum()) - store.taken
    proof.behind = [
        Behind(run_id, run, name, offsets[name], end) for name, end in side.beyond.items()
    ]
    return proof


def _compared(
    conn: Connection, run_id: int, run: str, side: FileSide, sound: set[bytes]
) -> tuple[StoreSide, list[Difference]]:
    store = StoreSide(conn, run_id, run, sound)
    return store, [*store.read(side.cuts), *_differences(run, side, store)]


def _differences(run: str, side: FileSide, store: StoreSide) -> Iterator[Difference]:
    here = "stored or thinned" if store.taken else "stored"
    yield from _points(run, side.tally, store.tally, here)
    yield from _metadata(run, side.metadata, store.metadata())
    said, stored = side.hparams, store.hparams()
    if stored not in said and (said or stored is not None):
        there = said[-1] if said else "none"
        what = f"hyperparameters {_short(there)} in the files, {_short(stored or 'none')} stored"
        yield Difference(run, what)
    yield from _gaps(run, side.gaps, store.gaps())


def _points(
    run: str, files: Tally[PointKey], store: Tally[PointKey], stored: str
) -> Iterator[Difference]:
    there, here = files.sums(), store.sums()
    nothing = np.zeros((1, there.shape[1]), np.uint64)
    # Whole arrays first: of a hundred thousand series mostly none differs.
    places = np.array([store.rows.get(key, len(here)) for key in files.rows], np.int64)
    mine = np.concatenate([here, nothing])[places]
    keys = list(files.rows)
    unlike = np.flatnonzero((mine != there).any(axis=1)).tolist()
    differing = [(keys[at], there[at], mine[at]) for at in unlike]
    differing += [
        (key, nothing[0], here[row]) for key, row in store.rows.items() if key not in files.rows
    ]
    for (tag, kind, attempt), one, other in sorted(differing, key=lambda each: each[0]):
        yield Difference(run, _told(one, other, stored), tag=tag, kind=kind, attempt=attempt)


def _told(there: Words, here: Words, stored: str) -> str:
    """Say how the sums of a series differ."""
    if there[COUNT] != here[COUNT]:
        return f"{there[COUNT]} points in the files, {here[COUNT]} {stored}"
    column = "values"
    if there[STEPS] != here[STEPS]:
        column = "steps"
    elif there[WALLS] != here[WALLS]:
        column = "wall times"
    return f"{there[COUNT]} points in the files and {stored}, but their {column} differ"


def _metadata(
    run: str,
    said: Mapping[SeriesKey, Sequence[Metadata]],
    stored: Iterable[tuple[SeriesKey, Metadata | None]],
) -> Iterator[Difference]:
    for key, mine in stored:
        theirs = said.get(key, ())
        if (mine is None and not theirs) or mine in theirs:
            continue
        there = _described(theirs[0] if theirs else None)
        what = f"described as {there} in the files, as {_described(mine)} in the database"
        yield Difference(run, what, tag=key[0], kind=key[1])


def _described(metadata: Metadata | None) -> str:
    if metadata is None:
        return "nothing"
    said = [
        f"{name} {_short(str(getattr(metadata, name)))}"
        for name in ("plugin", "display_name", "description", "data_class")
        if getattr(metadata, name)
    ]
    return ", ".join([*said, f"{len(metadata.content)} bytes of content"])


def _gaps(
    run: str, files: Mapping[str, list[Gap]], store: Mapping[str, list[Gap]]
) -> Iterator[Difference]:
    for name in sorted(files.keys() | store.keys()):
        there, here = _merged(files.get(name, [])), _merged(store.get(name, []))
        for some, where in ((there - here, "in the file only"), (here - there, "stored only")):
            for gap in sorted(some, key=lambda gap: gap.offset):
                what = f"a gap of {gap.length} bytes at {gap.offset} ({gap.reason}) is {where}"
                yield Difference(run, what, file=name)


def _merged(gaps: Sequence[Gap]) -> set[Gap]:
    """Join gaps that go on from each other: where a reading ended is of no matter."""
    merged: list[Gap] = []
    for gap in gaps:
        last = merged[-1] if merged else None
        if last and last.reason == gap.reason and last.offset + last.length == gap.offset:
            merged[-1] = Gap(last.offset, last.length + gap.length, gap.reason)
        else:
            merged.append(gap)
    return set(merged)


def _short(text: str) -> str:
    return text if len(text) <= 80 else f"{text[:77]}..."
