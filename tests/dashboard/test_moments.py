"""Columns of what metrics were at some moment: the mean of their last points, a value at a step."""

from __future__ import annotations

import math
from typing import Any

import pytest

from orgboard_dashboard.queries import moments
from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars

RUNS = "/api/ui/v1/p/default/board/runs"


def asked(board: Board, *keys: str, sort: str = "name", q: str = "") -> dict[str, dict[str, Any]]:
    """Return the columns of every run, by name, in the order of the answer."""
    question = [("sort", sort), ("q", q), *(("m", key) for key in keys)]
    answer = board.ask("GET", RUNS, params=question)
    assert answer.status_code == 200, answer.text
    return {run["name"]: run["metrics"] for run in answer.json()["runs"]}


def test_the_mean_is_of_the_last_points_in_the_order_of_steps(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [8, 2, 4, 100], step=[5, 20, 30, 1])])
    any_board.log("b", [scalars("loss", [1.5])])
    any_board.log("c", [scalars("other", [1])])

    assert asked(any_board, "mean2:loss", "mean10:loss") == {
        "a": {"mean2:loss": 3, "mean10:loss": 28.5},
        "b": {"mean2:loss": 1.5, "mean10:loss": 1.5},
        "c": {},
    }


def test_the_value_at_a_step_is_the_last_at_or_before_it(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [9, 7, 5], step=[0, 10, 20])])

    told = asked(any_board, "at10:loss", "at19:loss", "at1000:loss", "at-1:loss")

    assert told == {"a": {"at10:loss": 7, "at19:loss": 7, "at1000:loss": 5}}


def test_what_a_restart_replaced_is_not_meant(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [3, 99, 2])])
    any_board.log(
        "a", [scalars("loss", [7], step=[1], attempt=1)], restarts=[Restart(1, None, None, 1)]
    )

    assert asked(any_board, "mean2:loss", "at1:loss") == {"a": {"mean2:loss": 5, "at1:loss": 7}}


def test_what_is_not_finite_is_no_part_of_a_mean(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, math.inf, 3, math.nan])])
    any_board.log("b", [scalars("loss", [math.nan])])

    told = asked(any_board, "mean3:loss", "at3:loss")

    assert told["a"] == {"mean3:loss": 3, "at3:loss": "NaN"}
    assert told["b"] == {"at3:loss": "NaN"}


def test_runs_are_sorted_by_what_they_were(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [5, 1])])
    any_board.log("b", [scalars("loss", [1, 9])])
    any_board.log("c", [scalars("other", [0])])

    assert list(asked(any_board, sort="at0:loss")) == ["b", "a", "c"]
    assert list(asked(any_board, sort="-at0:loss")) == ["a", "b", "c"]
    assert list(asked(any_board, sort="mean2:loss", q="not name ~ c")) == ["a", "b"]


def test_a_column_that_is_kept_knows_of_new_points(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [4])])
    assert asked(any_board, "mean2:loss") == {"a": {"mean2:loss": 4}}

    any_board.log("a", [scalars("loss", [2], step=[1])])

    assert asked(any_board, "mean2:loss") == {"a": {"mean2:loss": 3}}


@pytest.mark.parametrize(
    "key", ["mean0:loss", "mean:loss", "mean1000000:loss", "at:loss", f"at{2**63}:loss", "at1:no"]
)
def test_a_column_that_means_nothing_is_empty_and_no_order(any_board: Board, key: str) -> None:
    any_board.log("a", [scalars("loss", [4])])

    assert asked(any_board, key) == {"a": {}}
    assert any_board.ask("GET", RUNS, params={"sort": key}).status_code == 400


def test_more_points_than_can_be_looked_through_are_refused(
    any_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moments, "MOST_POINTS", 3)
    any_board.log("a", [scalars("loss", [1, 2])])
    any_board.log("b", [scalars("loss", [1, 2])])

    refused = any_board.ask("GET", RUNS, params={"sort": "mean2:loss"})

    assert refused.status_code == 413
    assert "Let a query leave fewer runs first." in refused.text
    assert list(asked(any_board, sort="mean2:loss", q="name = a")) == ["a"]
