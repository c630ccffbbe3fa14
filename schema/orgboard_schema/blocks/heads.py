"""Run heads: what the run table shows of every series of a run, packed in one value.

A head table is a structured array, one row a series, sorted by (kind, tag_id). Ten
thousand runs of a hundred tags are ten thousand payloads, not a million rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, ints
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.series import Ints, kind_number
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "HEAD",
    "HeadTable",
    "SeriesHead",
    "decode_heads",
    "decode_tag_set",
    "empty_heads",
    "encode_heads",
    "encode_tag_set",
    "head_fields",
    "head_rows",
    "row_keys",
    "row_of",
    "row_places",
    "series_key",
]

HEAD: Final = np.dtype(
    [
        ("kind", "<i2"),
        ("tag_id", "<i8"),
        ("metadata_id", "<i8"),
        ("attempt", "<i4"),
        ("n", "<i8"),
        ("n_all", "<i8"),
        ("first_step", "<i8"),
        ("last_step", "<i8"),
        ("first_wall", "<f8"),
        ("last_wall", "<f8"),
        ("last_value", "<f8"),
        ("min_value", "<f8"),
        ("max_value", "<f8"),
        ("waiting", "<i8"),
        ("waiting_bytes", "<i8"),
    ]
)
"""The fields of `SeriesHead`, as they lie in the payload."""

HeadTable: TypeAlias = npt.NDArray[np.void]

_KIND_SHIFT: Final = 48
"""A series' key is kind above tag: no database here makes 2^48 tags."""


@dataclass(frozen=True, slots=True)
class SeriesHead:
    """What is known of a series without unpacking its points.

    Everything but `n_all` and the waiting counts speaks of visible points, those that no
    restart superseded. First and last are by step; of equal steps the first and the last
    stored. Floats are NaN where there is nothing to tell: no visible point, no finite
    value, no scalar.
    """

    tag_id: int
    kind: Kind
    metadata_id: int
    """0 when the writer sent none."""
    attempt: int
    """The newest attempt that has points here."""
    n: int
    n_all: int
    """With the superseded ones."""
    first_step: int
    last_step: int
    first_wall: float
    last_wall: float
    last_value: float
    min_value: float
    """Of the finite ones."""
    max_value: float
    waiting: int
    """Points in segments, not yet in blocks."""
    waiting_bytes: int
    """Octets of their values unpacked; 0 for scalars."""


def empty_heads(count: int = 0) -> HeadTable:
    """Return that many heads without a point."""
    heads = np.zeros(count, HEAD)
    for name in ("first_wall", "last_wall", "last_value", "min_value", "max_value"):
        heads[name] = np.nan
    return heads


def encode_heads(heads: HeadTable) -> bytes:
    """Return the payload of a head table."""
    planes = np.ascontiguousarray(heads).view(np.uint8).reshape(len(heads), HEAD.itemsize).T
    return pack(planes.tobytes(), quick=True)


def decode_heads(payload: bytes) -> HeadTable:
    """Return the head table of a payload; it is the caller's own, to change at will.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    raw = np.frombuffer(unpack(payload), np.uint8)
    if len(raw) % HEAD.itemsize:
        raise CorruptBlock("a piece of a head is missing")
    octets = np.ascontiguousarray(raw.reshape(HEAD.itemsize, -1).T)
    return octets.reshape(-1).view(HEAD).copy()


def head_fields(
    payloads: Sequence[bytes], places: Sequence[int], names: Sequence[str]
) -> HeadTable:
    """Return some fields of one row of each of these head tables, and unpack no more.

    Raises:
        CorruptBlock: A payload is not what was written, or has no such row.
    """
    fields: Any = HEAD.fields
    wanted = [fields[name][:2] for name in names]
    spans: list[tuple[int, int]] = []
    for dtype, offset in wanted:
        # Neighbours come out in one piece.
        start = spans.pop()[0] if spans and spans[-1][1] == offset else offset
        spans.append((start, offset + dtype.itemsize))
    parts: list[bytes] = []
    for payload, place in zip(payloads, places, strict=True):
        raw = unpack(payload)
        count = len(raw) // HEAD.itemsize
        if not 0 <= place < count or count * HEAD.itemsize != len(raw):
            raise CorruptBlock(f"no series {place} in a head table of {len(raw)} bytes")
        # Octet by octet of the field, each a plane of all rows.
        parts += [raw[first * count + place : last * count : count] for first, last in spans]
    dtype = np.dtype([(name, kind) for name, (kind, _) in zip(names, wanted, strict=True)])
    return np.frombuffer(b"".join(parts), dtype)


def head_rows(heads: HeadTable) -> list[SeriesHead]:
    """Return a head table as frozen values."""
    rows: list[SeriesHead] = []
    for row in heads.tolist():
        fields: dict[str, Any] = dict(zip(HEAD.names or (), row, strict=True))
        fields["kind"] = KINDS[fields["kind"]]
        rows.append(SeriesHead(**fields))
    return rows


def series_key(tag_id: int, kind: Kind) -> int:
    """Return one number for a series of a run, ordered like the head table."""
    return (kind_number(kind) << _KIND_SHIFT) | tag_id


def row_places(heads: HeadTable, keys: Ints) -> tuple[HeadTable, npt.NDArray[np.intp]]:
    """Return a table that has a row for each of `keys` (sorted, distinct), and their places."""
    known = row_keys(heads)
    places = np.searchsorted(known, keys)
    is_known = np.zeros(len(keys), np.bool_)
    if len(known):
        is_known = known[np.minimum(places, len(known) - 1)] == keys
    if is_known.all():
        return heads, places
    missing = keys[~is_known]
    new = empty_heads(len(missing))
    new["kind"] = missing >> _KIND_SHIFT
    new["tag_id"] = missing & ((1 << _KIND_SHIFT) - 1)
    if not len(known):
        return new, places + np.arange(len(keys))
    heads = np.insert(heads, places[~is_known], new)
    return heads, np.searchsorted(row_keys(heads), keys)


def row_of(heads: HeadTable, tag_id: int, kind: Kind) -> SeriesHead | None:
    """Return the head of one series, None when the run has no such series."""
    at = np.flatnonzero(row_keys(heads) == series_key(tag_id, kind))
    return head_rows(heads[at])[0] if len(at) else None


def encode_tag_set(heads: HeadTable) -> bytes:
    """Return the payload of the set of series of a head table: the same set, the same octets."""
    return ints(heads["kind"]) + ints(heads["tag_id"])


def decode_tag_set(payload: bytes) -> Sequence[tuple[int, Kind]]:
    """Return the series of a set, by kind and tag.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    cursor = Cursor(payload)
    kinds, tags = cursor.small_ints(), cursor.small_ints()
    cursor.finish()
    if len(kinds) != len(tags) or any(not 0 <= kind < len(KINDS) for kind in kinds):
        raise CorruptBlock("not a set of tags")
    return [(tag_id, KINDS[kind]) for kind, tag_id in zip(kinds, tags, strict=True)]


def row_keys(heads: HeadTable) -> Ints:
    """Return the `series_key` of each row."""
    keys: Ints = (heads["kind"].astype(np.int64) << _KIND_SHIFT) | heads["tag_id"]
    return keys
