"""Backward passes as hooks of parameters see them.

A hook of every parameter would cost a call each in every pass. Instead a few parameters that got
a gradient early in a pass keep a hook, the sentinels: when one of them gets its second gradient,
a new pass has begun. If that one is wanted, the others get hooks too, for this pass only.

torch copies and saves parameters without their hooks, so that a watched model can be both.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from orgboard._watch.parameters import Named

__all__ = ["Passes"]

SENTINELS: Final = 8
"""One would be enough, unless it is frozen later or not used in each pass."""


class Passes:
    """Tells of the gradients of those backward passes that `begin` asks for.

    `begin(number)` is called once a pass, when its first gradient is there, and says whether the
    gradients of this pass are wanted; then `got(name, gradient)` brings each.
    """

    def __init__(
        self,
        parameters: list[Named],
        begin: Callable[[int], bool],
        got: Callable[[str, Any], None],
    ) -> None:
        self._parameters = [
            (name, weakref.ref(parameter))
            for name, parameter in parameters
            if _hook_method(parameter) is not None
        ]
        self._begin = begin
        self._got = got
        self._number = -1
        self._is_wanted = False
        self._seen: dict[int, None] = {}
        self._handles: dict[int, Any] = {}
        self._is_learning = True
        self._hook(range(len(self._parameters)))

    @property
    def hooks(self) -> int:
        """How many parameters have a hook now."""
        return len(self._handles)

    def close(self) -> None:
        """Remove every hook."""
        self._parameters = []
        self._unhook(list(self._handles))

    def _fired(self, index: int, given: Any) -> None:
        if index >= len(self._parameters):
            return  # closed meanwhile
        if self._number < 0 or index in self._seen:
            self._next_pass(index)
        self._seen[index] = None
        if self._is_wanted:
            name, reference = self._parameters[index]
            parameter = reference()
            gradient = given if parameter is None or given is not parameter else parameter.grad
            if gradient is not None:
                self._got(name, gradient)

    def _next_pass(self, index: int) -> None:
        was_wanted = self._is_wanted or self._is_learning
        self._number += 1
        self._is_wanted = self._begin(self._number)
        if self._is_wanted:
            self._hook(range(len(self._parameters)))
        elif was_wanted and self._seen:
            early = list(self._seen)[:SENTINELS]
            self._unhook([other for other in self._handles if other not in {*early, index}])
        self._is_learning = not self._seen
        self._seen = {index: None}

    def _hook(self, indices: range) -> None:
        for index in indices:
            parameter = self._parameters[index][1]()
            if index in self._handles or parameter is None or not parameter.requires_grad:
                continue
            register = _hook_method(parameter)
            if register is not None:
                self._handles[index] = register(partial(self._fired, index))

    def _unhook(self, indices: list[int]) -> None:
        for index in indices:
            self._handles.pop(index).remove()


def _hook_method(parameter: Any) -> Callable[[Callable[[Any], None]], Any] | None:
    """Give what calls back with a parameter that has its gradient, or (torch 2.0) the gradient."""
    for name in ("register_post_accumulate_grad_hook", "register_hook"):
        method: Callable[[Callable[[Any], None]], Any] | None = getattr(parameter, name, None)
        if method is not None:
            return method
    return None
