"""Which modules a torch model calls, and what flows between them: one forward, watched.

    input ──▶ Net/Conv2d[0] ──▶ Net/BatchNorm2d[1] ──▶ output

Hooks see each call of a module, its inputs and its outputs. A call in which no other module is
called is a node. A tensor's origins are the nodes it was made from; what is computed between
modules (an addition, a reshape) hands the origins of its inputs on to its result.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass
from inspect import signature
from typing import Any, Final, NamedTuple, TypeAlias

from orgboard._graphs.graph_def import Node, Shape, output_shapes
from orgboard._graphs.module_tree import full_names, module_attributes, tree_of_modules

__all__ = ["watch_forward"]

MOST_CALLS: Final = 100_000
"""A model that calls more modules in one forward is a loop; a picture of it helps nobody."""

MOST_TENSORS: Final = 10_000
"""Looked at in one value. Bounds what a container of containers, or a cycle, takes."""

Origins: TypeAlias = tuple[str, ...]


class _Call(NamedTuple):
    """A module that is running now."""

    path: str
    origins: Origins
    nodes_before: int


def watch_forward(
    torch: Any, model: Any, positional: tuple[Any, ...], named: dict[str, Any]
) -> list[Node]:
    """Run a model once and give its graph of modules.

    Raises:
        Exception: what the model raises, or it calls far too many modules.
    """
    watch = _Watch(torch, model)
    handles: list[Any] = []
    try:
        for path, module in model.named_modules():
            with suppress(Exception):  # a scripted module takes no hooks
                handles += watch.hook(path, module)
        watch.enter(model, positional, named)
        with _following(torch, watch):
            result = model(*positional, **named)
        watch.leave(result)
    finally:
        for handle in handles:
            handle.remove()
    return [*watch.nodes, *tree_of_modules(model, watch.shown)]


class _Watch:
    """Gathers nodes while a model runs."""

    def __init__(self, torch: Any, model: Any) -> None:
        self.nodes: list[Node] = []
        self.shown: set[str] = set()
        """Paths of the modules that are nodes."""
        self._torch = torch
        self._names = full_names(model)
        self._times: Counter[str] = Counter()
        self._running: list[_Call] = []
        self._origins: dict[int, tuple[weakref.ref[Any], Origins]] = {}

    def hook(self, path: str, module: Any) -> Iterator[Any]:
        def before(_module: Any, args: Any, kwargs: Any) -> None:
            self._running.append(_Call(path, self._origins_of((args, kwargs)), len(self.nodes)))

        def after(inner: Any, _args: Any, _kwargs: Any, result: Any) -> None:
            self._record(inner, self._running.pop(), result)

        yield module.register_forward_pre_hook(before, with_kwargs=True)
        yield module.register_forward_hook(after, with_kwargs=True)

    def enter(self, model: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> None:
        for argument, value in _arguments(model, positional, named).items():
            for tensor in self._tensors(value):
                name = self._unused(f"input/{argument}")
                self.nodes.append(Node(name, "IO Node", (), _shapes([tensor])))
                self._set(tensor, (name,))

    def leave(self, result: Any) -> None:
        for number, tensor in enumerate(self._tensors(result), 1):
            node = Node(
                f"output/output.{number}", "IO Node", self._origins_of(tensor), _shapes([tensor])
            )
            self.nodes.append(node)

    def follow(self, given: Any, result: Any) -> None:
        """Hand on the origins of what a function was given to what it made."""
        origins = self._origins_of(given)
        if origins:
            # An assignment to a part of a tensor gives nothing, and changes its first argument.
            for tensor in self._tensors(given[0][:1] if result is None else result):
                self._set(tensor, origins)

    def _record(self, module: Any, call: _Call, result: Any) -> None:
        if len(self.nodes) > call.nodes_before:
            return  # modules inside it are nodes, and it is the box around them
        if len(self.nodes) >= MOST_CALLS:
            raise RuntimeError(f"more than {MOST_CALLS} calls of modules")
        tensors = list(self._tensors(result))
        name = self._unused(self._names[call.path])
        attributes = (*_shapes(tensors), *module_attributes(module))
        self.nodes.append(Node(name, type(module).__name__, call.origins, attributes))
        self.shown.add(call.path)
        for tensor in tensors:
            self._set(tensor, (name,))

    def _unused(self, name: str) -> str:
        self._times[name] += 1
        return name if self._times[name] == 1 else f"{name}_{self._times[name]}"

    def _set(self, tensor: Any, origins: Origins) -> None:
        # Weakly: what a training could not keep in memory, its graph must not either.
        self._origins[id(tensor)] = (weakref.ref(tensor), origins)

    def _origins_of(self, value: Any) -> Origins:
        found: dict[str, None] = {}
        for tensor in self._tensors(value):
            reference, origins = self._origins.get(id(tensor), (None, ()))
            if reference is not None and reference() is tensor:
                found |= dict.fromkeys(origins)
        return tuple(found)

    def _tensors(self, value: Any) -> Iterator[Any]:
        """Find the tensors in a value, in order: in lists, mappings, dataclasses, any nesting."""
        waiting = [value]
        for _ in range(MOST_TENSORS):
            if not waiting:
                return
            each = waiting.pop()
            if isinstance(each, self._torch.Tensor):
                yield each
            else:
                waiting += reversed(list(_parts(each)))


def _parts(value: Any) -> Iterable[Any]:
    if isinstance(value, (tuple, list)):
        return value[:MOST_TENSORS]
    if isinstance(value, Mapping):
        return value.values()
    if is_dataclass(value):
        return [getattr(value, field.name, None) for field in fields(value)]
    return ()


def _following(torch: Any, watch: _Watch) -> Any:
    """Make what tells `watch` of every torch function that is called."""

    class Following(torch.overrides.TorchFunctionMode):  # type: ignore[misc]
        def __torch_function__(
            self, function: Any, _types: Any, args: Any = (), kwargs: Any = None
        ) -> Any:
            result = function(*args, **(kwargs or {}))
            watch.follow((args, kwargs), result)
            return result

    return Following()


def _arguments(model: Any, positional: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
    """Name the inputs as the forward does."""
    try:
        return dict(signature(model.forward).bind(*positional, **named).arguments)
    except (TypeError, ValueError):
        return {str(number): value for number, value in enumerate(positional)} | named


def _shapes(tensors: Iterable[Any]) -> tuple[tuple[str, bytes], ...]:
    shapes: list[Shape] = []
    for tensor in tensors:
        with suppress(Exception):  # a nested tensor has a ragged one
            shapes.append(tuple(int(size) for size in tensor.shape))
    return (("_output_shapes", output_shapes(shapes)),) if shapes else ()
