from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.blocks import ScalarSeries, decode_scalars, encode_scalars
from orgboard_schema.errors import CorruptBlock
from support.points import bits, scalar_series


@given(scalar_series())
def test_every_scalar_comes_back_to_the_bit(series: ScalarSeries) -> None:
    decoded = decode_scalars(encode_scalars(series))

    assert bits(decoded) == bits(series)


@given(scalar_series(max_size=5), st.data())
def test_a_flipped_bit_is_noticed_or_changes_nothing(
    series: ScalarSeries, data: st.DataObject
) -> None:
    payload = bytearray(encode_scalars(series))
    place = data.draw(st.integers(0, 8 * len(payload) - 1))
    payload[place // 8] ^= 1 << (place % 8)

    try:
        decoded = decode_scalars(bytes(payload))
    except CorruptBlock:
        return
    assert bits(decoded) == bits(series)


@given(scalar_series(max_size=5), st.data())
def test_a_cut_payload_is_refused(series: ScalarSeries, data: st.DataObject) -> None:
    payload = encode_scalars(series)
    end = data.draw(st.integers(0, len(payload) - 1))

    with pytest.raises(CorruptBlock):
        decode_scalars(payload[:end])


@given(st.binary(max_size=200))
def test_any_other_bytes_are_refused(payload: bytes) -> None:
    with pytest.raises(CorruptBlock):
        decode_scalars(payload)


def test_a_payload_that_promises_more_than_it_can_hold_is_refused_before_memory_is_taken() -> None:
    # A zstd frame header with an 8-octet content size of 2^40, and no content.
    bomb = bytes.fromhex("0128b52ffdc000") + (2**40).to_bytes(8, "little")

    with pytest.raises(CorruptBlock, match="cannot hold"):
        decode_scalars(bomb)


def test_a_block_of_noise_takes_less_than_six_octets_a_point() -> None:
    random = np.random.default_rng(7)
    step = np.arange(1024, dtype=np.int64) * 10
    wall = 1.7e9 + np.cumsum(0.1 + random.normal(0, 0.005, 1024))
    value = (2 * np.exp(-step / 5000) + random.normal(0, 0.05, 1024)).astype(np.float32)

    payload = encode_scalars(ScalarSeries(step, wall, value))

    assert len(payload) < 6 * 1024


def test_steps_at_the_edges_of_int64_come_back() -> None:
    step = np.array([2**63 - 1, -(2**63), 2**63 - 1, 0, -(2**63)], np.int64)
    series = ScalarSeries(step, np.zeros(5), np.zeros(5, np.float32))

    assert decode_scalars(encode_scalars(series)).step.tolist() == step.tolist()
