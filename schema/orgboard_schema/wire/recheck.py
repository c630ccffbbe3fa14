"""Whether bytes that were given up hold something now: a network file system may fill them late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import BinaryIO, Final

from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Gap
from orgboard_schema.wire.reader import WINDOW_BYTES, read_file

__all__ = ["gap_changed"]

_BEHIND: Final = 4096
"""Read beyond a gap, to see what its end depends on."""


def gap_changed(file: BinaryIO, gap: Gap, remembered: Mapping[str, Metadata]) -> bool:
    """Tell whether reading from a stored gap's start gives anything but that gap.

    True when something sound begins within it now. What is pending there, or lost even
    further than before, is no change: reading it again would bring nothing. A packed
    file is given as its unpacked view. Raises only what the file does.
    """
    window = min(gap.length + _BEHIND, WINDOW_BYTES)
    batch = read_file(file, gap.offset, remembered, max_bytes=window, final=True)
    if not batch.gaps:
        return batch.end > gap.offset
    first = batch.gaps[0]
    if first.offset != gap.offset:
        return True
    # A large run of garbage is given up in pieces, whose length the window sets.
    lost = 0
    for found in batch.gaps:
        if found.offset != gap.offset + lost:
            break
        lost += found.length
    return lost < gap.length and batch.end > gap.offset + lost
