"""A node of a graph without what nobody is shown: the numbers of its constants.

A constant of a gigabyte is a field that is stepped over: its bytes are neither copied nor even
read. What is left is a message of the same kind, of which type, shape and short attributes are
as they were.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import Final, Literal, TypeAlias

__all__ = ["LARGE_NODE", "encoded", "fields", "parts", "put", "thinned", "varint"]

LARGE_NODE: Final = 1 << 16
"""Bytes of a node that is thinned before it is read; a smaller one costs nothing."""
_MOST_LEAF: Final = 4096
"""Bytes of one field that are kept: more than is ever shown."""
_MOST_FIELDS: Final = 20_000
"""Of one message of numbers, which may stand one to a field and be millions."""
_MOST_PARTS: Final = 1_000_000
"""Of a node: inputs and attributes."""

Message: TypeAlias = Literal["node", "entry", "attr", "list", "tensor"]

_INSIDE: Final[Mapping[Message, Mapping[int, Message]]] = {
    "node": {5: "entry"},
    "entry": {2: "attr"},
    "attr": {1: "list", 8: "tensor"},
    "list": {8: "tensor"},
    "tensor": {},
}
_TEXTS: Final[Mapping[Message, frozenset[int]]] = {
    "node": frozenset((1, 2, 3, 4)),
    "entry": frozenset((1,)),
    "attr": frozenset((2, 9)),
    "list": frozenset((2,)),
    "tensor": frozenset(),
}
"""Fields that are text, of which the beginning says something."""


def thinned(message: memoryview, kind: Message = "node") -> bytes:
    """Return a message without its long fields; what cannot be read ends it.

    Raises:
        ValueError: the message is not one.
    """
    kept = bytearray()
    most = _MOST_PARTS if kind == "node" else _MOST_FIELDS
    for number, wire, begun, body, end in islice(fields(message), most):
        inside = _INSIDE[kind].get(number)
        if wire != 2 or end - body <= _MOST_LEAF:
            kept += message[begun:end]
        elif inside is not None:
            put(kept, number, thinned(message[body:end], inside))
        elif number in _TEXTS[kind]:
            put(kept, number, _beginning(message[body:end]))
    return bytes(kept)


def fields(message: memoryview, at: int = 0) -> Iterator[tuple[int, int, int, int, int]]:
    """Walk the fields of a message from `at` on: number, wire type, and where the field, its body
    and what follows begin.

    Raises:
        ValueError: where it stops to be a message.
    """
    size = len(message)
    while at < size:
        begun = at
        key = message[at]
        if key < 128:
            at += 1
        else:
            key, at = varint(message, at)
        number, wire = key >> 3, key & 7
        body = at
        if wire == 2:
            length, body = varint(message, at)
            at = body + length
        elif wire == 0:
            _, at = varint(message, at)
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"wire type {wire}")
        if at > size or number == 0:
            raise ValueError("a field that ends beyond its message")
        yield number, wire, begun, body, at


def parts(
    data: memoryview, tell: Callable[[str], None] | None, what: str, start: int = 0
) -> Iterator[tuple[int, memoryview]]:
    """Walk the fields of a message that have a length, and say where it stops to be one."""
    at, end = start, len(data)
    try:
        for number, wire, _, body, at in fields(data, start):
            if wire == 2:
                yield number, data[body:at]
    except ValueError:
        rest = end - at
        if tell is not None:
            tell(f"{what} cannot be read from byte {at} on: {rest} of {end} bytes are left out.")


def varint(data: memoryview, at: int) -> tuple[int, int]:
    """Read a number of variable length, and where it ends.

    Raises:
        ValueError: there is none.
    """
    if at < len(data) and data[at] < 128:
        return data[at], at + 1
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise ValueError("a number without an end")


def _beginning(text: memoryview) -> bytes:
    """Cut a text, between two characters, and say how long it was."""
    head = text[:_MOST_LEAF].tobytes().decode("utf-8", "ignore")
    return f"{head}… {len(text)} bytes in all".encode()


def put(into: bytearray, number: int, body: bytes | bytearray | memoryview) -> None:
    """Write a field that has a length."""
    into += encoded(number << 3 | 2) + encoded(len(body)) + body


def encoded(number: int) -> bytes:
    """Write a number of variable length."""
    out = bytearray()
    while number > 127:
        out.append(number & 127 | 128)
        number >>= 7
    out.append(number)
    return bytes(out)
