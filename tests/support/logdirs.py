"""Logdirs of any size for benchmarks, written millions of records a second, byte for byte by seed.

Records of the same length are one array of bytes: a template a tag, with holes for wall time, step
and value. A checksum is linear, so each is the template's, mended by what stands in the holes.

    Scalars(runs, tags, steps) ─▶ Curves of a run ─▶ frames ─▶ run_00000/events.out.tfevents…

Values are a loss that falls to its floor with noise in every digit; steps are regular; wall times
jitter by milliseconds, as those of trainings do. `curves` gives what a run's files must be read as.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from orgboard_schema.wire.event_pb2 import Event, SourceMetadata
from orgboard_schema.wire.frames import FOOTER_BYTES, HEADER_BYTES, MASK_DELTA, encode_frame
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.tensor_pb2 import TensorProto

__all__ = [
    "BEGAN",
    "FORMS",
    "STEP_S",
    "Curves",
    "Form",
    "Scalars",
    "Written",
    "curves",
    "file_name",
    "first_record",
    "framed",
    "records_by_step",
    "run_name",
    "smallest_step",
    "tag_names",
    "varint_width",
    "varints",
    "write_scalars",
]

Form: TypeAlias = Literal["simple", "content", "float_val", "many"]
"""simple_value; a TF2 tensor with its bytes, or with float_val; all tags of a step in one event."""

FORMS: Final[tuple[Form, ...]] = ("simple", "content", "float_val", "many")

BEGAN: Final = 1_750_000_000.0
STEP_S: Final = 0.1
"""A step of a training takes a tenth of a second, give or take `JITTER_S`."""
JITTER_S: Final = 0.005
CALL_S: Final = 30e-6
"""Between the tags of a step, each an event with a wall time of its own, passes about this."""

ROWS_AT_ONCE: Final = 1 << 15
"""Some two megabytes of records: what the processor's cache still holds."""

HOLE: Final = b"\xa5\x5a\xc3\x3c"
"""Stands in a template for a value; found by its bytes, which no tag has."""

FLOAT: Final = struct.unpack("<f", HOLE)[0]

Octets: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scalars:
    """What a logdir holds: every run the same tags, every tag the same steps."""

    runs: int
    tags: int
    steps: int
    form: Form = "simple"
    stride: int = 1
    """From one step to the next."""
    files: int = 1
    """Of a run, one after another; each goes on where the one before ends."""
    seed: int = 0

    @property
    def points(self) -> int:
        """Count the scalars of all runs."""
        return self.runs * self.tags * self.steps


@dataclass(frozen=True, slots=True)
class Written:
    """What came to lie on disk."""

    events: int
    points: int
    octets: int
    files: int


@dataclass(frozen=True, slots=True)
class Curves:
    """What a run logs, step by step."""

    step: NDArray[np.int64]
    wall: Floats
    """A row a step; a column a tag, or one for all of them where a step is one event."""
    value: NDArray[np.float32]
    """A row a step, a column a tag."""


def curves(shape: Scalars, run: int) -> Curves:
    """Make up what a run logs; the same for the same seed."""
    random = np.random.default_rng((shape.seed, run))
    step = np.arange(shape.steps, dtype=np.int64) * shape.stride
    passed = random.standard_normal(shape.steps, dtype=np.float32) * JITTER_S + STEP_S
    began = BEGAN + run + np.cumsum(passed, dtype=np.float64)
    columns = 1 if shape.form == "many" else shape.tags
    after = CALL_S * (1 + 0.2 * random.standard_normal((shape.steps, columns), dtype=np.float32))
    wall = began[:, None] + np.cumsum(after, axis=1, dtype=np.float64)
    falling = 0.4 + 2 * np.exp(-5 * np.arange(shape.steps) / shape.steps)
    noise = random.standard_normal((shape.steps, shape.tags), dtype=np.float32)
    value = falling[:, None].astype(np.float32) + np.float32(0.05) * noise
    return Curves(step, wall, np.asarray(value, np.float32))


def tag_names(count: int) -> list[str]:
    """Name tags, all of one length, so that their records are too."""
    width = len(str(count - 1))
    return [f"train/metric_{number:0{width}}" for number in range(count)]


def run_name(number: int) -> str:
    """Name a run of a generated logdir."""
    return f"run_{number:05}"


