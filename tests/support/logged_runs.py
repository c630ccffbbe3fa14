"""What a run's event files hold, read strictly, apart from the product's reader."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from google.protobuf.message import DecodeError

from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.frames import FOOTER, FOOTER_BYTES, HEADER, HEADER_BYTES, masked_crc
from orgboard_schema.wire.summary_pb2 import Summary

__all__ = ["Logged", "event_files", "events", "has_ended", "scalars", "summaries", "whole_records"]


class Logged(NamedTuple):
    """One logged scalar."""

    tag: str
    step: int
    value: float


def event_files(directory: Path) -> list[Path]:
    """List the event files of one run, in the order of their making by one process."""
    found = (path for path in directory.iterdir() if "tfevents" in path.name)
    return sorted(found, key=_order)


def whole_records(data: bytes) -> tuple[list[bytes], int]:
    """Split into payloads up to the end or a torn record, and give how many bytes they took.

    Raises:
        AssertionError: a checksum is wrong.
    """
    payloads: list[bytes] = []
    offset = 0
    while len(data) - offset >= HEADER_BYTES:
        length, header_crc = HEADER.unpack_from(data, offset)
        assert header_crc == masked_crc(data[offset : offset + 8])
        end = offset + HEADER_BYTES + length
        if end + FOOTER_BYTES > len(data):
            break
        payload = data[offset + HEADER_BYTES : end]
        assert FOOTER.unpack_from(data, end)[0] == masked_crc(payload)
        payloads.append(payload)
        offset = end + FOOTER_BYTES
    return payloads, offset


def events(directory: Path, *, torn_allowed: bool = False) -> list[Event]:
    """Read all events of one run. A file that ends in the middle of a record fails the test."""
    read: list[Event] = []
    for path in event_files(directory):
        data = path.read_bytes()
        payloads, end = whole_records(data)
        assert torn_allowed or end == len(data), f"{path.name} ends in the middle of a record"
        read.extend(map(_parse, payloads))
    return read


def summaries(directory: Path) -> list[tuple[Event, Summary.Value]]:
    """Read all values of one run, each with its event."""
    return [(event, value) for event in events(directory) for value in event.summary.value]


def scalars(directory: Path, *, torn_allowed: bool = False) -> list[Logged]:
    """Read the float32 scalars of one run, in file order."""
    return [
        Logged(value.tag.decode(), event.step, value.simple_value)
        for event in events(directory, torn_allowed=torn_allowed)
        for value in event.summary.value
        if value.HasField("simple_value")
    ]


def has_ended(directory: Path) -> bool:
    """Tell whether the last thing in a run's files is that it ended."""
    last = events(directory, torn_allowed=True)[-1:]
    return [event.session_log.status for event in last] == [SessionLog.STOP]


def _order(path: Path) -> tuple[int, ...]:
    # events.out.tfevents.<seconds>.<host>.<pid>.<number>; a host's name may hold dots.
    numbers = [int(part) for part in path.name.split(".") if part.isdecimal()]
    return (numbers[0], *numbers[-2:])


def _parse(payload: bytes) -> Event:
    try:
        return Event.FromString(payload)
    except DecodeError as error:
        raise AssertionError(f"not an event: {payload[:60]!r}") from error
