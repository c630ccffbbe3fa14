"""A torch module's graph: traced if it can be, else the tree of its modules.

    torch.jit.trace ──fails──▶ one forward, watched by hooks ──fails──▶ the modules as they are

torch itself is not imported here: a module that is given has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from inspect import Parameter, signature
from typing import Any, Final, NamedTuple

from orgboard._graphs.fx import read_fx
from orgboard._graphs.graph_def import Graph, Node
from orgboard._graphs.module_tree import tree_of_modules
from orgboard._graphs.traced import read_traced
from orgboard._graphs.undisturbed import undisturbed
from orgboard._graphs.watched import watch_forward
from orgboard._log.guard import describe

__all__ = ["Inputs", "is_torch_model", "read_inputs", "torch_graph", "unwrap"]

DEVICE: Final = "/device:CPU:0"
"""What torch's writer says of every graph, wherever the model is."""

WRAPPERS: Final = {
    "OptimizedModule": "_orig_mod",  # torch.compile
    "DataParallel": "module",
    "DistributedDataParallel": "module",
    "DeepSpeedEngine": "module",
}
"""Classes that only run another module, and where they keep it."""

TOGETHER: Final = {"FSDPModule", "FullyShardedDataParallel", "DistributedDataParallel", "DTensor"}
"""Classes of modules, and of parameters, that compute only together with other processes."""

Tell = Callable[[str], None]


class Inputs(NamedTuple):
    """What a model is called with."""

    positional: tuple[Any, ...]
    named: dict[str, Any]


def is_torch_model(value: Any) -> bool:
    """Whether it is a torch module, or a scripted function."""
    torch = sys.modules.get("torch")
    return isinstance(value, (*_class(torch, "nn", "Module"), *_scripted_kinds(torch)))


def torch_graph(model: Any, given: Any, *, verbose: bool, strict: bool, tell: Tell) -> Graph:
    """Give a module's graph. Runs it at most twice, each time in evaluation mode.

    `given` is a tensor, a tuple or list of positional inputs, or a mapping of named ones;
    None does not run the model. `tell` hears why the graph is less than a trace.
    """
    torch = sys.modules["torch"]
    model = unwrap(model)
    if isinstance(model, _scripted_kinds(torch)):
        return Graph(_scripted(torch, model, verbose=verbose), DEVICE)
    obstacle = "there is no input" if given is None else _obstacle(torch, model)
    if obstacle:
        if callable(getattr(getattr(model, "graph", None), "find_nodes", None)):
            return Graph(read_fx(model.graph, model))
        tell(f"add_graph shows the modules of a {type(model).__name__} and runs none: {obstacle}")
        return Graph(tree_of_modules(model))
    try:
        return Graph(_traced(torch, model, given, verbose=verbose, strict=strict), DEVICE)
    except Exception as error:  # noqa: BLE001 (a model's forward may raise anything)
        untraced = f"torch cannot trace the {type(model).__name__} ({describe(error)})"
    return _untraced(torch, model, read_inputs(model, given), untraced, tell)


def unwrap(model: Any) -> Any:
    """Give the module inside of those that only distribute or compile it."""
    for _ in WRAPPERS:
        for kind in type(model).__mro__:
            inner = getattr(model, WRAPPERS.get(kind.__name__, ""), None)
            if inner is not None:
                model = inner
                break
        else:
            break
    return model


def read_inputs(model: Any, given: Any) -> Inputs:
    """Read what torch takes for the inputs of a model, and a mapping of named ones."""
    if isinstance(given, Mapping):
        return Inputs((), dict(given)) if _are_names(model, given) else Inputs((given,), {})
    if isinstance(given, (tuple, list)):
        return Inputs(tuple(given), {})
    return Inputs((given,), {})


def _are_names(model: Any, given: Mapping[Any, Any]) -> bool:
    """Whether the keys are parameters of the forward; else the mapping itself is the input."""
    try:
        parameters = signature(model.forward).parameters
    except (TypeError, ValueError):
        return False
    takes_any = any(each.kind is Parameter.VAR_KEYWORD for each in parameters.values())
    return all(isinstance(key, str) and (takes_any or key in parameters) for key in given)


def _traced(torch: Any, model: Any, given: Any, *, verbose: bool, strict: bool) -> list[Node]:
    inputs = read_inputs(model, given)
    # Its checks would run the model twice more, and change nothing in the graph.
    options: dict[str, Any] = {"strict": strict, "check_trace": False}
    if inputs.named:
        options["example_kwarg_inputs"] = inputs.named
    else:
        options["example_inputs"] = given
    with undisturbed(torch, model):
        trace = torch.jit.trace(model, **options)
        graph = trace.graph
        torch._C._jit_pass_inline(graph)
        # Read here and not in the background: a graph may hold tensors of the user's as
        # constants, which training goes on to change; and what fails here has a way out.
        nodes = read_traced(graph, trace)
        if verbose:
            _print(graph)
    return nodes


def _scripted(torch: Any, model: Any, *, verbose: bool) -> list[Node]:
    graph = model.graph.copy()  # inlining changes it in place
    torch._C._jit_pass_inline(graph)
    if verbose:
        _print(graph)
    return read_traced(graph, model)


def _untraced(torch: Any, model: Any, inputs: Inputs, untraced: str, tell: Tell) -> Graph:
    try:
        with undisturbed(torch, model), torch.no_grad():
            nodes = watch_forward(torch, model, inputs.positional, inputs.named)
    except Exception as error:  # noqa: BLE001 (as above)
        tell(
            f"{untraced}, nor does it run on the input ({describe(error)}); "
            "add_graph shows its modules without what flows between them"
        )
        return Graph(tree_of_modules(model))
    tell(f"{untraced}; add_graph shows its modules and what flows between them instead")
    return Graph(nodes, DEVICE)


def _scripted_kinds(torch: Any) -> tuple[type, ...]:
    return (*_class(torch, "jit", "ScriptModule"), *_class(torch, "jit", "ScriptFunction"))


def _class(torch: Any, package: str, name: str) -> tuple[type, ...]:
    """Find a class of torch; none where there is no torch, or it has it no longer."""
    found = getattr(getattr(torch, package, None), name, None)
    return (found,) if isinstance(found, type) else ()


def _obstacle(torch: Any, model: Any) -> str:
    """Say why a model must not be run; empty if it may."""
    parameters = list(model.parameters())
    classes = {kind.__name__ for part in (*model.modules(), *parameters) for kind in _kinds(part)}
    if classes & TOGETHER:
        return "its forward would wait for other processes"
    is_lazy = getattr(torch.nn.parameter, "is_lazy", None)
    if is_lazy is not None and any(map(is_lazy, parameters)):
        return "its first forward is to make its lazy parameters"
    return ""


def _kinds(part: Any) -> tuple[type, ...]:
    return type(part).__mro__


def _print(graph: Any) -> None:
    with suppress(Exception):  # standard output may be closed
        sys.stdout.write(f"{graph}\n")
