"""Values that the core took in reach the database as those that protobuf parsed would."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_ingest.stage import Staged, stage
from orgboard_schema.blocks import ScalarSeries
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.core.library import load_core
from orgboard_schema.wire import reader
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.summary_pb2 import Summary
from support.event_files import bits_of, event_file, scalar_event, value_event
from support.lacking import lack
from support.wire_values import other_values

_steps = st.integers(-(2**63), 2**63 - 1) | st.integers(-2, 5)
_others = other_values(st.sampled_from([b"a", b"bb", b"ccc"]))


def _start(step: int) -> Event:
    return Event(wall_time=1.0, step=step, session_log=SessionLog(status=SessionLog.START))


_events = st.one_of(
    st.builds(value_event, _others, _steps, st.floats()),
    st.builds(value_event, _others, _steps, st.floats()),
    st.builds(scalar_event, st.sampled_from(["a", "s"]), _steps, st.floats(width=32)),
    st.builds(_start, _steps),
)


@given(st.lists(_events, max_size=40))
def test_any_batch_is_staged_the_same(events: list[Event]) -> None:
    compiled, plain = (_staged(events, core=core) for core in (True, False))

    assert _told(compiled) == _told(plain)
    assert (compiled.starts, compiled.metadata) == (plain.starts, plain.metadata)


def test_a_series_of_histograms_is_columns_that_share_their_edges() -> None:
    value = Summary.Value(tag=b"h")
    value.histo.bucket_limit[:], value.histo.bucket[:] = [0.0, 1.0], [1.0, 2.0]

    (piece,) = _staged([value_event(value, step) for step in range(9)], core=True).pieces

    assert not isinstance(piece.series, ScalarSeries)
    columns = piece.series.values
    assert isinstance(columns, ProtoHistograms)
    assert len(columns) == 9
    assert len(columns.limits) == 1


def test_edges_are_shared_only_where_they_are_the_same_to_the_bit() -> None:
    edges = [(0.0, 1.0), (0.0, 1.0, 2.0), (0.0,), (-0.0, 1.0), (0.0, 1.0), (), (0.0, 1.0)]
    events = []
    for limits in edges:
        value = Summary.Value(tag=b"h")
        value.histo.bucket_limit[:], value.histo.bucket[:] = limits, limits
        events.append(value_event(value))

    compiled, plain = (_staged(events, core=core) for core in (True, False))

    assert _told(compiled) == _told(plain)


def _staged(events: list[Event], *, core: bool) -> Staged:
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "load_core", load_core if core else lambda: None)
        return stage(reader.read(event_file(*events), 0, {}))


def _told(staged: Staged) -> list[object]:
    told: list[object] = []
    for piece in staged.pieces:
        series = piece.series
        values = (
            tuple(series.value.tolist())
            if isinstance(series, ScalarSeries)
            else tuple(series.values)
        )
        steps, walls = tuple(series.step.tolist()), tuple(series.wall.tolist())
        assert (piece.first, piece.low, piece.high) == (steps[0], min(steps), max(steps))
        told.append((piece.section, piece.tag, piece.kind, *bits_of((steps, walls, tuple(values)))))
    return told
