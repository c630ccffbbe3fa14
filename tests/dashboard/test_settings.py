"""Columns of settings and metrics for many runs, over the API."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest

from support.boards import Board, scalars
from support.served import HOSTILE

PROJECT = "/api/ui/v1/p/default/board"


def ask(board: Board, **asked: Any) -> dict[str, Any]:
    """Ask, and return the answer with its columns by key, each by the run's name."""
    answer = board.ask("POST", f"{PROJECT}/settings", json=asked)
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    told["of"] = {
        column["key"]: dict(zip(told["names"], column["values"], strict=True))
        for column in told["columns"]
    }
    return told


def log_sweep(board: Board, runs: int = 12) -> None:
    """Log runs whose loss depends on lr alone."""
    for n in range(runs):
        board.log(
            f"run{n}",
            [
                scalars("val/loss", [9.0, 1.0 + n % 4, 2.0 + n % 4], wall=[1.7e9 + n] * 3),
                scalars("speed", [n], wall=[1.7e9 + n]),
            ],
            hparams=json.dumps(
                {
                    "lr": 10.0 ** (n % 4 - 4),
                    "seed": n // 4,
                    "opt": ["adam", "sgd"][n // 4 % 2],
                    "w": 8,
                }
            ),
            now=1.7e9 + n,
        )


def test_axes_are_what_differs_and_the_metric_that_has_a_direction(any_board: Board) -> None:
    log_sweep(any_board)

    told = ask(any_board)

    assert (told["target"], told["better"]) == ("best:val/loss", "min")
    assert told["axes"][0] == "hp:lr"
    assert sorted(told["axes"]) == ["best:val/loss", "hp:lr", "hp:opt", "hp:seed"]
    assert told["of"]["best:val/loss"]["run5"] == 2
    assert told["of"]["hp:lr"]["run5"] == pytest.approx(0.001)
    assert (told["matching"], told["alike"]) == (12, 1)
    assert dict(told["settings"]) == {
        "lr": 4,
        "opt": 2,
        "seed": 3,
        "w": 1,
    }


def test_the_setting_that_the_metric_depends_on_is_ranked_first(any_board: Board) -> None:
    log_sweep(any_board)

    first, *others = ask(any_board)["ranked"]

    assert (first["name"], first["way"], first["n"], first["sure"]) == ("lr", "up", 12, True)
    assert first["strength"] == pytest.approx(1)
    assert {one["name"]: one["sure"] for one in others} == {"seed": False, "opt": False}


def test_columns_have_every_value_as_it_was_asked_for(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [3, 1, math.nan])], hparams='{"lr": 0.1, "opt": "adam"}')
    any_board.log("b", [scalars("loss", [5, math.inf])], hparams='{"opt": true}')
    any_board.log("c", hparams=json.dumps({"lr": 3, "opt": HOSTILE}))
    any_board.log("d")

    told = ask(any_board, axes=["hp:lr", "hp:opt", "last:loss", "min:loss", "points", "hp:no"])

    assert told["of"]["hp:lr"] == {"a": 0.1, "b": None, "c": 3, "d": None}
    assert told["columns"][1]["categories"] == sorted([HOSTILE, "adam", "true"])
    assert told["of"]["hp:opt"] == {"a": 1, "b": 2, "c": 0, "d": None}
    assert told["of"]["last:loss"] == {"a": "NaN", "b": "Infinity", "c": None, "d": None}
    assert told["of"]["min:loss"] == {"a": 1, "b": 5, "c": None, "d": None}
    assert told["of"]["points"] == {"a": 3, "b": 2, "c": 0, "d": 0}
    assert set(told["of"]["hp:no"].values()) == {None}


def test_a_text_of_a_thousand_values_has_few_places_and_one_for_the_rest(board: Board) -> None:
    for n in range(60):
        held = "often" if n < 10 else f"once {n}"
        board.log(f"run{n}", hparams=json.dumps({"name": held, "long": "x" * 500 + str(n % 2)}))

    told = ask(board, axes=["hp:name", "hp:long"])
    name, long = told["columns"]

    assert (len(name["categories"]), name["others"]) == (24, 27)
    assert "often" in name["categories"]
    assert sum(value == 24 for value in name["values"]) == 27
    assert (long["categories"], long["others"], set(long["values"])) == ([], 2, {0})


def test_only_the_runs_that_match_or_are_named_are_told(any_board: Board) -> None:
    log_sweep(any_board)

    matching = ask(any_board, q="seed = 1")
    named = ask(any_board, q="seed = 1", runs=[any_board.uids["run9"], any_board.uids["run0"]])

    assert sorted(matching["names"]) == ["run4", "run5", "run6", "run7"]
    assert sorted(named["names"]) == ["run0", "run9"]
    assert ask(any_board, runs=[])["names"] == []


def test_runs_of_others_and_what_was_put_aside_are_not_told(any_board: Board) -> None:
    log_sweep(any_board, 2)
    theirs = any_board.log("theirs", project="default/other", logdir="/other", hparams='{"x": 1}')
    aside = {"edits": [{"runs": [any_board.uids["run1"]], "archived": True}]}
    assert any_board.ask("POST", f"{PROJECT}/edits", json=aside).status_code == 200

    assert ask(any_board)["names"] == ["run0"]
    assert sorted(ask(any_board, archived=True)["names"]) == ["run0", "run1"]
    assert "x" not in dict(ask(any_board)["settings"])
    assert ask(any_board, runs=[theirs])["names"] == []
    assert any_board.ask("POST", "/api/ui/v1/p/no/such/settings", json={}).status_code == 404


def test_without_runs_settings_or_metrics_there_is_an_answer_that_says_so(board: Board) -> None:
    board.log("a")

    told = ask(board)

    assert (told["axes"], told["target"], told["ranked"]) == ([], "", [])
    assert ask(board, q="name = nobody")["names"] == []


@pytest.mark.parametrize(
    "asked",
    [
        {"axes": ["a"] * 17},
        {"axes": "hp:lr"},
        {"axes": [1]},
        {"target": 3},
        {"q": ["lr"]},
        {"q": "lr < "},
        {"runs": ["<b>"]},
        {"axes": ["a" * 20_001]},
    ],
)
def test_a_question_that_is_none_is_refused_in_words(board: Board, asked: dict[str, Any]) -> None:
    board.log("a", hparams='{"lr": 1}')

    answer = board.ask("POST", f"{PROJECT}/settings", json=asked)

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_odd_numbers_of_settings_are_told_by_name(board: Board) -> None:
    board.log("a", hparams='{"lr": NaN, "n": 1' + "0" * 400 + "}")

    told = ask(board, axes=["hp:lr", "hp:n"])

    assert (told["of"]["hp:lr"]["a"], told["of"]["hp:n"]["a"]) == ("NaN", "Infinity")


def test_the_metric_is_one_that_runs_with_settings_have(any_board: Board) -> None:
    # As add_hparams does: the settings stand in a run of their own, with their metrics.
    for n, lr in enumerate((0.1, 0.2, 0.3)):
        any_board.log(f"run{n}", [scalars("train/loss", [3, n])])
        any_board.log(
            f"run{n}/17",
            [scalars("hp/score", [n])],
            hparams=json.dumps({"lr": lr, "batch": 32}),
        )

    told = ask(any_board)

    assert told["target"] == "best:hp/score"
    assert told["axes"] == ["hp:lr", "best:hp/score"]
    assert told["alike"] == 1
