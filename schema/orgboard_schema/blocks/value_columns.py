"""Values of one series, as columns where all are histograms of one form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias, TypeVar

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.types import ProtoHistogram, TensorHistogram

__all__ = ["ValueColumns", "as_columns", "join_values"]

ValueColumns: TypeAlias = ProtoHistograms | TensorHistograms

_V = TypeVar("_V")


def as_columns(values: Sequence[_V]) -> Sequence[_V]:
    """Return the values as columns, if there are such; else as they are."""
    if not values:
        return values
    made: Sequence[object] = values
    protos = [value for value in values if isinstance(value, ProtoHistogram)]
    tensors = [value for value in values if isinstance(value, TensorHistogram)]
    if len(protos) == len(values):
        made = ProtoHistograms.of_values(protos)
    elif len(tensors) == len(values):
        made = TensorHistograms.of_values(tensors)
    return made  # type: ignore[return-value] # the same values


def join_values(parts: Sequence[Sequence[_V]]) -> Sequence[_V]:
    """Return the values of one part or more in order, as columns if all parts are alike."""
    if len(parts) == 1:
        return parts[0]
    protos = [part for part in parts if isinstance(part, ProtoHistograms)]
    tensors = [part for part in parts if isinstance(part, TensorHistograms)]
    made: Sequence[object]
    if len(protos) == len(parts):
        made = ProtoHistograms.joined(protos)
    elif len(tensors) == len(parts):
        made = TensorHistograms.joined(tensors)
    else:
        made = tuple(value for part in parts for value in part)
    return made  # type: ignore[return-value] # the same values
