"""Event files made for a test, and batches laid out so that equal means equal bit for bit."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from typing import Any

from orgboard_schema.types import Metadata
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.summary_pb2 import Summary

__all__ = [
    "bits_of",
    "event_file",
    "laid_out",
    "payload_of",
    "read_grown",
    "read_whole",
    "scalar_event",
    "scalars_of",
    "spans_of",
    "value_event",
]


def scalar_event(tag: str, step: int, value: float, wall: float = 1.5) -> Event:
    """Make the event of one scalar in the old form."""
    return value_event(Summary.Value(tag=tag.encode(), simple_value=value), step, wall)


def value_event(value: Summary.Value, step: int = 0, wall: float = 1.5) -> Event:
    """Make an event of one value."""
    return Event(wall_time=wall, step=step, summary=Summary(value=[value]))


def payload_of(event: Event | bytes) -> bytes:
    """Give the bytes of an event; bytes stand for themselves."""
    return event if isinstance(event, bytes) else event.SerializeToString()


def event_file(*events: Event | bytes) -> bytes:
    """Frame events, or payloads, as the bytes of a file."""
    return b"".join(encode_frame(payload_of(event)) for event in events)


def read_whole(
    data: bytes,
    *,
    max_bytes: int = 1 << 23,
    final: bool = False,
    remembered: Mapping[str, Metadata] | None = None,
) -> list[Batch]:
    """Read a file as ingest does: batch by batch, remembering what the batches say of tags."""
    file = io.BytesIO(data)
    known = dict(remembered or {})
    batches: list[Batch] = []
    offset = 0
    while True:
        batch = read_file(file, offset, known, max_bytes=max_bytes, final=final)
        batches.append(batch)
        for tag, metadata in batch.scalars.metadata:
            known.setdefault(tag, metadata)
        for _, point in batch.points:
            if point.metadata is not None:
                known.setdefault(point.tag, point.metadata)
        if batch.end == offset:
            return batches
        offset = batch.end


def read_grown(data: bytes, cuts: Iterable[int], max_bytes: int = 1 << 23) -> list[Batch]:
    """Read a file that is delivered in pieces, cut at `cuts`, and then is final."""
    batches: list[Batch] = []
    known: dict[str, Metadata] = {}
    offset = 0
    for size, final in [*((cut, False) for cut in cuts), (len(data), True)]:
        file = io.BytesIO(data[:size])
        while True:
            batch = read_file(file, offset, known, max_bytes=max_bytes, final=final)
            batches.append(batch)
            known = {**dict(batch.scalars.metadata), **known}
            for _, point in batch.points:
                if point.metadata is not None:
                    known.setdefault(point.tag, point.metadata)
            if batch.end == offset:
                break
            offset = batch.end
    return batches


def spans_of(batches: Iterable[Batch]) -> list[tuple[int, int]]:
    """List where bytes are lost, pieces that lie side by side as one."""
    spans: list[tuple[int, int]] = []
    for gap in (gap for batch in batches for gap in batch.gaps):
        end = gap.offset + gap.length
        if spans and spans[-1][1] == gap.offset:
            spans[-1] = spans[-1][0], end
        else:
            spans.append((gap.offset, end))
    return spans


def laid_out(batches: Iterable[Batch]) -> list[tuple[Any, ...]]:
    """List all values of some batches in file order; floats as their bytes, so that NaN is NaN."""
    values: list[tuple[Any, ...]] = []
    for batch in batches:
        columns = batch.scalars
        ordered: list[tuple[int, tuple[Any, ...]]] = [
            (order, ("scalar", columns.tags[tag], step, _bits(wall), _bits(value), dtype))
            for order, tag, step, wall, value, dtype in zip(
                columns.order,
                columns.tag,
                columns.step,
                columns.wall,
                columns.value,
                columns.dtype,
                strict=True,
            )
        ]
        ordered += [(order, ("point", *bits_of(point))) for order, point in batch.points]
        ordered += [
            (mark.order, ("mark", mark.status, mark.step, _bits(mark.wall_time)))
            for mark in batch.sessions
        ]
        values += [value for _, value in sorted(ordered, key=lambda pair: pair[0])]
    return values


def scalars_of(batches: Iterable[Batch], tag: str) -> list[tuple[int, float, float]]:
    """List (step, wall time, value) of a scalar tag in file order."""
    return [
        (columns.step[at], columns.wall[at], columns.value[at])
        for columns in (batch.scalars for batch in batches)
        for at in range(len(columns.tag))
        if columns.tags[columns.tag[at]] == tag
    ]


def bits_of(value: Any) -> Any:
    """Return something that is equal exactly when two values are the same to the bit."""
    if isinstance(value, float):
        return _bits(value)
    if isinstance(value, tuple):
        return tuple(map(bits_of, value))
    if is_dataclass(value):
        return (type(value).__name__, *(bits_of(getattr(value, f.name)) for f in fields(value)))
    return value


def _bits(value: float) -> bytes:
    return struct.pack("<d", value)
