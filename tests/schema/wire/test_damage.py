"""Every kind of damage in files of every shape: nothing undamaged is lost, nothing made up."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire.batch import Batch, Gap
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.reader import read
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.damage import (
    DAMAGES,
    EMBEDDED,
    IN_PLACE,
    SIZES,
    WRITERS,
    Damaged,
    damaged,
    simple_records,
)
from support.event_files import (
    event_file,
    laid_out,
    read_whole,
    scalar_event,
    scalars_of,
    value_event,
)

KINDS = sorted(DAMAGES)
SHAPES = sorted(WRITERS)


def text_event(text: bytes) -> Event:
    tensor = TensorProto(dtype=7, string_val=[text])  # type: ignore[arg-type] # an enum's number
    return value_event(Summary.Value(tag=b"text", tensor=tensor))


def expected_of(file: Damaged) -> list[object]:
    places = sorted([*file.undamaged, *file.mended])
    return [value for _, which in places for value in laid_out([read(file.frames[which], 0, {})])]


def gaps_of(batches: list[Batch]) -> list[Gap]:
    return [gap for batch in batches for gap in batch.gaps]


def assert_recovered(file: Damaged) -> None:
    batches = read_whole(file.data, final=True)

    assert laid_out(batches) == expected_of(file)
    assert_tiled(file, batches)


def assert_tiled(file: Damaged, batches: list[Batch]) -> None:
    """Gaps and records lie side by side up to the end that was reached."""
    records = [(at, at + len(file.frames[which])) for at, which in file.undamaged]
    records += [(at + 12, at + len(file.frames[which])) for at, which in file.mended]
    gaps = [(gap.offset, gap.offset + gap.length) for gap in gaps_of(batches)]
    at = 0
    for start, end in sorted(records + gaps):
        assert start == at
        at = end
    assert at == batches[-1].end


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_undamaged_is_recovered_and_every_gap_is_exact(kind: str, shape: str) -> None:
    for size in SIZES[:3]:
        assert_recovered(damaged(kind, WRITERS[shape], size, seed=1))


def test_zeros_inside_a_record_are_not_taken_for_the_end_of_the_one_before() -> None:
    assert_recovered(damaged("swapped blocks", WRITERS["histogram"], 100, seed=758))


def test_records_that_a_moved_block_put_inside_another_are_lost_with_it() -> None:
    file = damaged("swapped blocks", WRITERS["histogram"], 400, seed=1799)

    assert [which for _, which in file.enclosed] == [0, 1, 2, 3, 4]
    assert_recovered(file)


def test_a_moved_block_inside_a_text_and_an_event_file_in_it_are_the_same_bytes() -> None:
    first = event_file(*(scalar_event("loss", step, step) for step in range(20)))
    after = event_file(scalar_event("loss", 99, 99.0))
    text = event_file(text_event(b"x" * (len(first) + 40)))
    moved = text.replace(b"x" * len(first), first, 1) + after
    held = event_file(text_event(first + b"x" * 40))
    flipped = held[:-20] + b"y" + held[-19:] + after

    told = [read_whole(data, final=True) for data in (moved, flipped)]

    assert moved[: len(text) - 20] == flipped[: len(text) - 20]
    for batches in told:
        assert scalars_of(batches, "loss") == [(99, 1.5, 99.0)]
        assert gaps_of(batches) == [Gap(0, len(text), "payload crc")]


@given(st.sampled_from(KINDS), st.sampled_from(SHAPES), st.integers(1, 30), st.integers(0, 1 << 30))
def test_any_damage_anywhere_costs_only_what_it_touched(
    kind: str, shape: str, size: int, seed: int
) -> None:
    assert_recovered(damaged(kind, WRITERS[shape], size, seed))


@given(st.sampled_from(sorted(IN_PLACE)), st.integers(1, 20), st.integers(0, 1 << 30))
def test_event_files_inside_a_text_are_never_taken_for_records(
    kind: str, size: int, seed: int
) -> None:
    _, make = EMBEDDED
    batches = read_whole(damaged(kind, make, size, seed).data, final=True)

    assert not {tag for batch in batches for tag in batch.scalars.tags}


@given(
    st.sampled_from(KINDS),
    st.sampled_from(SHAPES),
    st.integers(0, 1 << 30),
    st.integers(16, 5000),
)
def test_window_and_growth_change_nothing_of_what_is_recovered(
    kind: str, shape: str, seed: int, window: int
) -> None:
    file = damaged(kind, WRITERS[shape], 12, seed)
    whole = read_whole(file.data, final=True)
    small = read_whole(file.data, final=True, max_bytes=window)

    assert laid_out(small) == laid_out(whole)
    assert gaps_of(small) == gaps_of(whole)

    cut = random.Random(seed).randrange(len(file.data) + 1)
    early = read_whole(file.data[:cut])
    late = read_rest(file.data, early[-1].end)
    assert laid_out([*early, *late]) == laid_out(whole)
    assert gaps_of([*early, *late]) == gaps_of(whole)


def read_rest(data: bytes, offset: int) -> list[Batch]:
    batches = [read(data[offset:], offset, {}, final=True)]
    while batches[-1].end > batches[-1].start:
        end = batches[-1].end
        batches.append(read(data[end:], end, {}, final=True))
    return batches


@given(st.sampled_from(KINDS), st.sampled_from(SHAPES), st.integers(0, 1 << 30))
def test_a_reader_that_shares_nothing_with_ours_finds_the_same(
    kind: str, shape: str, seed: int
) -> None:
    file = damaged(kind, WRITERS[shape], 10, seed)

    found = [(at, payload) for at, payload in simple_records(file.data)]

    whole = sorted([*file.undamaged, *file.enclosed])
    assert found == [(at, file.frames[which][12:-4]) for at, which in whole]
