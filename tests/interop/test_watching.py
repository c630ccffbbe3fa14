"""Watched models: histograms of weights and gradients, and nothing else changes."""

from __future__ import annotations

import copy
import gc
import io
import logging
import os
import subprocess
import sys
import weakref
from pathlib import Path
from typing import Any

import pytest

from orgboard import SummaryWriter
from support.frameworks import framework
from support.logged_runs import events

torch = framework("torch")
framework("keras")


def network(layers: int = 6) -> Any:
    torch.manual_seed(0)
    return torch.nn.Sequential(*[torch.nn.Linear(3, 3) for _ in range(layers)])


def backward(model: Any) -> None:
    model(torch.ones(2, 3)).square().sum().backward()


def logged(directory: Path) -> dict[str, dict[int, Any]]:
    """The histograms of each tag, by step."""
    found: dict[str, dict[int, Any]] = {}
    for event in events(directory):
        for value in event.summary.value:
            if value.HasField("histo"):
                found.setdefault(value.tag.decode(), {})[event.step] = value.histo
    return found


def test_weights_and_gradients_of_each_due_pass_are_logged(tmp_path: Path) -> None:
    model = network()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    expected: dict[str, dict[int, float]] = {}
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=3)
        for step in range(8):
            optimizer.zero_grad()
            weights = {name: p.double().sum().item() for name, p in model.named_parameters()}
            backward(model)
            for name, parameter in model.named_parameters():
                if step % 3 == 0:
                    sums = expected.setdefault(f"gradients/{name}", {})
                    sums[step] = parameter.grad.double().sum().item()
                    expected.setdefault(f"weights/{name}", {})[step] = weights[name]
            optimizer.step()
        assert writer.dropped == 0

    found = logged(tmp_path)
    assert found.keys() == expected.keys()
    for tag, steps in expected.items():
        assert {step: histogram.sum for step, histogram in found[tag].items()} == pytest.approx(
            steps
        )


def test_between_due_passes_few_parameters_have_a_hook(tmp_path: Path) -> None:
    model = network(layers=50)
    with SummaryWriter(tmp_path) as writer:
        watch = writer.watch(model, every=4)
        hooks = []
        for _ in range(9):
            backward(model)
            hooks.append(watch.hooks)

    assert hooks == [100, 8, 8, 8, 100, 8, 8, 8, 100]


@pytest.mark.parametrize(
    ("options", "kinds"),
    [
        ({"gradients": False}, {"weights"}),
        ({"weights": False}, {"gradients"}),
        ({"log": "gradients"}, {"gradients"}),
        ({"log": "parameters"}, {"weights"}),
        ({"log": "all", "weights": False}, {"weights", "gradients"}),
    ],
)
def test_only_what_was_asked_for_is_logged(
    tmp_path: Path, options: dict[str, Any], kinds: set[str]
) -> None:
    model = network()
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, **options)
        backward(model)

    assert {tag.partition("/")[0] for tag in logged(tmp_path)} == kinds


def test_with_a_step_of_ones_own_its_multiples_are_due_once(tmp_path: Path) -> None:
    model = network(layers=1)
    step = 0
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=2, step=lambda: step)
        for number in range(10):
            step = number // 2  # two backward passes a step, as gradients are accumulated
            backward(model)

    assert {tuple(steps) for tag, steps in logged(tmp_path).items()} == {(0, 2, 4)}


def test_a_parameter_that_gets_no_gradient_has_none_logged(tmp_path: Path) -> None:
    model = torch.nn.ModuleDict({"used": network(1), "unused": network(1), "frozen": network(1)})
    model["frozen"].requires_grad_(requires_grad=False)
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=1)
        for _ in range(3):
            backward(model["used"])

    found = logged(tmp_path)
    assert {tag for tag in found if tag.startswith("gradients/")} == {
        "gradients/used.0.weight",
        "gradients/used.0.bias",
    }
    assert "weights/frozen.0.weight" in found
    assert {tuple(steps) for steps in found.values()} == {(0, 1, 2)}


def test_passes_are_counted_when_the_first_sentinels_are_frozen_later(tmp_path: Path) -> None:
    model = network()
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=2)
        for number in range(9):
            if number == 4:
                model[-1].requires_grad_(requires_grad=False)
            backward(model)

    assert tuple(logged(tmp_path)["gradients/0.weight"]) == (0, 2, 4, 6, 8)


def test_a_watched_model_is_copied_and_saved_without_its_watch(tmp_path: Path) -> None:
    model = network()
    with SummaryWriter(tmp_path) as writer:
        writer.watch(model, every=1)
        backward(model)
        saved = io.BytesIO()
        torch.save(model, saved)
        saved.seek(0)
        copies = [copy.deepcopy(model), torch.load(saved, weights_only=False)]
        for other in copies:
            backward(other)
            assert not any(p._post_accumulate_grad_hooks for p in other.parameters())

    assert {tuple(steps) for steps in logged(tmp_path).values()} == {(0,)}


