"""A Keras model as its own JSON: layers, how they are tied, and what they hold."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from orgboard_dashboard.graphs.builder import Builder
from orgboard_dashboard.graphs.keras_parameters import count_parameters
from orgboard_dashboard.graphs.keras_shapes import output_shape
from orgboard_dashboard.graphs.model import Attributes, Graph, Shape

__all__ = ["read_keras"]

_MAX_LAYERS: Final = 100_000
_MAX_TEXT: Final = 400
_MAX_ATTRIBUTES: Final = 60


@dataclass(slots=True)
class _Layer:
    """A layer while the model is walked; a model within the model is one, with layers inside."""

    path: str
    kind: str
    config: Mapping[str, Any]
    inputs: list[str]
    input_shape: Shape
    output_shape: Shape = None
    is_inferred: bool = False
    """Whether the model does not write the shape, and it follows from those before."""
    calls: int = 1
    given: Sequence[Shape] = ()
    """What shapes go in."""
    is_model: bool = False
    entries: list[str] = field(default_factory=list)
    exits: list[str] = field(default_factory=list)


def read_keras(data: bytes) -> Graph:
    """Return the layers of a model as a graph."""
    builder = Builder("Keras model")
    try:
        model = json.loads(data)
    except (ValueError, RecursionError) as error:
        builder.problem(f"The JSON of the model cannot be read: {str(error)[:200]}.")
        return builder.build()
    layers = _walked(model, builder)
    sources = {
        layer.path: tuple(path for name in layer.inputs for path in _exits(name, layers))
        for layer in layers.values()
        if not layer.is_model
    }
    _infer_shapes(layers, sources)
    for path, before in sources.items():
        layer = layers[path]
        given = [shape for shape in layer.given if shape is not None]
        held = count_parameters(layer.kind, layer.config, given)
        builder.uncounted += held is None
        builder.add(
            path,
            layer.kind,
            before,
            shapes=() if layer.output_shape is None else (layer.output_shape,),
            parameters=held or 0,
            packed=_attributes(layer.config),
            is_inferred=layer.is_inferred,
        )
    return builder.build()


def _infer_shapes(layers: Mapping[str, _Layer], sources: Mapping[str, Sequence[str]]) -> None:
    """Give each layer the shapes that go in and, where the model does not write it, the one that
    comes out."""
    takers: dict[str, list[str]] = {}
    for path, before in sources.items():
        for source in before:
            takers.setdefault(source, []).append(path)
    waiting = deque(sources)
    while waiting:
        path = waiting.popleft()
        layer = layers[path]
        given = [layers[at].output_shape if at in layers else None for at in sources[path]]
        if layer.input_shape is None and given:
            layer.input_shape = given[0]
        # A layer that is called again takes in one call what it takes in another.
        layer.given = given if len(given) > 1 and layer.calls == 1 else [layer.input_shape]
        if layer.output_shape is not None or len(given) > max(1, layer.calls) > 1:
            continue
        layer.output_shape = output_shape(layer.kind, layer.config, layer.given)
        if layer.output_shape is not None:
            layer.is_inferred = True
            waiting += takers.get(path, ())


def _walked(model: Any, builder: Builder) -> dict[str, _Layer]:
    """Find all layers, those of models within models too, by path."""
    found: dict[str, _Layer] = {}
    waiting: list[tuple[Any, str, _Layer | None]] = [(model, "", None)]
    while waiting:
        at, prefix, outer = waiting.pop()
        mine = list(_layers_of(at, prefix, builder))
        for layer, spec in mine:
            if len(found) >= _MAX_LAYERS:
                builder.problem(f"The model has more than {_MAX_LAYERS} layers.")
                return found
            found[layer.path] = layer
            if layer.is_model:
                waiting.append((spec, f"{layer.path}/", layer))
        _give_shapes(at, prefix, found)
        if outer is not None and mine:
            _join(outer, at, prefix, [layer for layer, _ in mine])
    return found


def _layers_of(model: Any, prefix: str, builder: Builder) -> Iterator[tuple[_Layer, Any]]:
    config = _mapping(_mapping(model).get("config"))
    specs = config.get("layers", _mapping(model).get("config"))
    if not isinstance(specs, list):
        builder.problem("The JSON has no list of layers where Keras writes one.")
        return
    is_chain = "input_layers" not in config
    before = ""
    for number, spec in enumerate(specs):
        inside = _mapping(_mapping(spec).get("config"))
        name = str(inside.get("name") or _mapping(spec).get("name") or f"layer {number + 1}")
        inbound = _mapping(spec).get("inbound_nodes")
        inputs = [prefix + source for source, _ in _sources(inbound)]
        if is_chain and not inputs and before:
            inputs = [before]
        kind = str(_mapping(spec).get("class_name", "layer"))
        built = _mapping(_mapping(spec).get("build_config")).get("input_shape")
        layer = _Layer(prefix + name, kind, inside, inputs, _shape(built))
        layer.is_model = isinstance(inside.get("layers"), list)
        layer.calls = len(inbound) if isinstance(inbound, list) else 1
        # Keras 2 writes of a first layer what goes in, whether it is an input or does something.
        told = _shape(inside.get("batch_shape") or inside.get("batch_input_shape"))
        if kind == "InputLayer":
            layer.output_shape = told
        else:
            layer.input_shape = layer.input_shape or told
        before = layer.path
        yield layer, spec


def _give_shapes(model: Any, prefix: str, found: Mapping[str, _Layer]) -> None:
    """Take the shapes that tensors between layers have, where Keras wrote them."""
    config = _mapping(_mapping(model).get("config"))
    specs = config.get("layers")
    for spec in specs if isinstance(specs, list) else ():
        name = str(_mapping(_mapping(spec).get("config")).get("name", ""))
        for source, shape in _sources(_mapping(spec).get("inbound_nodes")):
            giver, taker = found.get(prefix + source), found.get(prefix + name)
            if giver is not None and shape is not None:
                giver.output_shape = shape
            if taker is not None and taker.input_shape is None:
                taker.input_shape = shape
    layers = [layer for path, layer in found.items() if path.startswith(prefix)]
    for layer in layers:
        # In a chain a layer gives what the next one was built for.
        for source in layer.inputs:
            giver = found.get(source)
            if giver is not None and giver.output_shape is None and len(layer.inputs) == 1:
                giver.output_shape = layer.input_shape


def _join(outer: _Layer, model: Any, prefix: str, layers: list[_Layer]) -> None:
    """Lead what goes into a model to its first layers, and what comes out from its last."""
    config = _mapping(_mapping(model).get("config"))
    firsts = [layer for layer in layers if not layer.inputs]
    for layer in firsts:
        layer.inputs = list(outer.inputs)
    named = [prefix + name for name in _names(config.get("output_layers"))]
    outer.exits = named or [layers[-1].path]


def _exits(name: str, layers: Mapping[str, _Layer]) -> list[str]:
    """Return the layers that a tensor really comes from."""
    waiting, found, seen = [name], [], set()
    while waiting:
        path = waiting.pop()
        layer = layers.get(path)
        if layer is None or not layer.is_model:
            found.append(path)
        elif path not in seen:
            seen.add(path)
            waiting += layer.exits
    return found


def _names(given: Any) -> Iterator[str]:
    """Read ["name", 0, 0] and lists of it."""
    if isinstance(given, list) and given and isinstance(given[0], str):
        yield given[0]
    elif isinstance(given, list):
        for one in given:
            if isinstance(one, list) and one and isinstance(one[0], str):
                yield one[0]


def _sources(inbound: Any) -> Iterator[tuple[str, Shape]]:
    """Find the layers that inbound nodes name, in either of Keras's spellings, in order."""
    waiting = [inbound]
    steps = 0
    while waiting and steps < _MAX_LAYERS:
        steps += 1
        one = waiting.pop()
        if isinstance(one, dict):
            history = _mapping(one.get("config")).get("keras_history")
            if isinstance(history, list) and history:
                yield str(history[0]), _shape(_mapping(one["config"]).get("shape"))
            else:
                waiting += reversed(list(one.values()))
        elif isinstance(one, list):
            if len(one) in (3, 4) and isinstance(one[0], str) and isinstance(one[1], int):
                yield one[0], None
            else:
                waiting += reversed(one)


def _shape(given: Any) -> Shape:
    if not isinstance(given, list) or not all(
        size is None or isinstance(size, int) for size in given
    ):
        return None
    return tuple(-1 if size is None else size for size in given)


def _mapping(given: Any) -> Mapping[str, Any]:
    return given if isinstance(given, dict) else {}


def _attributes(config: Mapping[str, Any]) -> Attributes:
    return tuple(
        (str(name)[:_MAX_TEXT], _text(config[name])) for name in list(config)[:_MAX_ATTRIBUTES]
    )


def _text(value: Any) -> str:
    named = _mapping(value)
    if "class_name" in named:
        inner = _mapping(named.get("config")).get("name")
        return str(inner if isinstance(inner, str) else named["class_name"])[:_MAX_TEXT]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}… {len(text)} characters"
