"""Gaps looked at again: whether something sound stands in them by now."""

from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire.recheck import gap_changed
from support.damage import DAMAGES, WRITERS, damaged
from support.event_files import event_file, read_whole, scalar_event

RECORDS = [event_file(scalar_event("loss", step, 1.0)) for step in range(9)]
WHOLE = b"".join(RECORDS)
SIZE = len(RECORDS[0])


def test_a_hole_that_was_filled_has_changed() -> None:
    hole = WHOLE[:SIZE] + bytes(3 * SIZE) + WHOLE[4 * SIZE :]
    (gap,) = [gap for batch in read_whole(hole) for gap in batch.gaps]
    partly = hole[: 2 * SIZE] + WHOLE[2 * SIZE :]

    assert not gap_changed(io.BytesIO(hole), gap, {})
    assert gap_changed(io.BytesIO(WHOLE), gap, {})
    assert gap_changed(io.BytesIO(partly), gap, {})


def test_a_gap_whose_file_was_cut_has_not_changed() -> None:
    hole = WHOLE[:SIZE] + bytes(3 * SIZE) + WHOLE[4 * SIZE :]
    (gap,) = [gap for batch in read_whole(hole) for gap in batch.gaps]

    assert not gap_changed(io.BytesIO(hole[: gap.offset + 5]), gap, {})


def test_a_payload_that_was_mended_has_changed() -> None:
    spoiled = WHOLE[:20] + bytes([WHOLE[20] ^ 1]) + WHOLE[21:]
    (gap,) = [gap for batch in read_whole(spoiled) for gap in batch.gaps]

    assert not gap_changed(io.BytesIO(spoiled), gap, {})
    assert gap_changed(io.BytesIO(WHOLE), gap, {})


@given(st.sampled_from(sorted(DAMAGES)), st.sampled_from(sorted(WRITERS)), st.integers(0, 1 << 30))
def test_a_file_that_stays_as_it_is_has_no_changed_gap(kind: str, shape: str, seed: int) -> None:
    file = damaged(kind, WRITERS[shape], 12, seed)

    for batch in read_whole(file.data, final=True):
        for gap in batch.gaps:
            assert not gap_changed(io.BytesIO(file.data), gap, {})
