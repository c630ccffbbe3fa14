"""Points of one series as columns: what the codec packs and unpacks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.value_columns import ValueColumns, join_values
from orgboard_schema.types import KINDS, Kind, ProtoHistogram, Tensor, TensorHistogram

__all__ = [
    "BlobRef",
    "Chunk",
    "Extent",
    "Floats",
    "Ints",
    "ScalarSeries",
    "Series",
    "StoredMedia",
    "StoredValue",
    "ValueSeries",
    "alike",
    "join",
    "kind_number",
    "weight",
]

Ints: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float32 | np.float64]

_NUMBERS: Final = {kind: number for number, kind in enumerate(KINDS)}


Extent: TypeAlias = tuple[int, int, float, float, float, float, float]
"""Lowest and highest step, wall time of the first point at the lowest, wall time and value of
the last at the highest, least and most of the finite values (NaN where there is none)."""


@dataclass(frozen=True, slots=True, eq=False)
class ScalarSeries:
    """Scalar points in the order of their file. Three columns of the same length."""

    step: Ints
    wall: npt.NDArray[np.float64]
    value: Floats
    """float32 or float64, as logged."""
    extent: Extent | None = None
    """Of all these points, where whoever made the columns knew it."""

    def __len__(self) -> int:
        return len(self.step)


@dataclass(frozen=True, slots=True)
class BlobRef:
    """Bytes that are stored once, under their hash."""

    sha256: bytes
    size: int
    media_type: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class StoredMedia:
    """`types.Media` with its blobs put away."""

    blobs: tuple[BlobRef, ...]
    width: int | None = None
    height: int | None = None
    sample_rate: float | None = None


StoredValue: TypeAlias = ProtoHistogram | TensorHistogram | Tensor | StoredMedia


@dataclass(frozen=True, slots=True, eq=False)
class ValueSeries:
    """Points of any other kind in the order of their file, one value a point."""

    step: Ints
    wall: npt.NDArray[np.float64]
    values: Sequence[StoredValue]
    sizes: Ints = field(init=False)
    """Octets that each value takes unpacked, about: what a block is filled by."""

    def __post_init__(self) -> None:
        values = self.values
        if isinstance(values, ValueColumns):
            sizes = values.sizes
        else:
            sizes = np.fromiter(map(weight, values), np.int64, len(values))
        object.__setattr__(self, "sizes", sizes)

    def __len__(self) -> int:
        return len(self.step)


Series: TypeAlias = ScalarSeries | ValueSeries


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Points of one series among others of the same run and attempt."""

    tag_id: int
    kind: Kind
    series: Series

    @property
    def key(self) -> tuple[int, Kind]:
        """Which series of the run this is."""
        return (self.tag_id, self.kind)


def kind_number(kind: Kind) -> int:
    """Return the number that stands for `kind` in SQL and in payloads."""
    return _NUMBERS[kind]


def weight(value: StoredValue) -> int:
    """Return about how many octets `value` takes before compression."""
    if isinstance(value, ProtoHistogram):
        return 40 + 8 * (len(value.limits) + len(value.counts))
    if isinstance(value, TensorHistogram):
        return 24 * len(value.buckets)
    if isinstance(value, Tensor):
        data = value.data
        octets = len(data) if isinstance(data, bytes) else sum(map(len, data)) + 8 * len(data)
        return octets + 8 * len(value.shape)
    return sum(48 + len(blob.label) for blob in value.blobs) + 24


def alike(parts: Sequence[Series]) -> list[list[Series]]:
    """Return neighbours of the same form together."""
    return [list(run) for _, run in groupby(parts, _form)]


def _form(series: Series) -> str:
    return series.value.dtype.name if isinstance(series, ScalarSeries) else ""


def join(run: Sequence[Series]) -> Series:
    """Return the points of series of one form as one series."""
    if len(run) == 1:
        return run[0]
    step = np.concatenate([part.step for part in run])
    wall = np.concatenate([part.wall for part in run])
    scalars = [part for part in run if isinstance(part, ScalarSeries)]
    if scalars:
        return ScalarSeries(step, wall, np.concatenate([part.value for part in scalars]))
    values = [part.values for part in run if isinstance(part, ValueSeries)]
    return ValueSeries(step, wall, join_values(values))
