"""A dictionary of values as one event: what `log` was given, sorted and encoded."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from itertools import chain
from struct import Struct, unpack
from typing import Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._kinds.text import text_value
from orgboard._values.arrays import to_float
from orgboard._values.late import Late, settle

__all__ = ["FEW", "Logged", "logged_body", "packed_body", "packer"]

FEW: Final = 64
"""Values that one call may bring without being counted in bytes: this many are soon written."""


def packer(tags: tuple[str, ...]) -> Callable[..., bytes]:
    """Give what turns a number for each tag into float32.

    It raises OverflowError for what is too large for that.
    """
    return Struct(f"<{len(tags)}f").pack


class Logged(NamedTuple):
    """The numbers and the texts of one call."""

    numbers: list[tuple[str, float | Late]]
    texts: list[tuple[str, str]]


def packed_body(_tag: str, logged: tuple[tuple[str, ...], bytes]) -> bytes:
    """Encode the body of an event with scalars: their tags, and their packed float32 in a row."""
    names, packed = logged
    numbers = unpack("4s" * len(names), packed)
    return pb.blob(5, b"".join(chain.from_iterable(zip(_befores(names), numbers, strict=True))))


def logged_body(_tag: str, logged: Logged) -> bytes:
    """Encode the body of an event with these scalars and texts."""
    texts = [text_value(f"{name}/text_summary", content) for name, content in logged.texts]
    return pb.blob(5, _scalar_values(logged.numbers) + b"".join(pb.blob(1, each) for each in texts))


def _scalar_values(numbers: Iterable[tuple[str, float | Late]]) -> bytes:
    return b"".join([_before(tag) + pb.pack_float(_settled(value)) for tag, value in numbers])


def _settled(value: float | Late) -> float:
    return to_float(settle(value)) if isinstance(value, Late) else value


@lru_cache(1024)
def _befores(tags: tuple[str, ...]) -> tuple[bytes, ...]:
    return tuple(map(_before, tags))


@lru_cache(65_536)
def _before(tag: str) -> bytes:
    """Encode a summary's scalar value up to its number. The same tags come again and again."""
    return pb.blob(1, pb.text(1, tag) + pb.float32(2, 0.0))[:-4]
