"""GIF by our own hand: what an imaging library decodes is what was given."""

from __future__ import annotations

import io
import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from orgboard._kinds import gif
from orgboard._kinds.gif import encode_gif
from orgboard._kinds.lzw import compress, compress_runs
from orgboard._kinds.palette import quantise
from support.pictures import Pixels, frames_of, pixels_of

SMOOTH = np.stack(
    [
        np.add.outer(np.arange(96) * 2, np.arange(120)),
        np.add.outer(np.arange(96)[::-1], np.arange(120)),
        np.multiply.outer(np.arange(96), np.arange(120)) // 50,
    ],
    axis=2,
).astype(np.uint8)
"""Thousands of colours."""


def one_frame(indices: Pixels, data: bytes) -> bytes:
    """Make a grey GIF of compressed indices, by hand."""
    height, width = indices.shape
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0)
    grey = bytes(level for level in range(256) for _ in range(3))
    place = struct.pack("<BHHHHB", 0x2C, 0, 0, width, height, 0)
    return head + grey + place + data + b"\x3b"


@st.composite
def index_planes(draw: st.DrawFn) -> tuple[Pixels, int]:
    """Draw colour indices, from flat to noise, and the bits they need."""
    bits = draw(st.integers(1, 8))
    shape = draw(st.tuples(st.integers(1, 120), st.integers(1, 120)))
    random = np.random.default_rng(draw(st.integers(0, 1 << 32)))
    noise = random.integers(0, 1 << bits, shape)
    flatness = draw(st.sampled_from([0.0, 0.5, 0.9, 0.999]))
    return np.where(random.random(shape) < flatness, 0, noise).astype(np.uint8), bits


@given(index_planes())
def test_indices_come_back_however_they_were_compressed(plane: tuple[Pixels, int]) -> None:
    indices, bits = plane

    for pack in (compress, compress_runs):
        decoded = pixels_of(one_frame(indices, pack(indices, bits)))
        assert np.array_equal(decoded[..., 0], indices)


@pytest.mark.parametrize("run", [1, 2, 3, 254, 5049, 5050, 5051, 10_100, 200_000])
@pytest.mark.parametrize("level", [0, 255])
def test_a_run_of_any_length_comes_back(run: int, level: int) -> None:
    indices = np.concatenate([np.full(run, level), [7]]).astype(np.uint8)
    indices = indices[:-1].reshape(1, -1) if run % 2 else indices.reshape(1, -1)
    if indices.size > 0xFFFF:
        indices = indices[0, : indices.size // 500 * 500].reshape(500, -1)

    for pack in (compress, compress_runs):
        assert np.array_equal(pixels_of(one_frame(indices, pack(indices, 8)))[..., 0], indices)


def test_the_table_of_a_long_noisy_plane_is_cleared_in_time() -> None:
    indices = np.random.default_rng(1).integers(0, 256, (600, 900), dtype=np.uint8)

    for pack in (compress, compress_runs):
        assert np.array_equal(pixels_of(one_frame(indices, pack(indices, 8)))[..., 0], indices)


few_colours = arrays.arrays(
    np.uint8,
    st.tuples(st.integers(1, 5), st.integers(1, 12), st.integers(1, 12), st.just(3)),
    elements=st.sampled_from([0, 1, 90, 254, 255]),
)


@given(few_colours, st.sampled_from([0, 1 << 20]))
def test_a_clip_of_few_colours_comes_back_exactly(frames: Pixels, dictionary_pixels: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gif, "_DICTIONARY_PIXELS", dictionary_pixels)
        decoded, _ = frames_of(encode_gif(frames, 10))

    assert np.array_equal(decoded, frames)


def test_frames_of_256_colours_each_come_back_exactly() -> None:
    random = np.random.default_rng(2)
    palettes = random.integers(0, 256, (5, 256, 3), dtype=np.uint8)
    frames = np.stack([palette[random.integers(0, 256, (40, 50))] for palette in palettes])

    decoded, _ = frames_of(encode_gif(frames, 10))

    assert np.array_equal(decoded, frames)


def test_more_colours_are_close() -> None:
    frames = np.stack([np.roll(SMOOTH, shift, axis=1) for shift in (0, 3, 6)])

    decoded, _ = frames_of(encode_gif(frames, 10))

    error = np.abs(decoded.astype(int) - frames)
    assert error.max() <= 40
    assert math.sqrt((error**2).mean()) <= 8


def test_the_worst_picture_is_closer_than_with_evenly_spread_colours() -> None:
    noise = np.random.default_rng(3).integers(0, 256, (200, 200, 3), dtype=np.uint8)

    palette, indices = quantise(noise)

    error = palette[indices].astype(int) - noise
    # 6 x 7 x 6 even levels leave 12.9.
    assert math.sqrt((error**2).mean()) < 12.9
    assert len(palette) <= 256


def test_a_few_bright_pixels_keep_their_colour() -> None:
    picture = SMOOTH // 2
    picture[40:44, 50:54] = (255, 0, 0)

    palette, indices = quantise(picture)

    assert np.abs(palette[indices][41, 51].astype(int) - (255, 0, 0)).max() <= 8


def test_a_frame_that_changes_nothing_is_a_frame() -> None:
    frames = np.stack([SMOOTH, SMOOTH, SMOOTH])

    decoded, times = frames_of(encode_gif(frames, 10))

    assert len(times) == 3
    assert np.array_equal(decoded[0], decoded[1])
    assert np.array_equal(decoded[0], decoded[2])
    assert len(encode_gif(frames, 10)) < 1.1 * len(encode_gif(frames[:1], 10))


@pytest.mark.parametrize(
    ("fps", "times"),
    [
        (4, [250] * 6),
        (30, [30, 40, 30, 30, 40, 30]),
        (0.5, [2000] * 6),
        (1e-9, [655350] * 6),
        (1000, [20] * 6),
    ],
)
def test_frames_are_shown_as_long_as_fps_says(fps: float, times: list[int]) -> None:
    frames = np.arange(18, dtype=np.uint8).reshape(6, 1, 1, 3)

    assert frames_of(encode_gif(frames, fps))[1] == times


def test_a_gif_is_repeated_for_ever() -> None:
    with Image.open(io.BytesIO(encode_gif(SMOOTH[np.newaxis], 4))) as image:
        assert image.info["loop"] == 0


def test_a_side_longer_than_a_gif_can_say_is_refused() -> None:
    with pytest.raises(ValueError, match="at most 65535 pixels wide and high"):
        encode_gif(np.zeros((1, 1, 65536, 3), np.uint8), 4)
