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
    gradients of this pass are wanted; then `got(name, gradient)` brings each. What they raise
    goes to `failed`, and never into the pass.
    """

    def __init__(
        self,
        parameters: list[Named],
        begin: Callable[[int], bool],
        got: Callable[[str, Any], None],
        failed: Callable[[Exception], None],
    ) -> None:
        self._parameters = [
            (name, weakref.ref(parameter))
            for name, parameter in parameters
            if _hook_method(parameter) is not None
        ]
        self._begin = begin
        self._got = got
        self._failed = failed
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
        try:
            self._take(index, given)
        except Exception as error:  # noqa: BLE001 (it would end the training's backward pass)
            self._failed(error)

    def _take(self, index: int, given: Any) -> None:
        if self._number < 0 or index in self._seen:
            self._next_pass(index)
        self._seen[index] = None
        if not self._is_wanted or index >= len(self._parameters):
            return  # or closed meanwhile
        name, reference = self._parameters[index]
        is_parameter = given is reference()
        gradient = given.grad if is_parameter else given
        if gradient is not None:
            self._got(name, gradient)

    def _next_pass(self, index: int) -> None:
        seen, self._seen = self._seen, {index: None}
        may_unhook = (self._is_wanted or self._is_learning) and bool(seen)
        self._is_learning = not seen
        self._is_wanted = False
        self._number += 1
        self._is_wanted = self._begin(self._number)
        if self._is_wanted:
            self._hook(range(len(self._parameters)))
        elif may_unhook:
            kept = {index, *list(seen)[:SENTINELS]}
            self._unhook([other for other in self._handles if other not in kept])

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
