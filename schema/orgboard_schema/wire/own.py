"""Records of our own: a JSON object in a tensor, under tags that no other program shows."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any, Final

from orgboard_schema.types import Tensor

__all__ = ["ANNOTATION_TAG", "CONTEXT_TAG", "DROPPED_TAG", "told_object"]

CONTEXT_TAG: Final = "orgboard/context"
DROPPED_TAG: Final = "orgboard/dropped"
ANNOTATION_TAG: Final = "orgboard/annotation"

_MAX_BYTES: Final = 1 << 20
"""Of a record: no writer of ours makes a longer one."""
_MAX_DEPTH: Final = 50
"""Nor one with values deeper within each other: what is shown of it is written by recursion."""


def told_object(value: object) -> dict[str, Any] | None:
    """Return what a record tells; None when another program, or chance, wrote the value."""
    if not isinstance(value, Tensor) or isinstance(value.data, bytes) or len(value.data) != 1:
        return None
    if len(value.data[0]) > _MAX_BYTES:
        return None
    try:
        told = json.loads(value.data[0])
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) and not _is_deeper(told, _MAX_DEPTH) else None


def _is_deeper(value: object, most: int) -> bool:
    level = [value]
    for _ in range(most):
        level = [part for one in level for part in _parts(one)]
        if not level:
            return False
    return True


def _parts(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
