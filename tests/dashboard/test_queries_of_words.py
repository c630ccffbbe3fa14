"""Queries for what people say of runs: names, tags, stars, notes, what is archived."""

from __future__ import annotations

from typing import Any

import pytest

from orgboard_schema.sql.flush import Origin
from support.boards import Board, scalars

API = "/api/ui/v1"
PROJECT = f"{API}/p/default/board"
ODD = "<b>& \u202eodd"


def _ask(board: Board, method: str, path: str, **request: Any) -> Any:
    answer = board.ask(method, path, **request)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture
def told(any_board: Board) -> Board:
    """Give four runs, of which the first three are spoken of."""
    a, b, c, _ = (
        any_board.log(name, [scalars("loss", [1.0])], now=1.7e9) for name in ("a", "b", "c", "d")
    )
    edits = [
        {"runs": [a], "name": "zebra"},
        {"runs": [a, b], "tag": ["baseline"]},
        {"runs": [b], "tag": [ODD]},
        {"runs": [b], "starred": True},
        {"runs": [c], "archived": True},
    ]
    _ask(any_board, "POST", f"{PROJECT}/edits", json={"edits": edits})
    for uid, text in ((a, "it diverged at\nstep 7"), (b, "fine")):
        _ask(any_board, "POST", f"{API}/r/{uid}/note", json={"text": text})
    return any_board


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("tag:baseline", ["b", "a"]),
        ("tag = baseline and has:starred", ["b"]),
        ("tag != baseline", []),
        ("not tag:baseline", ["d"]),
        ("tag in (nothing, baseline)", ["b", "a"]),
        (f'tag = "{ODD}"', ["b"]),
        ("has:tag", ["b", "a"]),
        ("starred = 1", ["b"]),
        ("not has:starred", ["d", "a"]),
        ('note ~ "diver.*\\n"', ["a"]),
        ("note !~ diverged", ["b"]),
        ("note = fine", ["b"]),
        ("note != fine", ["a"]),
        ("has:note", ["b", "a"]),
        ("name = zebra", ["a"]),
        ("name = a", ["a"]),
        ("name ~ ^zeb", ["a"]),
        ("name !~ ^zeb", ["b", "d"]),
        ("zeb", ["a"]),
    ],
)
def test_what_people_said_finds_runs(told: Board, query: str, names: list[str]) -> None:
    found = _ask(told, "GET", f"{PROJECT}/runs", params={"q": query, "sort": "name"})

    assert [run["name"] for run in found["runs"]] == names


def test_archived_runs_are_found_when_they_are_asked_for(told: Board) -> None:
    def found(**asked: Any) -> list[str]:
        runs = _ask(told, "GET", f"{PROJECT}/runs", params={"sort": "name", **asked})["runs"]
        return [run["name"] for run in runs]

    assert found() == ["b", "d", "a"]
    assert found(archived=True) == ["b", "c", "d", "a"]
    assert found(archived=True, q="not has:tag and points > 0") == ["c", "d"]


@pytest.mark.parametrize("sort", ["tag", "-note", "starred"])
def test_runs_are_sorted_by_what_people_said(told: Board, sort: str) -> None:
    found = _ask(told, "GET", f"{PROJECT}/runs", params={"sort": sort})["runs"]

    assert found[-1]["name"] == "d"
    assert len(found) == 3


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("user = ana", ["a"]),
        ("user != ana", ["b"]),
        ("user in (ana, bo)", ["a", "b"]),
        ('host = "gpu-7.example.org"', ["a"]),
        ("host ~ ^gpu and not user ~ ana", ["b"]),
        ("host !~ 7", ["b"]),
        ("not has:user", ["c"]),
    ],
)
def test_runs_are_found_by_where_they_ran_and_whose_they_are(
    any_board: Board, query: str, names: list[str]
) -> None:
    any_board.log("a", [scalars("x", [1.0])], origin=Origin("gpu-7.example.org", "ana"))
    any_board.log("b", [scalars("x", [1.0])], origin=Origin("gpu-8\0", f"bo{ODD}"))
    any_board.log("b", [scalars("x", [1.0], step=[1])], origin=Origin("gpu-8\0", "bo"))
    any_board.log("c", [scalars("x", [1.0])])

    found = _ask(any_board, "GET", f"{PROJECT}/runs", params={"q": query, "sort": "user"})["runs"]

    assert [run["name"] for run in found] == names
    assert all(run["host"] in ("gpu-7.example.org", "gpu-8\0", None) for run in found)
