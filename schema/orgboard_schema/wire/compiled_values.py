"""The values of one batch that are no scalars, as the compiled core takes them in."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.points import BUCKETS, PICTURE, ROW, TEXT, WORDS, TakenValues
from orgboard_schema.wire.values import decode_text

__all__ = ["CompiledValues", "read_tags"]

_FORMS: Final[Mapping[Kind, int]] = MappingProxyType(
    {"histogram": BUCKETS, "text": TEXT, "tensor": WORDS, "image": PICTURE}
)
"""Which tensors of a tag the core may take in, by the kind that they claim to be."""

_LESSONS: Final = 3
"""How many values of a tag are learned from; only the first metadata of each is remembered."""


class CompiledValues:
    """Rows that grow while a batch is read."""

    __slots__ = ("_core", "_lessons", "_metadata", "_noted", "handle")

    def __init__(self, core: ctypes.CDLL, seed: int) -> None:
        self._core = core
        values = core.ob_values_new(seed)
        if not values:
            raise MemoryError
        self.handle = ctypes.c_void_p(values)
        self._lessons: dict[bytes, int] = {}
        self._metadata: dict[int, Metadata] = {}
        self._noted = 0

    def __del__(self) -> None:
        # Not there when the core had no memory for it.
        if hasattr(self, "handle"):
            self._core.ob_values_free(self.handle)

    @property
    def gathered(self) -> int:
        """Octets that the values would take in memory."""
        return int(self._core.ob_values_gathered(self.handle))

    def note(self, before: int) -> int:
        """Leave a place for a value read by protobuf, before which so many scalars came.

        Returns its number among all values of the batch.
        """
        order = int(self._core.ob_values_note(self.handle, before))
        if order < 0:
            raise MemoryError
        self._noted += 1
        return order

    def teach(self, name: bytes, own: bytes | None, metadata: Metadata | None, kind: Kind) -> None:
        """Teach what tensors of that name with this metadata claim to be."""
        form = _FORMS.get(kind)
        seen = self._lessons[name] = self._lessons.get(name, 0) + 1
        if form is None or seen > _LESSONS:
            return
        size = -1 if own is None else len(own)
        tag = self._core.ob_values_teach(self.handle, name, len(name), own, size, form)
        if tag < 0:
            raise MemoryError
        if metadata is not None:
            # The core as well remembers the first.
            self._metadata.setdefault(tag, metadata)

    def before(self) -> tuple[int | None, int]:
        """Return where it is told how many scalars came before each value, and their number."""
        core = self._core
        return core.ob_values_before(self.handle), core.ob_values_count(self.handle)

    def last_wall(self) -> float:
        """Return the latest finite wall time, NaN where there is none."""
        return float(self._core.ob_values_last_wall(self.handle))

    def columns(self, data: bytes) -> TakenValues | None:
        """Return what was taken in from `data`."""
        count = int(self._core.ob_values_count(self.handle))
        if count == self._noted:
            return None
        rows = bytearray(count * ROW.size)
        into = (ctypes.c_char * len(rows)).from_buffer(rows)
        self._core.ob_values_take(self.handle, ctypes.addressof(into))
        tags = read_tags(self._core, self._core.ob_values_names(self.handle))
        metadata = tuple(map(self._metadata.get, range(len(tags))))
        return TakenValues(data, bytes(rows), count - self._noted, tags, metadata)


def read_tags(core: ctypes.CDLL, columns: object) -> tuple[str, ...]:
    """Return the tags that the core numbered there, in order."""
    octets = ctypes.c_int64()
    count = core.ob_tags(columns, ctypes.byref(octets))
    ends, names = array("q", bytes(8 * count)), bytearray(octets.value)
    into = (ctypes.c_char * len(names)).from_buffer(names) if names else None
    address = ctypes.addressof(into) if into is not None else None
    core.ob_names(columns, ends.buffer_info()[0], address)
    tags: list[str] = []
    start = 0
    for end in ends:
        tags.append(decode_text(bytes(names[start:end])))
        start = end
    return tuple(tags)
