"""A block of any other kind: histograms, tensors, media references, exactly as logged.

Values of different form may share a series (a histogram logged the old way and the new
way); each form is packed by itself, and a column of forms tells their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.columns import Cursor, floats, ints, small_ints, strings
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.blocks.histograms import (
    read_protos,
    read_tensor_histograms,
    write_protos,
    write_tensor_histograms,
)
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.series import BlobRef, Ints, StoredMedia, StoredValue, ValueSeries
from orgboard_schema.blocks.value_columns import ValueColumns
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.types import ProtoHistogram, Tensor, TensorHistogram

__all__ = ["decode_values", "encode_values", "read_values", "write_values"]


def encode_values(series: ValueSeries) -> bytes:
    """Return the payload of a block of values.

    Raises:
        TypeError: A value is of no stored form (`Media` must be put away as `StoredMedia`).
    """
    return pack(write_values(series))


def decode_values(payload: bytes) -> ValueSeries:
    """Return the points of a block of values.

    Raises:
        CorruptBlock: The payload is not what was written.
    """
    return read_values(unpack(payload))


def write_values(series: ValueSeries) -> bytes:
    """Return `series` packed, not yet compressed."""
    if isinstance(series.values, ValueColumns):
        # All of one form: no other has a part.
        number = _COLUMNS[type(series.values)]
        columns = [ints(series.step, delta=True), floats(series.wall)]
        columns.append(ints(np.full(len(series), number)))
        return b"".join([*columns, _FORMS[number][1](series.values) if len(series) else b""])
    mine = [_form(value) for value in series.values]
    parts = [ints(series.step, delta=True), floats(series.wall), small_ints(mine)]
    for number, form in enumerate(_FORMS):
        chosen = [value for value, own in zip(series.values, mine, strict=True) if own == number]
        parts.append(form[1](chosen) if chosen else b"")
    return b"".join(parts)


def read_values(raw: bytes) -> ValueSeries:
    """Return what `write_values` was given.

    Raises:
        CorruptBlock: It is not what was written.
    """
    cursor = Cursor(raw)
    try:
        step, wall = cursor.ints(delta=True), cursor.floats(np.float64)
        forms = cursor.small_ints()
        if forms and forms[0] in _COLUMNS.values() and forms.count(forms[0]) == len(forms):
            return _alone(cursor, step, wall, _FORMS[forms[0]][2](cursor))
        read = [
            # To the end at once: the next form lies behind.
            iter(list(form[2](cursor)) if number in forms else ())
            for number, form in enumerate(_FORMS)
        ]
        values = tuple(next(read[form]) for form in forms)
        leftover = sum(1 for rest in read for _ in rest)
    except (ValueError, IndexError, StopIteration, RuntimeError) as error:
        raise CorruptBlock(f"values do not unpack: {error}") from error
    cursor.finish()
    if leftover or not len(step) == len(wall) == len(values):
        raise CorruptBlock("columns of different length")
    return ValueSeries(step, wall, values)


def _alone(
    cursor: Cursor, step: Ints, wall: npt.NDArray[np.float64], values: ValueColumns
) -> ValueSeries:
    cursor.finish()
    if not len(step) == len(wall) == len(values):
        raise CorruptBlock("columns of different length")
    return ValueSeries(step, wall, values)


def _form(value: StoredValue) -> int:
    for number, form in enumerate(_FORMS):
        if isinstance(value, form[0]):
            return number
    raise TypeError(f"no stored form for {type(value).__name__}")


def _write_tensors(values: Sequence[Tensor]) -> bytes:
    dtypes = sorted({value.dtype for value in values})
    numeric = [value.data for value in values if isinstance(value.data, bytes)]
    worded = [value.data for value in values if not isinstance(value.data, bytes)]
    return b"".join(
        [
            strings([dtype.encode() for dtype in dtypes]),
            small_ints(dtypes.index(value.dtype) for value in values),
            small_ints(len(value.shape) for value in values),
            small_ints(size for value in values for size in value.shape),
            small_ints(0 if isinstance(value.data, bytes) else 1 for value in values),
            strings(numeric),
            small_ints(map(len, worded)),
            strings([item for data in worded for item in data]),
        ]
    )


def _read_tensors(cursor: Cursor) -> Iterator[Tensor]:
    dtypes = [dtype.decode() for dtype in cursor.strings()]
    of = [dtypes[number] for number in cursor.small_ints()]
    ranks = cursor.small_ints()
    sizes = iter(cursor.small_ints())
    worded = cursor.small_ints()
    numeric = iter(cursor.strings())
    counts = iter(cursor.small_ints())
    items = iter(cursor.strings())
    for dtype, rank, is_worded in zip(of, ranks, worded, strict=True):
        shape = tuple(next(sizes) for _ in range(rank))
        data = tuple(next(items) for _ in range(next(counts))) if is_worded else next(numeric)
        yield Tensor(dtype, shape, data)


def _write_media(values: Sequence[StoredMedia]) -> bytes:
    blobs = [blob for value in values for blob in value.blobs]
    types = sorted({blob.media_type for blob in blobs})
    rates = [value.sample_rate for value in values if value.sample_rate is not None]
    return b"".join(
        [
            small_ints(len(value.blobs) for value in values),
            strings([blob.sha256 for blob in blobs]),
            small_ints(blob.size for blob in blobs),
            strings([text.encode("utf-8", "surrogatepass") for text in types]),
            small_ints(types.index(blob.media_type) for blob in blobs),
            strings([blob.label.encode("utf-8", "surrogatepass") for blob in blobs]),
            small_ints(part for value in values for part in _given(value)),
            floats(np.array(rates, np.float64)),
        ]
    )


def _given(value: StoredMedia) -> tuple[int, int, int, int, int]:
    """Return for each optional number whether it is there, and the integers themselves."""
    return (
        value.width is not None,
        value.width or 0,
        value.height is not None,
        value.height or 0,
        value.sample_rate is not None,
    )


def _read_media(cursor: Cursor) -> Iterator[StoredMedia]:
    counts = cursor.small_ints()
    hashes, sizes = cursor.strings(), cursor.small_ints()
    types = [text.decode("utf-8", "surrogatepass") for text in cursor.strings()]
    of = [types[number] for number in cursor.small_ints()]
    labels = [text.decode("utf-8", "surrogatepass") for text in cursor.strings()]
    blobs = iter([BlobRef(*row) for row in zip(hashes, sizes, of, labels, strict=True)])
    given = cursor.small_ints()
    rates = iter(cursor.floats(np.float64).tolist())
    for at, count in enumerate(counts):
        has_width, width, has_height, height, has_rate = given[5 * at : 5 * at + 5]
        yield StoredMedia(
            tuple(next(blobs) for _ in range(count)),
            width if has_width else None,
            height if has_height else None,
            next(rates) if has_rate else None,
        )


_FORMS: Final[tuple[tuple[type, Callable[[Any], bytes], Callable[[Cursor], Any]], ...]] = (
    (ProtoHistogram, write_protos, read_protos),
    (TensorHistogram, write_tensor_histograms, read_tensor_histograms),
    (Tensor, _write_tensors, _read_tensors),
    (StoredMedia, _write_media, _read_media),
)
"""Each form of a value, how it is written and read. The position is stored: append only."""

_COLUMNS: Final[dict[type, int]] = {ProtoHistograms: 0, TensorHistograms: 1}
"""Forms that are read as columns, and written from such."""
