"""Any value as 16 octets that stand for all that it says. Pure.

They are stored of points that were thinned, to prove that nothing else is missing: what a
value hashes to must never change.
"""

from __future__ import annotations

import hashlib
import struct
from array import array
from collections.abc import Iterable, Sequence
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.series import StoredMedia, StoredValue
from orgboard_schema.types import ProtoHistogram, Tensor, TensorHistogram

__all__ = ["DIGEST", "Digests", "value_digests"]

DIGEST: Final = np.dtype("V16")

Digests: TypeAlias = npt.NDArray[np.void]

_LENGTH: Final = struct.Struct("<q").pack


def value_digests(values: Iterable[StoredValue]) -> Digests:
    """Return the digest of each value."""
    digests = [hashlib.blake2b(_octets(value), digest_size=16).digest() for value in values]
    return np.frombuffer(b"".join(digests), DIGEST)


def _octets(value: StoredValue) -> bytes:
    """Return all that a value says, in a form that no other value has."""
    if isinstance(value, ProtoHistogram):
        moments = (value.min, value.max, value.num, value.sum, value.sum_squares)
        return _joined(b"proto", *map(_doubles, (moments, value.limits, value.counts)))
    if isinstance(value, TensorHistogram):
        rows = _doubles([number for row in value.buckets for number in row])
        return _joined(b"buckets", value.dtype.encode(), rows)
    if isinstance(value, Tensor):
        shape = array("q", value.shape).tobytes()
        data = value.data if isinstance(value.data, bytes) else _joined(*value.data)
        worded = b"words" if isinstance(value.data, tuple) else b"numbers"
        return _joined(worded, value.dtype.encode(), shape, data)
    return _media_octets(value)


def _media_octets(value: StoredMedia) -> bytes:
    given = repr((value.width, value.height)).encode()
    rate = b"" if value.sample_rate is None else struct.pack("<d", value.sample_rate)
    blobs = [
        _joined(
            blob.sha256,
            struct.pack("<q", blob.size),
            _text(blob.media_type),
            _text(blob.label),
        )
        for blob in value.blobs
    ]
    return _joined(b"media", given, rate, *blobs)


def _doubles(numbers: Sequence[float]) -> bytes:
    return array("d", numbers).tobytes()


def _text(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _joined(*parts: bytes) -> bytes:
    # A length before each part: no two rows of parts run together the same.
    return b"".join([octets for part in parts for octets in (_LENGTH(len(part)), part)])
