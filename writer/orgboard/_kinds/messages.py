"""Events and summaries that a caller made as protobuf messages, of whatever package."""

from __future__ import annotations

from typing import Any, NamedTuple

from orgboard._encoding import protobuf as pb

__all__ = ["Given", "read_event", "run_metadata_body", "serialised", "summary_message_body"]


class Given(NamedTuple):
    """An event that was given: its step, and all of it but step and time."""

    step: int
    body: bytes


def serialised(message: Any) -> bytes:
    """Give a message's bytes. What is bytes already is taken as a message's.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(message, (bytes, bytearray, memoryview)):
        return bytes(message)
    if not callable(getattr(message, "SerializeToString", None)):
        raise TypeError(f"expected a protobuf message or its bytes, got {type(message).__name__}")
    return bytes(message.SerializeToString())


def read_event(message: bytes) -> Given:
    """Read a serialised Event.

    Raises:
        ValueError: it is no Event.
    """
    from google.protobuf.message import DecodeError

    from orgboard_schema.wire.event_pb2 import Event

    try:
        event = Event.FromString(message)
    except DecodeError as error:
        raise ValueError("these bytes are no Event") from error
    step = event.step
    event.ClearField("step")
    event.ClearField("wall_time")
    return Given(step, event.SerializeToString())


def summary_message_body(_tag: str, message: bytes) -> bytes:
    """Encode the body of an Event that holds a serialised Summary.

    Raises:
        ValueError: it is no Summary.
    """
    from google.protobuf.message import DecodeError

    from orgboard_schema.wire.summary_pb2 import Summary

    try:
        Summary.FromString(message)
    except DecodeError as error:
        raise ValueError("these bytes are no Summary") from error
    return pb.blob(5, message, always=True)


def run_metadata_body(tag: str, run_metadata: bytes) -> bytes:
    """Encode the body of an Event that holds a serialised RunMetadata under a tag."""
    return pb.blob(8, pb.text(1, tag) + pb.blob(2, run_metadata))
