"""Histograms as columns say what they say one by one, and are written as the same bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.blocks.columns import Cursor
from orgboard_schema.blocks.histograms import read_protos, write_protos
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.series import weight
from orgboard_schema.types import ProtoHistogram
from support.points import bits, proto_histograms

_values = st.lists(proto_histograms(), max_size=6)


@given(_values)
def test_columns_hold_the_histograms_to_the_bit(values: list[ProtoHistogram]) -> None:
    columns = ProtoHistograms.of_values(values)

    assert bits(columns) == bits(values)
    assert [bits(columns[at]) for at in range(-len(values), len(values))] == [
        bits(value) for value in 2 * values
    ]
    assert columns.sizes.tolist() == [weight(value) for value in values]


@given(_values, st.slices(6))
def test_a_cut_is_the_cut_of_the_histograms(values: list[ProtoHistogram], cut: slice) -> None:
    columns = ProtoHistograms.of_values(values)[cut]

    assert bits(columns) == bits(values[cut])
    assert write_protos(columns) == write_protos(values[cut])


@given(st.lists(_values, min_size=1, max_size=4))
def test_parts_joined_are_written_as_all_in_one(parts: list[list[ProtoHistogram]]) -> None:
    columns = ProtoHistograms.joined([ProtoHistograms.of_values(part) for part in parts])
    whole = [value for part in parts for value in part]

    assert bits(columns) == bits(whole)
    assert write_protos(columns) == write_protos(whole)


@given(_values)
def test_what_was_written_is_read_as_columns(values: list[ProtoHistogram]) -> None:
    cursor = Cursor(write_protos(values))

    assert bits(read_protos(cursor)) == bits(values)
    cursor.finish()
