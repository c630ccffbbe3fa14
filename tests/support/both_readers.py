"""Read by the compiled core and without it, and compare the batches to the bit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from orgboard_schema.core.library import load_core
from orgboard_schema.types import Metadata
from orgboard_schema.wire import gathering, reader
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import Summary
from support.event_files import event_file, laid_out, value_event
from support.lacking import lack

__all__ = ["need_core", "read_by_both", "read_counting"]


def need_core() -> None:
    """Skip a test where there is no compiled core."""
    if load_core() is None:
        lack("no compiled core: there was no C compiler at the installation")


def read_by_both(data: bytes, remembered: Mapping[str, Metadata]) -> Batch:
    """Return the batch that the core gives, after checking that Python gives the same."""
    need_core()
    both: list[Batch] = []
    for find in (load_core, lambda: None):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(reader, "load_core", find)
            both.append(reader.read(data, 0, remembered, final=True))
    compiled, plain = both
    assert laid_out([compiled]) == laid_out([plain])
    for batch in both:
        assert len(batch.scalars.order) == len(batch.scalars.tag)
    assert _rest(compiled) == _rest(plain)
    return compiled


def read_counting(values: Sequence[Summary.Value]) -> tuple[Batch, int]:
    """Read a file of these values by the core, and count the records that protobuf parsed."""
    parsed: list[bytes] = []
    original = Event.FromString

    class Counted:
        @staticmethod
        def FromString(payload: bytes) -> Event:  # noqa: N802 # protobuf's name
            parsed.append(payload)
            return original(payload)

    need_core()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gathering, "Event", Counted)
        patch.setattr(reader, "load_core", load_core)
        batch = reader.read(event_file(*map(value_event, values)), 0, {})
    return batch, len(parsed)


def _rest(batch: Batch) -> tuple[object, ...]:
    return (
        batch.scalars.tags,
        batch.scalars.metadata,
        [order for order, _ in batch.points],
        len(batch.points),
        batch.gaps,
        batch.records,
        batch.first_wall,
        batch.last_wall,
        batch.end,
        batch.pending,
        batch.file_version,
        batch.source_writer,
    )
