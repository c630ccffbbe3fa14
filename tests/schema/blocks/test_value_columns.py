"""Histograms as columns say what they say one by one, and are written as the same bytes."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.columns import Cursor
from orgboard_schema.blocks.histograms import (
    read_protos,
    read_tensor_histograms,
    write_protos,
    write_tensor_histograms,
)
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.series import weight
from orgboard_schema.blocks.value_columns import ValueColumns, as_columns, join_values
from orgboard_schema.types import Histogram
from support.points import bits, proto_histograms, stored_values, tensor_histograms

_values: st.SearchStrategy[Any] = st.one_of(
    st.lists(proto_histograms(), max_size=6), st.lists(tensor_histograms(), max_size=6)
)


@given(_values)
def test_columns_hold_the_histograms_to_the_bit(values: list[Histogram]) -> None:
    columns = _columns(values)

    assert bits(columns) == bits(values)
    assert [bits(columns[at]) for at in range(-len(values), len(values))] == [
        bits(value) for value in 2 * values
    ]
    assert columns.sizes.tolist() == [weight(value) for value in values]


@given(_values, st.slices(6))
def test_a_cut_is_the_cut_of_the_histograms(values: list[Histogram], cut: slice) -> None:
    columns = _columns(values)[cut]

    assert bits(columns) == bits(values[cut])
    assert _written(columns) == _written(_columns(values[cut], like=columns))


@given(
    st.one_of(
        st.lists(st.lists(proto_histograms(), max_size=6), min_size=1, max_size=4),
        st.lists(st.lists(tensor_histograms(), max_size=6), min_size=1, max_size=4),
    )
)
def test_parts_joined_are_written_as_all_in_one(parts: list[list[Histogram]]) -> None:
    whole = _columns([value for part in parts for value in part])
    joined: Any = join_values([_columns(part, like=whole) for part in parts])

    assert isinstance(joined, type(whole))
    assert bits(joined) == bits(whole)
    assert _written(joined) == _written(whole)


@given(_values)
def test_what_was_written_is_read_as_columns(values: list[Histogram]) -> None:
    columns = _columns(values)
    cursor = Cursor(_written(columns))
    is_proto = isinstance(columns, ProtoHistograms)

    assert bits((read_protos if is_proto else read_tensor_histograms)(cursor)) == bits(values)
    cursor.finish()


@given(st.lists(st.lists(stored_values(), max_size=3), min_size=1, max_size=3))
def test_values_of_any_forms_are_joined_in_order(parts: list[list[object]]) -> None:
    joined = join_values([as_columns(tuple(part)) for part in parts])

    assert bits(joined) == bits([value for part in parts for value in part])


def _columns(values: list[Any], like: ValueColumns | None = None) -> ValueColumns:
    columns = as_columns(values)
    if isinstance(columns, ValueColumns):
        return columns
    # None: of either form.
    return TensorHistograms.of_values([]) if isinstance(like, TensorHistograms) else _NONE


_NONE = ProtoHistograms.of_values([])


def _written(columns: ValueColumns) -> bytes:
    if isinstance(columns, ProtoHistograms):
        return write_protos(columns)
    return write_tensor_histograms(columns)
