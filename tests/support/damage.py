"""Damaged event files with their truth, and a second reader that shares nothing with ours.

The truth: every record carries a step of its own, so a record is undamaged exactly where
its whole frame still stands in the damaged bytes, and `undamaged` finds it by its bytes. The
rule for gaps: all bytes before the end that was reached, and of no undamaged record, are in
exactly one gap; but of a record with a damaged header that still tells its length only the
header is, because its payload's own checksum proves the rest.

A record that a moved block put inside another record is `enclosed`, where that one's header
and what stands at its end are whole: byte for byte it is what an event file inside a text
looks like whose record was damaged, and to read that would be making records up. It is
lost with the record around it, and counted.

Embedded event files are only damaged in place and within their record. Where the record's
end is lost as well, no reader can tell what it held from what follows it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

import google_crc32c

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import event_file, payload_of, scalar_event, value_event

__all__ = [
    "DAMAGES",
    "EMBEDDED",
    "IN_PLACE",
    "SIZES",
    "WRITERS",
    "Damaged",
    "damaged",
    "simple_records",
]

Frames: TypeAlias = list[bytes]
Damage: TypeAlias = Callable[[Frames, random.Random], bytes]

SIZES: Final = (3, 20, 100, 400)
"""Records of a file."""

SECTORS: Final = (512, 4096)


def _tensor(step: int) -> Event:
    tensor = TensorProto(dtype=1, tensor_content=struct.pack("<f", step))  # type: ignore[arg-type] # an enum's number
    return value_event(Summary.Value(tag=b"tensor", tensor=tensor), step)


def _several(step: int) -> Event:
    values = [Summary.Value(tag=b"v%d" % n, simple_value=step + n) for n in range(1 + step % 7)]
    return Event(wall_time=1.5, step=step, summary=Summary(value=values))


def _blob(step: int) -> Event:
    noise = random.Random(step).randbytes(1000 + step * 37 % 9000)
    image = Summary.Image(encoded_image_string=noise)
    return value_event(Summary.Value(tag=b"image", image=image), step)


def _histogram(step: int) -> Event:
    edges = [float(edge) for edge in range(step % 40)]
    histogram = HistogramProto(bucket_limit=edges, bucket=edges)
    return value_event(Summary.Value(tag=b"histogram", histo=histogram), step)


def _carrier(step: int) -> Event:
    inner = event_file(*(scalar_event("forged", step, n) for n in range(5)))
    tensor = TensorProto(dtype=7, string_val=[inner])  # type: ignore[arg-type] # an enum's number
    return value_event(Summary.Value(tag=b"text", tensor=tensor), step)


WRITERS: Final[dict[str, Callable[[int], Event]]] = {
    "simple_value": lambda step: scalar_event("loss", step, step / 2),
    "tensor": _tensor,
    "several values": _several,
    "blob": _blob,
    "histogram": _histogram,
}

EMBEDDED: Final = ("embedded", _carrier)


def _flip(data: bytes, at: int, chance: random.Random) -> bytes:
    return data[:at] + bytes([data[at] ^ 1 << chance.randrange(8)]) + data[at + 1 :]


def _flip_in(first: int, last: int | None, from_end: bool = False) -> Damage:
    def damage(frames: Frames, chance: random.Random) -> bytes:
        which = chance.randrange(len(frames))
        frame = frames[which]
        start, end = (len(frame) - 4, len(frame)) if from_end else (first, last or len(frame) - 4)
        bad = _flip(frame, chance.randrange(start, end), chance)
        return b"".join([*frames[:which], bad, *frames[which + 1 :]])

    return damage


def _run(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randrange(len(data))
    return start, min(start + chance.randint(1, max(len(data) // 4, 1)), len(data))


def _replaced(make: Callable[[bytes, random.Random], bytes]) -> Damage:
    def damage(frames: Frames, chance: random.Random) -> bytes:
        data = b"".join(frames)
        start, end = _run(data, chance)
        return data[:start] + make(data[start:end], chance) + data[end:]

    return damage


def _inserted(frames: Frames, chance: random.Random) -> bytes:
    data = b"".join(frames)
    at = chance.randrange(len(data))
    return data[:at] + chance.randbytes(chance.randint(1, 3000)) + data[at:]


def _truncated(frames: Frames, chance: random.Random) -> bytes:
    data = b"".join(frames)
    return data[: chance.randrange(len(data))]


def _zero_tail(frames: Frames, chance: random.Random) -> bytes:
    data = b"".join(frames)
    at = chance.randrange(len(data))
    return data[:at] + bytes(len(data) - at)


def _swapped(frames: Frames, chance: random.Random) -> bytes:
    data, size = bytearray(b"".join(frames)), chance.choice(SECTORS)
    blocks = len(data) // size
    if blocks > 1:
        one, other = (size * place for place in chance.sample(range(blocks), 2))
        first, second = data[one : one + size], data[other : other + size]
        data[one : one + size], data[other : other + size] = second, first
    return bytes(data)


def _torn(frames: Frames, chance: random.Random) -> bytes:
    data, size = bytearray(b"".join(frames)), chance.choice(SECTORS)
    at = size * chance.randrange(max(len(data) // size, 1))
    end = min(at + size, len(data))
    data[at:end] = bytes(end - at)
    return bytes(data)


DAMAGES: Final[dict[str, Damage]] = {
    "flip in the length": _flip_in(0, 8),
    "flip in the length's checksum": _flip_in(8, 12),
    "flip in the payload": _flip_in(12, None),
    "flip in the payload's checksum": _flip_in(0, None, from_end=True),
    "zeroed run": _replaced(lambda run, _: bytes(len(run))),
    "random run": _replaced(lambda run, chance: chance.randbytes(len(run))),
    "deleted run": _replaced(lambda _run, _chance: b""),
    "duplicated run": _replaced(lambda run, _: run + run),
    "inserted junk": _inserted,
    "truncated tail": _truncated,
    "zero tail": _zero_tail,
    "swapped blocks": _swapped,
    "torn sector": _torn,
}
IN_PLACE: Final = frozenset(name for name in DAMAGES if name.startswith("flip"))


@dataclass(frozen=True, slots=True)
class Damaged:
    """A damaged file, and what of it is undamaged."""

    data: bytes
    frames: tuple[bytes, ...]
    """All records as they were written."""
    undamaged: tuple[tuple[int, int], ...]
    """Where a whole record of them stands, and which, in file order."""
    mended: tuple[tuple[int, int], ...]
    """The same of those with only a damaged header, of a single flipped bit."""
    enclosed: tuple[tuple[int, int], ...]
    """The same of those inside the bounds of another, damaged record."""


def damaged(kind: str, make: Callable[[int], Event], size: int, seed: int) -> Damaged:
    """Make a file of `size` records and damage it: the same for the same arguments."""
    chance = random.Random(f"{kind} {size} {seed}")
    frames = [event_file(payload_of(make(step))) for step in range(1, size + 1)]
    data = DAMAGES[kind](list(frames), chance)
    whole = sorted(_places(data, frames))
    enclosed = _enclosed(data, frames, whole)
    undamaged = [place for place in whole if place not in enclosed]
    mended = tuple(_mended(data, frames, undamaged))
    return Damaged(data, tuple(frames), tuple(undamaged), mended, tuple(sorted(enclosed)))


def _enclosed(
    data: bytes, frames: list[bytes], whole: list[tuple[int, int]]
) -> set[tuple[int, int]]:
    """Find whole records between a damaged record's whole header and its confirmed end.

    It is confirmed by another whole header there, by zeros, or by the end of the file.
    """
    kinds = list({frame[:12]: len(frame) for frame in frames}.items())
    ends = {at: at + kinds[n][1] for at, n in _places(data, [header for header, _ in kinds])}
    sound = {at for at, _ in whole}
    found: set[tuple[int, int]] = set()
    reached = 0
    for start, end in sorted(ends.items()):
        if start < reached or start in sound or end > len(data):
            continue
        if end in ends or not data[end : end + 12].strip(b"\0"):
            found |= {(at, n) for at, n in whole if start < at and at + len(frames[n]) <= end}
            reached = end
    return found


def _mended(
    data: bytes, frames: list[bytes], whole: list[tuple[int, int]]
) -> Iterator[tuple[int, int]]:
    """Yield records with a damaged header that tells their length all the same.

    It does where the length is the right one, or one bit away from one that its
    checksum fits, and the record before it tells where it begins.
    """
    known = {at for at, _ in whole}
    ends = {0, *(at + len(frames[which]) for at, which in whole)}
    for at, which in sorted(_places(data, [frame[12:] for frame in frames])):
        start = at - 12
        if start < 0 or start in known or start not in ends:
            continue
        right, crc = struct.unpack_from("<QI", frames[which])
        length, found_crc = struct.unpack_from("<QI", data, start)
        one_bit = (length ^ right).bit_count() == 1 and crc == found_crc
        if length == right or one_bit:
            ends.add(start + len(frames[which]))
            yield start, which


def _places(data: bytes, parts: list[bytes]) -> Iterator[tuple[int, int]]:
    for which, part in enumerate(parts):
        at = data.find(part)
        while at >= 0:
            yield at, which
            at = data.find(part, at + 1)


def simple_records(data: bytes) -> list[tuple[int, bytes]]:
    """Read every whole sound record, going on a byte further wherever there is none.

    As plain as can be, and blind to what is inside a damaged record.
    """
    found: list[tuple[int, bytes]] = []
    at = 0
    while at + 16 <= len(data):
        (length,) = struct.unpack_from("<Q", data, at)
        end = at + 12 + length
        if (
            length < 1 << 32
            and end + 4 <= len(data)
            and _matches(data[at : at + 8], data[at + 8 : at + 12])
            and _matches(data[at + 12 : end], data[end : end + 4])
        ):
            found.append((at, data[at + 12 : end]))
            at = end + 4
        else:
            at += 1
    return found


def _matches(data: bytes, checksum: bytes) -> bool:
    crc = google_crc32c.value(data)
    masked = (crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8 & 0xFFFFFFFF
    return struct.pack("<I", masked) == checksum
