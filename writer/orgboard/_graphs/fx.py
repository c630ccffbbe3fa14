"""A torch.fx graph, as in a `GraphModule` or an `ExportedProgram`, as nodes. Nothing is run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any

from orgboard._graphs.graph_def import Node, output_shapes, text

__all__ = ["read_fx"]


def read_fx(graph: Any, owner: Any) -> list[Node]:
    """Read a `torch.fx.Graph`. `owner` is the module that has its submodules."""
    root = type(owner).__name__
    names = {node: _name(node, root) for node in graph.nodes}
    return [
        Node(
            names[node],
            _operation(node, owner),
            tuple(names[each] for each in node.all_input_nodes),
            tuple(_attributes(node)),
        )
        for node in graph.nodes
    ]


def _name(node: Any, root: str) -> str:
    if node.op in ("placeholder", "output"):
        side = "input" if node.op == "placeholder" else "output"
        return f"{side}/{node.name}"
    boxes = [root]
    # path of a module -> (where it lies, its class), from the outermost in
    for where, kind in (node.meta.get("nn_module_stack") or {}).values():
        name = str(getattr(kind, "__name__", kind)).rpartition(".")[2]
        attribute = str(where).rpartition(".")[2]
        if attribute:
            boxes.append(f"{name}[{attribute}]")
        else:
            boxes = [name]
    return "/".join([*boxes, node.name])


def _operation(node: Any, owner: Any) -> str:
    target = node.target
    if node.op in ("placeholder", "output"):
        return "IO Node"
    if node.op == "call_module":
        with suppress(Exception):  # the graph may be without its modules
            return type(owner.get_submodule(target)).__name__
    if node.op == "call_function" and str(target).startswith("<"):
        return f"{target.__module__}.{target.__name__}"
    return str(target)


def _attributes(node: Any) -> Iterator[tuple[str, bytes]]:
    yield "attr", text(f"{node.args} {node.kwargs or ''}".strip())
    shapes = list(_shapes(node.meta.get("val", node.meta.get("tensor_meta"))))
    if shapes:
        yield "_output_shapes", output_shapes(shapes)


def _shapes(value: Any) -> Iterator[list[int]]:
    found: Iterable[Any] = [value] if hasattr(value, "shape") else value or ()
    if not isinstance(found, (list, tuple)):
        return
    for each in found:
        if hasattr(each, "shape"):
            # A symbolic size must not be turned into a number: that would fix it.
            yield [size if type(size) is int else -1 for size in each.shape]
