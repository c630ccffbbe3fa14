"""How wide a 95 % interval is for few samples: Student's t, without a statistics library."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["student_t_975"]

# The 97.5 % quantile for 1, 2, … degrees of freedom, as every table of it prints.
_TABLE: Final = np.array(
    [
        *(12.706205, 4.302653, 3.182446, 2.776445, 2.570582),
        *(2.446912, 2.364624, 2.306004, 2.262157, 2.228139),
        *(2.200985, 2.178813, 2.160369, 2.144787, 2.131450),
        *(2.119905, 2.109816, 2.100922, 2.093024, 2.085963),
    ]
)
_NORMAL: Final = 1.959964
"""The same of the normal distribution, which Student's nears."""


def student_t_975(freedom: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the 97.5 % quantile for each number of degrees of freedom, right to 5 digits."""
    known = _TABLE[np.clip(freedom, 1, _TABLE.size) - 1]
    return np.where(freedom <= _TABLE.size, known, _expanded(freedom.astype(np.float64)))


def _expanded(v: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the quantile by its expansion in 1/v around the normal one."""
    z = _NORMAL
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    expanded: NDArray[np.float64] = z + first / v + second / v**2 + third / v**3
    return expanded
