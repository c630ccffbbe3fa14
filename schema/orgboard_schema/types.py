"""The words of the domain as frozen values. Standard library only.

A point of any kind is (tag, kind, step, wall_time, value). Scalars are by far the
most, so readers hand them over as columns (`orgboard_schema.wire.reader.ScalarColumns`);
every other kind comes as one `Point` a piece.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

__all__ = [
    "KINDS",
    "MEDIA_KINDS",
    "Blob",
    "Histogram",
    "Kind",
    "Media",
    "Metadata",
    "Point",
    "ProtoHistogram",
    "ScalarDtype",
    "Tensor",
    "TensorHistogram",
    "Value",
]

Kind: TypeAlias = Literal[
    "scalar",
    "histogram",
    "tensor",
    "text",
    "image",
    "audio",
    "video",
    "mesh",
    "pr_curve",
    "graph",
    "hparams",
    "layout",
    "embedding",
]
"""What a series holds. The plugin's own name is kept beside it in `Metadata`."""

KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
"""All kinds. The position is the number stored in SQL: append only, never reorder."""

MEDIA_KINDS: Final[frozenset[Kind]] = frozenset({"image", "audio", "video", "graph"})
"""Kinds whose values are `Media`: bytes addressed by their content."""

ScalarDtype: TypeAlias = Literal["float32", "float64"]


@dataclass(frozen=True, slots=True)
class Metadata:
    """What a writer said about a tag, as sent with its first value."""

    plugin: str = ""
    content: bytes = b""
    display_name: str = ""
    description: str = ""
    data_class: int = 0
    """0 unknown, 1 scalar, 2 tensor, 3 blob sequence."""


@dataclass(frozen=True, slots=True)
class ProtoHistogram:
    """A HistogramProto exactly as logged. `limits` are right edges, one a count."""

    min: float
    max: float
    num: float
    sum: float
    sum_squares: float
    limits: tuple[float, ...]
    counts: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TensorHistogram:
    """A histogram tensor exactly as logged: rows of (left, right, count)."""

    dtype: str
    """Element type on the wire, by numpy's name: "float64", "float32"."""
    buckets: tuple[tuple[float, float, float], ...]


Histogram: TypeAlias = ProtoHistogram | TensorHistogram


@dataclass(frozen=True, slots=True)
class Tensor:
    """An n-dimensional value. Text, hparams, layouts, meshes and PR curves are tensors too.

    `data` is the C-order little-endian bytes of a numeric tensor, or one bytes
    object an element of a "string" tensor (UTF-8 is not guaranteed).
    """

    dtype: str
    """By numpy's name ("float32", "bool", "complex64"), or "string", "bfloat16", "float8_e5m2"…"""
    shape: tuple[int, ...]
    data: bytes | tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Blob:
    """One picture, clip or graph: bytes, and what they are."""

    data: bytes
    media_type: str
    """From the bytes' first octets, never from what the log claims."""
    label: str = ""
    """A caption the writer gave (audio labels)."""


@dataclass(frozen=True, slots=True)
class Media:
    """A value made of blobs: an image batch, audio clips, a graph."""

    blobs: tuple[Blob, ...]
    width: int | None = None
    height: int | None = None
    """Pixels, as the log declares them; the bytes may disagree."""
    sample_rate: float | None = None
    """Hertz, for audio logged in the legacy form."""


Value: TypeAlias = ProtoHistogram | TensorHistogram | Tensor | Media


@dataclass(frozen=True, slots=True)
class Point:
    """One logged value of any kind but scalar."""

    tag: str
    kind: Kind
    step: int
    """Any int64."""
    wall_time: float
    """Seconds since the epoch; any double, NaN included."""
    value: Value
    metadata: Metadata | None = None
    """As it came with this value; None when the writer sent none."""
