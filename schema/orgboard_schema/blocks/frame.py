"""One payload: a version octet, then one zstd frame with its size and a checksum.

A flipped bit is noticed by the checksum; a size that the bytes cannot come from is
refused before anything is allocated.
"""

from __future__ import annotations

import threading
from typing import Final

import zstandard

from orgboard_schema.errors import CorruptBlock

__all__ = ["MAX_RAW_BYTES", "pack", "unpack"]

VERSION: Final = 1

LEVEL: Final = 1
"""Higher levels save 1 to 2 % of what is mostly noise, at twice the time."""

QUICK_LEVEL: Final = -1
"""For what is written and read far more often than kept: 3 % larger, in half the time."""

MAX_RAW_BYTES: Final = 1 << 30
"""More than one flush can bring (a record is at most 256 MiB); neither engine stores longer."""

_MOST_PER_BYTE: Final = 1 << 15
"""zstd's densest block is 128 KiB out of 4 octets."""


class _Contexts(threading.local):
    """zstd contexts are costly to make and must not be shared by threads."""

    def __init__(self) -> None:
        self.compressor = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True)
        self.quick = zstandard.ZstdCompressor(level=QUICK_LEVEL, write_checksum=True)
        self.decompressor = zstandard.ZstdDecompressor()


_contexts: Final = _Contexts()


def pack(raw: bytes | memoryview, *, quick: bool = False, version: int = VERSION) -> bytes:
    """Return the payload that `unpack` turns into `raw` again.

    `version` tells readers what `raw` is, where that has changed.

    Raises:
        ValueError: It is larger than a payload may be.
    """
    if len(raw) > MAX_RAW_BYTES:
        raise ValueError(f"a payload holds at most {MAX_RAW_BYTES} bytes, got {len(raw)}")
    compressor = _contexts.quick if quick else _contexts.compressor
    return bytes([version]) + compressor.compress(raw)


def unpack(payload: bytes, *, version: int = VERSION) -> bytes:
    """Return what was packed as that version.

    Raises:
        CorruptBlock: It is not a payload, or was changed.
    """
    if not payload or payload[0] != version:
        raise CorruptBlock(f"payload of unknown version {payload[:1].hex() or 'none'}")
    frame = memoryview(payload)[1:]
    try:
        size = zstandard.frame_content_size(frame)
        # -1: the frame does not say.
        if not 0 <= size <= min(MAX_RAW_BYTES, len(frame) * _MOST_PER_BYTE):
            raise CorruptBlock(f"{len(payload)} bytes cannot hold the {size} they promise")
        raw = _contexts.decompressor.decompress(frame, allow_extra_data=False)
    except zstandard.ZstdError as error:
        raise CorruptBlock(f"payload does not decompress: {error}") from error
    if len(raw) != size:
        raise CorruptBlock(f"payload promises {size} bytes and holds {len(raw)}")
    return raw
