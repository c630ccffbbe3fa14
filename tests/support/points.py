"""Points of every kind for property tests, and a way to compare them to the bit."""

from __future__ import annotations

import struct
from dataclasses import fields, is_dataclass

import numpy as np
from hypothesis import strategies as st

from orgboard_schema.blocks import BlobRef, ScalarSeries, StoredMedia, StoredValue, ValueSeries
from orgboard_schema.blocks.value_columns import ValueColumns
from orgboard_schema.types import ProtoHistogram, Tensor, TensorHistogram

__all__ = [
    "bits",
    "int64s",
    "proto_histograms",
    "scalar_series",
    "stored_values",
    "tensor_histograms",
    "value_series",
]

int64s = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.sampled_from([-(2**63), 2**63 - 1, 0, -1]),
    st.integers(0, 9),
)
"""Any step; edges and neighbours more often."""

_doubles = st.one_of(st.floats(), st.integers(0, 2**64 - 1).map(lambda n: _from_bits(n, "<d", 8)))
"""Any double, by its bits: every NaN there is."""


@st.composite
def scalar_series(draw: st.DrawFn, *, max_size: int = 20) -> ScalarSeries:
    """Scalars of either type, from any bits, sometimes none."""
    step = draw(st.lists(int64s, max_size=max_size))
    wall = draw(_octets(8 * len(step)))
    width = draw(st.sampled_from([4, 8]))
    value = draw(_octets(width * len(step)))
    return ScalarSeries(
        np.array(step, np.int64),
        np.frombuffer(wall, np.float64),
        np.frombuffer(value, np.float32 if width == 4 else np.float64),
    )


def stored_values() -> st.SearchStrategy[StoredValue]:
    """Values of every stored form."""
    return st.one_of(proto_histograms(), tensor_histograms(), _tensors(), _media())


@st.composite
def value_series(draw: st.DrawFn, *, max_size: int = 4) -> ValueSeries:
    """Points of any other kind, forms mixed."""
    values = draw(st.lists(stored_values(), max_size=max_size))
    step, wall = draw(_octets(8 * len(values))), draw(_octets(8 * len(values)))
    columns = np.frombuffer(step, np.int64), np.frombuffer(wall, np.float64)
    return ValueSeries(*columns, tuple(values))


def bits(value: object) -> object:
    """Return something that is equal exactly when two values are the same to the bit."""
    if isinstance(value, float):
        return struct.pack("<d", value)
    if isinstance(value, np.ndarray):
        return (value.dtype.str, value.tobytes())
    if isinstance(value, tuple | list | ValueColumns):
        return tuple(map(bits, value))
    if is_dataclass(value):
        return (type(value).__name__, *(bits(getattr(value, f.name)) for f in fields(value)))
    return value


def proto_histograms() -> st.SearchStrategy[ProtoHistogram]:
    """Histograms of known edges and of any, with counts that are none, too."""
    limits = st.one_of(st.lists(_doubles, max_size=4).map(tuple), _known_limits())
    counts = st.one_of(
        st.lists(st.integers(0, 10**6).map(float), max_size=4), st.lists(_doubles, max_size=4)
    )
    moments = [_doubles] * 5
    return st.builds(ProtoHistogram, *moments, limits, counts.map(tuple))


@st.composite
def _known_limits(draw: st.DrawFn) -> tuple[float, ...]:
    """Edges as TensorFlow's writers make them: some of 1e-12 times 1.1 to the n."""
    edges = [draw(st.sampled_from([1e-12, 0.0, 1.0]))]
    for _ in range(16):
        edges.append(edges[-1] * 1.1)
    kept = draw(st.integers(0, 2**16 - 1))
    return tuple(edge for at, edge in enumerate(edges) if kept >> at & 1)


def tensor_histograms() -> st.SearchStrategy[TensorHistogram]:
    """Histograms of either type, their rows of any doubles."""
    bucket = st.tuples(_doubles, _doubles, _doubles)
    dtypes = st.sampled_from(["float64", "float32"])
    return st.builds(TensorHistogram, dtypes, st.lists(bucket, max_size=5).map(tuple))


def _tensors() -> st.SearchStrategy[Tensor]:
    shape = st.lists(st.integers(0, 5), max_size=3).map(tuple)
    return st.one_of(
        st.builds(Tensor, st.sampled_from(["float32", "bool"]), shape, st.binary(max_size=30)),
        st.builds(
            Tensor, st.just("string"), shape, st.lists(st.binary(max_size=9), max_size=4).map(tuple)
        ),
    )


def _media() -> st.SearchStrategy[StoredMedia]:
    # Surrogates included: a label may come from bytes that are not UTF-8.
    label = st.text(st.characters(exclude_categories=()), max_size=5)
    blob = st.builds(
        BlobRef,
        st.binary(min_size=32, max_size=32),
        st.integers(0, 2**40),
        st.sampled_from(["image/png", "audio/wav"]),
        label,
    )
    pixels = st.none() | st.integers(0, 2**31)
    return st.builds(
        StoredMedia, st.lists(blob, max_size=3).map(tuple), pixels, pixels, st.none() | _doubles
    )


def _octets(count: int) -> st.SearchStrategy[bytes]:
    return st.binary(min_size=count, max_size=count)


def _from_bits(number: int, form: str, width: int) -> float:
    (value,) = struct.unpack(form, number.to_bytes(width, "little"))
    return float(value)
