"""What `orgboard demo` trains: small networks that learn to tell three spirals apart.

    python -m orgboard.demo_training DIR

An example of logging as one would for real: a directory a run, a writer a run, scalars
at every few steps, histograms and pictures now and then, hyperparameters when a run has
ended. Several runs take turns in this one process, at a pace that people can watch and
that leaves the machine to its owner. Needs numpy.
"""

from __future__ import annotations

import os

# Small matrices: more threads would only wait for one another.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import math
import signal
import time
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from orgboard import SummaryWriter
from orgboard_schema.wire.graph_pb2 import GraphDef

__all__ = ["RUNS", "Recipe", "main", "train"]

Floats = NDArray[np.float64]
Labels = NDArray[np.int64]

CLASSES: Final = 3
BATCH: Final = 64
STEPS_PER_SECOND: Final = 16
"""Of each run: quick enough to watch a curve grow, slow enough to last."""

LOG_EVERY: Final = 4
VALIDATE_EVERY: Final = 32
PICTURE_EVERY: Final = 160
PIXELS: Final = 120

_COLOURS: Final = np.array([[66, 105, 208], [239, 177, 24], [255, 114, 92]], np.float64)


@dataclass(frozen=True, slots=True)
class Recipe:
    """One run: what is trained, and how."""

    name: str
    optimiser: Literal["adam", "sgd", "momentum"]
    lr: float
    width: int
    depth: int = 2
    steps: int = 12_000
    start_s: float = 0.0
    """Seconds after the first run that this one begins."""
    seed: int = 0


RUNS: Final = (
    Recipe("adam-w64", "adam", 0.0015, 64, seed=1),
    Recipe("adam-w16", "adam", 0.0015, 16, seed=2),
    Recipe("probe/adam-w8", "adam", 0.005, 8, depth=1, steps=600, start_s=1, seed=3),
    Recipe("momentum-w64", "momentum", 0.02, 64, start_s=3, seed=4),
    Recipe("adam-w64-lr0.03", "adam", 0.03, 64, start_s=8, seed=5),
    Recipe("sgd-w64", "sgd", 0.1, 64, start_s=14, seed=6),
    Recipe("probe/sgd-w8", "sgd", 0.3, 8, depth=1, steps=800, start_s=30, seed=7),
)
"""Probes end within a minute; the others grow for some twelve."""


def main(argv: Sequence[str] | None = None) -> int:
    """Train all runs under the directory that is named, until they end or SIGTERM comes."""
    parser = argparse.ArgumentParser(prog="orgboard.demo_training", description=__doc__)
    parser.add_argument("logdir", type=Path)
    logdir = parser.parse_args(argv).logdir
    stopped: list[int] = []

    def stop(number: int, _frame: FrameType | None) -> None:
        stopped.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    recipes = [_renamed(recipe, logdir) for recipe in RUNS]
    trainings = [(recipe.start_s, train(logdir, recipe)) for recipe in recipes]
    began = time.monotonic()
    while trainings and not stopped:
        tick = time.monotonic()
        # A run that has ended gives no next step.
        trainings = [
            (start_s, training)
            for start_s, training in trainings
            if tick - began < start_s or next(training, None) is not None
        ]
        time.sleep(max(0.0, tick + 1 / STEPS_PER_SECOND - time.monotonic()))
    for _, training in trainings:
        # Ends each run's `with`: its writer closes its file.
        training.close()
    return 0


