from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orgboard_schema.blocks import ValueSeries, decode_values, encode_values
from orgboard_schema.blocks.frame import pack
from orgboard_schema.blocks.values import write_values
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import Blob, Media, ProtoHistogram
from support.points import bits, value_series


def _histograms(count: int, limits: list[float]) -> ValueSeries:
    random = np.random.default_rng(1)
    values = tuple(
        ProtoHistogram(
            -1.0,
            1.0,
            1e5,
            0.5,
            9e4,
            tuple(limits),
            tuple(map(float, random.poisson(100, len(limits)))),
        )
        for _ in range(count)
    )
    return ValueSeries(np.arange(count, dtype=np.int64), np.full(count, 1.7e9), values)


def _tenfold_edges() -> list[float]:
    edges = [1e-12]
    while edges[-1] < 1e20:
        edges.append(edges[-1] * 1.1)
    return edges[:-1]


@settings(max_examples=50)
@given(value_series())
def test_every_value_comes_back_exactly(series: ValueSeries) -> None:
    decoded = decode_values(encode_values(series))

    assert bits(decoded) == bits(series)


@settings(max_examples=50)
@given(value_series(max_size=2), st.data())
def test_damage_below_the_checksum_never_crashes(series: ValueSeries, data: st.DataObject) -> None:
    raw = bytearray(write_values(series))
    place = data.draw(st.integers(0, len(raw) - 1))
    raw[place] = data.draw(st.integers(0, 255))

    try:
        decode_values(pack(bytes(raw)))
    except CorruptBlock:
        return


@given(st.binary(max_size=200))
def test_any_other_content_is_refused_or_decodes(raw: bytes) -> None:
    try:
        decode_values(pack(raw))
    except CorruptBlock:
        return


def test_edges_that_tensorflow_draws_are_not_stored() -> None:
    known = _histograms(64, _tenfold_edges()[100:300])
    unknown = _histograms(64, [edge + 1e-15 for edge in _tenfold_edges()[100:300]])

    assert len(encode_values(known)) < len(encode_values(unknown)) - 1000
    assert len(encode_values(known)) < 64 * 300


def test_equal_edges_are_stored_once() -> None:
    edges = np.random.default_rng(2).normal(size=200).tolist()

    assert (
        len(encode_values(_histograms(2, edges))) < len(encode_values(_histograms(1, edges))) + 800
    )


def test_media_must_be_put_away_first() -> None:
    media: object = Media((Blob(b"x", "image/png"),))

    with pytest.raises((TypeError, AttributeError)):
        encode_values(ValueSeries(np.zeros(1, np.int64), np.zeros(1), (media,)))  # type: ignore[arg-type]
