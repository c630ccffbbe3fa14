"""Events as the bytes of an event file: what happened, at which step, when.

    record = header · Event · checksum            (framing: orgboard_schema.wire.frames)
    Event  = wall_time · step · body              body = one of the members of Event's oneof

A body is made by a kind (`_kinds`) or by a function below; it knows neither step nor time.
Scalars are nearly all there is, so they have a path of their own in which only the step, the
time and the value are new bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Any, Final, TypeAlias

from google_crc32c import value as _crc32c

from orgboard._encoding import protobuf as pb
from orgboard_schema.wire.frames import (
    FOOTER,
    LENGTH,
    MASK_DELTA,
    MAX_RECORD_BYTES,
    encode_frame,
    masked_crc,
)

__all__ = [
    "FILE_VERSION",
    "START",
    "STOP",
    "Encode",
    "ScalarRecords",
    "as_given",
    "file_header",
    "graph_body",
    "record",
    "scalar_body",
    "session_body",
    "summary_body",
]

Encode: TypeAlias = Callable[[str, Any], "bytes | None"]
"""Turns a tag and a value into a body; called on the background thread, and may raise. None:
the value went elsewhere (an embedding's files), the event file gets nothing."""

START: Final = 1
STOP: Final = 2
"""SessionLog's statuses."""

FILE_VERSION: Final = pb.blob(3, b"brain.Event:2")
"""The body that begins a file; readers tell the format by it."""

_WALL_TIME: Final = Struct("<Bd").pack
_WALL_TIME_KEY: Final = 1 << 3 | 1
_STEP_KEY: Final = b"\x10"
_F32: Final = Struct("<f").pack
_FOOTER: Final = FOOTER.pack

_PREFIXES_KEPT: Final = 65_536
"""Bounds memory when a caller makes a new tag for every value; real runs have some hundred."""

_LONGEST_KEPT: Final = 1024
"""And so when such tags are long; encoding one of these anew costs less than its checksum."""


def event(body: bytes, step: int, wall_time: float) -> bytes:
    """Encode an Event. `step` is any int64, `wall_time` seconds since the epoch."""
    return pb.double(1, wall_time) + pb.whole(2, step) + body


def record(body: bytes, step: int, wall_time: float) -> bytes:
    """Encode an Event with its frame, ready for the file."""
    payload = event(body, step, wall_time)
    if len(payload) > MAX_RECORD_BYTES:
        raise ValueError(
            f"a record of {len(payload)} bytes is larger than the {MAX_RECORD_BYTES} a reader takes"
        )
    return encode_frame(payload)


def summary_body(*values: bytes) -> bytes:
    """Encode the body of an Event that holds a Summary of these values."""
    return pb.blob(5, b"".join(pb.blob(1, value, always=True) for value in values))


def scalar_body(tag: str, value: float) -> bytes:
    """Encode a scalar as `simple_value`, float32, without metadata."""
    return summary_body(pb.text(1, tag) + pb.float32(2, value))


def session_body(status: int) -> bytes:
    """Encode the body of an Event that marks the start or the end of a session."""
    return pb.blob(7, pb.whole(1, status))


def graph_body(_tag: str, graph_def: bytes) -> bytes:
    """Encode the body of an Event that holds a serialised GraphDef."""
    return pb.blob(4, graph_def, always=True)


def as_given(_tag: str, body: bytes) -> bytes:
    """Give back a body that was encoded before it was queued."""
    return body


def file_header(wall_time: float, writer: str) -> bytes:
    """Encode the first record of a file."""
    return record(FILE_VERSION + pb.blob(10, pb.text(1, writer)), 0, wall_time)


class ScalarRecords:
    """Encodes float32 scalars fast: keeps each tag's bytes and each length's checksum.

    One instance belongs to one thread.
    """

    __slots__ = ("_headers", "_prefixes", "_step", "_step_bytes")

    def __init__(self) -> None:
        self._prefixes: dict[str, bytes] = {}
        self._headers: dict[int, bytes] = {}
        self._step = 0
        self._step_bytes = b""

    def encode(self, tag: str, value: float, step: int, wall_time: float) -> bytes:
        """Encode one scalar as a record, byte for byte what the general path makes of it.

        This runs once for every value a training logs: calls are written out on purpose.
        """
        prefix = self._prefixes.get(tag) or self._learn(tag)
        if step != self._step:
            # All tags of a training step come with the same number.
            self._step_bytes = _STEP_KEY + pb.varint(step) if step else b""
            self._step = step
        try:
            payload = (
                _WALL_TIME(_WALL_TIME_KEY, wall_time) + self._step_bytes + prefix + _F32(value)
            )
        except OverflowError:
            return record(scalar_body(tag, value), step, wall_time)
        if not wall_time:
            return record(scalar_body(tag, value), step, wall_time)
        crc = _crc32c(payload)
        return (
            (self._headers.get(len(payload)) or self._frame(len(payload)))
            + payload
            + _FOOTER((((crc >> 15) | (crc << 17)) + MASK_DELTA) & 0xFFFFFFFF)
        )

    def _learn(self, tag: str) -> bytes:
        prefix = scalar_body(tag, 0.0)[:-4]
        if len(prefix) > _LONGEST_KEPT:
            return prefix
        if len(self._prefixes) >= _PREFIXES_KEPT:
            self._prefixes.clear()
            self._headers.clear()
        self._prefixes[tag] = prefix
        return prefix

    def _frame(self, length: int) -> bytes:
        head = LENGTH.pack(length)
        self._headers[length] = head + FOOTER.pack(masked_crc(head))
        return self._headers[length]
