"""Event files that were compressed whole (gzip or zlib, as TFRecord does), seen as what is in them.

Offsets count bytes of the unpacked stream, the same ones however often it is read. Going
back means unpacking from a mark, at worst from the start: marks save time and nothing
depends on them. Never more is unpacked than was asked for, so a bomb costs what a window
does. Where the compression itself is damaged a filler stands in place of what is lost, so
that the reader sees a gap there; the next gzip member that unpacks goes on behind it.
"""

from __future__ import annotations

import io
import os
import re
import threading
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import BinaryIO, Final, Literal, TypeAlias

from orgboard_schema.wire.frames import HEADER_BYTES
from orgboard_schema.wire.salvage import has_header

__all__ = ["BROKEN", "FILLER", "PACKED_END", "Encoding", "Marks", "Unpacked", "encoding_of"]

Encoding: TypeAlias = Literal["", "gzip", "zlib"]

BROKEN: Final = "broken compression"
"""Why bytes are a gap, or pending, that could not be unpacked."""

PACKED_END: Final = "end of packed data"
"""Pending, of a packed file that was read as far as it goes: its size does not tell that."""

FILLER: Final = b"\xff" * 16
"""Stands for what could not be unpacked. Never part of a sound record: no length is so large."""

_MARK_EVERY: Final = 1 << 20
"""Unpacked bytes between two marks: what going back to any place costs at most."""

_MARKS_KEPT: Final = 16
"""Newest marks of a view in use: a window of 8 MiB lies within them. Each takes some 50 KiB."""

_FILES_KEPT: Final = 64
"""Files whose last mark is kept between looks, least lately used first out: some 4 MiB."""

_CHUNK: Final = 16 * 1024
"""Packed bytes given to zlib at a time; where they are damaged, they are given one by one."""

_PROBE: Final = 4096
"""Packed bytes that must unpack before a place inside damage counts as a gzip member."""

_SEARCHED: Final = 1 << 20
"""Packed bytes searched at a time for a member."""

_MOST_TRIES: Final = 10_000
"""Places that only look like a member: more of them are made on purpose, to cost time."""

_MOST_CHECKED: Final = 256 * 1024 * 1024
"""Bytes, packed and unpacked, in which members are looked for that damage ran into."""

_MEMBER: Final = re.compile(rb"\x1f\x8b\x08[\x00-\x1f]")
_ZLIB_HEADERS: Final = (b"\x78\x01", b"\x78\x5e", b"\x78\x9c", b"\x78\xda")
_MAGICS: Final = {"gzip": (b"\x1f\x8b\x08",), "zlib": _ZLIB_HEADERS}
_MAGIC_BYTES: Final = 3
_WINDOW_BITS: Final = {"gzip": 31, "zlib": 15}


def encoding_of(file: BinaryIO) -> Encoding:
    """Tell from a file's first bytes how it is packed; "" for a plain event file, or any other.

    A plain record may begin with any length, so with any magic number: a sound header
    is believed first. zlib's two bytes say so little that what is in it must be an
    event file.
    """
    file.seek(0)
    first = file.read(_PROBE)
    if has_header(first, 0):
        return ""
    if _MEMBER.match(first):
        return "gzip"
    if first.startswith(_ZLIB_HEADERS):
        try:
            inside = zlib.decompressobj(_WINDOW_BITS["zlib"]).decompress(first, HEADER_BYTES)
        except zlib.error:
            return ""
        return "zlib" if has_header(inside, 0) else ""
    return ""


@dataclass(frozen=True, slots=True)
class _Mark:
    """A place in the unpacked stream, and how to go on from it."""

    position: int
    packed: int
    """The first packed byte that `inflater` has not taken."""
    inflater: zlib._Decompress | None
    """None between two members."""
    member: int
    """Where the member begins that `inflater` is in, or the last one."""


_START: Final = _Mark(0, 0, None, 0)


class Marks:
    """Where packed files were last read, by any key that stands for a file."""

    def __init__(self) -> None:
        self._marks: OrderedDict[object, tuple[_Mark, ...]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, key: object) -> tuple[_Mark, ...]:
        """Return what is remembered of a file."""
        return self._marks.get(key, ())

    def keep(self, key: object, view: Unpacked, position: int) -> None:
        """Remember how to go on from `position`, and forget the file used longest ago."""
        near = [mark for mark in view.marks if mark.position <= position]
        # Files are read by several threads.
        with self._lock:
            self._marks[key] = tuple(near[-1:])
            self._marks.move_to_end(key)
            while len(self._marks) > _FILES_KEPT:
                self._marks.popitem(last=False)