def train(logdir: Path, recipe: Recipe) -> Generator[int, None, None]:
    """Train one run, a step each time that a value is taken; closing it ends the run in order."""
    rng = np.random.default_rng(recipe.seed)
    points, labels = spirals(rng, 1500)
    held_points, held_labels = spirals(rng, 600)
    network = Network.fresh(rng, recipe)
    with SummaryWriter(logdir / recipe.name, flush_secs=0.5) as writer:
        # "." is this run itself, not one below it.
        writer.add_hparams(_hparams(recipe), {}, run_name=".")
        writer.add_text("about", about(recipe))
        writer.add_graph(graph(recipe))
        timed = time.monotonic()
        for step in range(recipe.steps):
            chosen = rng.integers(0, len(points), BATCH)
            lr = recipe.lr * (0.55 + 0.45 * math.cos(math.pi * step / recipe.steps))
            loss, right, grad_norm = network.learn(points[chosen], labels[chosen], lr)
            if step % LOG_EVERY == 0:
                writer.add_scalar("train/loss", loss, step)
                writer.add_scalar("train/accuracy", right, step)
                writer.add_scalar("optim/lr", lr, step)
                writer.add_scalar("optim/grad_norm", grad_norm, step)
            if step % VALIDATE_EVERY == 0:
                held_loss, accuracy = network.judge(held_points, held_labels)
                writer.add_scalar("val/loss", held_loss, step)
                writer.add_scalar("val/accuracy", accuracy, step)
                now = time.monotonic()
                writer.add_scalar("perf/step_ms", 1000 * (now - timed) / VALIDATE_EVERY, step)
                timed = now
                for layer, weights in enumerate(network.weights):
                    writer.add_histogram(f"weights/layer{layer}", weights, step)
            if step % PICTURE_EVERY == 0:
                picture = boundary(network, held_points, held_labels)
                writer.add_image("boundary", picture, step, dataformats="HWC")
            yield step


def spirals(rng: np.random.Generator, count: int) -> tuple[Floats, Labels]:
    """Return points in -1..1 on three noisy arms, and the arm that each is on."""
    labels = rng.integers(0, CLASSES, count)
    radius = np.sqrt(rng.uniform(0.01, 1.0, count))
    # Wound so tightly that the best runs take a minute to see it, and the others several.
    angle = 11 * radius + 2 * math.pi * labels / CLASSES + rng.normal(0, 0.25, count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), labels


class Network:
    """A multilayer perceptron with its gradient by hand, and the state of its optimiser."""

    def __init__(self, weights: list[Floats], optimiser: str) -> None:
        self.weights = weights
        self._optimiser = optimiser
        self._first = [np.zeros_like(w) for w in weights]
        self._second = [np.zeros_like(w) for w in weights]
        self._steps = 0

    @classmethod
    def fresh(cls, rng: np.random.Generator, recipe: Recipe) -> Network:
        """Return an untrained network. Each layer's last row of weights is its bias."""
        sizes = [2, *[recipe.width] * recipe.depth, CLASSES]
        weights = [rng.normal(0, 1 / math.sqrt(n), (n + 1, m)) for n, m in pairwise(sizes)]
        return cls(weights, recipe.optimiser)

    def probabilities(self, points: Floats) -> Floats:
        """Return the probability of each class for each point."""
        return self._forward(points)[-1]

    def judge(self, points: Floats, labels: Labels) -> tuple[float, float]:
        """Return mean loss and accuracy."""
        return _score(self.probabilities(points), labels)

    def learn(self, points: Floats, labels: Labels, lr: float) -> tuple[float, float, float]:
        """Make one step; return the batch's loss and accuracy, and the gradient's norm."""
        layers = self._forward(points)
        slope = layers[-1].copy()
        slope[np.arange(len(labels)), labels] -= 1
        slope /= len(labels)
        gradients: list[Floats] = []
        for weights, inputs in zip(reversed(self.weights), reversed(layers[:-1]), strict=True):
            gradients.insert(0, _with_bias(inputs).T @ slope)
            slope = (slope @ weights[:-1].T) * (1 - inputs**2)
        self._steps += 1
        for at, gradient in enumerate(gradients):
            self.weights[at] -= lr * self._direction(at, gradient)
        norm = math.sqrt(sum(float(np.sum(gradient**2)) for gradient in gradients))
        return *_score(layers[-1], labels), norm

    def _forward(self, points: Floats) -> list[Floats]:
        """Return what enters each layer, then the probabilities."""
        layers = [points]
        for weights in self.weights[:-1]:
            layers.append(np.tanh(_with_bias(layers[-1]) @ weights))
        scores = _with_bias(layers[-1]) @ self.weights[-1]
        exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
        return [*layers, exponentials / exponentials.sum(axis=1, keepdims=True)]

    def _direction(self, at: int, gradient: Floats) -> Floats:
        if self._optimiser == "sgd":
            return gradient
        first = self._first[at]
        if self._optimiser == "momentum":
            first *= 0.9
            first += gradient
            return first
        second = self._second[at]
        first += 0.1 * (gradient - first)
        second += 0.001 * (gradient**2 - second)
        mean = first / (1 - 0.9**self._steps)
        spread = second / (1 - 0.999**self._steps)
        return mean / (np.sqrt(spread) + 1e-8)


