"""Scalars with more to say than a number: double precision, a name, a description.

The plain ones, which are nearly all, are encoded in `_encoding.records`.
"""

from __future__ import annotations

from typing import NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_DOUBLE, DT_FLOAT, metadata
from orgboard._values.arrays import to_float
from orgboard._values.late import Late, settle

__all__ = ["DescribedScalar", "described_scalar_body", "scalar_tensor_body"]


class DescribedScalar(NamedTuple):
    """A scalar with what tensorboardX's `add_scalar` may say about its tag."""

    value: float | Late
    as_tensor: bool
    double_precision: bool
    display_name: str
    description: str


def scalar_tensor_body(tag: str, scalar: DescribedScalar) -> bytes:
    """Encode a scalar as a tensor of rank 0: float32, or float64 for double precision."""
    value = _settled(scalar.value)
    if scalar.double_precision:
        tensor = pb.whole(1, DT_DOUBLE) + pb.packed_doubles(6, [value])
    else:
        tensor = pb.whole(1, DT_FLOAT) + pb.blob(5, pb.pack_float(value))
    about = metadata("scalars", b"", scalar.display_name, scalar.description)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + about)


def described_scalar_body(tag: str, scalar: DescribedScalar) -> bytes:
    """Encode a scalar in the form its options ask for."""
    if scalar.as_tensor or scalar.double_precision:
        return scalar_tensor_body(tag, scalar)
    about = metadata("", b"", scalar.display_name, scalar.description)
    return summary_body(pb.text(1, tag) + pb.float32(2, _settled(scalar.value)) + about)


def _settled(value: float | Late) -> float:
    return to_float(settle(value)) if isinstance(value, Late) else value
