"""The table of values: what a stretch of points comes to, exact whatever is drawn of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars
from support.curves import tag_id

ROUTE = "/api/ui/v1/p/default/board/summary"


def rows_of(board: Board, tag: str, **question: Any) -> list[dict[str, Any]]:
    asked = {"cards": [{"tag": tag_id(board, tag)}], "runs": list(board.uids.values()), **question}
    answer = board.ask("POST", ROUTE, json=asked)
    assert answer.status_code == 200, answer.text
    rows: list[dict[str, Any]] = answer.json()["rows"]
    return rows


def test_a_long_series_is_summed_up_from_all_of_its_points(any_board: Board) -> None:
    value = np.random.default_rng(3).normal(size=70_000)
    any_board.log("run", [scalars("loss", value, dtype="float64")])

    (row,) = rows_of(any_board, "loss", **{"from": 100, "to": 60_000})

    inside = value[100:60_001]
    assert row["n"] == inside.size
    assert (row["min"], row["max"]) == (inside.min(), inside.max())
    assert (row["min_step"], row["max_step"]) == (100 + inside.argmin(), 100 + inside.argmax())
    assert (row["start"], row["end"]) == (inside[0], inside[-1])
    assert row["mean"] == pytest.approx(inside.mean(), rel=1e-9, abs=1e-12)


def test_what_is_not_finite_is_counted_and_not_summed_up(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [math.nan, 4, math.inf, 2])])

    (row,) = rows_of(any_board, "loss")

    assert (row["n"], row["non_finite"]) == (4, 2)
    assert (row["start"], row["end"], row["mean"]) == (4, 2, 3)


def test_a_stretch_without_a_number_has_no_values(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [math.nan, 1])])

    (row,) = rows_of(any_board, "loss", to=0)

    assert (row["n"], row["non_finite"]) == (1, 1)
    assert (row["min"], row["end"], row["mean"]) == (None, None, None)


def test_great_numbers_have_a_mean(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1.7e308, 1.7e308], dtype="float64")])

    (row,) = rows_of(any_board, "loss")

    assert row["mean"] == pytest.approx(1.7e308)


def test_replaced_points_are_not_counted(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 300])])
    any_board.log(
        "run", [scalars("loss", [3], step=[2], attempt=1)], restarts=[Restart(1, None, None, 2)]
    )

    (row,) = rows_of(any_board, "loss")

    assert (row["n"], row["max"], row["end"]) == (3, 3, 3)


def test_a_stretch_is_one_of_the_axis_that_is_shown(any_board: Board) -> None:
    wall = [0.0, 10, 30_000, 30_010, 30_020]
    any_board.log("run", [scalars("loss", [1, 2, 3, 4, 5], wall=wall)])

    (row,) = rows_of(any_board, "loss", x="active", **{"from": 15, "to": 35})

    assert (row["start"], row["end"], row["n"]) == (3, 4, 2)


def test_runs_come_in_the_order_asked_and_strangers_not_at_all(any_board: Board) -> None:
    uids = [any_board.log(name, [scalars("loss", [1])]) for name in ("a", "b")]
    any_board.log("c", [scalars("loss", [9])], project="default/other", logdir="/other")

    rows = rows_of(any_board, "loss", runs=[uids[1], any_board.uids["c"], "nobody", uids[0]])

    assert [row["run"] for row in rows] == [uids[1], uids[0]]


def test_two_cards_have_no_summary(board: Board) -> None:
    asked = {"cards": [{"tag": 1}, {"tag": 2}], "runs": ["a"]}

    assert board.ask("POST", ROUTE, json=asked).status_code == 400
