"""Runs made by chance, queries on them made by chance, and what is naively true of them."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from orgboard_dashboard.queries.language import (
    And,
    FieldName,
    Has,
    Node,
    Not,
    Or,
    Test,
    Text,
    Value,
)

__all__ = ["Run", "Trees", "holds", "random_run", "value_of"]


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was logged."""

    name: str
    hparams: Mapping[str, Any]
    metrics: Mapping[str, list[float]]
    finished: bool
    gaps: int

    @property
    def points(self) -> int:
        """Count the points of all tags."""
        return sum(map(len, self.metrics.values()))

    @property
    def last_step(self) -> int | None:
        """Give the largest step, counted from 0."""
        return max((len(values) - 1 for values in self.metrics.values()), default=None)


def random_run(rng: random.Random, number: int) -> Run:
    """Return a run with some of a few hyperparameters and metrics, odd values among them."""
    lr: Any = rng.choice([0.1, 0.01, 1, True, "0.1", "high"])
    hparams = {"lr": lr, "optimizer": rng.choice(["adam", "sgd"]), "loss": rng.randrange(3)}
    odd = [math.nan, math.inf, -math.inf, 0.1, 0.5, 2.0]
    metrics = {
        tag: [rng.choice(odd) for _ in range(rng.randrange(1, 4))]
        for tag in ("loss", "val/acc", "a b")
        if rng.random() < 0.7
    }
    kept = {name: value for name, value in hparams.items() if rng.random() < 0.7}
    return Run(
        f"{rng.choice(['res', 'vit'])}/{number}",
        kept,
        metrics,
        rng.random() < 0.3,
        rng.randrange(2),
    )


class Trees:
    """Makes queries that mean something in the random project."""

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng

    def tree(self, depth: int = 3) -> Node:
        """Return a query, with parts in it up to this depth."""
        rng = self._rng
        kind = rng.choice(["and", "or", "not", "leaf", "leaf"]) if depth else "leaf"
        if kind == "not":
            return Not(self.tree(depth - 1))
        if kind == "leaf":
            return self._leaf()
        parts = tuple(self.tree(depth - 1) for _ in range(rng.randrange(2, 4)))
        return And(parts) if kind == "and" else Or(parts)

    def _leaf(self) -> Node:
        rng = self._rng
        compared = ["=", "!=", "<", "<=", ">", ">="]
        numbers = ["0.1", "1", "0", "2", "-1", "1e3"]
        made: list[Callable[[], Node]] = [
            lambda: self._test(self._metric(), compared, [*numbers, "nan", "inf", "-inf"]),
            lambda: self._test(FieldName("lr"), compared, numbers),
            lambda: self._test(FieldName("lr"), ["=", "!="], ["true", "high", "0.1"]),
            lambda: self._test(FieldName("lr"), ["~", "!~"], ["^0", "h", "1$"]),
            lambda: self._test(FieldName("loss", "hp"), compared, numbers),
            lambda: self._test(FieldName("optimizer"), ["=", "!=", "in"], ["adam", "sgd"]),
            lambda: self._test(FieldName("points"), [*compared, "in"], ["3", "4", "5.5"]),
            lambda: self._test(FieldName("last_step"), [*compared, "in"], ["0", "1", "2"]),
            lambda: self._test(FieldName("gaps"), compared, ["0", "1"]),
            lambda: self._test(FieldName("name"), ["~", "!~"], ["^res", "1", "[24]$"]),
            lambda: self._test(FieldName("name"), ["=", "!=", "in"], ["res/1", "vit/2"]),
            lambda: self._test(
                FieldName("status"), ["=", "!=", "in"], ["live", "finished", "damaged"]
            ),
            lambda: Has(rng.choice([self._metric(), FieldName("lr"), FieldName("last_step")])),
            lambda: Text(Value(rng.choice(["vit", "3$"]))),
        ]
        return rng.choice(made)()

    def _metric(self) -> FieldName:
        name = self._rng.choice(["loss", "val/acc", "a b"])
        return FieldName(name, "metric", self._rng.choice([None, "last", "min", "max"]))

    def _test(self, field: FieldName, operators: list[str], values: list[str]) -> Test:
        rng = self._rng
        operator = rng.choice(operators)
        several = rng.sample(values, min(2, len(values))) if operator == "in" else None
        chosen = several or [rng.choice(values)]
        return Test(field, operator, tuple(map(Value, chosen)))  # type: ignore[arg-type]


def holds(tree: Node, run: Run) -> bool:
    """Tell by the logged run itself whether a query lets it through."""
    return _holds(_without_damaged(tree), run)


def _holds(node: Node, run: Run) -> bool:
    match node:
        case And(parts):
            return all(_holds(part, run) for part in parts)
        case Or(parts):
            return any(_holds(part, run) for part in parts)
        case Not(part):
            return not _holds(part, run)
        case Text(value):
            return re.search(value.text, run.name) is not None
        case Has(field):
            return value_of(field, run) is not None
        case Test(field, operator, values):
            held = value_of(field, run)
            texts = [value.text for value in values]
            return held is not None and _compared(held, operator, texts, field)
    raise AssertionError(node)


def value_of(field: FieldName, run: Run) -> Any:
    """Return the value of a field in a run; None when it has none."""
    if field.source == "metric":
        values = [float(scalar) for scalar in _float32(run.metrics.get(field.name, []))]
        finite = [value for value in values if math.isfinite(value)]
        if field.aggregate in ("min", "max"):
            return {"min": min, "max": max}[field.aggregate](finite) if finite else None
        return values[-1] if values else None
    if field.name in ("lr", "optimizer", "loss"):
        return run.hparams.get(field.name)
    status = "finished" if run.finished else "live"
    known = {"name": run.name, "points": run.points, "gaps": run.gaps, "last_step": run.last_step}
    return status if field.name == "status" else known[field.name]


def _float32(values: list[float]) -> list[float]:
    return [float(np.float32(value)) for value in values]


def _compared(held: Any, operator: str, texts: list[str], field: FieldName) -> bool:
    if operator in ("~", "!~"):
        written = json.dumps(held) if isinstance(held, bool) else str(held)
        return (re.search(texts[0], written) is not None) == (operator == "~")
    if operator in ("=", "!=", "in"):
        return any(_equal(held, text, field) for text in texts) == (operator != "!=")
    if isinstance(held, bool | str):
        return False
    bound = float(texts[0])
    ordered = {"<": held < bound, "<=": held <= bound, ">": held > bound, ">=": held >= bound}
    return bool(ordered[operator])


def _equal(held: Any, text: str, field: FieldName) -> bool:
    if isinstance(held, bool):
        return json.dumps(held) == text
    if isinstance(held, str):
        return held == text
    try:
        number = float(text)
    except ValueError:
        return False
    if field.source == "metric":
        near = _float32([number])[0]
        return bool(held in (number, near)) or (math.isnan(held) and math.isnan(number))
    return bool(held == number)


def _without_damaged(node: Node) -> Node:
    """Ask for damage by the gaps: it goes with any status, and is asked for as one."""
    match node:
        case And(parts):
            return And(tuple(map(_without_damaged, parts)))
        case Or(parts):
            return Or(tuple(map(_without_damaged, parts)))
        case Not(part):
            return Not(_without_damaged(part))
        case Test(FieldName("status"), operator, values):
            damaged = Test(FieldName("gaps"), ">", (Value("0"),))
            each = [
                damaged if value.text == "damaged" else Test(node.field, "=", (value,))
                for value in values
            ]
            some: Node = Or((*each, each[0]))
            return Not(some) if operator == "!=" else some
    return node
