"""What a call of a Dash callback looks like, so that a malformed one goes no further.

Dash trusts the body: one whose outputs, inputs or state are not those that were declared
fails somewhere inside it, as if the server were at fault. Here it is held against the
declaration first. Only the values are the caller's; judging those is the callback's work.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["CallShape", "is_call_of"]

Part = tuple[str, str]
"""Id and property of a component."""


@dataclass(frozen=True, slots=True)
class CallShape:
    """What was declared: the parts that a call names, in this order."""

    outputs: tuple[Part, ...]
    inputs: tuple[Part, ...]
    state: tuple[Part, ...] = ()


def is_call_of(body: bytes, shapes: Mapping[str, CallShape]) -> bool:
    """Tell whether `body` calls one of `shapes`, keyed by Dash's name of the output."""
    try:
        call = json.loads(body)
    except (ValueError, RecursionError):
        return False
    if not isinstance(call, dict) or not isinstance(call.get("output"), str):
        return False
    shape = shapes.get(call["output"])
    if shape is None:
        return False
    outputs = call.get("outputs")
    changed = call.get("changedPropIds", [])
    return (
        # Dash sends a single output by itself.
        _parts([outputs] if isinstance(outputs, dict) else outputs) == shape.outputs
        and _parts(call.get("inputs")) == shape.inputs
        and _parts(call.get("state", [])) == shape.state
        and isinstance(changed, list)
        and all(isinstance(name, str) for name in changed)
    )


def _parts(listed: Any) -> tuple[Any, ...] | None:
    if not isinstance(listed, list) or not all(isinstance(part, dict) for part in listed):
        return None
    return tuple((part.get("id"), part.get("property")) for part in listed)
