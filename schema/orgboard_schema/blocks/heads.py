"""Run heads: what the run table shows of every series of a run, packed in one value.

A head table is a structured array, one row a series, sorted by (kind, tag_id). Ten
thousand runs of a hundred tags are ten thousand payloads, not a million rows.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from contextlib import suppress
from ctypes import addressof, c_char, c_char_p, c_int64
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.columns import Cursor, address, ints
from orgboard_schema.blocks.frame import MAX_RAW_BYTES, pack, unpack, unpack_many
from orgboard_schema.blocks.series import Ints, kind_number
from orgboard_schema.core.library import load_core
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "HEAD",
    "HeadSums",
    "HeadTable",
    "SeriesHead",
    "decode_heads",
    "decode_tag_set",
    "empty_heads",
    "encode_heads",
    "encode_tag_set",
    "head_rows",
    "heads_at",
    "heads_at_each",
    "row_keys",
    "row_of",
    "row_places",
    "series_key",
    "sum_each",
    "sum_heads",
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

_WIDTH: Final = HEAD.itemsize

_VERSION: Final = 2
"""Of the payload: octets that are the same in all rows are written once, which is most of them.
Ten times as fast to unpack as runs of them, and to pack: zstd copies those octet by octet."""

_VERSION_OCTET: Final = bytes([_VERSION])

_HEADER: Final = struct.Struct(f"<I{-(-_WIDTH // 8)}s")
"""Rows, and of each octet of a row whether it varies. Then what does not, then planes of the rest:
first all rows' first octet that varies, and so on."""

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


class HeadSums(NamedTuple):
    """What all series of a run come to."""

    series: int
    """That have points waiting."""
    points: int
    octets: int
    """What waits, and what its values take unpacked."""
    most_points: int
    most_octets: int
    """Of one series."""
    last_step: int
    any_visible: int
    """Whether there is a last step: some point is visible."""


def sum_heads(heads: HeadTable) -> HeadSums:
    """Return what the rows come to; the core looks at each once."""
    core = load_core()
    if core is not None:
        told = (c_int64 * len(HeadSums._fields))()
        core.ob_sum_heads(address(np.ascontiguousarray(heads)), len(heads), told)
        return HeadSums(*told)
    waiting, octets = heads["waiting"], heads["waiting_bytes"]
    visible = heads["last_step"][heads["n"] > 0]
    return HeadSums(
        int(np.count_nonzero(waiting)),
        int(waiting.sum()),
        int(octets.sum()),
        int(waiting.max(initial=0)),
        int(octets.max(initial=0)),
        int(visible.max()) if len(visible) else 0,
        int(len(visible) > 0),
    )


def sum_each(payloads: Sequence[bytes]) -> list[HeadSums | None]:
    """Return what the rows of each of these head tables come to; None of one that is damaged."""
    core = load_core()
    if core is not None and not any(map(_is_whole, payloads)):
        told = np.empty((len(payloads), len(HeadSums._fields)), np.int64)
        with suppress(CorruptBlock):
            many = unpack_many(payloads, version=_VERSION)
            if many is not None:
                sizes = np.ascontiguousarray(many.sizes)
                got = core.ob_sum_packed(
                    address(np.ascontiguousarray(many.at)), address(sizes), len(told), address(told)
                )
                if got == len(told):
                    return [HeadSums(*row) for row in told.tolist()]
    # Which of them is damaged, is found by looking at each.
    return [_sums_of(payload) for payload in payloads]


def _sums_of(payload: bytes) -> HeadSums | None:
    try:
        return sum_heads(decode_heads(payload))
    except CorruptBlock:
        return None


def empty_heads(count: int = 0) -> HeadTable:
    """Return that many heads without a point."""
    heads = np.zeros(count, HEAD)
    for name in ("first_wall", "last_wall", "last_value", "min_value", "max_value"):
        heads[name] = np.nan
    return heads


