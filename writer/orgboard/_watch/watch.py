"""A model under watch: what is logged of it, and when."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final

from orgboard._log.account import WAITING_BYTES
from orgboard._log.guard import describe
from orgboard._values import torch_tensors
from orgboard._watch.parameters import Named
from orgboard._watch.passes import Passes

if TYPE_CHECKING:
    from orgboard._methods.watching import Watching

__all__ = ["Watch"]

LARGE_BYTES: Final = WAITING_BYTES // 4
"""Weights and gradients wait together, and other values beside them."""


class Watch:
    """A model under watch. `close()`, or the end of its `with`, removes it from the model."""

    def __init__(
        self,
        writer: Watching,
        parameters: list[Named],
        every: int,
        *,
        gradients: bool,
        weights: bool,
        step: Callable[[], int] | None,
    ) -> None:
        # The model's hooks hold this; through it they must hold neither the model nor the writer.
        self._writer = weakref.ref(writer)
        self._parameters = [(name, _reference(value)) for name, value in parameters]
        self._every = every
        self._gradients = gradients
        self._weights = weights
        self._step = step
        self._last: int | None = None
        self._is_large = sum(map(_host_bytes, (value for _, value in parameters))) > LARGE_BYTES
        self._passes = Passes(parameters, self._begin, self._got, self._dropped)

    @property
    def hooks(self) -> int:
        """How many hooks are on the model's parameters now."""
        return self._passes.hooks

    def log(self, step: int | None = None) -> None:
        """Log the weights now, and the gradients that are there (torch's `.grad`).

        For models without backward hooks, as Keras over TensorFlow or jax, and for steps of
        one's own counting.
        """
        self._last = self._last if step is None else int(step)
        self._each(self._log_weight, is_wanted=self._weights)
        self._each(self._log_gradient, is_wanted=self._gradients)

    def close(self) -> None:
        """Stop watching: remove every hook. Twice is no error."""
        self._passes.close()
        self._parameters = []

    def __enter__(self) -> Watch:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _begin(self, number: int) -> bool:
        """Say whether a backward pass that has just begun is to be logged."""
        now = number if self._step is None else int(self._step())
        if now % self._every or (self._step is not None and now == self._last):
            return False
        self._last = now
        self._each(self._log_weight, is_wanted=self._weights)
        return self._gradients

    def _got(self, name: str, gradient: Any) -> None:
        self._add(f"gradients/{name}", gradient)

    def _each(self, log: Callable[[str, Any], None], *, is_wanted: bool) -> None:
        for name, reference in self._parameters if is_wanted else ():
            parameter = reference()
            if parameter is not None:
                log(name, parameter)

    def _log_weight(self, name: str, parameter: Any) -> None:
        self._add(f"weights/{name}", parameter)

    def _log_gradient(self, name: str, parameter: Any) -> None:
        gradient = getattr(parameter, "grad", None)
        if gradient is not None:
            self._add(f"gradients/{name}", gradient)

    def _add(self, tag: str, values: Any) -> None:
        writer = self._writer()
        if writer is None:
            self.close()
            return
        try:
            if 0 in values.shape:
                return
            if self._is_large and _host_bytes(values):
                writer._add_counted(tag, values, self._last)
            else:
                writer.add_histogram(tag, values, self._last)
        except Exception as error:  # noqa: BLE001 (even of a strict writer, in a backward pass)
            self._dropped(error)

    def _dropped(self, error: Exception) -> None:
        writer = self._writer()
        if writer is not None:
            writer._guard.drop(f"watch {type(error).__name__}", describe(error))


def _host_bytes(values: Any) -> int:
    """Tell what a copy would take of this machine's memory; nothing of what is on a device."""
    nbytes = getattr(values, "nbytes", None)
    if not isinstance(nbytes, int) or torch_tensors.is_elsewhere(values):
        return 0
    return nbytes


def _reference(value: Any) -> Callable[[], Any]:
    try:
        return weakref.ref(value)
    except TypeError:
        return lambda: value
