from __future__ import annotations

import math
from collections.abc import Callable
from ctypes import string_at

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgboard_schema.blocks import (
    Chunk,
    ScalarSeries,
    SeriesHead,
    decode_heads,
    decode_tag_set,
    encode_heads,
    encode_tag_set,
    head_rows,
)
from orgboard_schema.blocks.frame import pack, unpack, unpack_many
from orgboard_schema.blocks.heads import (
    HEAD,
    HeadTable,
    empty_heads,
    heads_at,
    heads_at_each,
    row_of,
    row_places,
    series_key,
    sum_each,
    sum_heads,
)
from orgboard_schema.blocks.summary import add_points, summarise_block
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import KINDS, Kind
from support.points import int64s

Point = tuple[int, float, float, int, bool]
"""Step, wall time, value, attempt, superseded."""

points = st.tuples(
    int64s, st.floats(allow_nan=False), st.floats(), st.integers(0, 3), st.booleans()
)
batches = st.lists(
    st.lists(st.tuples(st.integers(1, 3), st.lists(points, max_size=4)), max_size=3), max_size=3
)


def _fold(batches: list[list[tuple[int, list[Point]]]]) -> list[SeriesHead]:
    heads = empty_heads()
    for batch in batches:
        chunks = [Chunk(tag, "scalar", _series(some)) for tag, some in batch]
        attempts = [max((p[3] for p in some), default=0) for _, some in batch]
        masks = [np.array([p[4] for p in some], np.bool_) for _, some in batch]
        heads = add_points(heads, chunks, attempts, masks)
    return head_rows(heads)


def _series(some: list[Point]) -> ScalarSeries:
    return ScalarSeries(
        np.array([p[0] for p in some], np.int64),
        np.array([p[1] for p in some], np.float64),
        np.array([p[2] for p in some], np.float64),
    )


@settings(max_examples=50)
@given(batches)
def test_heads_say_what_counting_every_point_says(
    batches: list[list[tuple[int, list[Point]]]],
) -> None:
    everything: dict[int, list[Point]] = {}
    for batch in batches:
        for tag, some in batch:
            everything.setdefault(tag, []).extend(some)

    rows = {row.tag_id: row for row in _fold(batches)}

    assert rows.keys() == {tag for tag, some in everything.items() if some}
    for tag, row in rows.items():
        _assert_counts(row, everything[tag])


def _assert_counts(row: SeriesHead, all_points: list[Point]) -> None:
    visible = [p for p in all_points if not p[4]]
    finite = [p[2] for p in visible if math.isfinite(p[2])]
    assert (row.n_all, row.n) == (len(all_points), len(visible))
    assert row.attempt == max(p[3] for p in all_points)
    if visible:
        lowest, highest = min(p[0] for p in visible), max(p[0] for p in visible)
        first = next(p for p in visible if p[0] == lowest)
        last = next(p for p in reversed(visible) if p[0] == highest)
        assert (row.first_step, row.first_wall) == (first[0], first[1])
        assert (row.last_step, row.last_wall) == (last[0], last[1])
        assert row.last_value == last[2] or (math.isnan(row.last_value) and math.isnan(last[2]))
    if finite:
        assert (row.min_value, row.max_value) == (min(finite), max(finite))
    else:
        assert math.isnan(row.min_value)
        assert math.isnan(row.max_value)


@settings(max_examples=50)
@given(batches)
def test_heads_come_back_from_their_payload(batches: list[list[tuple[int, list[Point]]]]) -> None:
    heads = empty_heads()
    for batch in batches:
        chunks = [Chunk(tag, "scalar", _series(some)) for tag, some in batch]
        heads = add_points(heads, chunks, [0] * len(chunks), None)

    assert decode_heads(encode_heads(heads)).tobytes() == heads.tobytes()


@given(st.sets(st.tuples(st.integers(1, 2**40), st.sampled_from(KINDS))))
def test_the_same_set_of_series_gives_the_same_octets(series: set[tuple[int, Kind]]) -> None:
    keys = np.array(sorted({series_key(*key) for key in series}), np.int64)
    heads, _ = row_places(empty_heads(), keys)
    payload = encode_tag_set(heads)

    assert set(decode_tag_set(payload)) == series


def test_a_series_that_is_not_there_has_no_head() -> None:
    heads = add_points(
        empty_heads(), [Chunk(7, "scalar", _series([(1, 0.0, 2.0, 0, False)]))], [0], None
    )

    found = row_of(heads, 7, "scalar")

    assert found is not None
    assert found.last_value == 2.0
    assert row_of(heads, 7, "text") is None
    assert row_of(heads, 8, "scalar") is None


@st.composite
def _tables(draw: st.DrawFn) -> HeadTable:
    """Give rows of any octets, most of which are the same in all rows, as they are in runs."""
    count = draw(st.integers(0, 5))
    octets = np.tile(
        np.frombuffer(draw(st.binary(min_size=HEAD.itemsize, max_size=HEAD.itemsize)), np.uint8),
        (count, 1),
    )
    for at in draw(st.sets(st.integers(0, HEAD.itemsize - 1), max_size=20)) if count else ():
        octets[draw(st.integers(0, count - 1)), at] = draw(st.integers(0, 255))
    return octets.reshape(-1).view(HEAD)


def _as_the_first_release_wrote(heads: HeadTable) -> bytes:
    octets = np.ascontiguousarray(heads).view(np.uint8).reshape(len(heads), HEAD.itemsize)
    return pack(octets.T.tobytes(), quick=True)


