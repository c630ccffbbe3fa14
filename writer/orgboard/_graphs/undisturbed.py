"""Run somebody's torch model once, and leave no trace of it.

A model that is trained is run here in evaluation mode only to see what it does. Afterwards it
is as it was: the mode of each of its modules, its buffers, the random numbers that come next,
whether gradients are recorded, what autocast remembers. Nothing is printed.
"""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from types import ModuleType
from typing import Any, Final

__all__ = ["undisturbed"]

BUFFERS_COPIED_BYTES: Final = 256 << 20
"""Buffers that are kept to be put back. More is a table or a cache, which no evaluation changes."""

_one_at_a_time = threading.RLock()
"""torch's tracer, and the list of warnings to ignore, are each one for all threads."""


@contextmanager
def undisturbed(torch: Any, model: Any) -> Iterator[None]:
    """Put `model` into evaluation mode, and everything back at the end, error or not."""
    modules = list(model.modules())
    with ExitStack() as after:
        after.enter_context(_one_at_a_time)
        # Not `with torch.no_grad()`: some layers take another path without gradients.
        after.enter_context(torch.set_grad_enabled(torch.is_grad_enabled()))
        after.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        for restore in (*_generators(torch), *_autocast_cache(torch)):
            after.callback(_quietly, restore)
        after.enter_context(_eager(torch))
        after.callback(_quietly, _uncompiled(modules))
        after.callback(_quietly, _buffers(torch, modules))
        after.callback(_quietly, _backward_hooks(modules))
        after.callback(_quietly, _modes(modules))
        yield


def _quietly(restore: Callable[[], None]) -> None:
    # One thing that cannot be put back must not keep the others from it.
    with suppress(Exception):
        restore()


def _modes(modules: list[Any]) -> Callable[[], None]:
    """Set the flag of each module, and not by `train()`: that may be overridden and do more."""
    before = [(module, module.training) for module in modules if hasattr(module, "training")]
    for module, was_training in before:
        if was_training:
            module.training = False

    def restore() -> None:
        for module, was_training in before:
            if module.training != was_training:
                module.training = was_training

    return restore


def _generators(torch: Any) -> Iterator[Callable[[], None]]:
    """Remember every generator of random numbers that a model may draw from."""
    random: ModuleType | None = sys.modules.get("random")
    if random is not None:
        yield _later(random.setstate, random.getstate())
    numpy_random = sys.modules.get("numpy.random")
    if numpy_random is not None:
        yield _later(numpy_random.set_state, numpy_random.get_state())
    yield _later(torch.set_rng_state, torch.get_rng_state())
    for name in ("cuda", "xpu", "mps"):
        with suppress(Exception):
            device = getattr(torch, name)
            if name == "mps":
                if torch.backends.mps.is_available():
                    yield _later(device.set_rng_state, device.get_rng_state())
            elif device.is_initialized():
                yield _later(device.set_rng_state_all, device.get_rng_state_all())


def _later(put_back: Callable[[Any], Any], state: Any) -> Callable[[], None]:
    return lambda: put_back(state)


def _autocast_cache(torch: Any) -> Iterator[Callable[[], None]]:
    """Keep autocast from remembering weights that were cast while nothing was to be learned."""
    with suppress(Exception):
        was_enabled = torch.is_autocast_cache_enabled()
        torch.set_autocast_cache_enabled(False)
        yield _later(torch.set_autocast_cache_enabled, was_enabled)


@contextmanager
def _eager(torch: Any) -> Iterator[None]:
    """Have functions that `torch.compile` made run as they were written: compiling takes long."""
    with ExitStack() as after:
        if "torch._dynamo" in sys.modules:
            with suppress(Exception):  # not in every version of torch
                after.enter_context(torch.compiler.set_stance("force_eager"))
        yield


def _uncompiled(modules: list[Any]) -> Callable[[], None]:
    """Do the same for modules, which refuse to be traced otherwise."""
    kept = []
    for module in modules:
        own = vars(module)
        if own.get("_compiled_call_impl") is not None:
            kept.append((own, "_compiled_call_impl", own["_compiled_call_impl"]))
            own["_compiled_call_impl"] = None
        inner = own.get("_modules", {}).get("_orig_mod")
        if inner is not None and "forward" in own:
            kept.append((own, "forward", own["forward"]))
            own["forward"] = inner

    def restore() -> None:
        for own, name, value in kept:
            own[name] = value

    return restore


def _backward_hooks(modules: list[Any]) -> Callable[[], None]:
    """Take the hooks on gradients away: there are none here, and no module with them is traced."""
    kept = []
    for module in modules:
        for name in ("_backward_hooks", "_backward_pre_hooks"):
            hooks = vars(module).get(name)
            if hooks:
                kept.append((module, name, hooks))
                setattr(module, name, type(hooks)())

    def restore() -> None:
        for module, name, hooks in kept:
            setattr(module, name, hooks)

    return restore


def _buffers(torch: Any, modules: list[Any]) -> Callable[[], None]:
    """Copy the buffers, to put those back that change."""
    kept: list[tuple[Any, str, Any, int, Any]] = []
    room = BUFFERS_COPIED_BYTES
    for module in modules:
        for name, tensor in list(getattr(module, "_buffers", {}).items()):
            with suppress(Exception):  # an inference tensor counts no changes, a lazy one no bytes
                room -= tensor.numel() * tensor.element_size()
                copy = tensor.detach().clone() if room >= 0 else None
                kept.append((module, name, tensor, tensor._version, copy))

    def restore() -> None:
        for module, name, tensor, version, copy in kept:
            if module._buffers.get(name) is not tensor:
                module._buffers[name] = tensor
            if copy is not None and tensor._version != version:
                with torch.no_grad():
                    tensor.copy_(copy)

    return restore