def file_name(run: int, number: int = 0) -> str:
    """Name a file of a run as TensorBoard's writers do."""
    return f"events.out.tfevents.{int(BEGAN) + run + number}.host.{run}.{number}"


def first_record(wall: float) -> bytes:
    """Frame what every event file begins with."""
    source = SourceMetadata(writer=b"tensorboard.summary.writer.event_file_writer")
    event = Event(wall_time=wall, file_version=b"brain.Event:2", source_metadata=source)
    return encode_frame(event.SerializeToString())


def write_scalars(logdir: Path, shape: Scalars) -> Written:
    """Write the logdir."""
    octets = 0
    for run in range(shape.runs):
        folder = logdir / run_name(run)
        folder.mkdir(parents=True)
        logged = curves(shape, run)
        for number, steps in enumerate(_shares(shape)):
            with (folder / file_name(run, number)).open("wb") as file:
                octets += file.write(first_record(float(logged.wall[steps.start, 0])))
                for chunk in _chunks(logged, shape, steps):
                    octets += file.write(chunk)
    events = shape.runs * shape.steps * (1 if shape.form == "many" else shape.tags)
    return Written(events, shape.points, octets, shape.runs * shape.files)


def records_by_step(shape: Scalars, run: int) -> Iterator[bytes]:
    """Give what a run appends at each step, for a logdir that grows; without the first record."""
    logged = curves(shape, run)
    for at, width in enumerate(_varint_widths(logged.step).tolist()):
        yield bytes(_records(logged, shape, width, slice(at, at + 1)))


