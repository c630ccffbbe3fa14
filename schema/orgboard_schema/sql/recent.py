"""Small segments as they were decoded: who follows live runs reads the same ones again and again.

Many who look at a project at once ask for the points that were written last, and those lie in
many small segments until they are compacted. What a payload holds depends on its bytes alone, so
they are the key; columns in here cannot be written to, and what is kept is bounded by its size.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence
from typing import Final

from orgboard_schema.blocks import Chunk, ScalarSeries, decode_scalars_of, decode_segment
from orgboard_schema.types import Kind

__all__ = ["Recent", "decode_recent"]

LARGEST_PAYLOAD: Final = 16 << 10
"""Larger ones are few, and take longer to decode than to begin with."""
MOST_BYTES: Final = 48 << 20

_SCALAR: Final[Kind] = "scalar"

_CHUNK_BYTES: Final = 600
"""About what a chunk takes beside its points."""
_POINT_BYTES: Final = 24


class Recent:
    """Decodes segments, and keeps those of scalars. For any number of threads."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[bytes, tuple[tuple[Chunk, ...], int]] = OrderedDict()
        self._bytes = 0

    def decode(self, payload: bytes, only: Collection[tuple[int, Kind]]) -> list[Chunk]:
        """Return the points of these series, in order.

        Scalars come as one chunk a series (as `decode_scalars_of` has them), and are not decoded
        again for whoever asks next.

        Raises:
            CorruptBlock: The payload is not what was written.
        """
        if any(kind != _SCALAR for _, kind in only):
            return decode_segment(payload, only)
        with self._lock:
            kept = self._kept.get(payload)
            if kept is not None:
                self._kept.move_to_end(payload)
        chunks = kept[0] if kept is not None else self._decoded(payload)
        return [chunk for chunk in chunks if chunk.key in only]

    def _decoded(self, payload: bytes) -> tuple[Chunk, ...]:
        chunks = tuple(decode_scalars_of(payload))
        if len(payload) <= LARGEST_PAYLOAD:
            series = [each.series for each in chunks if isinstance(each.series, ScalarSeries)]
            self._keep(payload, chunks, series)
        return chunks

    def _keep(
        self, payload: bytes, chunks: tuple[Chunk, ...], series: Sequence[ScalarSeries]
    ) -> None:
        for each in series:
            for column in (each.step, each.wall, each.value):
                column.setflags(write=False)
        points = sum(map(len, series))
        taken = len(payload) + len(chunks) * _CHUNK_BYTES + points * _POINT_BYTES
        if taken > self._most_bytes // 8:
            return
        with self._lock:
            if payload in self._kept:
                return
            self._kept[payload] = chunks, taken
            self._bytes += taken
            while self._bytes > self._most_bytes:
                _, (_, freed) = self._kept.popitem(last=False)
                self._bytes -= freed


decode_recent: Final = Recent().decode
