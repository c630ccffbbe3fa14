"""Small segments as they were decoded: who follows live runs reads the same ones again and again.

Many who look at a project at once ask for the points that were written last, and those lie in
many small segments until they are compacted. What a payload holds depends on its bytes alone, so
they are the key; columns in here cannot be written to, and what is kept is bounded by its size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final, TypeAlias

from orgboard_schema.blocks import (
    Chunk,
    ScalarColumns,
    decode_segment,
    pick_series,
    scalar_columns,
)
from orgboard_schema.types import Kind

__all__ = ["Recent", "decode_recent"]

LARGEST_PAYLOAD: Final = 16 << 10
"""Larger ones are few, and take longer to decode than to begin with."""
MOST_BYTES: Final = 48 << 20

_SCALAR: Final[Kind] = "scalar"
_BYTES: Final = 1000
"""About what a segment takes beside its payload and its columns."""

_Columns: TypeAlias = tuple[ScalarColumns, ...] | None


class Recent:
    """Decodes segments, and keeps the scalars of small ones. For any number of threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[_Columns, int]] = OrderedDict()
        self._bytes = 0

    def decode(self, payloads: Sequence[bytes], only: Collection[tuple[int, Kind]]) -> list[Chunk]:
        """Return the points of these series in segments that follow one another, in order.

        Nearly always they are one chunk a series; else as many as there were.

        Raises:
            CorruptBlock: A payload is not what was written.
        """
        if all(kind == _SCALAR for _, kind in only):
            chunks = self._scalars(payloads, [tag_id for tag_id, _ in only])
            if chunks is not None:
                return chunks
        return [chunk for payload in payloads for chunk in decode_segment(payload, only)]

    def _scalars(self, payloads: Sequence[bytes], tags: Sequence[int]) -> list[Chunk] | None:
        parts: list[ScalarColumns] = []
        for payload in payloads:
            columns = self._columns(payload)
            if columns is None:
                return None
            parts += columns
        return pick_series(parts, tags)

    def _columns(self, payload: bytes) -> _Columns:
        if len(payload) > LARGEST_PAYLOAD:
            return scalar_columns(payload)
        with self._lock:
            kept = self._kept.get(payload)
            if kept is not None:
                self._kept.move_to_end(payload)
                return kept[0]
        columns = scalar_columns(payload)
        self._keep(payload, columns)
        return columns

    def _keep(self, payload: bytes, columns: _Columns) -> None:
        taken = _BYTES + len(payload)
        for each in columns or ():
            for column in (each.tags, each.step, each.wall, each.value):
                column.setflags(write=False)
                taken += column.nbytes
        if taken > self._most_bytes // 8:
            return
        with self._lock:
            if payload in self._kept:
                return
            self._kept[payload] = columns, taken
            self._bytes += taken
            while self._bytes > self._most_bytes:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed


decode_recent: Final = Recent().decode
