"""Tensors of any type and shape, whole, as TensorBoard's `make_ndarray` reads them.

torch's writer spells numbers out, and bfloat16 and half as bits of something else; here the
elements are bytes as they lie in memory, little-endian.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_STRING, metadata
from orgboard._values.late import settle

if TYPE_CHECKING:
    from orgboard._values.whole import Whole

__all__ = ["DATA_TYPES", "tensor_body", "tensor_bytes"]

DATA_TYPES: Final = {
    "float32": 1,
    "float64": 2,
    "int32": 3,
    "uint8": 4,
    "int16": 5,
    "int8": 6,
    "complex64": 8,
    "int64": 9,
    "bool": 10,
    "bfloat16": 14,
    "uint16": 17,
    "complex128": 18,
    "float16": 19,
    "uint32": 22,
    "uint64": 23,
    "float8_e5m2": 24,
    "float8_e4m3fn": 25,
    "float8_e4m3fnuz": 26,
    "float8_e4m3b11fnuz": 27,
    "float8_e5m2fnuz": 28,
}
"""TensorProto's number of each type, by numpy's and torch's name."""


def tensor_body(tag: str, whole: Whole) -> bytes:
    """Encode the body that holds one tensor."""
    about = metadata("tensor")
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor_bytes(whole)) + about)


def tensor_bytes(whole: Whole) -> bytes:
    """Encode a TensorProto: type, shape, content.

    Raises:
        TypeError: the wire format has no such type.
    """
    array: Any = settle(whole.array)
    shape = pb.blob(2, _shape(whole.shape), always=True)
    if whole.dtype == "str":
        texts = (_utf8(text) for text in array.ravel().tolist())
        content = b"".join(pb.blob(8, text, always=True) for text in texts)
        return pb.whole(1, DT_STRING) + shape + content
    if whole.dtype not in DATA_TYPES:
        raise TypeError(f"a tensor of {whole.dtype} has no place in an event file")
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    return pb.whole(1, DATA_TYPES[whole.dtype]) + shape + pb.blob(4, little.tobytes())


def _shape(lengths: tuple[int, ...]) -> bytes:
    return b"".join(pb.blob(2, pb.whole(1, length), always=True) for length in lengths)


def _utf8(text: object) -> bytes:
    return text if isinstance(text, bytes) else pb.utf8(str(text))
