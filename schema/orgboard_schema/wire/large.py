"""Records too large to be taken into memory before it is known that they are sound."""

from __future__ import annotations

from typing import BinaryIO, Final

import google_crc32c

from orgboard_schema.wire.batch import Gap
from orgboard_schema.wire.frames import (
    FOOTER,
    FOOTER_BYTES,
    HEADER_BYTES,
    OVERHEAD_BYTES,
    masked,
)
from orgboard_schema.wire.salvage import GARBAGE_BYTES, find_header, has_header

__all__ = ["LARGE_BYTES", "judge_large"]

LARGE_BYTES: Final = 32 * 1024 * 1024
"""Below, reading a record twice costs more than the memory that it saves."""

_CHUNK: Final = 1 << 20


def judge_large(file: BinaryIO, offset: int, size: int, *, final: bool) -> Gap | None:
    """Judge a record of `size` bytes whose header is sound and which are all there.

    None: its checksum holds. Else what of it is lost; a gap without length says why it
    is pending.
    """
    if _holds(file, offset, size):
        return None
    file.seek(offset + size)
    following = file.read(HEADER_BYTES)
    skip = Gap(offset, size, "payload crc")
    is_end = len(following) < HEADER_BYTES or not following.strip(b"\0")
    if has_header(following, 0) or (final and is_end):
        return skip
    if is_end:
        # Perhaps not all is written yet, unless something stands behind it.
        written = file.read(GARBAGE_BYTES).strip(b"\0")
        return skip if written else Gap(offset, 0, "payload crc")
    file.seek(offset)
    data = file.read(GARBAGE_BYTES)
    found = find_header(data, 1)
    lost = found if found is not None else len(data) - HEADER_BYTES + 1
    return Gap(offset, lost, "payload crc")


def _holds(file: BinaryIO, offset: int, size: int) -> bool:
    file.seek(offset + HEADER_BYTES)
    crc, left = 0, size - OVERHEAD_BYTES
    while left:
        chunk = file.read(min(left, _CHUNK))
        if not chunk:
            return False
        crc = google_crc32c.extend(crc, chunk)
        left -= len(chunk)
    footer = file.read(FOOTER_BYTES)
    return len(footer) == FOOTER_BYTES and FOOTER.unpack(footer) == (masked(crc),)
