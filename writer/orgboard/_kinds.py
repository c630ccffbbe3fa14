"""Small kinds as bodies: one pure function a kind, from a tag and a plain value.

Each has the form that torch's and tensorboardX's writers give it, so that TensorBoard shows it
the same. Larger kinds have modules of their own.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from orgboard import _protobuf as pb
from orgboard._records import summary_body

__all__ = [
    "DROPPED_TAG",
    "DescribedScalar",
    "described_scalar_body",
    "metadata",
    "own_record_body",
    "scalar_tensor_body",
    "text_body",
]

DT_FLOAT: Final = 1
DT_DOUBLE: Final = 2
DT_STRING: Final = 7

OWN_PLUGIN: Final = "orgboard"
DROPPED_TAG: Final = "orgboard/dropped"


class DescribedScalar(NamedTuple):
    """A scalar with what tensorboardX's `add_scalar` may say about its tag."""

    value: float
    as_tensor: bool
    double_precision: bool
    display_name: str
    description: str


def metadata(plugin: str, content: bytes = b"", name: str = "", description: str = "") -> bytes:
    """Encode a SummaryMetadata as a field of a Value."""
    plugin_data = pb.blob(1, pb.text(1, plugin) + pb.blob(2, content)) if plugin else b""
    return pb.blob(9, plugin_data + pb.text(2, name) + pb.text(3, description), always=True)


def scalar_tensor_body(tag: str, scalar: DescribedScalar) -> bytes:
    """Encode a scalar as a tensor of rank 0: float32, or float64 for double precision."""
    if scalar.double_precision:
        tensor = pb.whole(1, DT_DOUBLE) + pb.packed_doubles(6, [scalar.value])
    else:
        tensor = pb.whole(1, DT_FLOAT) + pb.blob(5, pb.pack_float(scalar.value))
    about = metadata("scalars", b"", scalar.display_name, scalar.description)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + about)


def described_scalar_body(tag: str, scalar: DescribedScalar) -> bytes:
    """Encode a scalar in the form its options ask for."""
    if scalar.as_tensor or scalar.double_precision:
        return scalar_tensor_body(tag, scalar)
    about = metadata("", b"", scalar.display_name, scalar.description)
    return summary_body(pb.text(1, tag) + pb.float32(2, scalar.value) + about)


def text_body(tag: str, content: str) -> bytes:
    """Encode one text (Markdown) as a string tensor of one element."""
    shape = pb.blob(2, pb.blob(2, pb.whole(1, 1)))
    tensor = pb.whole(1, DT_STRING) + shape + pb.text(8, content, always=True)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata("text"))


def own_record_body(tag: str, json_text: str) -> bytes:
    """Encode a record of ours: JSON as a string scalar, under a plugin no other program shows."""
    tensor = pb.whole(1, DT_STRING) + pb.blob(2, b"", always=True) + pb.text(8, json_text)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata(OWN_PLUGIN))
