"""GIF's compression: LZW, in two ways that every decoder reads alike.

A dictionary finds what repeats, but takes a turn of the interpreter a pixel, which a training
that shares the interpreter would feel. Above a limit only runs of one value are shortened: what
their codes are follows from their lengths alone, so numpy computes all of them at once.

Codes count up from the last clear code: the width of each is known by its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Codes: TypeAlias = NDArray[np.integer[Any]]

__all__ = ["compress", "compress_runs"]

_MAX_WIDTH: Final = 12
_TABLE_SIZE: Final = 1 << _MAX_WIDTH

_RUN_BITS: Final = 7
"""Least number of bits for runs: with fewer the table is full before a run has become short."""

_LONGEST_RUN: Final = 100 * 101 // 2
"""Takes 100 codes; fits in what a table of `_RUN_BITS` holds."""

_AT_ONCE: Final = 1 << 18
"""Pixels, and codes, worked on at a time: a code takes a hundred bytes meanwhile."""


def compress(indices: NDArray[np.uint8], bits: int) -> bytes:
    """Encode colour indices of so many bits (1 to 8) as a GIF's image data, small but slow."""
    import numpy as np

    bits = max(bits, 2)
    codes, places = _dictionary_codes(indices.tobytes(), bits)
    # A decoder's table is one entry behind: the code at place k is read with clear + k known.
    known = (1 << bits) + np.array(places)
    widths = np.clip(np.frexp(known.astype(float))[1], bits + 1, _MAX_WIDTH)
    return _image_data(bits, _pack(np.array(codes), widths))


def compress_runs(indices: NDArray[np.uint8], bits: int) -> bytes:
    """Encode as `compress` does, fast: what repeats is found only in runs of one value."""
    import numpy as np

    bits = max(bits, _RUN_BITS)
    flat = indices.reshape(-1)
    parts = [_run_codes(flat[at : at + _AT_ONCE], bits) for at in range(0, len(flat), _AT_ONCE)]
    codes = np.concatenate([*parts, np.array([(1 << bits) + 1], np.uint16)])
    # Cleared before the table is half full, so all are of one width; a multiple of 8 fills octets.
    packed = [_pack(codes[at : at + _AT_ONCE], bits + 1) for at in range(0, len(codes), _AT_ONCE)]
    return _image_data(bits, b"".join(packed))


def _dictionary_codes(data: bytes, bits: int) -> tuple[list[int], list[int]]:
    """Give the codes, and the place of each since the last clear code, from 1."""
    clear = 1 << bits
    codes, places = [clear], [1]
    table: dict[int, int] = {}
    find = table.get
    free = clear + 2
    prefix = data[0]
    for value in data[1:]:
        key = prefix << 8 | value
        known = find(key)
        if known is not None:
            prefix = known
            continue
        codes.append(prefix)
        prefix = value
        table[key] = free
        free += 1
        if free == _TABLE_SIZE:
            codes.append(clear)
            places += range(1, free - clear)
            table.clear()
            free = clear + 2
    codes += (prefix, clear + 1)
    places += range(1, free - clear + 1)
    return codes, places


def _run_codes(data: NDArray[np.uint8], bits: int) -> Codes:
    """Encode each run as literal, pair, triple…: the table learns them as they are said.

    A clear code stands before every stretch that would overfill the table, and first of all.
    """
    import numpy as np

    clear = 1 << bits
    values, lengths = _runs(data)
    # The longest 1 + 2 + … + steps that fits, and what remains of the run.
    steps = ((np.sqrt(8.0 * lengths + 1) - 1) / 2).astype(np.int64)
    rest = lengths - steps * (steps + 1) // 2
    numbers = steps + (rest > 0)
    ends = np.cumsum(numbers)
    stretches = _stretches(ends, clear - 2)

    begins = ends - numbers
    stretch_begins = begins[stretches]
    of_run = np.searchsorted(stretches, np.arange(len(values)), side="right") - 1
    run_place = begins - stretch_begins[of_run]

    run = np.repeat(np.arange(len(values)), numbers)
    nth = np.arange(int(ends[-1])) - begins[run]
    place = run_place[run] + nth
    codes = np.where(nth == 0, values[run], clear + 1 + place)
    at_rest = nth == steps[run]
    left = rest[run]
    resting = np.where(left == 1, values[run], clear + run_place[run] + left)
    codes = np.where(at_rest, resting, codes)

    return np.insert(codes, stretch_begins, clear).astype(np.uint16)


def _runs(data: NDArray[np.uint8]) -> tuple[Codes, Codes]:
    import numpy as np

    starts = np.append(0, np.flatnonzero(data[1:] != data[:-1]) + 1)
    lengths = np.diff(np.append(starts, len(data)))
    values = data[starts].astype(np.int64)
    if lengths.max() > _LONGEST_RUN:
        pieces = -(-lengths // _LONGEST_RUN)
        last = np.cumsum(pieces) - 1
        remains = lengths - (pieces - 1) * _LONGEST_RUN
        values = np.repeat(values, pieces)
        lengths = np.full(len(values), _LONGEST_RUN)
        lengths[last] = remains
    return values, lengths


def _stretches(ends: Codes, room: int) -> Codes:
    """Tell with which run each stretch of at most `room` codes begins."""
    import numpy as np

    begins, first, total = [], 0, 0
    while first < len(ends):
        begins.append(first)
        first = int(np.searchsorted(ends, total + room, side="right"))
        total = int(ends[first - 1])
    return np.array(begins)


def _image_data(bits: int, packed: bytes) -> bytes:
    blocks = [packed[at : at + 255] for at in range(0, len(packed), 255)]
    return bytes((bits,)) + b"".join(bytes((len(each),)) + each for each in blocks) + b"\0"


def _pack(codes: Codes, widths: Codes | int) -> bytes:
    """Put codes one after another, the lowest bit first."""
    import numpy as np

    octets = codes.astype("<u2").view(np.uint8).reshape(-1, 2)
    wide = np.unpackbits(octets, axis=1, bitorder="little")
    kept = wide[np.arange(16) < np.broadcast_to(widths, codes.shape)[:, np.newaxis]]
    return np.packbits(kept, bitorder="little").tobytes()