def encode_heads(heads: HeadTable) -> bytes:
    """Return the payload of a head table."""
    if heads.nbytes > MAX_RAW_BYTES:
        raise ValueError(f"{len(heads)} series of one run are more than a payload holds")
    core = load_core()
    if core is None:
        return pack(_raw(heads), quick=True, version=_VERSION)
    raw = bytearray(_HEADER.size + len(heads) * _WIDTH)
    heads = np.ascontiguousarray(heads)
    size = core.ob_pack_heads(address(heads), len(heads), addressof(c_char.from_buffer(raw)))
    return pack(memoryview(raw)[:size], quick=True, version=_VERSION)


def _raw(heads: HeadTable) -> bytes:
    """Return what the core's `ob_pack_heads` makes."""
    octets = np.ascontiguousarray(heads).view(np.uint8).reshape(len(heads), _WIDTH)
    varies = (octets != octets[:1]).any(axis=0)
    return (
        _HEADER.pack(len(heads), np.packbits(varies).tobytes())
        + bytes(octets[:1, ~varies])
        + bytes(octets.T[varies])
    )


def decode_heads(payload: bytes) -> HeadTable:
    """Return the head table of a payload; it is the caller's own, to change at will.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    if _is_whole(payload):
        return _rows(_whole_planes(payload)).copy()
    raw = unpack(payload, version=_VERSION)
    core = load_core()
    if core is None:
        return _rows_of(raw)
    count, _, _ = _read_header(raw, len(raw))
    heads = np.empty(count, HEAD)
    if count:
        core.ob_unpack_heads(raw, count, address(heads))
    return heads


def _rows_of(raw: bytes) -> HeadTable:
    """Return what the core's `ob_unpack_heads` makes."""
    count, flags, first = _read_header(raw, len(raw))
    if not count:
        return np.empty(0, HEAD)
    varies = _varying(flags)
    planes = np.empty((_WIDTH, count), np.uint8)
    planes[varies] = np.frombuffer(raw[first:], np.uint8).reshape(-1, count)
    planes[~varies] = np.frombuffer(raw[_HEADER.size : first], np.uint8)[:, None]
    return _rows(planes)


def _rows(planes: npt.NDArray[np.uint8]) -> HeadTable:
    return np.ascontiguousarray(planes.T).reshape(-1).view(HEAD)


def heads_at(payloads: Sequence[bytes], places: Sequence[int]) -> HeadTable:
    """Return one row of each of these head tables, and take no table apart for it.

    Raises:
        CorruptBlock: A payload is not what was written, or has no such row.
    """
    whole = [at for at, payload in enumerate(payloads) if _is_whole(payload)]
    if not whole:
        raws = [unpack(payload, version=_VERSION) for payload in payloads]
        return _rows_at(raws, places)
    rows = np.zeros(len(payloads), HEAD)
    for at in whole:
        planes = _whole_planes(payloads[at])
        if not 0 <= places[at] < planes.shape[1]:
            raise CorruptBlock(f"no series {places[at]} in a head table of {planes.shape[1]}")
        rows[at] = _rows(planes[:, places[at], None])[0]
    others = sorted(set(range(len(payloads))).difference(whole))
    rows[others] = heads_at([payloads[at] for at in others], [places[at] for at in others])
    return rows


def heads_at_each(
    payloads: Sequence[bytes], wanted: Sequence[tuple[Sequence[int], Sequence[int]]]
) -> list[HeadTable]:
    """Return `heads_at` of some of the payloads for each that is wanted, unpacking each once.

    What is wanted is which payloads, by number, and the place of the row in each.

    Raises:
        CorruptBlock: A payload is not what was written, or has no such row.
    """
    if any(_is_whole(payload) for payload in payloads):
        return [heads_at([payloads[at] for at in which], places) for which, places in wanted]
    many = None if load_core() is None else unpack_many(payloads, version=_VERSION)
    if many is None:
        raws = [unpack(payload, version=_VERSION) for payload in payloads]
        return [_rows_at([raws[at] for at in which], places) for which, places in wanted]
    found: list[HeadTable] = []
    for which, places in wanted:
        some = np.array(which, np.intp)
        begin = many.at[some]
        rows = _picked(address(begin), many.sizes[some], places)
        # What is wrong with which, is told by looking at each.
        found.append(heads_at([payloads[at] for at in which], places) if rows is None else rows)
    return found


