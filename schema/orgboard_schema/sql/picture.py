"""What curves are drawn on, and a line that fits it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from orgboard_schema.blocks.series import Floats, Ints

__all__ = ["Axis", "Picture", "ReducedLine"]

Axis: TypeAlias = Literal["step", "rstep", "relative", "wall"]
"""Steps, steps since the series' least one, seconds since its first time, the time."""

_Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Picture:
    """What the curves are drawn on."""

    axis: Axis
    columns: int
    low: float | None = None
    high: float | None = None
    superseded: bool = False
    """Also a line of each attempt's superseded points."""
    marks: int = 100
    """Points without a finite value that are told one by one, the first ones."""
    most_points: int = 20_000_000
    log_x: bool = False
    """Columns are even in the logarithm of x; what is not above 0 has no place on the axis.
    An upper limit is above 0."""


@dataclass(frozen=True, slots=True, eq=False)
class ReducedLine:
    """A line at screen width, by x; what it left out is counted."""

    attempt: int | None
    """Whose superseded points these are; None: the visible ones."""
    attempts: int
    """The newest attempt among them, and one."""
    total: int
    """Points in range, those without a finite value included."""
    non_finite: int
    without_x: int
    """Points that have no place on the axis: a wall time that is not a number."""
    x: _Doubles
    step: Ints
    wall: _Doubles
    value: Floats
    mark_x: _Doubles
    mark_step: Ints
    mark_value: Floats
