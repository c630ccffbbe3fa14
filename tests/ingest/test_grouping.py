"""The compiled core groups a batch as numpy does, and says of each piece what its points say."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_ingest import stage as staging
from orgboard_ingest.stage import Piece, Staged, stage
from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.core.library import load_core
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.reader import read
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import event_file, scalar_event, value_event
from support.lacking import lack

_steps = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 5)
_walls = st.floats()
_floats = st.binary(min_size=4, max_size=4).map(lambda bits: struct.unpack("<f", bits)[0])
_tags = st.sampled_from(["a", "b", "c"])


def _double(tag: str, step: int, value: float, wall: float) -> Event:
    tensor = TensorProto(dtype=2, double_val=[value])  # type: ignore[arg-type] # an enum's number
    plugin = SummaryMetadata.PluginData(plugin_name=b"scalars")
    metadata = SummaryMetadata(plugin_data=plugin)
    return value_event(
        Summary.Value(tag=tag.encode(), tensor=tensor, metadata=metadata), step, wall
    )


def _start(step: int) -> Event:
    return Event(wall_time=1.0, step=step, session_log=SessionLog(status=SessionLog.START))


def _histogram(tag: str, step: int) -> Event:
    value = Summary.Value(tag=tag.encode())
    value.histo.num = 1.0
    return value_event(value, step)


_events = st.one_of(
    st.builds(scalar_event, _tags, _steps, _floats, _walls),
    st.builds(scalar_event, _tags, _steps, _floats, _walls),
    st.builds(_double, _tags, _steps, st.floats(), _walls),
    st.builds(_start, _steps),
    st.builds(_histogram, _tags, _steps),
)


@given(st.lists(_events, max_size=40))
def test_any_batch_is_grouped_the_same(events: list[Event]) -> None:
    compiled, plain = _both(events)

    assert list(map(_told, compiled.pieces)) == list(map(_told, plain.pieces))
    assert (compiled.starts, compiled.metadata) == (plain.starts, plain.metadata)
    for piece in compiled.pieces:
        if isinstance(piece.series, ScalarSeries):
            assert repr(piece.series.extent) == repr(_extent(piece.series))


def test_more_restarts_times_tags_than_points_are_grouped_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(staging, "MOST_COUNTS", 10)
    events = [
        event for number in range(30) for event in (_start(number), scalar_event(f"{number}", 1, 1))
    ]

    compiled, plain = _both(events)

    assert len(list(compiled.pieces)) == 30
    assert list(map(_told, compiled.pieces)) == list(map(_told, plain.pieces))


def _both(events: list[Event]) -> tuple[Staged, Staged]:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    batch = read(event_file(*events), 0, {})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(staging, "load_core", lambda: None)
        plain = stage(batch)
    return stage(batch), plain


def _told(piece: Piece) -> tuple[object, ...]:
    series = piece.series
    others = (series.value,) if isinstance(series, ScalarSeries) else ()
    columns: tuple[object, ...] = tuple(
        (column.dtype, column.tobytes()) for column in (series.step, series.wall, *others)
    )
    if not isinstance(series, ScalarSeries):
        columns = (*columns, tuple(series.values))
    return (piece.section, piece.tag, piece.kind, piece.first, piece.low, piece.high, *columns)


def _extent(series: ScalarSeries) -> tuple[object, ...]:
    with np.errstate(invalid="ignore"):
        rows = list(
            zip(
                series.step.tolist(),
                series.wall.tolist(),
                series.value.astype(np.float64).tolist(),
                strict=True,
            )
        )
    low, high = min(row[0] for row in rows), max(row[0] for row in rows)
    first = next(row for row in rows if row[0] == low)
    last = next(row for row in reversed(rows) if row[0] == high)
    finite = [row[2] for row in rows if math.isfinite(row[2])]
    least = min(finite, default=math.nan)
    most = max(finite, default=math.nan)
    return (low, high, first[1], last[1], last[2], least, most)
