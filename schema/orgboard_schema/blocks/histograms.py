"""Histograms as columns: edges by table, counts as integers where they are, moments as logged."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.buckets import TensorHistograms
from orgboard_schema.blocks.columns import Cursor, address, floats, ints, small_ints, strings
from orgboard_schema.blocks.edges import read_edges, write_edges
from orgboard_schema.blocks.protos import ProtoHistograms
from orgboard_schema.blocks.series import Ints
from orgboard_schema.core.library import load_core
from orgboard_schema.types import ProtoHistogram, TensorHistogram

__all__ = ["read_protos", "read_tensor_histograms", "write_protos", "write_tensor_histograms"]

_Doubles = npt.NDArray[np.float64]


def write_protos(values: Sequence[ProtoHistogram]) -> bytes:
    """Return a column of histograms; each distinct set of edges is stored once."""
    columns = values if isinstance(values, ProtoHistograms) else ProtoHistograms.of_values(values)
    # Numbered anew in order of first appearance: after a cut some are of no histogram.
    used = list(dict.fromkeys(columns.of.tolist()))
    numbers = np.zeros(len(columns.limits), np.int64)
    numbers[used] = np.arange(len(used))
    return b"".join(
        [
            small_ints([len(used)]),
            *(write_edges(columns.limits[number]) for number in used),
            ints(numbers[columns.of]),
            ints(columns.lengths),
            _write_counts(columns.counts),
            # Column by column: one histogram's minimum is like the last one's.
            floats(columns.moments.ravel()),
        ]
    )


def read_protos(cursor: Cursor) -> ProtoHistograms:
    """Return what `write_protos` was given.

    Raises:
        IndexError: A histogram has edges that are not there.
        ValueError: Columns do not fit one another.
    """
    (number,) = cursor.small_ints()
    limits = tuple(read_edges(cursor) for _ in range(number))
    of, lengths = cursor.ints(), cursor.ints()
    counts = _read_counts(cursor)
    moments = cursor.floats(np.float64).reshape(5, len(of))
    _check(of, len(limits), lengths, len(counts))
    return ProtoHistograms(limits, of, lengths, counts, moments)


def write_tensor_histograms(values: Sequence[TensorHistogram]) -> bytes:
    """Return a column of histograms of (left, right, count) rows."""
    columns = values if isinstance(values, TensorHistograms) else TensorHistograms.of_values(values)
    # In order, and only those of a histogram: after a cut some are of none.
    used = sorted(set(columns.of.tolist()), key=columns.dtypes.__getitem__)
    numbers = np.zeros(len(columns.dtypes), np.int64)
    numbers[used] = np.arange(len(used))
    rows = columns.rows
    return b"".join(
        [
            strings([columns.dtypes[number].encode() for number in used]),
            ints(numbers[columns.of]),
            ints(columns.lengths),
            _write_doubles(np.ascontiguousarray(rows[:, 0])),
            # A right edge is mostly the next one's left: what differs is little.
            ints(_bits(rows[:, 1]) - _bits(np.append(rows[1:, 0], 0.0))),
            _write_counts(np.ascontiguousarray(rows[:, 2])),
        ]
    )


def read_tensor_histograms(cursor: Cursor) -> TensorHistograms:
    """Return what `write_tensor_histograms` was given.

    Raises:
        IndexError: A histogram has a type that is not there.
        ValueError: Columns do not fit one another.
    """
    dtypes = tuple(dtype.decode() for dtype in cursor.strings())
    of, lengths = cursor.ints(), cursor.ints()
    left = _read_doubles(cursor)
    following = np.append(left[1:], 0.0)[: len(left)]
    right = (cursor.ints() + _bits(following)).view(np.float64)
    rows = np.stack([left, right, _read_counts(cursor)], axis=1)
    _check(of, len(dtypes), lengths, len(rows))
    return TensorHistograms(dtypes, of, lengths, rows)


def _check(of: Ints, known: int, lengths: Ints, count: int) -> None:
    """Check that histograms name one of what is known, and have all of what is counted."""
    if len(of) and not 0 <= int(of.min()) <= int(of.max()) < known:
        raise IndexError("a histogram of nothing that is known")
    if len(lengths) != len(of) or (lengths < 0).any() or lengths.sum() != count:
        raise ValueError("counts that are not of their histograms")


def _write_counts(counts: _Doubles) -> bytes:
    whole = _whole(counts)
    if whole is not None:
        return small_ints([1]) + ints(whole)
    return small_ints([0]) + floats(counts, delta=False)


def _whole(counts: _Doubles) -> npt.NDArray[np.int64] | None:
    """Return the counts as integers, None where one is none or would lose a bit by it."""
    core = load_core()
    if core is not None:
        numbers, counts = np.empty(len(counts), np.int64), np.ascontiguousarray(counts)
        is_whole = core.ob_whole(address(counts), len(counts), address(numbers))
        return numbers if is_whole else None
    # NaNs of any kind are counts here like others: none is a reason to warn.
    with np.errstate(invalid="ignore"):
        whole = counts.astype(np.int64) if np.all(np.abs(counts) < 2.0**53) else None
    if whole is None or not np.array_equal(_bits(whole.astype(np.float64)), _bits(counts)):
        return None
    return whole


def _read_counts(cursor: Cursor) -> _Doubles:
    (whole,) = cursor.small_ints()
    counts: _Doubles
    counts = cursor.ints().astype(np.float64) if whole else cursor.floats(np.float64, delta=False)
    return counts


def _write_doubles(values: _Doubles) -> bytes:
    with np.errstate(over="ignore", invalid="ignore"):
        narrow = values.astype(np.float32)
    if np.array_equal(_bits(narrow.astype(np.float64)), _bits(values)):
        return small_ints([4]) + floats(narrow)
    return small_ints([8]) + floats(values)


def _read_doubles(cursor: Cursor) -> _Doubles:
    (width,) = cursor.small_ints()
    read: _Doubles = cursor.floats(np.float32 if width == 4 else np.float64).astype(np.float64)
    return read


def _bits(values: _Doubles) -> npt.NDArray[np.int64]:
    return np.ascontiguousarray(values).view(np.int64)
