"""A jaxpr, jax's own form of a traced function, as nodes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final

from orgboard._graphs.graph_def import Node, output_shapes, text

__all__ = ["is_for_jax", "read_jax"]

SHOWN: Final = 4096
"""Characters of a parameter that are kept."""


def is_for_jax(value: Any, given: Any) -> bool:
    """Whether it is a jaxpr, or a function and the arrays of jax to call it with."""
    if hasattr(getattr(value, "jaxpr", value), "eqns"):
        return True
    return "jax" in sys.modules and callable(value) and _holds_arrays(given)


def read_jax(value: Any, given: Any) -> list[Node]:
    """Read a jaxpr; of a function, trace it first with `given`: its argument, or a tuple of them.

    Tracing calls the function with placeholders; nothing is computed.
    """
    if not hasattr(getattr(value, "jaxpr", value), "eqns"):
        arguments = given if isinstance(given, (tuple, list)) else (given,)
        value = sys.modules["jax"].make_jaxpr(value)(*arguments)
    return list(_nodes(getattr(value, "jaxpr", value)))


def _holds_arrays(value: Any, depth: int = 4) -> bool:
    if isinstance(value, (tuple, list)):
        parts = value[:100]
    elif isinstance(value, dict):
        parts = list(value.values())[:100]
    else:
        return type(value).__module__.partition(".")[0] in ("jax", "jaxlib")
    return depth > 0 and any(_holds_arrays(part, depth - 1) for part in parts)


def _nodes(jaxpr: Any) -> Iterator[Node]:
    names: dict[Any, str] = {}
    for side, variables in (("constant", jaxpr.constvars), ("input", jaxpr.invars)):
        for number, variable in enumerate(variables):
            names[variable] = f"{side}/{number}"
            yield Node(names[variable], "IO Node", (), tuple(_shapes([variable])))
    for number, equation in enumerate(jaxpr.eqns):
        inputs = tuple(dict.fromkeys(_sources(equation.invars, names)))
        stack = str(getattr(equation.source_info, "name_stack", ""))
        kind = equation.primitive.name
        name = "/".join(part for part in (*stack.split("/"), f"{kind}_{number}") if part)
        names |= dict.fromkeys(equation.outvars, name)
        shown = {key: str(value)[:SHOWN] for key, value in equation.params.items()}
        yield Node(name, kind, inputs, (("attr", text(str(shown))), *_shapes(equation.outvars)))
    for number, variable in enumerate(jaxpr.outvars):
        sources = tuple(_sources([variable], names))
        yield Node(f"output/{number}", "IO Node", sources, tuple(_shapes([variable])))


def _sources(variables: Any, names: dict[Any, str]) -> Iterator[str]:
    for variable in variables:
        # A number written in the function has no node; it cannot be a key either.
        if not hasattr(variable, "val"):
            name = names.get(variable)
            if name is not None:
                yield name


def _shapes(variables: Any) -> Iterator[tuple[str, bytes]]:
    shapes = [getattr(variable.aval, "shape", None) for variable in variables]
    yield (
        "_output_shapes",
        output_shapes(
            [size if isinstance(size, int) else -1 for size in sizes]
            for sizes in shapes
            if sizes is not None
        ),
    )
