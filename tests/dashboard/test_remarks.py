"""Remarks on moments: made, changed, removed, and never of what may not be seen."""

from __future__ import annotations

from typing import Any

import pytest

from support.boards import Board, scalars
from support.words import HOSTILE

API = "/api/ui/v1"
PATH = f"{API}/p/default/board/remarks"


def _add(board: Board, **asked: Any) -> str:
    answer = board.ask("POST", PATH, json=asked)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


def _list(board: Board, query: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.ask("GET", PATH + query).json()["remarks"]
    return found


def test_a_remark_is_made_on_a_step_a_time_a_run_or_a_project(any_board: Board) -> None:
    a, b = (any_board.log(name, [scalars("loss", [1.0])]) for name in "ab")
    for moment in (
        {"run": a, "step": -(2**63)},
        {"run": b, "wall": 1.5e9},
        {"step": 2**63 - 1},
        {},
    ):
        _add(any_board, text=f" {HOSTILE}\n", **moment)

    found = _list(any_board)

    assert [(one["run"], one["step"], one["wall"]) for one in found] == [
        (a, -(2**63), None),
        (b, None, 1.5e9),
        (None, 2**63 - 1, None),
        (None, None, None),
    ]
    assert {one["text"] for one in found} == {HOSTILE}
    assert [one["run"] for one in _list(any_board, f"?runs={b}")] == [b, None, None]
    page = any_board.ask("GET", f"{API}/r/{a}").json()
    assert [one["run"] for one in page["annotations"]] == [a, None, None]


def test_a_remark_is_reworded_and_an_empty_one_is_gone(any_board: Board) -> None:
    run = any_board.log("a", [scalars("loss", [1.0])])
    key, other = _add(any_board, run=run, step=1, text="one"), _add(any_board, text="two")

    any_board.ask("PATCH", f"{PATH}/{key}", json={"text": "better"})
    any_board.ask("PATCH", f"{PATH}/{other}", json={"text": " "})

    assert [(one["id"], one["text"]) for one in _list(any_board)] == [(key, "better")]


def test_remarks_on_hidden_runs_do_not_exist(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1.0])])
    secret = any_board.log("b", [scalars("loss", [1.0])], logdir="/secret")
    key = _add(any_board, run=secret, text="secret")
    web = any_board.web(logdirs=("/logs",))

    listed = any_board.ask("GET", f"{PATH}?runs={secret}", web=web).json()["remarks"]
    changed = any_board.ask("PATCH", f"{PATH}/{key}", json={"text": ""}, web=web)
    added = any_board.ask("POST", PATH, json={"run": secret, "text": "x"}, web=web)

    assert listed == []
    assert (changed.status_code, added.status_code) == (404, 404)
    assert any_board.ask("GET", PATH, web=any_board.web()).json()["remarks"]


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": ""},
        {"text": "x" * 1001},
        {"text": 5},
        {"text": "x", "step": 1.5},
        {"text": "x", "step": 2**63},
        {"text": "x", "step": True},
        {"text": "x", "wall": "now"},
        {"text": "x", "wall": 10**400},
        {"text": "x", "run": 7},
        {"text": "x", "run": "'"},
    ],
)
def test_a_wrong_remark_is_refused_in_words(board: Board, asked: dict[str, Any]) -> None:
    board.log("a", [scalars("loss", [1.0])])

    answer = board.ask("POST", PATH, json=asked)

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
