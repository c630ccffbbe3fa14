"""Curves over the API: what was logged comes out, reduced only where it must be."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from orgboard_dashboard.api.scalars import MAX_CARDS, MAX_RUNS, parse_question
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars
from support.curves import ROUTE, Drawn, tag_id


def test_a_short_series_comes_out_whole_and_bit_for_bit(any_board: Board) -> None:
    logged = [0.1, -0.0, 1e-45, 3.4e38, 7.0]
    any_board.log("run", [scalars("loss", logged, step=[-3, 0, 1, 2**40, 2**53])])

    drawn = Drawn(any_board, "loss")

    assert drawn.column("y").tobytes() == np.array(logged, np.float32).tobytes()
    assert drawn.column("x").tolist() == [-3, 0, 1, 2**40, 2**53]
    assert drawn.column("step").tolist() == drawn.column("x").tolist()
    assert drawn.column("wall").tolist() == [1.7e9 + n for n in range(5)]
    assert (drawn.lines[0]["n"], drawn.lines[0]["shown"]) == (5, 5)


def test_doubles_stay_doubles(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [0.1, math.pi], dtype="float64")])

    drawn = Drawn(any_board, "loss")

    assert drawn.column("y").dtype == np.float64
    assert drawn.column("y").tolist() == [0.1, math.pi]


def test_a_long_series_is_reduced_and_says_so(any_board: Board) -> None:
    value = np.random.default_rng(0).normal(size=20_000)
    value[12_345] = 1e6
    any_board.log("run", [scalars("loss", value)])

    drawn = Drawn(any_board, "loss", width=100)

    assert drawn.lines[0]["n"] == 20_000
    assert drawn.lines[0]["shown"] == drawn.column("y").size <= 400
    assert drawn.column("y").max() == 1e6
    assert drawn.column("y").min() == np.float32(value.min())


def test_a_zoom_gives_every_point_inside_it(any_board: Board) -> None:
    value = np.random.default_rng(0).normal(size=20_000)
    any_board.log("run", [scalars("loss", value)])

    drawn = Drawn(any_board, "loss", width=100, **{"from": 10_000.5, "to": 10_200})

    assert drawn.column("step").tolist() == list(range(10_001, 10_201))
    assert drawn.column("y").tolist() == value[10_001:10_201].astype(np.float32).tolist()


def test_steps_out_of_order_are_drawn_in_order(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [0, 1, 2, 3, 4], step=[0, 5, 3, 3, 1])])

    drawn = Drawn(any_board, "loss")

    assert drawn.column("step").tolist() == [0, 1, 3, 3, 5]
    assert drawn.column("y").tolist() == [0, 4, 2, 3, 1]


def test_relative_time_begins_at_the_series_first_point(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3], wall=[1000.5, 1002.0, 1010.5])])

    relative = Drawn(any_board, "loss", x="relative")
    wall = Drawn(any_board, "loss", x="wall", **{"from": 1001, "to": 1005})

    assert relative.column("x").tolist() == [0.0, 1.5, 10.0]
    assert wall.column("x").tolist() == [1002.0]
    assert wall.column("step").tolist() == [1]


def test_values_that_are_no_numbers_are_marks(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, math.nan, math.inf, -math.inf, 5])])

    line = Drawn(any_board, "loss").lines[0]

    assert [(mark["step"], mark["value"]) for mark in line["marks"]] == [
        (1, "NaN"),
        (2, "Infinity"),
        (3, "-Infinity"),
    ]
    assert (line["n"], line["shown"], line["nonfinite"]) == (5, 2, 3)


def test_a_restart_hides_what_it_replaced_until_asked_for(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3, 4])])
    any_board.log(
        "run",
        [scalars("loss", [30, 40], step=[2, 3], attempt=1)],
        restarts=[Restart(1, None, None, 2)],
    )

    shown = Drawn(any_board, "loss")
    everything = Drawn(any_board, "loss", superseded=True)

    assert shown.column("y").tolist() == [1, 2, 30, 40]
    assert len(shown.lines) == 1
    old = everything.lines[1]
    assert (old["superseded"], old["attempt"]) == (True, 0)
    assert everything.column("y", 1).tolist() == [3, 4]


def test_runs_without_a_new_commit_are_left_out(board: Board) -> None:
    board.log("old", [scalars("loss", [1, 2])], now=1.7e9)
    board.log("new", [scalars("loss", [1, 2])], now=1.7e9 + 100)
    revision = Drawn(board, "loss").header["revision"]

    later = Drawn(board, "loss", since=revision)

    assert revision == 1_700_000_100_000
    assert later.header["unchanged"] == [board.uids["old"]]
    assert [line["run"] for line in later.lines] == [board.uids["new"]]


def test_runs_of_other_projects_are_not_in_the_answer(any_board: Board) -> None:
    any_board.log("mine", [scalars("loss", [1])])
    any_board.log("theirs", [scalars("loss", [2])], project="default/other", logdir="/other")

    drawn = Drawn(any_board, "loss")

    assert [line["run"] for line in drawn.lines] == [any_board.uids["mine"]]


def test_lines_come_in_the_order_of_the_question(any_board: Board) -> None:
    uids = [any_board.log(name, [scalars("loss", [1])]) for name in ("a", "b", "c")]

    drawn = Drawn(any_board, "loss", runs=[uids[2], uids[0], "nobody", uids[1]])

    assert [line["run"] for line in drawn.lines] == [uids[2], uids[0], uids[1]]


GOOD: dict[str, Any] = {"cards": [{"tag": 1}], "runs": ["a"]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"cards": []},
        {"cards": [{"tag": 1}] * (MAX_CARDS + 1)},
        {"cards": [{"tag": "1"}]},
        {"cards": [{"tag": True}]},
        {"cards": [{"tag": 2**63}]},
        {"cards": [1]},
        {"runs": ["a"] * (MAX_RUNS + 1)},
        {"runs": "a"},
        {"runs": ["a\0"]},
        {"runs": ["é"]},
        {"x": "time"},
        {"x": None},
        {"x": "metric"},
        {"x": "m:"},
        {"lx": True, "to": 0},
        {"width": 0},
        {"width": 1e9},
        {"width": "500"},
        {"from": "0"},
        {"from": math.nan},
        {"to": math.inf},
        {"to": 10**400},
        {"since": -1},
        {"since": 1.5},
    ],
)
def test_a_question_beyond_the_limits_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadQuery):
        parse_question(json.dumps({**GOOD, **wrong}).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b"null"])
def test_what_is_no_question_is_refused(body: bytes) -> None:
    with pytest.raises(BadQuery):
        parse_question(body)


def test_too_many_points_are_refused_before_they_are_read(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    board.log("run", [scalars("loss", np.zeros(5000))])
    monkeypatch.setattr("orgboard_dashboard.queries.series.MAX_POINTS_READ", 4000)
    question = {"cards": [{"tag": tag_id(board, "loss")}], "runs": [board.uids["run"]]}

    whole = board.ask("POST", ROUTE, json=question)
    part = board.ask("POST", ROUTE, json={**question, "from": 0, "to": 100})

    assert whole.status_code == 413
    assert "zoom in" in whole.json()["error"]
    assert part.status_code == 200
