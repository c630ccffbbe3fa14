"""Events -> the columns, points and marks of one batch.

The one mutable part of the reader: it lives for one reading and ends frozen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Final

from google.protobuf.message import DecodeError

from orgboard_schema.types import (
    Blob,
    Media,
    Metadata,
    Point,
    ProtoHistogram,
    Tensor,
    TensorHistogram,
    Value,
)
from orgboard_schema.wire.amplification import is_bomb
from orgboard_schema.wire.batch import FLOAT32, ScalarColumns, SessionMark, SessionStatus
from orgboard_schema.wire.compiled import CompiledScalars, HeldColumns
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.kinds import GRAPH_TAG, META_GRAPH_TAG, kind_of
from orgboard_schema.wire.media import PROTOBUF
from orgboard_schema.wire.moulds import Reading
from orgboard_schema.wire.points import Points
from orgboard_schema.wire.scalars import ScalarGathering
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.values import Other, decode_metadata, decode_text, decode_value

__all__ = ["MAX_GATHERED_BYTES", "MAX_UNFOLDED_BYTES", "Gathering"]

MAX_UNFOLDED_BYTES: Final = 8 * 1024 * 1024
"""What the tensors of one record may claim beyond the bytes that are there."""

MAX_GATHERED_BYTES: Final = 64 * 1024 * 1024
"""A batch of small records that unfold to more than this ends early."""

_POINT_BYTES: Final = 1024
"""What a point takes in memory beside its data, rounded up."""

_STRING_BYTES: Final = 64
_FLOAT_BYTES: Final = 32
"""What a short bytes object and a float take in Python."""

_BLOB_SEQUENCE: Final = 3
_MARKS: Final[dict[int, SessionStatus]] = {
    SessionLog.START: "start",
    SessionLog.STOP: "stop",
    SessionLog.CHECKPOINT: "checkpoint",
}


class Gathering:
    """What has been read so far of one batch."""

    __slots__ = (
        "_known",
        "_last_wall",
        "_parsed",
        "_points",
        "_remembered",
        "_scalars",
        "file_version",
        "first_wall",
        "sessions",
        "source_writer",
    )

    def __init__(
        self, remembered: Mapping[str, Metadata], compiled: CompiledScalars | None = None
    ) -> None:
        self._remembered = remembered
        self._known: dict[str, Metadata] = {}
        self._scalars = compiled if compiled is not None else ScalarGathering()
        self._last_wall: float | None = None
        self._parsed = 0
        self._points: list[tuple[int, Point]] = []
        self.sessions: list[SessionMark] = []
        self.first_wall: float | None = None
        self.file_version: str | None = None
        self.source_writer: str | None = None

    @property
    def gathered(self) -> int:
        """Octets that the values gathered take in memory, scalars not counted."""
        return self._parsed + self._scalars.gathered

    @property
    def room(self) -> int:
        """Octets that the core may gather before the batch is full."""
        return MAX_GATHERED_BYTES - self._parsed

    def columns(self) -> ScalarColumns | HeldColumns:
        """Freeze the scalars gathered."""
        return self._scalars.columns()

    def points(self, data: bytes) -> Points:
        """Freeze all other values; `data` is what they were read from."""
        return Points(tuple(self._points), self._scalars.others(data))

    def last_wall(self) -> float | None:
        """Return the latest finite wall time of any event."""
        walls = (self._last_wall, self._scalars.last_wall())
        return max((wall for wall in walls if wall is not None), default=None)

    def add(self, payload: bytes) -> str | None:
        """Take in one record's payload. Return why it gave nothing, or not all; None if it did."""
        if self._scalars.add_moulded(payload):
            return None
        if is_bomb(payload):
            return "unfolds too far"
        try:
            event = Event.FromString(payload)
        except DecodeError:
            return "not a protobuf"
        what = event.WhichOneof("what")
        if what is not None:
            self._note_wall(event.wall_time)
        if event.HasField("source_metadata"):
            self.source_writer = self.source_writer or decode_text(event.source_metadata.writer)
        if what == "summary":
            return self._add_summary(event, payload)
        self._add_event(event, what)
        return None

    def _note_wall(self, wall: float) -> None:
        if not math.isfinite(wall):
            return
        if self.first_wall is None:
            self.first_wall = wall
        if self._last_wall is None or wall > self._last_wall:
            self._last_wall = wall

    def _add_summary(self, event: Event, payload: bytes) -> str | None:
        refused = False
        left = MAX_UNFOLDED_BYTES
        values = event.summary.value
        scalars = len(self._scalars)
        for value in values:
            before = self._parsed
            refused |= not self._add_value(value, event, left)
            if self._parsed > before:
                left = max(left - (self._parsed - before - value.ByteSize()), 0)
        # Before there is a first wall time, a record that sets it must not go unparsed.
        if len(self._scalars) == scalars + len(values) and self.first_wall is not None:
            self._scalars.learn(payload, values, self._read_alone)
        return "undecodable tensor" if refused else None

    def _add_value(self, value: Summary.Value, event: Event, left: int) -> bool:
        name = value.tag or value.node_name
        tag = decode_text(name)
        own = decode_metadata(value.metadata) if value.HasField("metadata") else None
        if own is not None:
            self._known.setdefault(tag, own)
        metadata = self._metadata(tag, own)
        decoded = decode_value(value, metadata, left)
        if decoded is None:
            return False
        if isinstance(decoded, Other):
            self._add_point(tag, event, decoded, own)
            if value.tag and metadata is not None and value.WhichOneof("value") == "tensor":
                sent = value.metadata.SerializeToString() if own is not None else None
                self._scalars.teach(value.tag, sent, own, kind_of(metadata.plugin))
            return True
        self._scalars.add(name, event.step, event.wall_time, decoded, own)
        return True

    def _metadata(self, tag: str, own: Metadata | None) -> Metadata | None:
        """Return what tells a value's kind: its own metadata, else the first known of its tag."""
        if own is not None and own.plugin:
            return own
        return self._remembered.get(tag) or self._known.get(tag)

    def _add_point(self, tag: str, event: Event, decoded: Other, own: Metadata | None) -> None:
        point = Point(tag, decoded.kind, event.step, event.wall_time, decoded.value, own)
        self._points.append((self._scalars.note_other(), point))
        self._parsed += _POINT_BYTES + _data_bytes(decoded.value)

    def _add_graph(self, tag: str, event: Event, plugin: str, data: bytes) -> None:
        graph = Other("graph", Media((Blob(data, PROTOBUF),)))
        self._add_point(tag, event, graph, Metadata(plugin=plugin, data_class=_BLOB_SEQUENCE))

    def _add_event(self, event: Event, what: str | None) -> None:
        match what:
            case "file_version":
                self.file_version = self.file_version or decode_text(event.file_version)
            case "session_log":
                self._add_session(event)
            case "graph_def":
                self._add_graph(GRAPH_TAG, event, "graphs", event.graph_def)
            case "meta_graph_def":
                self._add_graph(META_GRAPH_TAG, event, "graph_meta", event.meta_graph_def)
            case "tagged_run_metadata":
                run = event.tagged_run_metadata
                tag = decode_text(run.tag)
                self._add_graph(tag, event, "graph_tagged_run_metadata", run.run_metadata)
            case _:
                pass  # A log message, or nothing known: no point to keep.

    def _add_session(self, event: Event) -> None:
        status = _MARKS.get(event.session_log.status)
        if status is not None:
            mark = SessionMark(self._scalars.note_other(), status, event.step, event.wall_time)
            self.sessions.append(mark)

    def _read_alone(self, payload: bytes) -> Reading | None:
        """Read one record by protobuf as a float32 scalar, leaving the batch as it is."""
        try:
            event = Event.FromString(payload)
        except DecodeError:
            return None
        if len(event.summary.value) != 1:
            return None
        value = event.summary.value[0]
        own = decode_metadata(value.metadata) if value.HasField("metadata") else None
        decoded = decode_value(value, self._metadata(decode_text(value.tag), own), 0)
        if decoded is None or isinstance(decoded, Other) or decoded[1] != FLOAT32:
            return None
        return event.wall_time, event.step, decoded[0]


def _data_bytes(value: Value) -> int:
    """Estimate what a value takes in memory."""
    match value:
        case Tensor():
            if isinstance(value.data, bytes):
                return len(value.data)
            return sum(len(data) + _STRING_BYTES for data in value.data)
        case Media(blobs=blobs):
            return sum(len(blob.data) + _STRING_BYTES for blob in blobs)
        case TensorHistogram(buckets=rows):
            return len(rows) * 6 * _FLOAT_BYTES
        case ProtoHistogram(limits=limits, counts=counts):
            return (len(limits) + len(counts)) * _FLOAT_BYTES
