"""The version that an event file gives itself in its first record."""

from __future__ import annotations

import math
from typing import Final

__all__ = ["parse_version"]

_PREFIX: Final = "brain.Event:"

UNKNOWN: Final = -1.0
"""Of a version that is no number: older than any."""


def parse_version(text: str | None) -> float | None:
    """Return 2.0 of "brain.Event:2"; None where nothing is said."""
    if text is None:
        return None
    try:
        version = float(text.rpartition(_PREFIX)[2])
    except ValueError:
        return UNKNOWN
    return version if math.isfinite(version) else UNKNOWN
