"""What a rule would take of which run, and what that frees. Reads, and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_schema.blocks import StoredMedia, decode_segment, decode_values, kind_number
from orgboard_schema.blocks.taken import encode_taken
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.retention import Candidate, Policy, candidates
from orgboard_schema.sql.thinning.edits import Edit, edited, find_edits, load_payload
from orgboard_schema.sql.thinning.marks import is_settled
from orgboard_schema.sql.thinning.rule import Rule
from orgboard_schema.types import KINDS, Kind

__all__ = ["Thinnable", "blobs_used", "planned_thinning", "shared_bytes"]

WITHOUT_BLOBS: Final[frozenset[Kind]] = frozenset({"scalar", "histogram"})
"""Far the most points, and none of them refers to anything."""

_block, _segment = tables.block.c, tables.segment.c
_blob, _ref = tables.blob.c, tables.blob_ref.c


@dataclass(frozen=True, slots=True)
class Thinnable:
    """One run that a rule takes points from."""

    run: Candidate
    points: Mapping[Kind, tuple[int, int]]
    """Of each kind how many go, of how many that are stored."""
    point_bytes: int
    """What its rows get smaller by, less what is noted of the points."""
    blobs: int
    blob_bytes: int
    """That nothing else refers to."""
    shared: Mapping[bytes, tuple[int, int]]
    """Bytes, and how many runs refer to it, of each blob that other runs refer to as well."""
    is_begun: bool
    """An earlier one was stopped before its end: there may be no point left to take."""

    @property
    def taken(self) -> int:
        """Return how many points go."""
        return sum(goes for goes, _ in self.points.values())


def planned_thinning(conn: Connection, policy: Policy, *, now: float) -> Iterator[Thinnable]:
    """Yield what the policy would take of each run, by project, the oldest run first."""
    rule = policy.thin
    if rule is None:
        return
    for candidate in candidates(conn, policy):
        if not policy.thins(now - candidate.written_at):
            continue
        edits = find_edits(conn, candidate.run_id, rule)
        is_begun = not is_settled(conn, candidate.run_id)
        if edits or is_begun:
            yield _measured(conn, candidate, rule, edits, is_begun=is_begun)


def shared_bytes(plans: Iterable[Thinnable]) -> int:
    """Return the bytes of the blobs that all these runs together no longer refer to, and nobody
    else does, beyond what each frees by itself."""
    found: Counter[bytes] = Counter()
    sizes: dict[bytes, tuple[int, int]] = {}
    for plan in plans:
        found.update(plan.shared.keys())
        sizes |= plan.shared
    return sum(sizes[key][0] for key, runs in found.items() if runs == sizes[key][1])


def _measured(
    conn: Connection, run: Candidate, rule: Rule, edits: Collection[Edit], *, is_begun: bool
) -> Thinnable:
    goes: Counter[Kind] = Counter()
    referred: Counter[bytes] = Counter()
    octets = 0
    for edit in edits:
        before = load_payload(conn, run.run_id, edit.place)
        after = edited(edit, before)
        octets += len(before) - len(after.payload or b"")
        octets -= sum(len(encode_taken(taken)) for _, taken, _ in after.taken)
        for (_, kind, _), taken, _ in after.taken:
            goes[kind] += len(taken)
        referred.update(blob.sha256 for blob in after.blobs)
    used = Counter(_references(conn, run.run_id)) if referred else Counter()
    gone = [key for key, times in referred.items() if used[key] == times]
    alone, shared = _sizes(conn, gone)
    stored = _stored(conn, run.run_id, rule.kinds)
    points: dict[Kind, tuple[int, int]] = {
        kind: (goes[kind], stored[kind]) for kind in KINDS if goes[kind]
    }
    return Thinnable(run, points, octets, len(alone), sum(alone), shared, is_begun)


def _stored(conn: Connection, run_id: int, kinds: Collection[Kind]) -> Counter[Kind]:
    heads = read.heads(conn, [run_id])[run_id]
    stored: Counter[Kind] = Counter()
    for kind in kinds:
        stored[kind] = int(heads["n_all"][heads["kind"] == kind_number(kind)].sum())
    return stored


def _sizes(
    conn: Connection, keys: Collection[bytes]
) -> tuple[list[int], dict[bytes, tuple[int, int]]]:
    """Return the bytes of those that one run refers to; and of the others, with how many do."""
    alone: list[int] = []
    shared: dict[bytes, tuple[int, int]] = {}
    for some in chunked(sorted(keys)):
        query = (
            select(_ref.sha256, func.max(_blob.size), func.count())
            .join_from(tables.blob_ref, tables.blob, _blob.sha256 == _ref.sha256)
            .where(_ref.sha256.in_(some))
            .group_by(_ref.sha256)
        )
        for key, size, runs in conn.execute(query):
            if runs == 1:
                alone.append(int(size))
            else:
                shared[bytes(key)] = (int(size), int(runs))
    return alone, shared


def blobs_used(conn: Connection, run_id: int) -> set[bytes]:
    """Return the blobs that the stored points of a run refer to."""
    return set(_references(conn, run_id))


def _references(conn: Connection, run_id: int) -> Iterator[bytes]:
    """Yield what each point of a run refers to."""
    numbers = [kind_number(kind) for kind in KINDS if kind not in WITHOUT_BLOBS]
    here = (_block.run_id == run_id) & (_block.level == 0) & _block.kind.in_(numbers)
    query = select(_block.payload).where(here).execution_options(yield_per=32)
    for (payload,) in conn.execute(query):
        yield from _referred(decode_values(bytes(payload)).values)
    waiting = select(_segment.payload).where(_segment.run_id == run_id)
    for (payload,) in conn.execute(waiting):
        for chunk in decode_segment(bytes(payload)):
            if chunk.kind not in WITHOUT_BLOBS:
                yield from _referred(getattr(chunk.series, "values", ()))


def _referred(values: Iterable[object]) -> Iterator[bytes]:
    for value in values:
        if isinstance(value, StoredMedia):
            yield from (blob.sha256 for blob in value.blobs)
