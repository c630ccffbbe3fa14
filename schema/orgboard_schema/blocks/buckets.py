"""Histogram tensors of one series as columns, from the bytes of a log to a block and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import overload

import numpy as np
import numpy.typing as npt

from orgboard_schema.types import TensorHistogram

__all__ = ["TensorHistograms"]

_Doubles = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TensorHistograms(Sequence[TensorHistogram]):
    """Histograms of one series as columns; each is made an object only where it is asked for.

    As tuples of Python's floats a histogram takes seven times the bytes that it has here.
    """

    dtypes: tuple[str, ...]
    of: _Ints
    """Which of them each histogram has."""
    lengths: _Ints
    """How many rows each histogram has."""
    rows: _Doubles
    """(left, right, count), one histogram's after the other's."""

    def __len__(self) -> int:
        return len(self.of)

    def __iter__(self) -> Iterator[TensorHistogram]:
        for number, (begin, end) in zip(self.of.tolist(), pairwise(self._bounds()), strict=True):
            rows = tuple((row[0], row[1], row[2]) for row in self.rows[begin:end].tolist())
            yield TensorHistogram(self.dtypes[number], rows)

    @overload
    def __getitem__(self, index: int) -> TensorHistogram: ...
    @overload
    def __getitem__(self, index: slice) -> TensorHistograms: ...
    def __getitem__(self, index: int | slice) -> TensorHistogram | TensorHistograms:
        if not isinstance(index, slice):
            at = range(len(self))[index]
            return next(iter(self[at : at + 1]))
        start, stop, step = index.indices(len(self))
        if step != 1:
            return TensorHistograms.of_values(list(self)[index])
        bounds = self._bounds()
        cut = slice(start, max(start, stop))
        rows = self.rows[bounds[cut.start] : bounds[cut.stop]]
        return TensorHistograms(self.dtypes, self.of[cut], self.lengths[cut], rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # as a list's

    @property
    def sizes(self) -> _Ints:
        """Octets that each takes unpacked, about."""
        return 24 * self.lengths

    def _bounds(self) -> list[int]:
        return [0, *np.cumsum(self.lengths).tolist()]

    @staticmethod
    def of_values(values: Sequence[TensorHistogram]) -> TensorHistograms:
        """Return these histograms as columns."""
        dtypes = tuple(sorted({value.dtype for value in values}))
        rows = [row for value in values for row in value.buckets]
        return TensorHistograms(
            dtypes=dtypes,
            of=np.array([dtypes.index(value.dtype) for value in values], np.int64),
            lengths=np.array([len(value.buckets) for value in values], np.int64),
            rows=np.array(rows, np.float64).reshape(-1, 3),
        )

    @staticmethod
    def joined(parts: Sequence[TensorHistograms]) -> TensorHistograms:
        """Return the histograms of all parts, in order."""
        dtypes = tuple(sorted(set(chain(*(part.dtypes for part in parts)))))
        numbers = [np.array([dtypes.index(own) for own in part.dtypes], np.int64) for part in parts]
        return TensorHistograms(
            dtypes=dtypes,
            of=np.concatenate([own[part.of] for own, part in zip(numbers, parts, strict=True)]),
            lengths=np.concatenate([part.lengths for part in parts]),
            rows=np.concatenate([part.rows for part in parts]),
        )
