"""Whole tensors: every type, to the bit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from orgboard import SummaryWriter
from orgboard._kinds.tensor import DATA_TYPES, tensor_body
from orgboard._values.whole import take_whole
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import MAX_RECORD_BYTES
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import DataType, TensorProto, TensorShapeProto
from support.logged_runs import events

ABOUT = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=b"tensor"))

dtypes = st.one_of(
    npst.boolean_dtypes(),
    npst.integer_dtypes(endianness="?"),
    npst.unsigned_integer_dtypes(endianness="?"),
    npst.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
    npst.complex_number_dtypes(endianness="?", sizes=(64, 128)),
)
arrays = npst.arrays(dtypes, npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))


def shape_of(array: Any) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=length) for length in array.shape])


def body_of(tensor: TensorProto) -> bytes:
    value = Summary.Value(tag=b"t", metadata=ABOUT, tensor=tensor)
    return Event(summary=Summary(value=[value])).SerializeToString()


@given(arrays)
def test_numbers_are_little_endian_bytes_and_the_message_what_protobuf_would_make(
    array: Any,
) -> None:
    expected = TensorProto(
        dtype=DataType.Name(DATA_TYPES[array.dtype.name]),
        tensor_shape=shape_of(array),
        tensor_content=array.astype(array.dtype.newbyteorder("<")).tobytes(),
    )

    assert tensor_body("t", take_whole(array)) == body_of(expected)


@pytest.mark.parametrize(
    ("value", "shape", "texts"),
    [
        ("hé\udc80", (), ["hé?".encode()]),
        (b"\xff", (), [b"\xff"]),
        (["a", ""], (2,), [b"a", b""]),
        (np.array([["a", "b"]]), (1, 2), [b"a", b"b"]),
        (np.array([b"a", "b"], object), (2,), [b"a", b"b"]),
    ],
)
def test_text_is_a_tensor_too(value: object, shape: tuple[int, ...], texts: list[bytes]) -> None:
    expected = TensorProto(
        dtype="DT_STRING", tensor_shape=shape_of(np.zeros(shape)), string_val=texts
    )

    assert tensor_body("t", take_whole(value)) == body_of(expected)


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        (3, "int64"),
        (0.5, "float64"),
        (True, "bool"),
        (1j, "complex128"),
        ([1, 2.5], "float64"),
        (np.longdouble(0.5), "float64"),
        ([1 << 70], "float64"),
    ],
)
def test_pythons_numbers_are_tensors_of_numpys_types(value: object, dtype: str) -> None:
    assert take_whole(value).dtype == dtype


@pytest.mark.parametrize(
    "value", [None, object(), [None], np.zeros(1, "M8[s]"), np.zeros(1, [("a", "f4")])]
)
def test_what_is_no_tensor_is_dropped(tmp_path: Path, value: object) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("t", value)
        writer.flush()
        assert writer.dropped == 1


def test_a_tensor_is_the_one_of_the_call(tmp_path: Path) -> None:
    array = np.array([1.0, 2.0])
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("t", array, 3, walltime=12.5)
        array[:] = 0

    (event,) = [event for event in events(tmp_path) if event.summary.value]
    assert (event.step, event.wall_time) == (3, 12.5)
    assert np.frombuffer(event.summary.value[0].tensor.tensor_content).tolist() == [1.0, 2.0]


def test_a_tensor_larger_than_a_record_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    # A view of one byte: copied, it would be the size it says.
    huge = np.broadcast_to(np.uint8(0), (MAX_RECORD_BYTES + 1,))
    with SummaryWriter(tmp_path) as writer:
        writer.add_tensor("t", huge)
        assert writer.dropped == 1

    with (
        SummaryWriter(tmp_path / "strict", strict=True) as strict,
        pytest.raises(ValueError, match="larger than"),
    ):
        strict.add_tensor("t", huge)
