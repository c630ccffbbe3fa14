"""The binary answer: what is packed comes out, bit for bit, and lies where arrays can."""

from __future__ import annotations

import json
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from orgboard_dashboard.api.codec import Columns, column, decode, encode

Column = NDArray[np.float32] | NDArray[np.float64]

columns_of_either = st.one_of(
    hnp.arrays(np.float32, st.integers(0, 40), elements=st.floats(width=32)),
    hnp.arrays(np.float64, st.integers(0, 40), elements=st.floats()),
)
text_keys = st.dictionaries(st.text(), st.one_of(st.none(), st.text(), st.integers()), max_size=5)


@given(st.lists(columns_of_either, max_size=8), text_keys)
def test_what_is_packed_comes_out_bit_for_bit(
    columns: list[Column], extra: dict[str, object]
) -> None:
    packed = Columns()
    refs = [packed.add(values) for values in columns]

    header, data = decode(encode({"refs": refs, "extra": extra}, packed))

    assert header["extra"] == extra
    out = [column(ref, data) for ref in header["refs"]]
    assert [values.tobytes() for values in out] == [values.tobytes() for values in columns]
    assert [values.dtype for values in out] == [values.dtype for values in columns]


@given(st.lists(columns_of_either, min_size=1, max_size=8), st.text())
def test_every_column_lies_where_a_browser_can_put_an_array(
    columns: list[Column], title: str
) -> None:
    packed = Columns()
    refs = [packed.add(values) for values in columns]

    answer = encode({"title": title, "refs": refs}, packed)

    (length,) = struct.unpack_from("<I", answer)
    assert (4 + length) % 8 == 0
    assert all(ref["offset"] % 8 == 0 for ref in refs)
    assert json.loads(answer[4 : 4 + length])["title"] == title


def test_a_column_that_several_lines_share_is_sent_once() -> None:
    packed = Columns()
    steps = np.arange(1000.0)

    first, second = packed.add(steps), packed.add(steps.copy())
    other = packed.add(np.arange(1000, dtype=np.float32))

    assert first == second
    assert other["offset"] == 8000
    assert len(packed.data()) == 8000 + 4000


@pytest.mark.parametrize("answer", [b"", b"\1\0", b"\xff\0\0\0{}"])
def test_what_is_no_answer_is_refused(answer: bytes) -> None:
    with pytest.raises(ValueError, match="header"):
        decode(answer)