def _shares(shape: Scalars) -> Iterator[range]:
    """Part the steps of a run among its files."""
    cuts = [number * shape.steps // shape.files for number in range(shape.files + 1)]
    return (range(*cut) for cut in pairwise(cuts))


def _chunks(logged: Curves, shape: Scalars, steps: range) -> Iterator[memoryview]:
    """Give the frames of some steps, in pieces of one length of step each."""
    at_once = max(1, ROWS_AT_ONCE // shape.tags)
    widths = _varint_widths(logged.step)
    start = steps.start
    while start < steps.stop:
        width = int(widths[start])
        same = int(np.searchsorted(widths, width, side="right"))
        end = min(start + at_once, same, steps.stop)
        yield _records(logged, shape, width, slice(start, end))
        start = end


def _records(logged: Curves, shape: Scalars, width: int, steps: slice) -> memoryview:
    """Fill the templates with some steps whose varints are `width` bytes long."""
    mould = _mould(shape.form, shape.tags, width)
    wall, value = logged.wall[steps], logged.value[steps]
    count, columns = wall.shape
    rows = np.empty((count, columns, mould.frames.shape[1]), np.uint8)
    rows[:] = mould.frames
    holes = [_fill(rows, mould.wall_at, np.ascontiguousarray(wall)[:, :, None])]
    if width:
        digits = varints(logged.step[steps], width)
        holes.append(_put(rows, mould.step_at, digits[:, None, :]))
    each = value.reshape(count, columns, -1)
    holes += [
        _fill(rows, at, np.ascontiguousarray(each[:, :, [number]]))
        for number, at in enumerate(mould.values_at)
    ]
    _seal(rows, mould, holes)
    return rows.data.cast("B")


def _fill(rows: Octets, at: int, numbers: NDArray[Any]) -> tuple[int, Octets]:
    return _put(rows, at, numbers.view(np.uint8))


def _put(rows: Octets, at: int, octets: Octets) -> tuple[int, Octets]:
    rows[:, :, at : at + octets.shape[2]] = octets
    return at, octets


def _seal(rows: Octets, mould: _Mould, holes: list[tuple[int, Octets]]) -> None:
    """Write each record's checksum."""
    end = rows.shape[2] - FOOTER_BYTES
    tables = _tables(end)
    crc = np.broadcast_to(mould.crc, rows.shape[:2]).copy()
    for at, octets in holes:
        mended = np.zeros(octets.shape[:2], np.uint32)
        for number in range(octets.shape[2]):
            mended ^= tables[end - at - number].take(octets[:, :, number])
        crc ^= mended
    masked = ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(MASK_DELTA)
    rows[:, :, end:] = masked[:, :, None].view(np.uint8)


@dataclass(frozen=True, slots=True)
class _Mould:
    """Records with zeros where wall time, step and values go, a row a tag or one for all."""

    frames: Octets
    crc: NDArray[np.uint32]
    """Of each payload with its zeros, not masked."""
    wall_at: int
    step_at: int
    values_at: tuple[int, ...]


@cache
def _mould(form: Form, tags: int, width: int) -> _Mould:
    names = tag_names(tags)
    step = smallest_step(width)
    events = [names] if form == "many" else [[name] for name in names]
    payloads = [
        Event(
            wall_time=1.0, step=step, summary=Summary(value=[_value(form, name) for name in each])
        ).SerializeToString()
        for each in events
    ]
    values_at = tuple(_places(payloads[0], HOLE))
    empty = [bytearray(payload) for payload in payloads]
    for payload in empty:
        payload[1:9] = bytes(8)
        payload[10 : 10 + width] = bytes(width)
        for at in values_at:
            payload[at : at + 4] = bytes(4)
    return _Mould(
        frames=np.stack(
            [np.frombuffer(encode_frame(bytes(payload)), np.uint8) for payload in empty]
        ),
        crc=np.array([google_crc32c.value(bytes(payload)) for payload in empty], np.uint32),
        wall_at=HEADER_BYTES + 1,
        step_at=HEADER_BYTES + 10,
        values_at=tuple(HEADER_BYTES + at for at in values_at),
    )


def _value(form: Form, name: str) -> Summary.Value:
    tag = name.encode()
    if form in ("simple", "many"):
        return Summary.Value(tag=tag, simple_value=FLOAT)
    tensor = TensorProto(dtype="DT_FLOAT", tensor_shape={})
    if form == "content":
        tensor.tensor_content = HOLE
    else:
        tensor.float_val.append(FLOAT)
    return Summary.Value(
        tag=tag, tensor=tensor, metadata={"plugin_data": {"plugin_name": b"scalars"}}
    )


def _places(data: bytes, wanted: bytes) -> Iterator[int]:
    at = data.find(wanted)
    while at >= 0:
        yield at
        at = data.find(wanted, at + 1)


def _varint_widths(steps: NDArray[np.int64]) -> NDArray[np.int64]:
    limits = np.array([smallest_step(width) for width in range(1, 10)], np.int64)
    return np.searchsorted(limits, steps, side="right")


def varint_width(step: int) -> int:
    """Count the bytes that a step takes; protobuf leaves a 0 out."""
    return -(-step.bit_length() // 7)


def smallest_step(width: int) -> int:
    """Give the smallest step whose varint is that long."""
    return 1 << 7 * (width - 1) if width else 0


def varints(steps: NDArray[np.int64], width: int) -> Octets:
    """Encode steps whose varints are `width` bytes long, a row each."""
    digits = np.empty((len(steps), width), np.uint8)
    for number in range(width):
        more = 0x80 if number + 1 < width else 0
        digits[:, number] = ((steps >> 7 * number) & 0x7F) | more
    return digits


def framed(payloads: Octets) -> Octets:
    """Wrap payloads of one length, a row each, as records."""
    count, length = payloads.shape
    rows = np.empty((count, length + HEADER_BYTES + FOOTER_BYTES), np.uint8)
    header = np.frombuffer(encode_frame(bytes(length)), np.uint8)[:HEADER_BYTES]
    rows[:, :HEADER_BYTES] = header
    rows[:, HEADER_BYTES : HEADER_BYTES + length] = payloads
    crc = np.array([google_crc32c.value(row.tobytes()) for row in payloads], np.uint32)
    masked = ((crc >> np.uint32(15)) | (crc << np.uint32(17))) + np.uint32(MASK_DELTA)
    rows[:, -FOOTER_BYTES:] = masked[:, None].view(np.uint8)
    return rows


@cache
def _tables(most: int) -> NDArray[np.uint32]:
    """Tell what a byte changes in a checksum, by the bytes from there to the end and by itself."""
    tables = np.zeros((most + 1, 256), np.uint32)
    nothing = google_crc32c.value(b"\0")
    tables[1] = [google_crc32c.value(bytes([byte])) ^ nothing for byte in range(256)]
    for place in range(2, most + 1):
        before = tables[place - 1]
        tables[place] = tables[1][before & 0xFF] ^ (before >> 8)
    return tables
