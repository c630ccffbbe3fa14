"""Watching a model, with parameters that behave as torch's and Keras's do."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from orgboard._watch import watch
from support.logged_runs import events


class Handle:
    """What removes a hook."""

    def __init__(self, hooks: list[Any], hook: Any) -> None:
        self._hooks, self._hook = hooks, hook

    def remove(self) -> None:
        self._hooks.remove(self._hook)


class Parameter:
    """A parameter with hooks as torch has them since 2.1."""

    requires_grad = True

    def __init__(self, value: float) -> None:
        self.values = np.full(4, value)
        self.grad: Any = None
        self.hooks: list[Callable[[Any], None]] = []

    @property
    def shape(self) -> tuple[int, ...]:
        return self.values.shape

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    def __array__(self, *_: object, **__: object) -> Any:
        return self.values

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], None]) -> Handle:
        self.hooks.append(hook)
        return Handle(self.hooks, hook)

    def backward(self, gradient: float) -> None:
        self.grad = np.full(4, gradient)
        for hook in list(self.hooks):
            hook(self)


class OldParameter:
    """A parameter of a library that only tells the gradient itself."""

    requires_grad = True
    shape = (1,)

    def __init__(self) -> None:
        self.hooks: list[Callable[[Any], None]] = []

    def __array__(self, *_: object, **__: object) -> Any:
        return np.ones(1)

    def register_hook(self, hook: Callable[[Any], None]) -> Handle:
        self.hooks.append(hook)
        return Handle(self.hooks, hook)


class Model:
    """A model with torch's method."""

    def __init__(self, **parameters: Any) -> None:
        self.parameters = parameters

    def named_parameters(self) -> list[tuple[str, Any]]:
        return list(self.parameters.items())

    def backward(self, gradient: float) -> None:
        for parameter in reversed(self.parameters.values()):
            parameter.backward(gradient)


class DataParallel(Model):
    """A wrapper, by its name."""

    def named_parameters(self) -> list[tuple[str, Any]]:
        return [(f"module._orig_mod.{name}", value) for name, value in self.parameters.items()]


def logged(directory: Path) -> dict[tuple[str, int], float]:
    return {
        (value.tag.decode(), event.step): value.histo.max
        for event in events(directory)
        for value in event.summary.value
        if value.HasField("histo")
    }


@pytest.mark.parametrize("kind", [Model, DataParallel])
@pytest.mark.parametrize("is_large", [False, True])
def test_due_passes_are_logged_by_their_number(
    tmp_path: Path, kind: type[Model], is_large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if is_large:
        monkeypatch.setattr(watch, "LARGE_BYTES", 1)
    model = kind(a=Parameter(1.0), b=Parameter(2.0))
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=2)
        for number in range(4):
            model.backward(10.0 + number)
        assert writer.dropped == 0

    assert logged(tmp_path) == {
        ("weights/a", 0): 1.0,
        ("weights/b", 0): 2.0,
        ("gradients/a", 0): 10.0,
        ("gradients/b", 0): 10.0,
        ("weights/a", 2): 1.0,
        ("weights/b", 2): 2.0,
        ("gradients/a", 2): 12.0,
        ("gradients/b", 2): 12.0,
    }


def test_a_gradient_may_come_without_its_parameter(tmp_path: Path) -> None:
    parameter = OldParameter()
    with SummaryWriter(tmp_path) as writer:
        writer.watch(Model(w=parameter))
        parameter.hooks[0](np.array([5.0]))

    assert logged(tmp_path) == {("weights/w", 0): 1.0, ("gradients/w", 0): 5.0}


def test_weights_and_gradients_can_be_logged_at_any_time(tmp_path: Path) -> None:
    model = Model(a=Parameter(1.0), b=Parameter(2.0))
    model.parameters["a"].grad = np.full(4, 3.0)
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model).log(7)

    assert logged(tmp_path) == {
        ("weights/a", 7): 1.0,
        ("weights/b", 7): 2.0,
        ("gradients/a", 7): 3.0,
    }


class Variable:
    """A variable of Keras."""

    def __init__(self, path: str, value: float) -> None:
        self.path = path
        self.value = np.full(3, value)
        self.shape = self.value.shape


class Keras:
    """A model with Keras's attribute."""

    def __init__(self) -> None:
        self.weights = [Variable("dense/kernel", 1.0), Variable("dense/bias", 2.0)]


def test_a_keras_models_weights_are_named_by_their_paths(tmp_path: Path) -> None:
    model = Keras()
    with SummaryWriter(tmp_path) as writer:
        watch = writer.watch(model)
        watch.log(1)
        watch.close()
        watch.log(2)

    assert logged(tmp_path) == {("weights/dense/kernel", 1): 1.0, ("weights/dense/bias", 1): 2.0}