@given(_tables())
def test_a_head_table_comes_back_to_the_bit_and_may_be_changed(heads: HeadTable) -> None:
    for payload in (encode_heads(heads), _as_the_first_release_wrote(heads)):
        found = decode_heads(payload)

        assert found.tobytes() == heads.tobytes()
        found["n"] = 7


@given(st.lists(st.tuples(_tables(), st.booleans(), st.integers(0, 4)), max_size=4))
def test_one_row_of_each_table_is_the_row_that_unpacking_it_gives(
    asked: list[tuple[HeadTable, bool, int]],
) -> None:
    asked = [(heads, old, at % len(heads)) for heads, old, at in asked if len(heads)]
    payloads = [
        _as_the_first_release_wrote(heads) if old else encode_heads(heads)
        for heads, old, _ in asked
    ]

    found = heads_at(payloads, [at for *_, at in asked])

    assert found.tobytes() == b"".join(heads[at].tobytes() for heads, _, at in asked)


@pytest.mark.parametrize("place", [-1, 2])
@pytest.mark.parametrize("encode", [encode_heads, _as_the_first_release_wrote])
def test_a_row_that_a_table_does_not_have_is_refused(
    encode: Callable[[HeadTable], bytes], place: int
) -> None:
    with pytest.raises(CorruptBlock):
        heads_at([encode(empty_heads(2))], [place])


def test_a_piece_of_a_head_is_refused() -> None:
    heads = empty_heads(3)
    heads["tag_id"] = [1, 2, 300]
    raw = unpack(encode_heads(heads), version=2)
    pieces = [pack(b"123")]
    pieces += [pack(raw[:length], version=2) for length in range(len(raw))]
    # More rows than there are octets for, and more than a payload may hold.
    pieces.append(pack(b"\4" + raw[1:], version=2))
    pieces.append(pack(b"\xff" * 4 + bytes(13 + HEAD.itemsize), version=2))

    for piece in pieces:
        with pytest.raises(CorruptBlock):
            decode_heads(piece)
        with pytest.raises(CorruptBlock):
            heads_at([piece], [0])
        with pytest.raises(CorruptBlock):
            heads_at_each([encode_heads(heads), piece], [([0, 1], [0, 0])])


@given(st.lists(st.tuples(_tables(), st.booleans()), max_size=5), st.integers(0, 9))
def test_many_tables_together_give_the_rows_that_each_gives(
    some: list[tuple[HeadTable, bool]], chosen: int
) -> None:
    some = [(heads, old and chosen > 6) for heads, old in some if len(heads)]
    payloads = [
        _as_the_first_release_wrote(heads) if old else encode_heads(heads) for heads, old in some
    ]
    which = [at for at in range(len(some))[::-1] if at != chosen]
    places = [(at + chosen) % len(some[at][0]) for at in which]

    found, nothing = heads_at_each(payloads, [(which, places), ([], [])])

    rows = zip(which, places, strict=True)
    assert found.tobytes() == b"".join(some[at][0][place].tobytes() for at, place in rows)
    assert len(nothing) == 0


@given(st.lists(st.tuples(_tables(), st.integers(0, 9)), max_size=6))
def test_many_tables_come_to_what_each_comes_to_and_a_damaged_one_to_nothing(
    some: list[tuple[HeadTable, int]],
) -> None:
    wrong = [b"", pack(b"\1\0\0\0" + bytes(40), quick=True, version=2)]
    payloads, expected = [], []
    for heads, kind in some:
        write = _as_the_first_release_wrote if kind == 9 else encode_heads
        payloads.append(wrong[kind % 2] if 6 < kind < 9 else write(heads))
        expected.append(None if 6 < kind < 9 else sum_heads(heads))

    assert sum_each(payloads) == expected


def test_many_payloads_that_unfold_to_much_lie_one_after_the_other() -> None:
    raws = [bytes([number]) * (200 + number % 7) for number in range(100)]

    many = unpack_many([pack(raw, version=2) for raw in raws], version=2)

    assert many is not None
    found = zip(many.at.tolist(), many.sizes.tolist(), strict=True)
    assert [string_at(at, size) for at, size in found] == raws


def test_a_payload_that_promises_too_much_or_was_changed_is_refused_among_others() -> None:
    sound = pack(bytes(1000), version=2)
    # A zstd frame header with an 8-octet content size of 2^40, and no content.
    bomb = bytes.fromhex("0228b52ffdc000") + (2**40).to_bytes(8, "little")
    changed = sound[:-1] + bytes([sound[-1] ^ 1])

    for wrong in (bomb, changed, sound[:-1], sound[:3], sound[:1], b"", b"\1" + sound[1:]):
        with pytest.raises(CorruptBlock):
            unpack_many([sound, wrong], version=2)
        with pytest.raises(CorruptBlock):
            unpack(wrong, version=2)


def test_a_block_of_nothing_finite_has_no_range() -> None:
    series = ScalarSeries(
        np.array([3, 1], np.int64), np.array([np.nan, np.inf]), np.array([np.nan, -np.inf])
    )

    summary = summarise_block(series)

    assert (summary.n, summary.step_min, summary.step_max, summary.non_finite) == (2, 1, 3, 2)
    assert summary.wall_min is None
    assert summary.value_min is None
    assert summary.value_sum is None
