"""A graph that torch traced, as nodes with the names that torch's own writer gives.

    graph of the trace ──▶ values (name, inputs, scope, op) ──▶ nodes (full names)

A traced value is called `input.3`; what makes it lies in a scope such as
`__module.features/__module.features.0`; and the modules tell that `__module.features.0` is a
`Conv2d`. The node is then `Net/Sequential[features]/Conv2d[0]/input.3`. The rules were found by
looking at what torch's writer makes; a test holds both equal, but for what a node that reads a
weight says here besides: the weight's shape, and how many parameters it is.

Nothing here imports torch: it reads the objects it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from orgboard._graphs.graph_def import LARGE_CONSTANT, Node, Shape, integer, output_shapes, text

__all__ = ["read_traced"]

GET_ATTRIBUTE: Final = "prim::GetAttr"
"""The operation that reads a parameter, a buffer or a submodule from its module."""

MODULE: Final = "ClassType"
"""The kind of a value's type when it is a module."""

SELF: Final = "__module"
"""What a trace calls the module itself."""

SUMMARISED: Final = 1000
"""Elements up to which torch prints a tensor whole, unless the user set another number."""

RENDERED: Final = 10_000
"""Elements up to which we let it."""


class _Value(NamedTuple):
    """What will be a node: all names in it are still the trace's."""

    name: str
    op: str
    inputs: list[str]
    sizes: Shape | None
    attributes: str
    scope: str
    """Where it lies; "input" or "output" for what enters or leaves the graph."""
    parameters: int | None = None
    """How many it is; 0 for one that is no parameter, or was read before; None of what is no
    weight."""


def read_traced(graph: Any, module: Any) -> list[Node]:
    """Read an inlined `torch._C.Graph`, with the traced or scripted module that it is of."""
    scopes = _Scopes(module)
    # By name: should a value inside be called as an end is (`output.1`), it takes its place.
    values: dict[str, _Value] = {}
    for given in graph.inputs():
        if given.uses() and given.type().kind() != MODULE:
            values[given.debugName()] = _end("input", given, given.debugName(), [])
    for number, result in enumerate(graph.outputs(), 1):
        name = f"output.{number}"
        values[name] = _end("output", result, name, [result.debugName()])
    consumers: dict[str, str] = {}
    last_scope = "default"
    for operation in graph.nodes():
        scope = scopes.of(operation)
        if scope is None:
            continue
        inputs = [given.debugName() for given in operation.inputs()]
        attributes = _describe(operation)
        for made in operation.outputs():
            name, last_scope = made.debugName(), scope
            sizes, parameters = scopes.held(operation) or (_known_sizes(made), None)
            values[name] = _Value(
                name, operation.kind(), inputs, sizes, attributes, scope, parameters
            )
        for name in inputs:
            consumers[name] = scope
    return _name_fully(values, consumers, last_scope.split("/")[0])


def _name_fully(values: dict[str, _Value], consumers: dict[str, str], root: str) -> list[Node]:
    """Put the scopes in front of all names. What no node makes is where it is last used."""
    full = {name: f"{scope}/{name}" for name, scope in consumers.items()}
    full |= {key: f"{value.scope or root}/{value.name}" for key, value in values.items()}
    return [
        Node(
            full[value.name],
            value.op,
            tuple(full.get(name, name) for name in value.inputs),
            tuple(_attributes(value)),
        )
        for value in values.values()
    ]


def _attributes(value: _Value) -> Iterator[tuple[str, bytes]]:
    yield "attr", text(value.attributes)
    if value.sizes is not None:
        yield "_output_shapes", output_shapes([value.sizes])
    if value.parameters is not None:
        yield "parameters", integer(value.parameters)


def _end(side: str, value: Any, name: str, inputs: list[str]) -> _Value:
    try:
        sizes = value.type().sizes()
    except RuntimeError:
        sizes = (1,)  # no tensor, such as a number; torch's writer says so
    return _Value(name, "IO Node", inputs, None if sizes is None else tuple(sizes), "", side)


def _known_sizes(value: Any) -> Shape | None:
    return tuple(value.type().sizes()) if value.isCompleteTensor() else None


class _Scopes:
    """Knows in which modules an operation lies, by their classes and names."""

    def __init__(self, module: Any) -> None:
        self._root = _class_name(module)
        self._shown = {
            path: f"{_class_name(inner)}[{path.rpartition('.')[2]}]"
            for path, inner in _modules(module)
        }
        self._paths: dict[str, str] = {}
        """Values that are modules, and where each is: `__module.a/__module.a.b`."""
        self._held = dict(_weights(module))
        self._counted: set[int] = set()

    def of(self, operation: Any) -> str | None:
        """Name the scope of an operation; None when it only reads a submodule."""
        if operation.kind() != GET_ATTRIBUTE:
            return self._show(operation.scopeName())
        result = operation.output()
        path = self._path(operation)
        self._paths[result.debugName()] = path
        return None if result.type().kind() == MODULE else self._show(path)

    def held(self, operation: Any) -> tuple[Shape, int] | None:
        """Tell the shape of the weight that an operation reads, and its parameters, once."""
        if operation.kind() != GET_ATTRIBUTE:
            return None
        tensor, is_parameter = self._held.get(
            self._path(operation).rpartition("/")[2], (None, False)
        )
        if tensor is None:
            return None
        counts = is_parameter and id(tensor) not in self._counted
        self._counted.add(id(tensor))
        return tuple(tensor.shape), tensor.numel() if counts else 0

    def _path(self, read: Any) -> str:
        attribute = read.s("name")
        owner = read.input().node()
        if owner.kind() != GET_ATTRIBUTE:
            return f"{SELF}.{attribute}"
        outer = self._paths[owner.output().debugName()]
        return f"{outer}/{outer.rpartition('/')[2]}.{attribute}"

    def _show(self, path: str) -> str:
        parts = [
            self._shown[part] if part in self._shown else part.rpartition(".")[2]
            for part in path.split("/")
        ]
        return "/".join([self._root, *parts]) if any(parts) else self._root


def _modules(module: Any) -> Iterator[tuple[str, Any]]:
    if hasattr(module, "named_modules"):  # a scripted function has none
        yield from module.named_modules(prefix=SELF)


def _weights(module: Any) -> Iterator[tuple[str, tuple[Any, bool]]]:
    """Give what modules hold, by path, and whether it is a parameter."""
    for path, inner in _modules(module):
        for name, tensor in inner.named_buffers(recurse=False):
            yield f"{path}.{name}", (tensor, False)
        for name, tensor in inner.named_parameters(recurse=False):
            yield f"{path}.{name}", (tensor, True)


def _class_name(module: Any) -> str:
    # A traced module keeps its class' name in one place, a scripted one in the other.
    own = getattr(module, "__dict__", {}).get("_name")
    return own if isinstance(own, str) else str(getattr(module, "original_name", "Module"))


def _describe(operation: Any) -> str:
    """Print an operation's attributes as torch's writer does, without the large constants."""
    found = {name: _attribute(operation, name) for name in operation.attributeNames()}
    # TensorBoard's page stumbles over single quotes.
    return str(found).replace("'", " ")


def _attribute(operation: Any, name: str) -> Any:
    kind = operation.kindOf(name)
    value = getattr(operation, kind)(name)
    is_large = kind == "t" and RENDERED < value.numel() <= _print_threshold()
    return LARGE_CONSTANT if is_large else value


def _print_threshold() -> float:
    printing = getattr(sys.modules.get("torch._tensor_str"), "PRINT_OPTS", None)
    threshold = getattr(printing, "threshold", SUMMARISED)
    return float(threshold)
