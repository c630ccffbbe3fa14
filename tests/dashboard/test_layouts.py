"""Charts that runs declare themselves, over the API."""

from __future__ import annotations

from typing import Any

import pytest

from orgboard_dashboard.queries import layouts
from orgboard_dashboard.queries.layouts import MAX_CHARTS, MAX_LINES, MAX_PATTERNS
from orgboard_schema.types import Tensor
from support.boards import Board, scalars, values
from support.declared import declared

PROJECT = "/api/ui/v1/p/default/board"


def charts(board: Board, *runs: str) -> list[dict[str, Any]]:
    """Ask for the charts that these runs declare."""
    uids = ",".join(board.uids[run] for run in runs)
    answer = board.ask("GET", f"{PROJECT}/layouts?runs={uids}")
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["charts"]
    return found


def test_patterns_name_the_tags_that_they_match(any_board: Board) -> None:
    tags = [scalars(tag, [1]) for tag in ("loss/train", "loss/val", "acc", "a+b")]
    any_board.log("a", [*tags, declared({"all": ["loss/.*", "acc"], "odd": ["a+b"]})])

    assert charts(any_board, "a") == [
        {
            "category": "mine",
            "title": "all",
            "tags": ["loss/train", "loss/val", "acc"],
            "margins": [],
            "more": 0,
            "problem": "",
        },
        {
            "category": "mine",
            "title": "odd",
            "tags": ["a+b"],
            "margins": [],
            "more": 0,
            "problem": "",
        },
    ]


def test_a_margin_is_a_value_and_its_bounds(any_board: Board) -> None:
    any_board.log("a", [declared({"band": (("mean", "low", "high"),)})])

    (chart,) = charts(any_board, "a")

    assert chart["margins"] == [{"value": "mean", "lower": "low", "upper": "high"}]


def test_what_several_runs_declare_alike_is_one_chart(any_board: Board) -> None:
    for name in ("a", "b"):
        any_board.log(name, [scalars("x", [1]), declared({"all": ["x"]})])
    any_board.log("c", [scalars("x", [1]), declared({"other": ["x"]})])

    assert [chart["title"] for chart in charts(any_board, "a", "b")] == ["all"]
    assert [chart["title"] for chart in charts(any_board, "a", "c")] == ["all", "other"]


def test_a_later_layout_takes_the_place_of_what_was(any_board: Board) -> None:
    any_board.log("a", [declared({"old": ["x"]})])
    any_board.log("a", [declared({"new": ["x"]})])

    assert [chart["title"] for chart in charts(any_board, "a")] == ["new"]


def test_a_pattern_that_is_none_is_told_and_may_be_a_tag(board: Board) -> None:
    board.log("a", [scalars("f(x", [1]), declared({"odd": ["f(x", "("]})])

    (chart,) = charts(board, "a")

    assert chart["tags"] == ["f(x"]
    assert chart["problem"] == "A pattern of this chart is no regular expression: ("


def test_charts_are_bounded(board: Board) -> None:
    tags = [scalars(f"t{n}", [1]) for n in range(MAX_LINES + 3)]
    board.log("a", [*tags, declared({f"c{n}": ["t.*"] for n in range(MAX_CHARTS + 1)})])

    found = charts(board, "a")

    assert len(found) == MAX_CHARTS
    assert {(len(chart["tags"]), chart["more"]) for chart in found} == {(MAX_LINES, 3)}


def test_patterns_are_looked_at_for_so_long_and_names_however_many(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    tags = [scalars(f"loss/{n}", [1]) for n in range(5)]
    monkeypatch.setattr(layouts, "MAX_COMPARED", 12)
    charted = {
        # Two patterns are compared with five names each; for a third it is too late.
        "a": ["loss/[01]", "loss/2$"],
        "b": ["loss/3$", "loss/4"],
        "c": ["loss/0"] * (MAX_PATTERNS + 1) + ["loss/"],
    }
    board.log("run", [*tags, declared(charted)])

    found = {chart["title"]: chart for chart in charts(board, "run")}

    assert [found[name]["tags"] for name in "abc"] == [
        ["loss/0", "loss/1", "loss/2"],
        ["loss/4"],
        ["loss/0"],
    ]
    assert found["a"]["problem"] == ""
    assert "more patterns than are looked at" in found["b"]["problem"]
    assert "more patterns than are looked at" in found["c"]["problem"]


@pytest.mark.parametrize("data", [b"", b"\xff\xff", b"\x12\xff\xff\xff\xff\x0f"])
def test_bytes_that_are_no_layout_declare_nothing(board: Board, data: bytes) -> None:
    board.log("a", [values("custom_scalars__config__", "layout", [Tensor("string", (), (data,))])])

    assert charts(board, "a") == []


def test_runs_of_other_projects_declare_nothing_here(board: Board) -> None:
    board.log("a", [declared({"all": ["x"]})], project="default/other", logdir="/other")
    board.log("b")

    nothing = board.ask("GET", "/api/ui/v1/p/default/nothing/layouts?runs=a")

    assert charts(board, "a", "b") == []
    assert nothing.status_code == 404
