"""The binary answer of the scalars endpoint: a JSON header, then columns as they lie in memory.

    ┌───────────────┬──────────────────────────────┬─────────┬─────────┬───
    │ header length │ header: JSON, UTF-8, padded  │ column  │ column  │ …
    │ u32           │ with blanks to 8 bytes       │ aligned to 8 bytes
    └───────────────┴──────────────────────────────┴─────────┴─────────┴───

All little-endian. The header's length counts the blanks; the four bytes of the length
and the header together end on a multiple of 8, so that a browser can lay typed arrays
over the buffer. A column is named by `{"offset", "count", "dtype"}`, the offset counted
from the end of the header. Equal columns are written once: twenty runs that log at the
same steps share one.
"""

from __future__ import annotations

import json
import struct
from typing import Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

__all__ = ["ColumnRef", "Columns", "column", "decode", "encode"]

_ALIGN: Final = 8
_LENGTH: Final = struct.Struct("<I")


Floats = NDArray[np.float32] | NDArray[np.float64]


class ColumnRef(TypedDict):
    """Where a column lies."""

    offset: int
    count: int
    dtype: str


class Columns:
    """Columns waiting to be sent. `add` returns the reference to put into the header."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._end = 0
        self._known: dict[tuple[str, bytes], ColumnRef] = {}

    def add(self, values: Floats) -> ColumnRef:
        """Take a column of float32 or float64, bit for bit."""
        dtype = f"f{values.dtype.itemsize}"
        data = values.astype(f"<{dtype}", copy=False).tobytes()
        known = self._known.get((dtype, data))
        if known is not None:
            return known
        ref = ColumnRef(offset=self._end, count=values.size, dtype=dtype)
        self._known[dtype, data] = ref
        padded = data + b"\0" * (-len(data) % _ALIGN)
        self._parts.append(padded)
        self._end += len(padded)
        return ref

    def data(self) -> bytes:
        """Return all columns as one piece."""
        return b"".join(self._parts)


def encode(header: dict[str, Any], columns: Columns) -> bytes:
    """Return one answer. `header` holds no number that JSON has not: no NaN, no infinity."""
    text = json.dumps(header, allow_nan=False, separators=(",", ":")).encode()
    text += b" " * (-(len(text) + _LENGTH.size) % _ALIGN)
    return _LENGTH.pack(len(text)) + text + columns.data()


def decode(answer: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the header, and the bytes that its offsets count in. The twin of the browser's.

    Raises:
        ValueError: when `answer` is not one.
    """
    if len(answer) < _LENGTH.size:
        raise ValueError("the answer is shorter than its header's length")
    (length,) = _LENGTH.unpack_from(answer)
    end = _LENGTH.size + length
    if end > len(answer):
        raise ValueError(f"the header ends at {end}, the answer at {len(answer)}")
    header = json.loads(answer[_LENGTH.size : end])
    return header, memoryview(answer)[end:]


def column(ref: ColumnRef, data: memoryview) -> Floats:
    """Return the column that `ref` names."""
    if ref["dtype"] == "f4":
        return np.frombuffer(data, np.dtype("<f4"), ref["count"], ref["offset"])
    return np.frombuffer(data, np.dtype("<f8"), ref["count"], ref["offset"])
