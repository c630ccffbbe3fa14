"""An expression over the series of one run: its tags brought onto one grid, then arithmetic.

The grid is every place at which one of the tags has a point. A tag has a value there from
its first point to its last one: the value that it had at or before that place. Places at
which one of the tags has none are left out. Nothing here knows SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.expressions import Expression, Tag, evaluate

__all__ = ["Curve", "apply"]

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Points of a series on an axis. Columns of equal length."""

    x: Floats
    y: Floats
    step: Floats
    wall: Floats

    def ordered(self) -> Curve:
        """Return the points that have a place, by it; those of one place as they came."""
        placed = np.flatnonzero(np.isfinite(self.x))
        return self.take(placed[np.argsort(self.x[placed], kind="stable")])

    def take(self, chosen: NDArray[np.intp]) -> Curve:
        """Return some points."""
        return Curve(self.x[chosen], self.y[chosen], self.step[chosen], self.wall[chosen])


def apply(expression: Expression, curves: Mapping[str, Curve]) -> Curve:
    """Return the curve of an expression; `curves` holds each of its tags.

    A tag alone keeps all its points. A place has the newest of its tags' steps and times.
    """
    if isinstance(expression, Tag):
        return curves[expression.name].ordered()
    ordered = {name: curve.ordered() for name, curve in curves.items()}
    grid = np.unique(np.concatenate([curve.x for curve in ordered.values()]))
    first = max((curve.x[0] if curve.x.size else np.inf) for curve in ordered.values())
    last = min((curve.x[-1] if curve.x.size else -np.inf) for curve in ordered.values())
    grid = grid[(grid >= first) & (grid <= last)]
    at = {name: np.searchsorted(curve.x, grid, side="right") - 1 for name, curve in ordered.items()}
    y = evaluate(expression, {name: curve.y[at[name]] for name, curve in ordered.items()})
    step = np.maximum.reduce([curve.step[at[name]] for name, curve in ordered.items()])
    wall = np.fmax.reduce([curve.wall[at[name]] for name, curve in ordered.items()])
    return Curve(grid, y, step, wall)
