"""Where a run takes place and whose it is, from the record that the SDK begins a file with."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

from orgboard_ingest.stage import Piece
from orgboard_ingest.values import PointSeries
from orgboard_schema.sql.flush import Origin
from orgboard_schema.types import Tensor

__all__ = ["CONTEXT_TAG", "told_origin"]

CONTEXT_TAG: Final = "orgboard/context"

_MAX_BYTES: Final = 1 << 20
"""Of a record: no writer of ours makes a longer one."""

_MAX_NAME: Final = 255
"""Of a host or a user, as operating systems have it; what is longer is cut."""


def told_origin(pieces: Sequence[Piece]) -> Origin | None:
    """Return what the last context among these pieces tells; None when there is none."""
    for piece in reversed(pieces):
        series = piece.series
        if piece.tag == CONTEXT_TAG and isinstance(series, PointSeries):
            value = series.values[-1]
            told = _told(value) if isinstance(value, Tensor) else None
            if told is not None:
                return told
    return None


def _told(value: Tensor) -> Origin | None:
    if isinstance(value.data, bytes) or len(value.data) != 1 or len(value.data[0]) > _MAX_BYTES:
        return None
    try:
        told = json.loads(value.data[0])
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    return Origin(_name(told.get("host")), _name(told.get("user")))


def _name(value: Any) -> str | None:
    return value[:_MAX_NAME] if isinstance(value, str) and value else None
