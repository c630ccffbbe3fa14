"""Where metrics of some runs stand, over the API."""

from __future__ import annotations

import math
from typing import Any

from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars

PROJECT = "/api/ui/v1/p/default/board"


def metrics(board: Board, *runs: str) -> dict[str, dict[str, dict[str, Any]]]:
    """Return where each metric stands, by tag and by the name of the run."""
    names = {uid: name for name, uid in board.uids.items()}
    uids = ",".join(board.uids[run] for run in runs)
    answer = board.ask("GET", f"{PROJECT}/metrics?runs={uids}")
    assert answer.status_code == 200, answer.text
    return {
        row["name"]: {names[uid]: standing for uid, standing in row["runs"].items()}
        for row in answer.json()["metrics"]
    }


def test_each_metric_has_its_last_least_and_greatest_value(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [3, 1, 2]), scalars("acc", [0.5])])
    any_board.log("b", [scalars("loss", [5, 9])])
    any_board.log("c", [scalars("other", [1])])

    assert metrics(any_board, "a", "b") == {
        "acc": {"a": {"last": 0.5, "min": 0.5, "max": 0.5}},
        "loss": {
            "a": {"last": 2, "min": 1, "max": 3},
            "b": {"last": 9, "min": 5, "max": 9},
        },
    }


def test_what_a_restart_replaced_does_not_count(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [3, 99, 2])])
    any_board.log(
        "a", [scalars("loss", [7], step=[1], attempt=1)], restarts=[Restart(1, None, None, 1)]
    )

    assert metrics(any_board, "a") == {"loss": {"a": {"last": 7, "min": 3, "max": 7}}}


def test_values_that_are_no_numbers_have_no_size(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [math.nan])])

    assert metrics(any_board, "a")["loss"]["a"]["last"] is None


def test_runs_that_are_not_there_have_no_metrics(any_board: Board) -> None:
    any_board.log("theirs", [scalars("secret", [1])], project="default/other", logdir="/other")
    any_board.log("mine", [scalars("loss", [1])])

    assert metrics(any_board, "theirs", "mine").keys() == {"loss"}
    assert metrics(any_board) == {}