def test_a_compiled_model_is_watched_under_the_same_names(tmp_path: Path) -> None:
    model = network()
    compiled = torch.compile(model, backend="eager")
    with SummaryWriter(tmp_path / "before") as writer:
        writer.watch(model)
        backward(compiled)
    with SummaryWriter(tmp_path / "after") as writer:
        writer.watch(compiled)
        backward(compiled)

    before, after = logged(tmp_path / "before"), logged(tmp_path / "after")
    assert before.keys() == after.keys()
    assert len(before) == 24


def test_a_model_under_ddp_is_watched_under_the_same_names(tmp_path: Path) -> None:
    program = f"""
import torch
import torch.distributed as dist
from orgboard import SummaryWriter

dist.init_process_group("gloo", init_method="file://{tmp_path}/meet", rank=0, world_size=1)
model = torch.nn.Linear(3, 3)
parallel = torch.nn.parallel.DistributedDataParallel(model)
with SummaryWriter("{tmp_path}/run", strict=True) as writer:
    writer.watch(parallel, every=1)
    for _ in range(3):
        parallel(torch.ones(2, 3)).sum().backward()
    assert writer.dropped == 0
dist.destroy_process_group()
"""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "GLOO_SOCKET_IFNAME": "lo", "MASTER_ADDR": "127.0.0.1"},
    )

    assert ended.returncode == 0, ended.stderr
    found = logged(tmp_path / "run")
    assert found.keys() == {"weights/weight", "weights/bias", "gradients/weight", "gradients/bias"}
    assert {tuple(steps) for steps in found.values()} == {(0, 1, 2)}


def test_closing_the_watch_or_the_writer_removes_every_hook(tmp_path: Path) -> None:
    model = network()
    writer = SummaryWriter(tmp_path)
    with writer.watch(model) as watch:
        assert watch.hooks == 12
    backward(model)
    writer.watch(model)
    writer.close()
    backward(model)

    assert watch.hooks == 0
    assert not any(parameter._post_accumulate_grad_hooks for parameter in model.parameters())
    assert logged(tmp_path) == {}


def test_the_watch_keeps_neither_model_nor_writer_alive(tmp_path: Path) -> None:
    model, other = network(), network()
    writer, gone = SummaryWriter(tmp_path), SummaryWriter(tmp_path)
    writer.watch(model)
    gone.watch(other)
    references = [weakref.ref(model[0].weight), weakref.ref(gone)]
    del model, gone
    gc.collect()

    assert [reference() for reference in references] == [None, None]
    backward(other)
    assert not any(parameter._post_accumulate_grad_hooks for parameter in other.parameters())
    writer.close()


def test_an_error_of_the_watch_never_reaches_the_backward_pass(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    model = network()
    with SummaryWriter(tmp_path, strict=True) as writer, caplog.at_level(logging.WARNING):
        writer.watch(model, every=1, step=lambda: 1 // 0)
        backward(model)
        backward(model)
        assert writer.dropped == 2

    assert all(parameter.grad is not None for parameter in model.parameters())
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_no_model_is_refused(tmp_path: Path, strict: bool) -> None:
    with SummaryWriter(tmp_path, strict=strict) as writer:
        wrongs: list[dict[str, Any]] = [{"model": 3}, {"model": network(), "log": "everything"}]
        for wrong in wrongs:
            if strict:
                with pytest.raises((TypeError, ValueError)):
                    writer.watch(**wrong)
            else:
                writer.watch(**wrong).log(3)
        assert strict or writer.dropped == 2


KERAS = """
import sys
import numpy as np
import keras
from orgboard import SummaryWriter

keras.utils.set_random_seed(0)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")])
model.compile("sgd", "mse")
with SummaryWriter(sys.argv[1], strict=True) as writer:
    watch = writer.watch(model, every=1)
    for step in range(2):
        model.fit(np.ones((4, 3)), np.ones((4, 2)), verbose=0)
        watch.log(step + 10)
    assert writer.dropped == 0
"""


@pytest.mark.parametrize("backend", ["tensorflow", "jax", "torch"])
def test_a_keras_model_is_watched_on_each_backend(tmp_path: Path, backend: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KERAS, str(tmp_path)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "KERAS_BACKEND": backend},
    )

    assert ended.returncode == 0, ended.stderr
    found = logged(tmp_path)
    kernel = next(tag for tag in found if tag.endswith("dense/kernel") and "weights/" in tag)
    assert {10, 11} <= set(found[kernel])
    assert found[kernel][10].sum != found[kernel][11].sum
    # Of the three only torch has hooks for what happens inside `fit`.
    assert any(tag.startswith("gradients/") for tag in found) == (backend == "torch")
