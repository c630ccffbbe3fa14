"""An ONNX node's attribute as text, in the words in which protobuf's Python prints it.

torch's and tensorboardX's writers print an attribute's fields in the order of their numbers,
joined by ` = `: `axis = 1 = 2` is the integer 1, and 2 says that it is one.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import chain
from struct import iter_unpack, pack
from typing import Any, Final, TypeAlias

from orgboard_schema.onnx.fields import LENGTH, Field, fields

__all__ = ["LARGE_BYTES", "LARGE_CONSTANT", "describe_attribute"]

LARGE_BYTES: Final = 1 << 16
"""An attribute with more is a model's weights, not its structure; nobody reads it in a graph."""

LARGE_CONSTANT: Final = "(large constant)"
"""Stands where a constant was left out."""

SHOWN_BYTES: Final = 1 << 12
"""A constant that is larger is not looked at in a graph."""

MOST_READ_BYTES: Final = 4 * LARGE_BYTES
"""Of numbers and texts: eleven bytes are at least four characters, so that what has more is longer
than is kept, once it is printed."""

_Reader: TypeAlias = Callable[[Field], Iterator[Any]]


def describe_attribute(attribute: memoryview) -> str | None:
    """Print an AttributeProto; None where that is longer than `LARGE_BYTES` for sure."""
    found: defaultdict[int, list[Any]] = defaultdict(list)
    read = 0
    for field in fields(attribute):
        read += 2
        if field.number not in _NOT_PRINTED and isinstance(field.value, memoryview):
            read += len(field.value)
        if read > MOST_READ_BYTES:
            return None
        reader = _ATTRIBUTE.get(field.number)
        if reader is not None:
            found[field.number].extend(reader(field))
    return " = ".join(
        str(found[number] if number in _REPEATED else found[number][-1])
        for number in sorted(found)
        if found[number]
    )


def _text(field: Field) -> Iterator[str]:
    yield field.text()


def _bytes(field: Field) -> Iterator[bytes]:
    yield bytes(field.blob())


def _wholes(field: Field) -> Iterator[int]:
    """Read one integer, or many that are packed."""
    if field.wire_type != LENGTH:
        yield field.whole()
        return
    packed = memoryview(b"".join(_keyed(field.blob())))
    yield from (each.whole() for each in fields(packed))


def _keyed(packed: memoryview) -> Iterator[bytes]:
    """Give each packed integer the key of a field, so that one reader serves for both."""
    start = 0
    for at, byte in enumerate(packed):
        if byte < 0x80:
            yield b"\x08" + packed[start : at + 1]
            start = at + 1
    if start != len(packed):
        raise ValueError("a number has no end")


def _floats(field: Field) -> Iterator[float]:
    return _numbers(field, "f")


def _doubles(field: Field) -> Iterator[float]:
    return _numbers(field, "d")


def _numbers(field: Field, form: str) -> Iterator[float]:
    width = 4 if form == "f" else 8
    packed = field.blob() if field.wire_type == LENGTH else pack(_bits(width), field.value)
    if len(packed) % width:
        raise ValueError("a number has no end")
    return chain.from_iterable(iter_unpack(f"<{form}", packed))


def _bits(width: int) -> str:
    return "<I" if width == 4 else "<Q"


def _tensor(field: Field) -> Iterator[str]:
    message = field.blob()
    if len(message) > SHOWN_BYTES:
        yield LARGE_CONSTANT
        return
    lines: list[tuple[int, str]] = []
    for part in fields(message):
        name, reader, show = _TENSOR.get(part.number, ("", _bytes, str))
        if name:
            lines += [(part.number, f"{name}: {show(value)}\n") for value in reader(part)]
    yield "".join(line for _, line in sorted(lines, key=lambda line: line[0]))


def _inner(name: str) -> _Reader:
    """Make what stands for a graph or a type inside of a node: it is not drawn."""

    def stand_in(_field: Field) -> Iterator[str]:
        yield f"({name})"

    return stand_in


def _short_float(value: float) -> str:
    short = f"{value:.6g}"
    return short if _narrow(float(short)) == _narrow(value) else f"{value:.9g}"


def _narrow(value: float) -> bytes:
    try:
        return pack("<f", value)
    except OverflowError:
        return pack("<f", float("inf") if value > 0 else float("-inf"))


def _short_double(value: float) -> str:
    short = f"{value:.15g}"
    return short if float(short) == value else f"{value:.17g}"


_ESCAPES: Final = {9: "\\t", 10: "\\n", 13: "\\r", 34: '\\"', 39: "\\'", 92: "\\\\"}


def _quoted(value: bytes) -> str:
    shown = (
        _ESCAPES.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in value
    )
    return f'"{"".join(shown)}"'


def _quoted_text(value: str) -> str:
    return f'"{"".join(map(_character, value))}"'


def _character(each: str) -> str:
    is_control = each < " " or each == "\x7f"
    return _ESCAPES.get(ord(each)) or (f"\\{ord(each):03o}" if is_control else each)


_ATTRIBUTE: Final[dict[int, _Reader]] = {
    1: _text,  # name
    2: _floats,  # f
    3: _wholes,  # i
    4: _bytes,  # s
    5: _tensor,  # t
    6: _inner("graph"),
    7: _floats,
    8: _wholes,
    9: _bytes,
    10: _tensor,
    11: _inner("graph"),
    13: _text,  # doc_string
    14: _inner("type"),
    15: _inner("type"),
    20: _wholes,  # which of these it is
    21: _text,  # ref_attr_name
    22: _inner("sparse tensor"),
    23: _inner("sparse tensor"),
}

_NOT_PRINTED: Final = frozenset({5, 6, 10, 11, 14, 15, 22, 23})
"""Messages, for which something short stands."""

_REPEATED: Final = frozenset({7, 8, 9, 10, 11, 15, 23})

_TENSOR: Final[dict[int, tuple[str, _Reader, Callable[[Any], str]]]] = {
    1: ("dims", _wholes, str),
    2: ("data_type", _wholes, str),
    4: ("float_data", _floats, _short_float),
    5: ("int32_data", _wholes, str),
    6: ("string_data", _bytes, _quoted),
    7: ("int64_data", _wholes, str),
    8: ("name", _text, _quoted_text),
    9: ("raw_data", _bytes, _quoted),
    10: ("double_data", _doubles, _short_double),
    11: ("uint64_data", _wholes, lambda value: str(value % (1 << 64))),
    12: ("doc_string", _text, _quoted_text),
}