def boundary(network: Network, points: Floats, labels: Labels) -> NDArray[np.uint8]:
    """Paint what the network takes each place for, and the points that it never learned from."""
    axis = np.linspace(-1.15, 1.15, PIXELS)
    grid = np.stack(np.meshgrid(axis, -axis), axis=-1).reshape(-1, 2)
    picture = (network.probabilities(grid) @ _COLOURS).reshape(PIXELS, PIXELS, 3)
    picture = 0.62 * picture + 0.38 * 255
    place = ((points + 1.15) / 2.30 * (PIXELS - 1)).round().astype(int)
    picture[PIXELS - 1 - place[:, 1], place[:, 0]] = 0.75 * _COLOURS[labels]
    return picture.clip(0, 255).astype(np.uint8)


def about(recipe: Recipe) -> str:
    """Describe a run in Markdown."""
    rows = "\n".join(f"| {name} | {value} |" for name, value in _hparams(recipe).items())
    return (
        f"# {recipe.name}\n\nA network that learns to tell **three spirals** apart, from 1500"
        " points that this process made up. It sees batches of"
        f" {BATCH}; `val/` is measured on 600 others.\n\n"
        f"| hyperparameter | value |\n| --- | --- |\n{rows}\n\n"
        "The picture `boundary` shows what it takes each place for."
    )


def graph(recipe: Recipe) -> GraphDef:
    """Return the network as a graph of operations."""
    made = GraphDef()
    made.versions.producer = 22
    before = made.node.add(name="points", op="Placeholder").name
    for layer in range(recipe.depth + 1):
        scope = f"layer{layer}"
        weights = made.node.add(name=f"{scope}/weights", op="VariableV2").name
        bias = made.node.add(name=f"{scope}/bias", op="VariableV2").name
        product = made.node.add(name=f"{scope}/matmul", op="MatMul", input=[before, weights]).name
        total = made.node.add(name=f"{scope}/add", op="BiasAdd", input=[product, bias]).name
        op = "Tanh" if layer < recipe.depth else "Softmax"
        before = made.node.add(name=f"{scope}/{op.lower()}", op=op, input=[total]).name
    labels = made.node.add(name="labels", op="Placeholder").name
    made.node.add(name="loss", op="SparseSoftmaxCrossEntropyWithLogits", input=[before, labels])
    return made


def _hparams(recipe: Recipe) -> dict[str, str | int | float]:
    fields = asdict(recipe)
    return {key: fields[key] for key in ("optimiser", "lr", "width", "depth", "steps", "seed")}


def _renamed(recipe: Recipe, logdir: Path) -> Recipe:
    """Return the recipe under a name that no run of `logdir` has yet."""
    name, number = recipe.name, 2
    while (logdir / name).exists():
        name, number = f"{recipe.name}-{number}", number + 1
    return replace(recipe, name=name)


def _with_bias(inputs: Floats) -> Floats:
    return np.concatenate([inputs, np.ones((len(inputs), 1))], axis=1)


def _score(probabilities: Floats, labels: Labels) -> tuple[float, float]:
    chosen = probabilities[np.arange(len(labels)), labels]
    loss = -np.log(np.maximum(chosen, 1e-12)).mean()
    return float(loss), float((probabilities.argmax(axis=1) == labels).mean())


if __name__ == "__main__":
    raise SystemExit(main())
