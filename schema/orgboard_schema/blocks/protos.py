"""Histograms of one series as columns, from the bytes of a log to a block and back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import overload

import numpy as np
import numpy.typing as npt

from orgboard_schema.types import ProtoHistogram

__all__ = ["ProtoHistograms"]

_Doubles = npt.NDArray[np.float64]
_Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class ProtoHistograms(Sequence[ProtoHistogram]):
    """Histograms of one series as columns; each is made an object only where it is asked for.

    As Python's floats a histogram takes six times the bytes that it has here.
    """

    limits: tuple[_Doubles, ...]
    """Distinct sets of right edges."""
    of: _Ints
    """Which of them each histogram has."""
    lengths: _Ints
    """How many counts each histogram has."""
    counts: _Doubles
    """One histogram's after the other's."""
    moments: _Doubles
    """A row each: min, max, num, sum, sum of squares."""

    def __len__(self) -> int:
        return len(self.of)

    def __iter__(self) -> Iterator[ProtoHistogram]:
        limits = [tuple(each.tolist()) for each in self.limits]
        rows = zip(self.of.tolist(), pairwise(self._bounds()), *self.moments.tolist(), strict=True)
        for number, (begin, end), low, high, num, total, squares in rows:
            counts = tuple(self.counts[begin:end].tolist())
            yield ProtoHistogram(low, high, num, total, squares, limits[number], counts)

    @overload
    def __getitem__(self, index: int) -> ProtoHistogram: ...
    @overload
    def __getitem__(self, index: slice) -> ProtoHistograms: ...
    def __getitem__(self, index: int | slice) -> ProtoHistogram | ProtoHistograms:
        if not isinstance(index, slice):
            at = range(len(self))[index]
            return next(iter(self[at : at + 1]))
        start, stop, step = index.indices(len(self))
        if step != 1:
            return ProtoHistograms.of_values(list(self)[index])
        bounds = self._bounds()
        cut = slice(start, max(start, stop))
        return ProtoHistograms(
            self.limits,
            self.of[cut],
            self.lengths[cut],
            self.counts[bounds[cut.start] : bounds[cut.stop]],
            self.moments[:, cut],
        )

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    __hash__ = None  # type: ignore[assignment] # as a list's

    @property
    def sizes(self) -> _Ints:
        """Octets that each takes unpacked, about."""
        edges = np.array([len(each) for each in self.limits], np.int64)
        return 40 + 8 * (edges[self.of] + self.lengths)

    def _bounds(self) -> list[int]:
        return [0, *np.cumsum(self.lengths).tolist()]

    @staticmethod
    def of_values(values: Sequence[ProtoHistogram]) -> ProtoHistograms:
        """Return these histograms as columns."""
        keys = [np.array(value.limits, np.float64).tobytes() for value in values]
        distinct = {key: number for number, key in enumerate(dict.fromkeys(keys))}
        moments = [(v.min, v.max, v.num, v.sum, v.sum_squares) for v in values]
        return ProtoHistograms(
            limits=tuple(np.frombuffer(key, np.float64) for key in distinct),
            of=np.array([distinct[key] for key in keys], np.int64),
            lengths=np.array([len(value.counts) for value in values], np.int64),
            counts=np.array([c for value in values for c in value.counts], np.float64),
            moments=np.array(moments, np.float64).reshape(-1, 5).T,
        )

    @staticmethod
    def joined(parts: Sequence[ProtoHistograms]) -> ProtoHistograms:
        """Return the histograms of all parts, in order."""
        keys = [[each.tobytes() for each in part.limits] for part in parts]
        distinct = {key: number for number, key in enumerate(dict.fromkeys(chain(*keys)))}
        of = [
            np.array([distinct[key] for key in own], np.int64)[part.of]
            for own, part in zip(keys, parts, strict=True)
        ]
        return ProtoHistograms(
            limits=tuple(np.frombuffer(key, np.float64) for key in distinct),
            of=np.concatenate(of),
            lengths=np.concatenate([part.lengths for part in parts]),
            counts=np.concatenate([part.counts for part in parts]),
            moments=np.concatenate([part.moments for part in parts], axis=1),
        )
