"""Tensors in every type and encoding, and those that lie about themselves."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.types import Tensor
from orgboard_schema.wire.batch import FLOAT32, FLOAT64
from orgboard_schema.wire.numbers import to_scalar
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from orgboard_schema.wire.tensors import ELEMENT_BYTES, decode_tensor
from orgboard_schema.wire.varints import encode_varint

ROOM = 1 << 20

# number, name, struct code, list field, elements
NUMERIC: list[tuple[int, str, str, str, list[Any]]] = [
    (1, "float32", "f", "float_val", [1.5, -2.0]),
    (2, "float64", "d", "double_val", [0.1, -2.0]),
    (3, "int32", "i", "int_val", [-3, 2**31 - 1]),
    (4, "uint8", "B", "int_val", [0, 255]),
    (5, "int16", "h", "int_val", [-5, 32767]),
    (6, "int8", "b", "int_val", [-128, 127]),
    (9, "int64", "q", "int64_val", [-(2**63), 2**63 - 1]),
    (10, "bool", "?", "bool_val", [True, False]),
    (11, "qint8", "b", "int_val", [-1, 1]),
    (12, "quint8", "B", "int_val", [1, 2]),
    (13, "qint32", "i", "int_val", [-1, 1]),
    (15, "qint16", "h", "int_val", [-1, 1]),
    (16, "quint16", "H", "int_val", [1, 65535]),
    (17, "uint16", "H", "int_val", [1, 65535]),
    (19, "float16", "H", "half_val", [0x3E00, 0xC000]),
    (14, "bfloat16", "H", "half_val", [0x3FC0, 0xC000]),
    (22, "uint32", "I", "uint32_val", [1, 2**32 - 1]),
    (23, "uint64", "Q", "uint64_val", [1, 2**64 - 1]),
    (29, "int4", "b", "int_val", [-8, 7]),
    (30, "uint4", "B", "int_val", [0, 15]),
]


def shaped(*sizes: int) -> TensorShapeProto:
    return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])


def proto(number: int, shape: TensorShapeProto | None = None, **fields: Any) -> TensorProto:
    return TensorProto(dtype=number, tensor_shape=shape, **fields)  # type: ignore[arg-type] # an enum's number


@pytest.mark.parametrize(("number", "name", "code", "field", "elements"), NUMERIC)
def test_content_and_list_mean_the_same(
    number: int, name: str, code: str, field: str, elements: list[Any]
) -> None:
    packed = struct.pack(f"<2{code}", *elements)
    expected = Tensor(name, (1, 2), packed)

    assert decode_tensor(proto(number, shaped(1, 2), tensor_content=packed), ROOM) == expected
    assert decode_tensor(proto(number, shaped(1, 2), **{field: elements}), ROOM) == expected
    assert decode_tensor(proto(number + 100, shaped(1, 2), **{field: elements}), ROOM) == expected


@pytest.mark.parametrize(("number", "name", "code", "field", "elements"), NUMERIC)
def test_a_short_list_repeats_its_last_element_and_an_empty_one_is_zeros(
    number: int, name: str, code: str, field: str, elements: list[Any]
) -> None:
    first, last = elements
    repeated = struct.pack(f"<4{code}", first, last, last, last)
    zeros = bytes(3 * ELEMENT_BYTES[name])

    assert decode_tensor(proto(number, shaped(4), **{field: elements}), ROOM) == Tensor(
        name, (4,), repeated
    )
    assert decode_tensor(proto(number, shaped(3)), ROOM) == Tensor(name, (3,), zeros)


@pytest.mark.parametrize(
    ("number", "name", "field", "code"),
    [(8, "complex64", "scomplex_val", "f"), (18, "complex128", "dcomplex_val", "d")],
)
def test_complex_numbers_take_two_parts_each(number: int, name: str, field: str, code: str) -> None:
    packed = struct.pack(f"<4{code}", 1, 2, 3, 4)

    assert decode_tensor(proto(number, shaped(2), **{field: [1, 2, 3, 4]}), ROOM) == Tensor(
        name, (2,), packed
    )
    assert to_scalar(Tensor(name, (), packed[: len(packed) // 2])) is None


def test_small_floats_stand_in_a_bytes_field() -> None:
    found = decode_tensor(proto(24, shaped(2), float8_val=b"\x3c\xbc"), ROOM)

    assert found == Tensor("float8_e5m2", (2,), b"\x3c\xbc")


def test_a_value_wider_than_its_type_keeps_its_low_bits() -> None:
    assert decode_tensor(proto(4, shaped(2), int_val=[257, -1]), ROOM) == Tensor(
        "uint8", (2,), b"\x01\xff"
    )
    assert decode_tensor(proto(6, shaped(1), int_val=[255]), ROOM) == Tensor("int8", (1,), b"\xff")


@given(st.lists(st.floats(width=16, allow_nan=False), min_size=1))
def test_halves_given_as_bits_of_floats_are_told_by_their_size(numbers: list[float]) -> None:
    words = [struct.unpack("<i", struct.pack("<f", number))[0] for number in numbers]
    if all(0 <= word <= 0xFFFF for word in words):
        return  # Zeros alone: the same either way.

    found = decode_tensor(proto(19, shaped(len(numbers)), half_val=words), ROOM)

    expected = struct.pack(f"<{len(numbers)}e", *numbers)
    assert found == Tensor("float16", (len(numbers),), expected)


def test_text_stands_in_a_list_or_as_lengths_and_bytes() -> None:
    expected = Tensor("string", (3,), (b"", b"a", b"\xff" * 200))
    content = b"".join(map(encode_varint, (0, 1, 200))) + b"a" + b"\xff" * 200

    assert decode_tensor(proto(7, shaped(3), string_val=expected.data), ROOM) == expected
    assert decode_tensor(proto(7, shaped(3), tensor_content=content), ROOM) == expected
    assert decode_tensor(proto(7, shaped(3), tensor_content=content[:-1]), ROOM) is None
    assert decode_tensor(proto(7, shaped(2), string_val=[b"x"]), ROOM) == Tensor(
        "string", (2,), (b"x", b"x")
    )


def test_a_list_without_a_shape_is_as_long_as_it_is() -> None:
    assert decode_tensor(proto(1, float_val=[1.0, 2.0]), ROOM) == Tensor(
        "float32", (2,), struct.pack("<2f", 1, 2)
    )
    assert decode_tensor(proto(1, float_val=[1.0]), ROOM) == Tensor(
        "float32", (), struct.pack("<f", 1)
    )
    assert decode_tensor(proto(7, string_val=[b"a", b"b"]), ROOM) == Tensor(
        "string", (2,), (b"a", b"b")
    )


def test_a_shape_that_promises_more_than_the_limit_is_refused_unallocated() -> None:
    for sizes in ((2**62,), (2**40, 2**40), (1 << 21,)):
        assert decode_tensor(proto(1, shaped(*sizes), float_val=[1.0]), 1 << 20) is None
        assert decode_tensor(proto(1, shaped(*sizes)), 1 << 20) is None
        assert decode_tensor(proto(7, shaped(*sizes), string_val=[b"x"]), 1 << 20) is None
        assert decode_tensor(proto(7, shaped(*sizes), tensor_content=b"\0"), 1 << 20) is None


@pytest.mark.parametrize(
    "contradiction",
    [
        proto(0, shaped(1), float_val=[1.0]),
        proto(99, shaped(1), float_val=[1.0]),
        proto(20, shaped(1)),
        proto(1, shaped(-1), float_val=[1.0]),
        proto(1, shaped(2), tensor_content=b"\0" * 7),
        proto(1, shaped(2), tensor_content=b"\0" * 4),
        proto(1, shaped(1), float_val=[1.0, 2.0]),
        proto(7, shaped(1), string_val=[b"a", b"b"]),
        proto(1, shaped(*[1] * 255), float_val=[1.0]),
    ],
)
def test_a_tensor_that_contradicts_itself_is_refused(contradiction: TensorProto) -> None:
    assert decode_tensor(contradiction, ROOM) is None


def test_a_tensor_of_no_elements_is_a_tensor() -> None:
    assert decode_tensor(proto(1, shaped(0, 3)), 0) == Tensor("float32", (0, 3), b"")
    assert decode_tensor(proto(7, shaped(0)), 0) == Tensor("string", (0,), ())


@pytest.mark.parametrize(
    ("dtype", "data", "value", "width"),
    [
        ("float32", struct.pack("<f", 0.1), struct.unpack("<f", struct.pack("<f", 0.1))[0], 4),
        ("float64", struct.pack("<d", 0.1), 0.1, 8),
        ("float16", b"\x00\x3e", 1.5, 4),
        ("bfloat16", b"\xc0\x3f", 1.5, 4),
        ("int64", struct.pack("<q", -3), -3.0, 8),
        ("uint64", struct.pack("<Q", 2**64 - 1), 2.0**64, 8),
        ("bool", b"\x01", 1.0, 8),
        ("int4", b"\xf8", -8.0, 8),
        ("float8_e5m2", b"\x3e", 1.5, 4),
        ("float8_e5m2", b"\xfc", -math.inf, 4),
        ("float8_e4m3fn", b"\x3c", 1.5, 4),
        ("float8_e4m3fn", b"\x7e", 448.0, 4),
        ("float8_e4m3fn", b"\x01", 2.0**-9, 4),
        ("float8_e4m3fnuz", b"\x44", 1.5, 4),
        ("float8_e4m3b11fnuz", b"\x5c", 1.5, 4),
        ("float8_e5m2fnuz", b"\x42", 1.5, 4),
        ("float4_e2m1fn", b"\x07", 6.0, 4),
        ("float4_e2m1fn", b"\x0b", -1.5, 4),
    ],
)
def test_one_element_of_any_number_type_is_a_scalar(
    dtype: str, data: bytes, value: float, width: int
) -> None:
    assert width in (FLOAT32, FLOAT64)
    assert to_scalar(Tensor(dtype, (1, 1), data)) == (value, width)


@pytest.mark.parametrize(
    ("dtype", "data"),
    [
        ("float8_e5m2", b"\x7e"),
        ("float8_e4m3fn", b"\xff"),
        ("float8_e4m3fnuz", b"\x80"),
        ("float8_e5m2fnuz", b"\x80"),
    ],
)
def test_small_floats_have_their_own_not_a_number(dtype: str, data: bytes) -> None:
    found = to_scalar(Tensor(dtype, (), data))

    assert found is not None
    assert math.isnan(found[0])


def test_what_is_not_one_real_number_is_no_scalar() -> None:
    assert to_scalar(Tensor("float32", (2,), bytes(8))) is None
    assert to_scalar(Tensor("float32", (0,), b"")) is None
    assert to_scalar(Tensor("string", (), (b"1.5",))) is None
