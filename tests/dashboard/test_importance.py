"""Which settings go with a metric: against values by hand, and data that is known."""

from __future__ import annotations

import math

import numpy as np
import pytest

from orgboard_dashboard.importance import FEW_RUNS, explained, importance, ranks, spearman


def floats(*values: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.array(values, np.float64)


def test_equal_values_share_their_mean_rank() -> None:
    assert ranks(floats(30, 10, 10, 20)).tolist() == [4, 1.5, 1.5, 3]


def test_rank_correlation_is_what_plain_arithmetic_gives() -> None:
    # Ranks 1 2 3 4 5 and 2 1 4 3 5: 1 - 6 (1+1+1+1+0) / (5 (25 - 1)) = 0.8.
    assert spearman(floats(1, 2, 3, 4, 5), floats(2, 1, 4, 3, 9)) == pytest.approx(0.8)
    assert spearman(floats(1, 10, 100), floats(3, 2, 1)) == pytest.approx(-1)
    assert spearman(floats(1, 1, 1), floats(3, 2, 1)) == 0


def test_what_groups_explain_is_what_plain_arithmetic_gives() -> None:
    groups = np.array([0, 0, 1, 1], np.int64)
    # Ranks 1 2 | 3 4: of 5 squares 1 is within groups; (1/2) / (5/3) = 0.3.
    assert explained(groups, floats(1, 2, 3, 4)) == pytest.approx(math.sqrt(0.7))
    # Ranks 1 3 | 2 4: 4 of 5 within; 2 / (5/3) is more than all: chance explains more.
    assert explained(groups, floats(1, 3, 2, 4)) == 0


def test_names_that_no_two_runs_share_explain_nothing() -> None:
    metric = np.arange(20.0)
    found = importance([f"run {n}" for n in range(20)], metric)

    assert found is not None
    assert (found.strength, found.sure) == (0, False)


def test_the_setting_that_a_metric_depends_on_is_ranked_first() -> None:
    rng = np.random.default_rng(7)
    settings = {name: rng.uniform(size=48) for name in ("lr", "width", "depth", "seed")}
    metric = np.exp(3 * settings["lr"]) + rng.normal(scale=0.1, size=48)
    found = {name: importance(list(held), metric) for name, held in settings.items()}

    strength = {name: one.strength for name, one in found.items() if one is not None}
    assert max(strength, key=strength.__getitem__) == "lr"
    lr = found["lr"]
    assert lr is not None
    assert (lr.way, lr.n, lr.sure) == ("up", 48, True)
    assert lr.strength > 0.9


def test_a_best_value_in_the_middle_is_found_though_no_order_is() -> None:
    lr = [10.0**-power for power in range(1, 6) for _ in range(6)]
    loss = np.array([abs(math.log10(value) + 3) for value in lr])
    found = importance(lr, loss)

    assert found is not None
    assert (found.way, found.best, found.sure) == ("bent", "0.001", True)
    assert found.strength > 0.9


def test_texts_tell_where_the_metric_is_lowest_and_highest() -> None:
    optimizers = ["adam", "sgd", "rmsprop"] * 4
    loss = np.array([0.1, 3.0, 0.5] * 4) + np.arange(12) / 1000
    found = importance(optimizers, loss)

    assert found is not None
    assert (found.way, found.best, found.most, found.sure) == ("values", "adam", "sgd", True)


def test_what_is_missing_or_not_finite_does_not_count() -> None:
    found = importance([1.0, 2.0, None, 4.0, math.nan, 6.0], floats(1, 2, 3, math.nan, 5, 6))

    assert found is not None
    assert found.n == 3
    assert found.strength == pytest.approx(1)


def test_few_runs_are_never_sure() -> None:
    few = importance(list(map(float, range(FEW_RUNS - 1))), np.arange(FEW_RUNS - 1.0))
    enough = importance(list(map(float, range(FEW_RUNS))), np.arange(float(FEW_RUNS)))

    assert few is not None
    assert not few.sure
    assert enough is not None
    assert enough.sure


@pytest.mark.parametrize("values", [[], [1.0], [2.0, 2.0, 2.0], ["a", "a", "a"], [None, None, 3.0]])
def test_what_does_not_vary_says_nothing(values: list[float | str | None]) -> None:
    assert importance(values, np.arange(float(len(values)))) is None
