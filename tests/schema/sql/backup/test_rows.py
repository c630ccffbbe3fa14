from __future__ import annotations

import io
import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.sql.backup.rows import Row, decode, encode

KINDS = ("int", "float", "text", "bytes")
ROWS = st.lists(
    st.tuples(
        st.none() | st.integers(-(2**63), 2**63 - 1),
        st.none() | st.floats(),
        st.none() | st.text(st.characters(exclude_categories=["Cs"])),
        st.none() | st.binary(),
    )
)


def _bits(row: Row) -> tuple[object, ...]:
    return tuple(struct.pack("d", value) if isinstance(value, float) else value for value in row)


@given(ROWS)
def test_rows_come_back_to_the_bit(rows: list[Row]) -> None:
    stream = io.BytesIO(b"".join(encode(rows, KINDS)))

    assert [_bits(row) for row in decode(stream, KINDS)] == [_bits(row) for row in rows]


@given(ROWS, st.data())
def test_rows_that_end_too_early_are_refused(rows: list[Row], data: st.DataObject) -> None:
    whole = b"".join(encode(rows, KINDS))
    cut = data.draw(st.integers(0, len(whole) - 1))

    with pytest.raises(ValueError, match=r"no rows|middle of one"):
        list(decode(io.BytesIO(whole[:cut]), KINDS))


@given(st.binary())
def test_whatever_the_bytes_are_only_a_value_error_comes_of_them(junk: bytes) -> None:
    start = b"".join(encode([], KINDS))[:-2]

    # Anything else that is raised fails the test.
    with suppress(ValueError):
        list(decode(io.BytesIO(start + junk), KINDS))


def test_a_row_of_other_columns_is_refused() -> None:
    stream = b"".join(encode([(1, 2.0)], ("int", "float")))

    with pytest.raises(ValueError, match="2 fields in a row of 1 columns"):
        list(decode(io.BytesIO(stream), ("int",)))