def _rows_at(raws: Sequence[bytes], places: Sequence[int]) -> HeadTable:
    """Return one row of each of these unpacked tables; the core looks at each once."""
    sizes = np.fromiter(map(len, raws), np.int64, len(raws))
    rows = _picked((c_char_p * len(raws))(*raws), sizes, places)
    # What is wrong with which, is told here.
    return _octets_at(raws, places).reshape(-1).view(HEAD) if rows is None else rows


def _picked(begin: Any, sizes: Ints, places: Sequence[int]) -> HeadTable | None:
    """Return what the core finds in unpacked tables; None without one, or without such a row.

    `begin` is where the addresses of the tables lie.
    """
    core = load_core()
    if core is None:
        return None
    rows, at = np.empty(len(sizes), HEAD), np.array(places, np.int64)
    got = core.ob_heads_at(begin, address(sizes), address(at), len(rows), address(rows))
    return rows if got == len(rows) else None


def _octets_at(raws: Sequence[bytes], places: Sequence[int]) -> npt.NDArray[np.uint8]:
    """Return the octets of one row of each of these unpacked tables."""
    # The tables of a project are much alike.
    known: dict[tuple[bytes, int, int], int] = {}
    alike = [
        known.setdefault((raw[: _HEADER.size], len(raw), place), len(known))
        for raw, place in zip(raws, places, strict=True)
    ]
    where = np.array([_places_of(*shape) for shape in known], np.int64).reshape(-1, _WIDTH)
    ends = np.cumsum([len(raw) for raw in raws], dtype=np.int64)
    begin = np.concatenate(([0], ends))[:-1, None]
    return np.frombuffer(b"".join(raws), np.uint8)[where[alike] + begin]


def _places_of(header: bytes, size: int, place: int) -> Ints:
    """Return where the octets of a row lie in an unpacked table of that size."""
    count, flags, first = _read_header(header, size)
    if not 0 <= place < count:
        raise CorruptBlock(f"no series {place} in a head table of {count}")
    varies = _varying(flags)
    before = np.cumsum(varies, dtype=np.int64) - varies
    places: Ints = _HEADER.size + np.arange(_WIDTH, dtype=np.int64) - before
    places[varies] = first + place + before[varies] * count
    return places


def _read_header(raw: bytes, size: int) -> tuple[int, bytes, int]:
    """Return how many rows there are, a bit for each octet that varies, and where those begin."""
    if size < _HEADER.size:
        raise CorruptBlock("a head table without a beginning")
    count, flags = _HEADER.unpack_from(raw)
    varying = (int.from_bytes(flags) >> 8 * len(flags) - _WIDTH).bit_count()
    first = _HEADER.size + (_WIDTH - varying if count else 0)
    if size != first + varying * count or count * _WIDTH > MAX_RAW_BYTES:
        raise CorruptBlock("a piece of a head is missing")
    return count, flags, first


def _varying(flags: bytes) -> npt.NDArray[np.bool_]:
    return np.unpackbits(np.frombuffer(flags, np.uint8), count=_WIDTH).view(np.bool_)


def _is_whole(payload: bytes) -> bool:
    """Tell whether every octet of the rows has its plane, as the first release wrote them."""
    return payload[:1] != _VERSION_OCTET


def _whole_planes(payload: bytes) -> npt.NDArray[np.uint8]:
    raw = np.frombuffer(unpack(payload), np.uint8)
    if len(raw) % _WIDTH:
        raise CorruptBlock("a piece of a head is missing")
    return raw.reshape(_WIDTH, -1)


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
