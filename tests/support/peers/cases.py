"""A case: one method called with some inputs, and where a peer's result may differ, and why.

A difference is data, so that it can be read, counted and proved: what is left of both results
when it is taken away must be equal, and with it they must not be. One that a new release of a
peer removes fails its test.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple, TypeAlias

from support.peers.reading import Seen

__all__ = [
    "CLEANED",
    "EQUAL",
    "WALL",
    "Case",
    "Differs",
    "Lacks",
    "Raises",
    "Verdict",
    "but",
    "calling",
    "one_directory",
    "one_step",
    "without_pixels",
    "without_values",
]

WALL: Final = 1_700_000_000.125

Level: TypeAlias = Callable[[Seen], "Seen | None"]
"""Takes a difference away from a value that was seen; None: the value itself is the difference."""


class Equal(NamedTuple):
    """The results are the same."""


class Differs(NamedTuple):
    """The results differ, for a reason, and in nothing else."""

    reason: str
    level: Level


class Raises(NamedTuple):
    """The peer raises an error of this name, so there is nothing to compare with."""

    reason: str
    error: str


class Lacks(NamedTuple):
    """The peer has no such method."""

    reason: str


Verdict: TypeAlias = Equal | Differs | Raises | Lacks

EQUAL: Final = Equal()


class Case(NamedTuple):
    """One method and inputs; what to expect of each peer, compared with ours."""

    method: str
    """Of SummaryWriter, or "Class.method"."""
    inputs: str
    call: Callable[[Any], object]
    torch: Verdict = EQUAL
    tensorboardx: Verdict = EQUAL
    options: Mapping[str, Any] = {}
    """Arguments of the constructor beside the directory."""


def calling(method: str, *arguments: Any, **options: Any) -> Callable[[Any], object]:
    """Give the call of a writer's method with these arguments."""
    return lambda writer: getattr(writer, method)(*arguments, **options)


def but(**replaced: Any) -> Level:
    """Give a level that replaces fields of what was seen."""
    return lambda seen: seen._replace(**replaced)


def one_directory(seen: Seen) -> Seen:
    """Name what tensorboardX puts in directories of directories as torch does."""
    return seen._replace(run=seen.run.replace("/", "_"))


def one_step(seen: Seen) -> Seen:
    """Name the step of a graph's costs, which torch and tensorboardX name differently, alike."""
    value = seen.value[1:] if seen.tag == "tagged_run_metadata" else seen.value
    return seen._replace(tag=seen.tag.replace("profiler", "step1"), value=value)


def without_weights(seen: Seen) -> Seen:
    """Leave out of a graph what only ours says of the weights: their shapes and number."""
    if seen.tag != "__run_graph__":
        return seen
    ((version, nodes, *more),) = seen.value
    return seen._replace(value=((version, tuple(map(_without_weight, nodes)), *more),))


def _without_weight(node: Any) -> Any:
    name, operation, inputs, device, attributes = node
    if operation == "prim::GetAttr":
        attributes = tuple(pair for pair in attributes if pair[0] == "attr")
    return name, operation, inputs, device, attributes


def without_values(seen: Seen) -> Seen:
    """Leave where, when and which plugin."""
    return seen._replace(value=None)


def without_pixels(seen: Seen) -> Seen:
    """Leave of pictures their number and size."""
    return seen._replace(value=_sizes(seen.value))


def _sizes(value: Any) -> Any:
    if isinstance(value, tuple) and len(value) == 4 and value[0] == "pixels":
        return value[:3]
    return tuple(map(_sizes, value)) if isinstance(value, tuple) else value


def _clean(seen: Seen) -> Seen:
    return seen._replace(
        tag=re.sub(r"[^-/\w.]", "_", seen.tag).lstrip("/"),
        display_name=re.sub(r"[^-/\w.]", "_", seen.display_name).lstrip("/"),
    )


CLEANED: Final = Differs("replaces signs in tags by `_`; ours, as torch's, keeps them", _clean)
