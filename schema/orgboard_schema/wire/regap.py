"""Look again at bytes that could not be read: a network file system may have filled them in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Gap
from orgboard_schema.wire.reader import WINDOW_BYTES, read_file

__all__ = ["gap_changed"]

AFTER_BYTES: Final = 64 * 1024
"""Read behind a gap, to see what ended it."""


def gap_changed(file: BinaryIO, gap: Gap, remembered: Mapping[str, Metadata]) -> bool:
    """Tell whether the bytes of `gap` would be read otherwise than as this gap now.

    Bytes of which nothing can be said at present (the file ends in them) have not changed.
    Raises only what the file does.
    """
    window = min(gap.length + AFTER_BYTES, WINDOW_BYTES)
    batch = read_file(file, gap.offset, remembered, max_bytes=window)
    if batch.end == batch.start:
        return False
    found = [(each.offset, each.length) for each in batch.gaps]
    return (gap.offset, gap.length) not in found
