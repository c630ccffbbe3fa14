"""The reader on sound files: whatever the writer was, however the file grows."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.types import Metadata
from orgboard_schema.wire import reader
from orgboard_schema.wire.event_pb2 import Event, SessionLog, SourceMetadata
from orgboard_schema.wire.reader import read, read_file
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto
from support.event_files import (
    event_file,
    laid_out,
    read_whole,
    scalar_event,
    scalars_of,
    value_event,
)

FIRST = Event(
    wall_time=10.0,
    file_version=b"brain.Event:2",
    source_metadata=SourceMetadata(writer=b"a writer"),
)

int64s = st.integers(-(2**63), 2**63 - 1)
tags = st.sampled_from(["a", "loss/train", "é", ""])
values = st.builds(
    lambda tag, number, histogram: (
        Summary.Value(tag=tag.encode(), histo=HistogramProto(num=number))
        if histogram
        else Summary.Value(tag=tag.encode(), simple_value=number)
    ),
    tags,
    st.floats(width=32),
    st.booleans(),
)
summaries = st.builds(
    lambda wall, step, some: Event(wall_time=wall, step=step, summary=Summary(value=some)),
    st.floats(),
    int64s,
    st.lists(values, max_size=3),
)
sessions = st.builds(
    lambda step, status: Event(wall_time=2.0, step=step, session_log=SessionLog(status=status)),
    int64s,
    st.sampled_from([SessionLog.START, SessionLog.STOP, SessionLog.CHECKPOINT]),
)
event_lists = st.lists(st.one_of(summaries, sessions), max_size=12)


@given(event_lists, st.data())
def test_a_cut_file_gives_a_prefix_and_the_rest_when_it_has_grown(
    events: list[Event], data: st.DataObject
) -> None:
    whole = event_file(FIRST, *events)
    cut = data.draw(st.integers(0, len(whole)))

    before = read(whole[:cut], 0, {})
    after = read(whole[before.end :], before.end, {})

    assert before.gaps == after.gaps == ()
    assert after.end == len(whole)
    assert after.pending is None
    assert laid_out([before, after]) == laid_out([read(whole, 0, {})])
    assert before.records + after.records == len(events) + 1


@given(event_lists, st.integers(1, 200))
def test_the_size_of_the_window_changes_nothing(events: list[Event], window: int) -> None:
    whole = event_file(FIRST, *events)

    batches = read_whole(whole, max_bytes=window)

    assert laid_out(batches) == laid_out([read(whole, 0, {})])
    assert batches[-1].end == len(whole)
    assert all(batch.pending is None and not batch.gaps for batch in batches)


def test_a_file_that_grows_byte_by_byte_gives_each_point_once_and_never_a_gap() -> None:
    whole = event_file(FIRST, *(scalar_event("loss", step, step / 4) for step in range(40)))
    batches = []
    offset = 0

    for size in range(len(whole) + 1):
        batch = read_file(io.BytesIO(whole[:size]), offset, {})
        batches.append(batch)
        assert batch.gaps == ()
        assert (batch.pending is None) == (batch.end == size)
        offset = batch.end

    assert scalars_of(batches, "loss") == [(step, 1.5, step / 4) for step in range(40)]


def test_an_empty_file_is_nothing_and_nothing_is_pending() -> None:
    batch = read(b"", 0, {})

    assert (batch.records, batch.end, batch.pending, batch.gaps) == (0, 0, None, ())
    assert batch.first_wall is batch.last_wall is None


def test_who_wrote_the_file_and_when_is_told() -> None:
    late = scalar_event("a", 1, 1.0, wall=30.0)
    early = scalar_event("a", 2, 1.0, wall=20.0)
    unusual = scalar_event("a", 3, 1.0, wall=float("inf"))

    batch = read(event_file(FIRST, late, early, unusual), 0, {})

    assert batch.file_version == "brain.Event:2"
    assert batch.source_writer == "a writer"
    assert (batch.first_wall, batch.last_wall) == (10.0, 30.0)


def test_the_first_finite_time_counts_however_late_it_comes() -> None:
    lost = [scalar_event("a", step, 1.0, wall=float("nan")) for step in range(9)]

    batch = read(event_file(*lost, scalar_event("a", 10, 1.0, wall=5.0)), 0, {})

    assert (batch.first_wall, batch.last_wall) == (5.0, 5.0)


def test_a_file_read_from_within_says_offsets_of_the_file() -> None:
    head = event_file(FIRST)
    whole = head + event_file(scalar_event("a", 1, 1.0))

    batch = read(memoryview(whole)[len(head) :], len(head), {})

    assert (batch.start, batch.end) == (len(head), len(whole))


def test_values_without_metadata_belong_to_what_is_remembered_of_their_tag() -> None:
    tensor = TensorProto(dtype=1, float_val=[2.5])  # type: ignore[arg-type] # an enum's number
    bare = event_file(value_event(Summary.Value(tag=b"a", tensor=tensor)))

    alone = read(bare, 0, {})
    told = read(bare, 0, {"a": Metadata(plugin="scalars")})

    assert [point.kind for _, point in alone.points] == ["tensor"]
    assert scalars_of([told], "a") == [(0, 1.5, 2.5)]


def test_the_first_metadata_of_a_batch_counts_for_the_values_after_it() -> None:
    first = SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(plugin_name=b"scalars"), display_name=b"Loss"
    )
    later = SummaryMetadata(display_name=b"Other")
    tensor = TensorProto(dtype=1, float_val=[2.5])  # type: ignore[arg-type] # an enum's number

    batch = read(
        event_file(
            value_event(Summary.Value(tag=b"a", tensor=tensor, metadata=first)),
            value_event(Summary.Value(tag=b"a", tensor=tensor)),
            value_event(Summary.Value(tag=b"a", tensor=tensor, metadata=later)),
        ),
        0,
        {},
    )

    assert len(batch.scalars.value) == 3
    assert batch.scalars.metadata == (("a", Metadata(plugin="scalars", display_name="Loss")),)


def test_a_tag_that_is_not_utf8_keeps_its_bytes() -> None:
    value = Summary.Value(tag=b"loss\xff", simple_value=1.0)

    batch = read(event_file(value_event(value)), 0, {})

    assert batch.gaps == ()
    assert batch.scalars.tags == ("loss\udcff",)
    assert batch.scalars.tags[0].encode("utf-8", "surrogateescape") == b"loss\xff"


def test_the_obsolete_name_stands_in_for_an_empty_tag() -> None:
    value = Summary.Value(node_name=b"old", simple_value=1.0)

    assert read(event_file(value_event(value)), 0, {}).scalars.tags == ("old",)


def test_small_records_that_unfold_to_much_end_a_batch_early(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(reader, "MAX_GATHERED_BYTES", 3 * 1024)
    texts = [value_event(Summary.Value(tag=b"t"), step) for step in range(20)]
    whole = event_file(*texts)

    batches = read_whole(whole)

    assert len(batches) > 4
    assert [point.step for batch in batches for _, point in batch.points] == list(range(20))
    assert batches[-1].end == len(whole)


def test_a_file_of_nothing_but_damage_is_read_a_thousand_places_at_a_time() -> None:
    """Each may cost much to judge, and other files wait for their turn."""
    junk = b"\x01\x02\x03\x04\xff\xff\xff\xff\xff\xff\xff\xff"
    data = (junk + event_file(scalar_event("loss", 1, 1.0))) * 2500

    batches = read_whole(data, final=True)

    assert [len(batch.gaps) for batch in batches] == [1000, 1000, 500, 0]
    assert sum(len(batch.scalars.tag) for batch in batches) == 2500
