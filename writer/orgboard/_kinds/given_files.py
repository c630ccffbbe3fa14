"""What is given as a file: its bytes, or a path to it; and the size of the picture it holds."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any, Final

from orgboard._kinds.image import Encoded
from orgboard_schema.wire.frames import MAX_RECORD_BYTES
from orgboard_schema.wire.media import media_type

__all__ = ["encoded_image", "file_bytes"]

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
"""Not waited for: a named pipe that nobody writes to would stop the training."""


def file_bytes(value: Any) -> bytes | None:
    """Give the bytes of a file given as bytes or as a path; None for anything else.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is no regular file, or larger than a record may be.
    """
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if not isinstance(value, (str, os.PathLike)):
        return None
    path = Path(os.fsdecode(value))
    with os.fdopen(os.open(path, _FLAGS), "rb") as file:
        about = os.fstat(file.fileno())
        if not stat.S_ISREG(about.st_mode):
            raise ValueError(f"{path} is no regular file")
        if about.st_size > MAX_RECORD_BYTES:
            raise ValueError(f"{path} has more than the {MAX_RECORD_BYTES} bytes a record takes")
        return file.read(MAX_RECORD_BYTES)


def encoded_image(data: bytes) -> Encoded:
    """Read the size of a PNG, JPEG or GIF from its header.

    Raises:
        ValueError: it is none of them, or too short to tell.
    """
    read = {"image/png": _png, "image/jpeg": _jpeg, "image/gif": _gif}.get(media_type(data))
    size = read(data) if read else None
    if size is None:
        raise ValueError("an image given as a file must be a PNG, JPEG or GIF")
    width, height, channels = size
    return Encoded(data, width, height, channels)


def _png(data: bytes) -> tuple[int, int, int] | None:
    if len(data) < 26 or data[12:16] != b"IHDR":
        return None
    # Palettes hold RGB.
    channels = {0: 1, 2: 3, 3: 3, 4: 2, 6: 4}.get(data[25])
    return (_big(data[16:20]), _big(data[20:24]), channels) if channels else None


def _gif(data: bytes) -> tuple[int, int, int] | None:
    if len(data) < 10:
        return None
    return int.from_bytes(data[6:8], "little"), int.from_bytes(data[8:10], "little"), 3


def _jpeg(data: bytes) -> tuple[int, int, int] | None:
    at = 2
    while at + 10 <= len(data) and data[at] == 0xFF:
        marker, length = data[at + 1], _big(data[at + 2 : at + 4])
        # Start of a frame; three numbers of its range mean other things.
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return _big(data[at + 7 : at + 9]), _big(data[at + 5 : at + 7]), data[at + 9]
        at += 2 + length
    return None


def _big(octets: bytes) -> int:
    return int.from_bytes(octets, "big")
