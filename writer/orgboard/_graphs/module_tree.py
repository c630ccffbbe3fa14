"""A torch model's modules as a tree of nodes, without running anything.

`Net/Sequential[features]/Conv2d[0]` is the module `features.0`, with the boxes that a trace of
the same model has. A node tells what its module holds: parameters, their shapes, its settings.
"""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import suppress
from typing import Any

from orgboard._graphs.graph_def import Node, integer, text

__all__ = ["full_names", "module_attributes", "tree_of_modules"]


def tree_of_modules(model: Any, shown: Container[str] = frozenset()) -> list[Node]:
    """Give a node for each module that has none inside it.

    `shown` are paths (`features.0`) that need none, nor does what is inside of them.
    """
    names = full_names(model)
    return [
        Node(names[path], type(module).__name__, (), tuple(module_attributes(module)))
        for path, module in model.named_modules()
        if next(module.children(), None) is None and not any(each in shown for each in _ways(path))
    ]


def full_names(model: Any) -> dict[str, str]:
    """Name the boxes of each module by its path; a shared one is where it was first."""
    names = {"": type(model).__name__}
    for path, module in model.named_modules():
        if path:
            outer, _, attribute = path.rpartition(".")
            names[path] = f"{names[outer]}/{type(module).__name__}[{attribute}]"
    return names


def module_attributes(module: Any) -> Iterator[tuple[str, bytes]]:
    """Tell what a module and those inside it hold: counts of parameters, shapes, settings."""
    count = learning = 0
    shapes = []
    for name, parameter in module.named_parameters():
        with suppress(Exception):  # a lazy parameter has no shape yet
            size = int(parameter.numel())
            dtype = str(parameter.dtype).rpartition(".")[2]
            shapes.append(f"{name} {dtype}{list(parameter.shape)}")
            count += size
            learning += size if parameter.requires_grad else 0
    if count:
        yield "parameters", integer(count)
        yield "trainable", integer(learning)
        yield "shapes", text(", ".join(shapes))
    with suppress(Exception):  # the caller's code
        settings = str(module.extra_repr())
        if settings:
            yield "settings", text(settings)


def _ways(path: str) -> Iterator[str]:
    """Give a path and those of the modules around it."""
    while path:
        yield path
        path = path.rpartition(".")[0]
    yield ""