class Unpacked(io.RawIOBase):
    """Show what is packed in a file, to be read forward from anywhere.

    Seeking to the end tells how far it is known to reach: one byte further than was read,
    if there is one.
    """

    def __init__(
        self,
        file: BinaryIO,
        encoding: Encoding,
        marks: tuple[_Mark, ...] = (),
        *,
        settled: bool = False,
    ) -> None:
        super().__init__()
        self.broken = False
        """Whether it ends in damage, behind which nothing unpacks yet."""
        self.shrank = False
        """Whether it ended before the place that was to be read."""
        self._fillers: set[int] = set()
        self._file = file
        self._encoding = encoding
        self._settled = settled
        size = file.seek(0, os.SEEK_END)
        self._marks = [mark for mark in marks if mark.packed <= size]
        self._resume(_START)
        self._target = 0
        self._furthest = 0

    @property
    def marks(self) -> list[_Mark]:
        """Return the places from which it can go on, in order."""
        return self._marks

    def has_filler(self, start: int, length: int) -> bool:
        """Tell whether some of these bytes stand for what could not be unpacked."""
        return any(start - len(FILLER) < at < start + length for at in self._fillers)

    def readable(self) -> bool:
        """Say that it can be read."""
        return True

    def seekable(self) -> bool:
        """Say that any place can be reached, by unpacking up to it."""
        return True

    def tell(self) -> int:
        """Return where the next byte to be read stands."""
        return self._target

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a place counted from the start; from the end only to the end known so far."""
        if whence == os.SEEK_END and offset == 0:
            return self._furthest
        if whence != os.SEEK_SET:
            raise io.UnsupportedOperation("a packed file is sought from its start")
        self._target = offset
        return offset

    def read(self, size: int = -1, /) -> bytes:
        """Return `size` bytes, fewer only where what is packed ends for now."""
        if size < 0:
            raise io.UnsupportedOperation("a packed file is never unpacked without a bound")
        self._reach(self._target)
        self.shrank = self._position < self._target and not self.broken
        parts, left = [], size
        while left > 0 and self._position == self._target:
            part = self._next(left)
            if not part:
                break
            parts.append(part)
            left -= len(part)
            self._target = self._position
        self._furthest = max(self._furthest, self._position + bool(self._peek()))
        return b"".join(parts)

    def _reach(self, target: int) -> None:
        if target < self._position:
            known = [mark for mark in self._marks if mark.position <= target]
            self._resume(known[-1] if known else _START)
        else:
            ahead = [m for m in self._marks if self._position < m.position <= target]
            if ahead:
                self._resume(ahead[-1])
        while self._position < target and self._next(min(target - self._position, _MARK_EVERY)):
            pass

    def _resume(self, mark: _Mark) -> None:
        self._position, self._packed, self._member = mark.position, mark.packed, mark.member
        self._inflater = mark.inflater.copy() if mark.inflater is not None else None
        self._ahead = b""
        """Unpacked already, before anybody asked for it."""
        self.broken = False

    def _peek(self) -> bytes:
        if not self._ahead:
            self._ahead = self._unpack(1)
        return self._ahead

    def _next(self, most: int) -> bytes:
        """Return the next bytes, at least one unless there are none, at most `most`."""
        if self._ahead:
            part, self._ahead = self._ahead[:most], self._ahead[most:]
        else:
            self._mark()
            part = self._unpack(min(most, _MARK_EVERY))
            part, self._ahead = part[:most], part[most:]
        self._position += len(part)
        return part

    def _mark(self) -> None:
        last = self._marks[-1].position if self._marks else -_MARK_EVERY
        if self._position >= last + _MARK_EVERY and not self.broken:
            inflater = self._inflater.copy() if self._inflater is not None else None
            self._marks.append(_Mark(self._position, self._packed, inflater, self._member))
            # The oldest is where reading began: a window that was too small begins there again.
            del self._marks[1 : 1 - _MARKS_KEPT]

    def _unpack(self, most: int) -> bytes:
        """Return what comes next, possibly more than `most` by a filler; b"" at the end."""
        part = b""
        while not part and not self.broken and (self._inflater is not None or self._begin()):
            part = self._inflate(most)
            if not part and self._inflater is not None:
                return b""  # The file ends inside a member.
        return part or (self._damaged() if self.broken else b"")

    def _begin(self) -> bool:
        """Begin the next member; False where there is none, `broken` if something else is there."""
        first = b""
        while not first:
            self._file.seek(self._packed)
            packed = self._file.read(_CHUNK)
            # Tapes and block devices pad with zeros, and gzip itself passes over them.
            first = packed.lstrip(b"\0")
            self._packed += len(packed) - len(first)
            if not packed:
                return False
        begins = first.startswith(_MAGICS[self._encoding])
        self.broken = len(first) > _MAGIC_BYTES and not begins
        if begins:
            self._inflater = zlib.decompressobj(_WINDOW_BITS[self._encoding])
            self._member = self._packed
        return begins

    def _inflate(self, most: int) -> bytes:
        """Give packed bytes to zlib until some come out; leave no inflater where a member ends."""
        while (inflater := self._inflater) is not None:
            self._file.seek(self._packed)
            chunk = self._file.read(_CHUNK)
            before = inflater.copy()
            try:
                part = inflater.decompress(chunk, most)
            except zlib.error:
                self._inflater = before
                return self._inflate_last(before, chunk, most)
            # At a member's end both may name the same bytes.
            left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
            self._packed += len(chunk) - len(left)
            if inflater.eof:
                self._inflater = None
            if part or not chunk:
                return part
        return b""

    def _inflate_last(self, inflater: zlib._Decompress, chunk: bytes, most: int) -> bytes:
        """Give what comes out of a damaged chunk before the damage: zlib keeps that to itself."""
        parts: list[bytes] = []
        left = most
        for at in range(len(chunk)):
            try:
                part = inflater.decompress(chunk[at : at + 1], left)
            except zlib.error:
                self._inflater, self.broken = None, True
                break
            parts.append(part)
            left -= len(part)
            if inflater.unconsumed_tail:
                break
            self._packed += 1
            if left == 0:
                break
        return b"".join(parts)

    def _damaged(self) -> bytes:
        """Go on at the next member; return what stands for the damage before it."""
        found = None
        if self._encoding == "gzip":
            # What is damaged may have run on into the next member before that showed.
            found = _member_within(self._file, self._member + 1, self._packed + 1)
            found = _next_member(self._file, self._packed + 1) if found is None else found
        if found is None and not self._settled:
            return b""
        self._packed = found if found is not None else self._file.seek(0, os.SEEK_END)
        self.broken = False
        self._fillers.add(self._position)
        return FILLER


def _next_member(file: BinaryIO, start: int) -> int | None:
    """Return the first place from `start` on where a gzip member begins that can be unpacked."""
    at, tries = start, 0
    file.seek(at)
    while len(data := file.read(_SEARCHED)) > _MAGIC_BYTES:
        for found in _MEMBER.finditer(data):
            if _unpacks(file, at + found.start()):
                return at + found.start()
            tries += 1
            if tries == _MOST_TRIES:
                return None
        at += len(data) - _MAGIC_BYTES
        file.seek(at)
    return None


def _member_within(file: BinaryIO, start: int, end: int) -> int | None:
    """Return the first place before `end` where a gzip member begins that is whole.

    What is packed there was taken for part of the damaged member before, and something packed
    that a value of that one held would look the same: so a member has to follow, or the end.
    """
    at, budget = start, _MOST_CHECKED
    while at < end and budget > 0:
        file.seek(at)
        data = file.read(min(_SEARCHED, end - at + _MAGIC_BYTES))
        for found in _MEMBER.finditer(data):
            is_whole, taken = _check(file, at + found.start(), budget)
            if is_whole:
                return at + found.start()
            budget -= taken
            if budget <= 0:
                break
        at += max(len(data) - _MAGIC_BYTES, 1)
    return None


def _check(file: BinaryIO, at: int, budget: int) -> tuple[bool, int]:
    """Tell whether a whole member begins there, with another or the end behind it; and at what
    cost in bytes, `budget` at most."""
    file.seek(at)
    inflater, taken, packed = zlib.decompressobj(_WINDOW_BITS["gzip"]), _PROBE, b""
    try:
        while not inflater.eof and taken < budget:
            packed = inflater.unconsumed_tail or file.read(_CHUNK)
            if not packed:
                return True, taken  # It is being written.
            taken += len(packed) + len(inflater.decompress(packed, _CHUNK))
    except zlib.error:
        return False, taken
    behind = (inflater.unused_data + file.read(_CHUNK)).lstrip(b"\0")[:_MAGIC_BYTES]
    # Of what follows only the first byte may be there so far.
    return inflater.eof and _MAGICS["gzip"][0].startswith(behind), taken


def _unpacks(file: BinaryIO, at: int) -> bool:
    file.seek(at)
    try:
        return bool(zlib.decompressobj(_WINDOW_BITS["gzip"]).decompress(file.read(_PROBE), _PROBE))
    except zlib.error:
        return False
