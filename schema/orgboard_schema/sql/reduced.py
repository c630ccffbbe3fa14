"""Curves of long series at screen width, out of the pyramid: no more points are read than shown.

A stretch of the pyramid stands for its points where that shows the same: it is visible as a
whole (or superseded), inside the range, ascends on the axis, and is at most half a pixel
column wide. Of every other stretch, and of what no pyramid covers yet, the points are read.
So every column shows its true first, last, lowest and highest point, where the edge between
two columns may lie up to half a column beside the even one; zoomed in, all are points.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, bindparam, func, literal_column, select, union_all

from orgboard_schema.blocks import ScalarSeries, decode_scalars, kind_number
from orgboard_schema.blocks.choose import Units, choose, joined, log10_above_zero
from orgboard_schema.blocks.points import (
    PLACES,
    WAITING,
    Points,
    as_points,
    concat,
    distinct,
    in_stored_order,
    no_points,
    units,
)
from orgboard_schema.blocks.pyramid import Buckets, decode_buckets, join_buckets
from orgboard_schema.blocks.series import Ints
from orgboard_schema.errors import TooManyPoints
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import IN_BINARY
from orgboard_schema.sql.packing import BLOCK_POINTS
from orgboard_schema.sql.picture import Picture, ReducedLine
from orgboard_schema.sql.pieces import waiting_pieces
from orgboard_schema.sql.pyramid import LEVEL
from orgboard_schema.sql.supersede import Cut, load_cuts
from orgboard_schema.types import Kind

__all__ = ["long_series", "reduced_scalars"]

MARKS_AT_ONCE: Final = 8
"""Blocks read at once in search of marks: one block may hold all that are wanted."""

_SCALAR: Final = kind_number("scalar")
_KIND: Final[Kind] = "scalar"

_Doubles = npt.NDArray[np.float64]
_Mask = npt.NDArray[np.bool_]

_block = tables.block.c

# Built once: to build a statement costs more than to run it.
_FIND_LONG: Final = (
    select(_block.run_id, _block.tag_id)
    .where(
        _block.run_id.in_(bindparam("runs", expanding=True)),
        _block.tag_id.in_(bindparam("tags", expanding=True)),
        _block.kind == _SCALAR,
        _block.level == LEVEL,
    )
    .distinct()
)
_HERE: Final = (
    (_block.run_id == bindparam("run"))
    & (_block.tag_id == bindparam("tag"))
    & (_block.kind == _SCALAR)
)
_FIND_ROWS: Final = (
    select(_block.attempt, _block.payload)
    .where(_HERE, _block.level == LEVEL)
    .order_by(_block.attempt, _block.seq)
    .execution_options(**IN_BINARY)
)
_BARE, _COUNT = range(2)
"""What a row of `_FIND_NUMBERS` is."""
_FIND_NUMBERS: Final = union_all(
    select(literal_column(str(_BARE)), _block.seq).where(
        _HERE, _block.level == 0, _block.seq > bindparam("after")
    ),
    select(literal_column(str(_COUNT)), func.count()).where(_HERE, _block.level == 0),
)
_FETCH: Final = (
    select(_block.attempt, _block.seq, _block.payload)
    .where(_HERE, _block.level == 0, _block.seq.in_(bindparam("seqs", expanding=True)))
    .order_by(_block.attempt, _block.seq)
    .execution_options(**IN_BINARY)
)


def long_series(conn: Connection, keys: Collection[tuple[int, int]]) -> set[tuple[int, int]]:
    """Return which of these scalar series (run, tag) have a pyramid; their rows are not read."""
    found: set[tuple[int, int]] = set()
    for runs in chunked(sorted({run_id for run_id, _ in keys})):
        for tags in chunked(sorted({tag_id for _, tag_id in keys})):
            rows = conn.execute(_FIND_LONG, {"runs": runs, "tags": tags})
            found |= {(run_id, tag_id) for run_id, tag_id in rows}
    return found.intersection(keys)


def reduced_scalars(
    conn: Connection, keys: Collection[tuple[int, int]], picture: Picture
) -> dict[tuple[int, int], list[ReducedLine]]:
    """Return the lines of scalar series (run, tag), the visible one first.

    Meant for series that have a pyramid (`long_series`); right for all.

    Raises:
        TooManyPoints: The pyramid says too little of a series, and its points are too many.
    """
    found: dict[tuple[int, int], list[ReducedLine]] = {}
    for runs in chunked(sorted({run_id for run_id, _ in keys})):
        cuts = load_cuts(conn, runs)
        for run_id, tag_id in sorted(key for key in set(keys) if key[0] in cuts):
            found[run_id, tag_id] = _Series(conn, run_id, tag_id, cuts[run_id], picture).lines()
    return found


class _Series:
    """One series while its lines are made."""

    def __init__(
        self, conn: Connection, run_id: int, tag_id: int, cuts: Sequence[Cut], picture: Picture
    ) -> None:
        self._conn = conn
        self._here = {"run": run_id, "tag": tag_id}
        self._key = (run_id, tag_id)
        self._picture = picture
        self._low, self._high = self._level_of(picture.low), self._level_of(picture.high)
        self._cuts = [
            cut for cut in cuts if cut.kind is None or (cut.tag_id, cut.kind) == (tag_id, _KIND)
        ]
        self._blocks: dict[int, tuple[int, ScalarSeries]] = {}
        self._buckets, self._attempt = self._load_pyramid()
        self._seq, self._start, self._count = self._buckets.places()
        self._limit, self._limited = self._limits(self._attempt)
        self._bare = self._load_bare()
        self._origin = self._find_origin()

    def lines(self) -> list[ReducedLine]:
        low, high = self._buckets.step_range
        hidden = self._limited & (low >= self._limit)
        shown = ~(self._limited & (high >= self._limit))
        limit, limited = self._limits(self._bare.attempt)
        old = limited & (self._bare.step >= limit)
        line = self._line(None, shown, hidden, self._bare.take(~old))
        lines = [line] if line is not None else []
        if self._picture.superseded:
            attempts = {*self._attempt[~shown].tolist(), *self._bare.attempt[old].tolist()}
            for attempt in sorted(attempts):
                mine = self._attempt == attempt
                chosen = old & (self._bare.attempt == attempt)
                line = self._line(attempt, hidden & mine, shown | ~mine, self._bare.take(chosen))
                lines += [line] if line is not None else []
        return lines

    def _line(
        self, attempt: int | None, whole: _Mask, none: _Mask, bare: Points
    ) -> ReducedLine | None:
        """Draw the stretches that are `whole` part of the line; those that are `none` are not."""
        low, high = self._extent()
        straight = self._ascends() & np.isfinite(low) & np.isfinite(high)
        outside = np.zeros(len(low), np.bool_)
        inside = np.ones(len(low), np.bool_)
        if self._low is not None:
            outside, inside = outside | (high < self._low), inside & (low >= self._low)
        if self._high is not None:
            outside, inside = outside | (low > self._high), inside & (high <= self._high)
        if not self._counts_steps() or self._picture.log_x:
            # Points without a place on the axis are counted wherever they are.
            outside &= straight
        narrow = self._narrow(low, high, whole & inside, bare)
        usable = whole & inside & straight & narrow
        read = ~none & ~outside & ~usable
        points = in_stored_order(concat([bare, self._points_of(read, attempt)]))
        seen = self._attempt[usable | (whole & outside)]
        newest = max(seen.max(initial=-1), points.attempt.max(initial=-1))
        if newest < 0:
            return None
        return self._drawn(attempt, int(newest) + 1, usable, points)

    def _drawn(
        self, attempt: int | None, attempts: int, usable: _Mask, points: Points
    ) -> ReducedLine:
        picture, buckets = self._picture, self._buckets
        x = self._x(points.step, points.wall)
        placed = np.isfinite(x)
        inside = self._in_range(x)
        finite = inside & np.isfinite(points.value)
        drawn = _all_or(usable & (buckets.non_finite < self._count))
        chosen = choose(
            *joined(
                Units(
                    self._x(buckets.step[:, drawn], buckets.wall[:, drawn]),
                    buckets.step[:, drawn],
                    buckets.wall[:, drawn],
                    buckets.value[:, drawn],
                    self._attempt[drawn],
                    (self._seq[drawn] << PLACES) + self._start[drawn],
                ),
                units(points.take(_all_or(finite)), x[finite]),
            ),
            picture.columns,
            self._low,
            self._high,
        )
        odd = inside & ~finite
        marks = self._marks(usable, points.take(odd), attempt)
        drawn_x = self._place(chosen.step, chosen.wall)
        # Places that are apart may have one logarithm.
        order = np.argsort(drawn_x, kind="stable") if picture.log_x else slice(None)
        return ReducedLine(
            attempt=attempt,
            attempts=attempts,
            total=int(self._count[usable].sum()) + int(np.count_nonzero(inside)),
            non_finite=int(buckets.non_finite[usable].sum()) + int(np.count_nonzero(odd)),
            without_x=len(x) - int(np.count_nonzero(placed)),
            x=drawn_x[order],
            step=chosen.step[order],
            wall=chosen.wall[order],
            value=chosen.value[order],
            mark_x=self._place(marks.step, marks.wall),
            mark_step=marks.step,
            mark_value=marks.value,
        )

    def _marks(self, usable: _Mask, marks: Points, attempt: int | None) -> Points:
        """Return the first points without a finite value, also those inside of stretches."""
        low, _ = self._extent()
        hiding = np.flatnonzero(usable & (self._buckets.non_finite > 0))
        hiding = hiding[np.argsort(low[hiding], kind="stable")]
        marks = self._first_marks(marks)
        for some in chunked(hiding.tolist(), MARKS_AT_ONCE):
            x = self._x(marks.step, marks.wall)
            if len(x) >= self._picture.marks and low[some[0]] > x[-1]:
                break
            chosen = np.zeros(len(usable), np.bool_)
            chosen[some] = True
            points = self._points_of(chosen, attempt)
            odd = points.take(~np.isfinite(points.value))
            marks = self._first_marks(concat([marks, odd]))
        return marks

    def _first_marks(self, marks: Points) -> Points:
        x = self._x(marks.step, marks.wall)
        return marks.take(np.lexsort((marks.place, marks.attempt, x))[: self._picture.marks])

    def _narrow(self, low: _Doubles, high: _Doubles, drawn: _Mask, bare: Points) -> _Mask:
        """Tell which stretches are at most half a pixel column wide.

        The range of what is `drawn` for sure: a column is no narrower in the end.
        """
        picture, buckets = self._picture, self._buckets
        at = _all_or(drawn & (buckets.non_finite < self._count))
        ends = self._x(buckets.step[:2, at], buckets.wall[:2, at])
        x = self._x(bare.step, bare.wall)[np.isfinite(bare.value)]
        x = np.concatenate([ends[np.isfinite(ends)], x[self._in_range(x)]])
        blank: _Mask = buckets.non_finite == self._count
        if not len(x):
            return blank
        first = float(x.min()) if self._low is None else self._low
        last = float(x.max()) if self._high is None else self._high
        # Halved, because the range of two doubles may not be a double.
        half_column = (last / 2 - first / 2) / picture.columns / 2
        with np.errstate(invalid="ignore"):
            narrow: _Mask = (high / 2 - low / 2) <= half_column
        # What draws nothing is only counted.
        narrow |= blank
        return narrow

    def _in_range(self, x: _Doubles) -> _Mask:
        inside: _Mask = np.isfinite(x)
        if self._low is not None:
            inside &= x >= self._low
        if self._high is not None:
            inside &= x <= self._high
        return inside

    def _x(self, step: Ints, wall: _Doubles) -> _Doubles:
        """Return where points lie, in what the columns are even in."""
        place = self._place(step, wall)
        return log10_above_zero(place) if self._picture.log_x else place

    def _place(self, step: Ints, wall: _Doubles) -> _Doubles:
        if self._picture.axis == "step":
            return step.astype(np.float64)
        if self._picture.axis == "rstep":
            return step.astype(np.float64) - self._origin
        if self._picture.axis == "wall":
            return wall
        with np.errstate(over="ignore", invalid="ignore"):
            return wall - np.float64(self._origin)

    def _extent(self) -> tuple[_Doubles, _Doubles]:
        low, high = self._x(self._buckets.step_range, self._buckets.wall_range)
        return low, high

    def _ascends(self) -> _Mask:
        return self._buckets.steps_ascend if self._counts_steps() else self._buckets.walls_ascend

    def _counts_steps(self) -> bool:
        return self._picture.axis in ("step", "rstep")

    def _level_of(self, limit: float | None) -> float | None:
        """Return a limit in what the columns are even in. One that has no logarithm is none."""
        if limit is None or not self._picture.log_x:
            return limit
        return math.log10(limit) if limit > 0 else None

    def _find_origin(self) -> float:
        if self._picture.axis == "relative":
            return self._first_wall()
        if self._picture.axis != "rstep":
            return 0.0
        least = int(self._buckets.step_range[0].min())
        return float(min(least, int(self._bare.step.min(initial=least))))

    def _limits(self, attempt: Ints) -> tuple[Ints, _Mask]:
        """Return from which step on points of these attempts are superseded, and whether any is."""
        limit = np.zeros(len(attempt), np.int64)
        limited = np.zeros(len(attempt), np.bool_)
        for number in distinct(attempt) if self._cuts else ():
            steps = [cut.step for cut in self._cuts if cut.attempt > number]
            if steps:
                mine = attempt == number
                limit[mine], limited[mine] = min(steps), True
        return limit, limited

    def _load_pyramid(self) -> tuple[Buckets, Ints]:
        rows = self._conn.execute(_FIND_ROWS, self._here)
        parts = [(attempt, decode_buckets(bytes(payload))) for attempt, payload in rows]
        if not parts:
            raise LookupError(f"series {self._key} has no pyramid")
        attempts = [attempt for attempt, _ in parts]
        lengths = [len(part) for _, part in parts]
        return join_buckets([part for _, part in parts]), np.repeat(
            np.array(attempts, np.int64), lengths
        )

    def _load_bare(self) -> Points:
        """Return the points that no stretch covers."""
        covered = self._buckets.blocks
        bare, stored = self._numbers(int(covered.max()))
        if len(covered) + len(bare) != stored:
            # Of another attempt, which is too short for a row of its own or was covered less far.
            bare = sorted({*self._numbers(-1)[0]}.difference(covered.tolist()))
        self._fetch(bare)
        parts = [as_points(self._blocks[seq][0], seq, self._blocks[seq][1]) for seq in bare]
        run_id, tag_id = self._key
        at = 0
        for piece in waiting_pieces(self._conn, [run_id], {(tag_id, _KIND)}):
            if isinstance(piece.series, ScalarSeries):
                parts.append(as_points(piece.attempt, WAITING, piece.series, at))
                at += len(piece.series)
        return concat(parts) if parts else no_points(self._buckets.value.dtype)

    def _numbers(self, after: int) -> tuple[list[int], int]:
        """Return the blocks behind that one, and how many there are in all."""
        rows = self._conn.execute(_FIND_NUMBERS, self._here | {"after": after}).all()
        numbers = [number for what, number in rows if what == _BARE]
        return numbers, next(number for what, number in rows if what == _COUNT)

    def _points_of(self, chosen: _Mask, attempt: int | None) -> Points:
        """Return the points of these stretches, as far as they belong to the line."""
        wanted = np.flatnonzero(chosen)
        seqs = np.unique(self._seq[wanted]).tolist()
        self._fetch(seqs)
        bounds: dict[int, list[tuple[int, int]]] = {}
        for at in wanted.tolist():
            start = int(self._start[at])
            mine = bounds.setdefault(int(self._seq[at]), [])
            # Neighbours in one piece.
            first = mine.pop()[0] if mine and mine[-1][1] == start else start
            mine.append((first, start + int(self._count[at])))
        parts: list[Points] = []
        for seq in seqs:
            number, series = self._blocks[seq]
            whole = as_points(number, seq, series)
            parts += [
                whole if end - first == len(series) else whole.take(slice(first, end))
                for first, end in bounds[seq]
            ]
        points = concat(parts) if parts else no_points(self._buckets.value.dtype)
        limit, limited = self._limits(points.attempt)
        old = limited & (points.step >= limit)
        return points.take(_all_or(old if attempt is not None else ~old))

    def _fetch(self, seqs: Sequence[int]) -> None:
        missing = [seq for seq in seqs if seq not in self._blocks]
        points = BLOCK_POINTS * (len(missing) + len(self._blocks))
        if points > self._picture.most_points:
            raise TooManyPoints(points)
        for some in chunked(missing):
            rows = self._conn.execute(_FETCH, self._here | {"seqs": some})
            for attempt, seq, payload in rows:
                self._blocks[seq] = (attempt, decode_scalars(bytes(payload)))

    def _first_wall(self) -> float:
        """Return the series' first finite wall time in stored order: where relative time begins."""
        buckets, bare = self._buckets, self._bare
        if buckets.walls_ascend[0] and not (
            len(bare.place)
            and (bare.attempt[0], bare.place[0]) < (self._attempt[0], self._seq[0] << PLACES)
        ):
            return float(buckets.wall_range[0, 0])
        for wall in self._walls():
            known = wall[np.isfinite(wall)]
            if len(known):
                return float(known[0])
        return 0.0

    def _walls(self) -> Iterator[_Doubles]:
        buckets = self._buckets
        bare: dict[tuple[int, int], _Doubles] = {}
        keys = np.stack([self._bare.attempt, self._bare.place >> PLACES])
        breaks = np.flatnonzero((keys[:, 1:] != keys[:, :-1]).any(axis=0)) + 1
        for part in np.split(np.arange(keys.shape[1]), breaks):
            if len(part):
                bare[int(keys[0, part[0]]), int(keys[1, part[0]])] = self._bare.wall[part]
        _, firsts = np.unique(self._seq, return_index=True)
        of = {(int(self._attempt[at]), int(self._seq[at])): int(at) for at in firsts}
        for key in sorted({*bare, *of}):
            if key in bare:
                yield bare[key]
            elif buckets.walls_ascend[of[key]]:
                yield buckets.wall_range[:1, of[key]]
            else:
                self._fetch([key[1]])
                yield self._blocks[key[1]][1].wall


def _all_or(chosen: _Mask) -> Any:
    """Return an index of what is chosen; one that copies nothing where that is all."""
    return slice(None) if chosen.all() else np.flatnonzero(chosen)
