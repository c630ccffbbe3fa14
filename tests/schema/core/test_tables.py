"""The compiled core counts and encodes a table of scalars as its series would be, one by one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.blocks import (
    Chunk,
    HeadTable,
    ScalarSeries,
    decode_heads,
    decode_segment,
    encode_heads,
    heads,
    table,
)
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.heads import empty_heads, sum_heads
from orgboard_schema.blocks.summary import add_points, extents_of
from orgboard_schema.blocks.table import PIECE, ScalarTable, chunks_of, count_table, encode_table
from orgboard_schema.core.library import load_core
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS
from support.lacking import lack

_ODD = [np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, -0.0]

_seeds = st.integers(0, 2**32 - 1)
_shapes = st.lists(st.tuples(st.integers(0, 5), st.integers(1, 40)), min_size=1, max_size=12)
"""Of each piece: which tag it is of, and how many points it has."""


@given(_shapes, _seeds, st.sampled_from([0.0, 0.3, 1.0]), st.integers(0, 3))
def test_any_points_are_counted_the_same(
    shapes: list[tuple[int, int]], seed: int, odd: float, attempt: int
) -> None:
    random = np.random.default_rng(seed)
    # Tags of ids in no order, some with a head already, beside series of other kinds.
    ids = random.permutation(20)[:6].astype(np.int64)
    before = _heads(random, ids)
    made = _table(random, shapes, odd)

    compiled = count_table(before.copy(), made, ids, attempt)
    with _no_core():
        plain = count_table(before.copy(), made, ids, attempt)

    assert _rows(compiled) == _rows(plain)
    assert sum_heads(compiled) == _plain_sums(plain)


@given(_shapes, _seeds, st.sampled_from([0.0, 0.3]))
def test_any_points_make_the_same_segment(
    shapes: list[tuple[int, int]], seed: int, odd: float
) -> None:
    random = np.random.default_rng(seed)
    ids = random.permutation(20)[:6].astype(np.int64)
    made = _table(random, shapes, odd)

    compiled = encode_table(made, ids)
    with _no_core():
        plain = encode_table(made, ids)

    assert compiled == plain
    assert list(map(_told, decode_segment(compiled))) == list(map(_told, chunks_of(made, ids)))


@given(st.integers(0, 9), _seeds)
def test_any_heads_make_the_same_payload(count: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    some = random.choice(_heads(random, np.arange(4)), count)

    compiled = encode_heads(some)
    with _no_core():
        plain = encode_heads(some)

    assert compiled == plain
    assert decode_heads(compiled).tobytes() == some.tobytes()
    with _no_core():
        assert decode_heads(compiled).tobytes() == some.tobytes()
    assert sum_heads(some) == _plain_sums(some)


@given(_seeds, st.lists(st.tuples(st.integers(0, 9), st.integers(-1, 9)), max_size=4))
def test_one_row_of_each_of_any_heads_is_the_same(seed: int, asked: list[tuple[int, int]]) -> None:
    random = np.random.default_rng(seed)
    payloads = [
        encode_heads(random.choice(_heads(random, np.arange(4)), count)) for count, _ in asked
    ]
    payloads += [_spoilt(payload, random) for payload in payloads[:1]]
    places = [place for _, place in [*asked, *asked[:1]]]

    compiled = _rows_or_refusals(payloads, places)
    with _no_core():
        plain = _rows_or_refusals(payloads, places)

    assert compiled == plain


def _spoilt(payload: bytes, random: np.random.Generator) -> bytes:
    """Give heads with one octet changed, and a checksum that does not tell."""
    raw = bytearray(unpack(payload, version=2))
    raw[int(random.integers(len(raw)))] ^= 1 << int(random.integers(8))
    return pack(bytes(raw), version=2)


def _rows_or_refusals(payloads: list[bytes], places: list[int]) -> list[bytes | str]:
    """Look at each by itself, and at all that are sound together."""
    told: list[bytes | str] = []
    sound: list[int] = []
    for at, (payload, place) in enumerate(zip(payloads, places, strict=True)):
        try:
            told.append(heads.heads_at([payload], [place]).tobytes())
            sound.append(at)
        except CorruptBlock as error:
            told.append(str(error))
    together = heads.heads_at([payloads[at] for at in sound], [places[at] for at in sound])
    backwards = sound[::-1]
    each = heads.heads_at_each(payloads, [(backwards, [places[at] for at in backwards])])
    return [*told, together.tobytes(), each[0].tobytes()]


def test_a_table_without_a_point_counts_nothing() -> None:
    assert len(count_table(empty_heads(), table.NO_SCALARS, np.empty(0, np.int64), 0)) == 0
    assert decode_segment(encode_table(table.NO_SCALARS, np.empty(0, np.int64))) == []


@contextmanager
def _no_core() -> Iterator[None]:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    with pytest.MonkeyPatch.context() as patch:
        for module in (table, heads):
            patch.setattr(module, "load_core", lambda: None)
        yield


def _plain_sums(some: HeadTable) -> heads.HeadSums:
    with _no_core():
        return sum_heads(some)


def _table(random: np.random.Generator, shapes: list[tuple[int, int]], odd: float) -> ScalarTable:
    counts = np.array([count for _, count in shapes], np.int64)
    starts, points = np.cumsum(counts) - counts, int(counts.sum())
    step = (
        random.integers(-(2**62), 2**62, points) if odd == 1.0 else random.integers(-9, 9, points)
    )
    wall, value = 1.7e9 + random.normal(0, 1, points), random.normal(0, 1, points)
    with np.errstate(over="ignore"):
        for column in (wall, value):
            strange = random.random(points) < odd
            column[strange] = random.choice(_ODD, int(strange.sum()))
        narrow = value.astype(np.float32)
    pieces = np.zeros(len(shapes), PIECE)
    pieces["tag"], pieces["start"] = [tag for tag, _ in shapes], starts
    pieces["width"] = random.choice([4, 8], len(shapes))
    for at, (start, count, width) in enumerate(zip(starts, counts, pieces["width"], strict=True)):
        if width == 4:
            value[start : start + count] = narrow[start : start + count]
        pieces["first"][at] = step[start]
    extents = extents_of(starts, step, wall, value)
    for name in extents.dtype.names or ():
        pieces[name] = extents[name]
    return ScalarTable(tuple("abcdef"), pieces, step, wall, value, narrow)


def _heads(random: np.random.Generator, ids: np.ndarray) -> HeadTable:
    """Some series that have points already, and one of each other kind."""
    others = [Chunk(7, kind, _series(random)) for kind in KINDS[1:3]]
    known = [Chunk(int(tag_id), "scalar", _series(random)) for tag_id in ids[:2]]
    chunks = [*known, *others]
    made = add_points(empty_heads(), chunks, [int(random.integers(3)) for _ in chunks], None)
    made["waiting"] = random.integers(0, 1500, len(made))
    made["waiting_bytes"] = random.integers(0, 3, len(made)) * 200_000
    hidden = random.random(len(made)) < 0.3
    made["n"][hidden] = 0
    return made


def _series(random: np.random.Generator) -> ScalarSeries:
    count = int(random.integers(1, 5))
    return ScalarSeries(
        random.integers(-9, 9, count), random.normal(0, 1, count), random.normal(0, 1, count)
    )


def _rows(some: HeadTable) -> list[str]:
    # Of equal extremes numpy may keep the zero of another sign.
    plain = some.copy()
    for name in ("min_value", "max_value"):
        plain[name] += 0.0
    return list(map(repr, plain.tolist()))


def _told(chunk: Chunk) -> tuple[object, ...]:
    series = chunk.series
    assert isinstance(series, ScalarSeries)
    columns = (series.step, series.wall, series.value)
    return (*chunk.key, *((column.dtype, column.tobytes()) for column in columns))
