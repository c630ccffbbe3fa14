"""Where a run takes place and whose it is, from the record that the SDK begins a file with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from orgboard_ingest.stage import Piece
from orgboard_ingest.values import PointSeries
from orgboard_schema.sql.flush import Origin
from orgboard_schema.wire.own import CONTEXT_TAG, told_object

__all__ = ["told_origin"]

_MAX_NAME: Final = 255
"""Of a host or a user, as operating systems have it; what is longer is cut."""


def told_origin(pieces: Sequence[Piece]) -> Origin | None:
    """Return what the last context among these pieces tells; None when there is none."""
    for piece in reversed(pieces):
        series = piece.series
        if piece.tag == CONTEXT_TAG and isinstance(series, PointSeries):
            told = told_object(series.values[-1])
            if told is not None:
                return Origin(_name(told.get("host")), _name(told.get("user")))
    return None


def _name(value: Any) -> str | None:
    return value[:_MAX_NAME] if isinstance(value, str) and value else None
