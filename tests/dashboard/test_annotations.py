"""Remarks of training scripts over the API, and where attempts went on."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgboard_dashboard.api.codec import decode
from orgboard_dashboard.queries.annotations import MAX_CHARS, MAX_REMARKS
from orgboard_schema.sql.flush import NewChunk, Restart
from orgboard_schema.types import Tensor
from support.boards import Board, scalars, values

PROJECT = "/api/ui/v1/p/default/board"
TAG = "orgboard/annotation"


def remarks(*texts: Any, step: list[int] | None = None, attempt: int = 0) -> NewChunk:
    """Return remarks as the SDK writes them; what is no dict is written as it is."""
    written = [text if isinstance(text, str) else json.dumps(text) for text in texts]
    tensors = [Tensor("string", (), (text.encode(),)) for text in written]
    return values(TAG, "tensor", tensors, step=step, attempt=attempt)


def remarks_on(board: Board, *runs: str) -> list[dict[str, Any]]:
    """Ask for the remarks on these runs."""
    uids = ",".join(board.uids[run] for run in runs)
    answer = board.ask("GET", f"{PROJECT}/annotations?runs={uids}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["annotations"]
    return found


def test_a_remark_has_its_text_its_step_and_its_time(any_board: Board) -> None:
    any_board.log(
        "a", [remarks({"text": "lr halved"}, {"text": "slow", "step": None}, step=[7, 0])]
    )
    any_board.log("b", [scalars("loss", [1])])

    assert remarks_on(any_board, "b", "a") == [
        {"run": any_board.uids["a"], "step": 7, "wall": 1.7e9, "text": "lr halved"},
        {"run": any_board.uids["a"], "step": None, "wall": 1.7e9 + 1, "text": "slow"},
    ]


def test_what_is_no_remark_is_left_out(board: Board) -> None:
    odd: list[Any] = ["{", "[]", '{"text": 1}', {"text": ""}, "null", {"other": "x"}, "[" * 10**5]
    board.log("a", [remarks(*odd, {"text": "<b>kept</b>"})])
    board.log("b", [values(TAG, "tensor", [Tensor("float32", (1,), b"\0\0\0\0")])])

    assert [one["text"] for one in remarks_on(board, "a", "b")] == ["<b>kept</b>"]


def test_remarks_are_bounded(board: Board) -> None:
    many = [{"text": f"{n} " + "x" * 1000} for n in range(MAX_REMARKS + 10)]
    board.log("a", [remarks(*many)])

    found = remarks_on(board, "a")

    assert len(found) == MAX_REMARKS
    assert found[0]["text"].startswith("10 ")
    assert {len(one["text"]) for one in found} == {MAX_CHARS}


def test_a_remark_that_a_restart_replaced_is_left_out(any_board: Board) -> None:
    any_board.log("a", [remarks({"text": "old"}, step=[5])])
    any_board.log(
        "a", [remarks({"text": "new"}, step=[5], attempt=1)], restarts=[Restart(1, None, None, 3)]
    )

    assert [one["text"] for one in remarks_on(any_board, "a")] == ["new"]


def test_runs_of_other_projects_tell_nothing(any_board: Board) -> None:
    any_board.log("theirs", [remarks({"text": "x"})], project="default/other", logdir="/other")
    any_board.log("mine")

    nothing = any_board.ask("GET", "/api/ui/v1/p/default/nothing/annotations?runs=a")

    assert remarks_on(any_board, "theirs", "mine") == []
    assert nothing.status_code == 404


@pytest.mark.parametrize("points", [10, 70_000])
def test_a_line_tells_from_where_its_attempts_went_on(any_board: Board, points: int) -> None:
    any_board.log("a", [scalars("loss", [0.5] * points), scalars("other", [1, 2, 3])])
    any_board.log(
        "a",
        [scalars("loss", [1.5], step=[4], attempt=1)],
        restarts=[Restart(1, "loss", "scalar", 4)],
    )
    tags = any_board.ask("GET", f"{PROJECT}/tags?kind=scalar").json()["tags"]

    cuts = {}
    for tag in tags:
        question = {"cards": [{"tag": tag["id"]}], "runs": list(any_board.uids.values())}
        answer = any_board.ask("POST", f"{PROJECT}/scalars", json={**question, "superseded": True})
        header, _ = decode(answer.content)
        cuts[tag["name"]] = [line.get("cuts") for line in header["cards"][0]["lines"]]

    assert cuts == {"loss": [[{"attempt": 1, "step": 4}], None], "other": [None]}
