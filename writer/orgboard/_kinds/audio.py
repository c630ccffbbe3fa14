"""Sounds as 16-bit WAV.

Samples are -1..1 in floating point, or the whole range of uint8, int16 or int32. In a sound of
one channel they equal those of torch's writer, in one of two those of tensorboardX's, the only
one that takes two. They differ by at most two of 65 536 steps: torch's has 32 767 on each side
and cuts off what is left, the other's has 32 768 and rounds down.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["Sound", "audio_body", "check_sound", "in_frames"]

_LOUDEST: Final = 0x7FFF
_LOUDEST_32: Final = 0x7FFFFFFF
_SAMPLE_BYTES: Final = 2
_PCM: Final = 1
_HIGHEST_RATE: Final = 0xFFFFFFFF // (2 * _SAMPLE_BYTES)
"""The header's bytes a second have 32 bits."""


class Sound(NamedTuple):
    """Samples of one or two channels, and how many a second."""

    samples: NDArray[np.generic] | Late
    """In the shape they were given in; `in_frames` tells frames from channels."""
    sample_rate: int


def check_sound(array: NDArray[np.generic] | Late, sample_rate: Any) -> Sound:
    """Give a sound of one channel in any shape, or of two as [frames, 2] or [2, frames].

    Raises:
        ValueError: there are no samples, more than two channels, or no such sample rate.
    """
    rate = int(sample_rate)
    if not 1 <= rate <= _HIGHEST_RATE:
        raise ValueError(f"a sample rate is 1 to {_HIGHEST_RATE} Hz, got {sample_rate!r}")
    if not array.size:
        raise ValueError(f"a sound needs at least one sample, got shape {array.shape}")
    long_axes = _long_axes(array.shape)
    if len(long_axes) > 2 or (len(long_axes) == 2 and 2 not in long_axes):
        raise ValueError(f"a sound has one or two channels, got shape {array.shape}")
    return Sound(array, rate)


def in_frames(sound: Sound) -> NDArray[np.generic]:
    """Arrange a sound's samples as frames, channels."""
    samples = settle(sound.samples)
    long_axes = _long_axes(samples.shape)
    if len(long_axes) < 2:
        return samples.reshape(-1, 1)
    plain = samples.reshape(long_axes)
    # Two frames of two channels: as tensorboardX takes it, frames first.
    return plain if long_axes[1] == 2 else plain.T


def audio_body(tag: str, sound: Sound) -> bytes:
    """Encode the body that holds one sound, as WAV."""
    samples = in_frames(sound)
    frames, channels = samples.shape
    about = (
        pb.float32(1, sound.sample_rate)
        + pb.whole(2, channels)
        + pb.whole(3, frames)
        + pb.blob(4, _wav(_to_int16(samples).tobytes(), channels, sound.sample_rate))
        + pb.text(5, "audio/wav")
    )
    return summary_body(pb.text(1, tag) + pb.blob(6, about))


def _long_axes(shape: tuple[int, ...]) -> list[int]:
    return [size for size in shape if size > 1]


def _to_int16(samples: NDArray[Any]) -> NDArray[Any]:
    import numpy as np

    if samples.dtype == np.int16:
        return samples.astype("<i2")
    if samples.dtype == np.uint8:
        return ((samples.astype(np.int16) - 128) << 8).astype("<i2")
    if samples.dtype == np.int32:
        return (samples >> 16).astype("<i2")
    with np.errstate(over="ignore"):
        exact = samples if samples.dtype == np.float64 else samples.astype(np.float32)
    loud: NDArray[Any] = np.nan_to_num(exact, nan=0.0).clip(-1, 1)
    if samples.shape[1] == 1:
        return (loud * _LOUDEST).astype("<i2")
    # By way of 32 bits, as libsndfile: in float32 the loudest of them is 2^31 itself.
    fine: NDArray[Any] = np.rint(loud.astype(np.float64) * float(exact.dtype.type(_LOUDEST_32)))
    return (fine.clip(None, _LOUDEST_32).astype(np.int64) >> 16).astype("<i2")


def _wav(data: bytes, channels: int, sample_rate: int) -> bytes:
    frame_bytes = channels * _SAMPLE_BYTES
    form = struct.pack(
        "<HHIIHH",
        _PCM,
        channels,
        sample_rate,
        sample_rate * frame_bytes,
        frame_bytes,
        8 * _SAMPLE_BYTES,
    )
    chunks = b"WAVE" + _chunk(b"fmt ", form) + _chunk(b"data", data)
    return _chunk(b"RIFF", chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content
