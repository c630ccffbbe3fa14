"""Groups over the API: who is in them, which colour they have, and their lines."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from orgboard_dashboard.api.codec import column, decode
from orgboard_dashboard.api.groups import parse_bands, parse_groups
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.groups import MAX_NAME_CHARS
from orgboard_schema.sql.flush import Origin, Restart
from support.boards import Board, scalars

PROJECT = "/api/ui/v1/p/default/board"


def grouped(board: Board, by: str, runs: list[str] | None = None) -> list[dict[str, Any]]:
    """Group runs, all of them by default, and give names for their uids."""
    names = {uid: name for name, uid in board.uids.items()}
    asked = [board.uids[run] for run in runs] if runs is not None else list(board.uids.values())
    answer = board.ask("POST", f"{PROJECT}/groups", json={"runs": asked, "by": by})
    assert answer.status_code == 200, answer.text
    groups: list[dict[str, Any]] = answer.json()["groups"]
    return [{**group, "runs": [names[uid] for uid in group["runs"]]} for group in groups]


class Banded:
    """The line of one group of all runs, unpacked."""

    def __init__(self, board: Board, tag: str = "loss", **question: Any) -> None:
        tags = board.ask("GET", f"{PROJECT}/tags?kind=scalar").json()["tags"]
        tag_id = next(int(row["id"]) for row in tags if row["name"] == tag)
        runs = list(board.uids.values())
        low, high = question.pop("zoom", (None, None))
        groups = [{"id": "g0", "runs": runs}]
        asked = {"cards": [{"tag": tag_id}], "groups": groups, "from": low, "to": high, **question}
        answer = board.ask("POST", f"{PROJECT}/bands", json=asked)
        assert answer.status_code == 200, answer.text
        header, self.data = decode(answer.content)
        self.lines: list[dict[str, Any]] = header["cards"][0]["lines"]

    def column(self, name: str) -> NDArray[Any]:
        """Return a column of the line."""
        return column(self.lines[0]["blocks"][name], self.data)


def test_runs_are_grouped_by_what_a_hyperparameter_is(any_board: Board) -> None:
    any_board.log("a", hparams='{"lr": 0.1}')
    any_board.log("b", hparams='{"lr": 0.01}')
    any_board.log("c", hparams='{"lr": 1e-1}')
    any_board.log("d")
    any_board.log("e", hparams='{"lr": "0.1"}')

    groups = grouped(any_board, "hp:lr")

    assert [(group["name"], group["runs"]) for group in groups] == [
        ("lr = 0.01", ["b"]),
        ("lr = 0.1", ["a", "c"]),
        ("lr = 0.1", ["e"]),
        ("no lr", ["d"]),
    ]


def test_runs_are_grouped_by_what_a_pattern_captures(any_board: Board) -> None:
    for name in ("adam-w10-s0", "adam-w10-s1", "adam-w2-s0", "sgd"):
        any_board.log(name)

    captured = grouped(any_board, "re:-w(\\d+)-")
    matched = grouped(any_board, "re:^[a-z]+")

    assert [(group["name"], len(group["runs"])) for group in captured] == [
        ("2", 1),
        ("10", 2),
        ("no match", 1),
    ]
    assert [(group["name"], len(group["runs"])) for group in matched] == [("adam", 3), ("sgd", 1)]


def test_runs_are_grouped_by_tags_user_or_host(any_board: Board) -> None:
    for name, origin in (("a", Origin("gpu-1", "ana")), ("b", Origin("gpu\0", None)), ("c", None)):
        any_board.log(name, [scalars("loss", [1.0])], origin=origin)
    edits = [{"runs": [any_board.uids["a"]], "tag": [tag]} for tag in ("late", "base")]
    edits.append({"runs": [any_board.uids["c"]], "tag": ["base"]})
    assert any_board.ask("POST", f"{PROJECT}/edits", json={"edits": edits}).status_code == 200

    def found(by: str) -> list[tuple[str, list[str]]]:
        return [(group["name"], group["runs"]) for group in grouped(any_board, by)]

    assert found("tag") == [("tag = base", ["c"]), ("tag = base, late", ["a"]), ("no tag", ["b"])]
    assert found("user") == [("user = ana", ["a"]), ("no user", ["b", "c"])]
    assert found("host") == [("host = gpu\0", ["b"]), ("host = gpu-1", ["a"]), ("no host", ["c"])]


def test_a_groups_colour_does_not_depend_on_which_runs_are_shown(any_board: Board) -> None:
    for name in ("z-0", "a-0", "m-0", "a-1"):
        any_board.log(name)

    everything = {group["name"]: group["color"] for group in grouped(any_board, "re:^[a-z]")}
    some = {group["name"]: group["color"] for group in grouped(any_board, "re:^[a-z]", ["m-0"])}
    any_board.log("b-0")
    later = {group["name"]: group["color"] for group in grouped(any_board, "re:^[a-z]")}

    assert everything == {"z": 0, "a": 1, "m": 2}
    assert some == {"m": 2}
    assert later == {**everything, "b": 3}


def test_runs_of_other_projects_are_in_no_group(any_board: Board) -> None:
    any_board.log("theirs", project="default/other", logdir="/other")
    any_board.log("mine")

    groups = grouped(any_board, "re:.*")

    assert [(group["name"], group["color"], group["runs"]) for group in groups] == [
        ("mine", 0, ["mine"])
    ]


def test_a_groups_name_is_bounded(board: Board) -> None:
    board.log("a", hparams=json.dumps({"note": "x" * 5000}))

    (group,) = grouped(board, "hp:note")

    assert len(group["name"]) == MAX_NAME_CHARS
    assert group["name"].endswith("…")


@pytest.mark.parametrize(
    "odd",
    [
        '{"lr": NaN}',
        '{"lr": Infinity}',
        '{"lr": [1, {"a": 2}]}',
        '{"lr": true}',
        f'{{"lr": {10**400}}}',
        "[]",
    ],
)
def test_odd_values_are_groups_too(board: Board, odd: str) -> None:
    board.log("a", hparams=odd)
    board.log("b", hparams=odd)

    assert [len(group["runs"]) for group in grouped(board, "hp:lr")] == [2]


@pytest.mark.parametrize(
    "by", ["", "hp:", "re:", "tags", "user:x", "re:(", "no:lr", "re:" + "a" * 2000]
)
def test_what_groups_nothing_is_refused_in_words(board: Board, by: str) -> None:
    board.log("a")

    answer = board.ask("POST", f"{PROJECT}/groups", json={"runs": ["a"], "by": by})

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 20


def test_a_project_that_is_not_there_has_no_groups(board: Board) -> None:
    path = "/api/ui/v1/p/default/nothing/"
    bands = {"cards": [{"tag": 1}], "groups": []}

    assert board.ask("POST", path + "groups", json={"runs": [], "by": "hp:a"}).status_code == 404
    assert board.ask("POST", path + "bands", json=bands).status_code == 404


def test_a_group_is_one_line_over_all_its_runs(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2, 3, 4])])
    any_board.log("b", [scalars("loss", [3, 6], step=[0, 2])])
    any_board.log("c", [scalars("other", [9])])

    banded = Banded(any_board)

    assert banded.column("x").tolist() == [0, 1, 2, 3]
    assert banded.column("y").tolist() == [2, 2.5, 4.5, 4]
    assert banded.column("low").tolist() == [1, 2, 3, 4]
    assert banded.column("high").tolist() == [3, 3, 6, 4]
    assert banded.column("runs").tolist() == [2, 2, 2, 1]
    assert {key: banded.lines[0][key] for key in ("run", "n", "shown", "members")} == {
        "run": "g0",
        "n": 6,
        "shown": 4,
        "members": 2,
    }


def test_what_a_restart_replaced_counts_in_no_group(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2, 3, 4])])
    any_board.log(
        "a",
        [scalars("loss", [30, 40], step=[2, 3], attempt=1)],
        restarts=[Restart(1, None, None, 2)],
    )

    assert Banded(any_board).column("y").tolist() == [1, 2, 30, 40]


def test_values_that_are_no_numbers_are_left_out_and_told_with_their_run(any_board: Board) -> None:
    uid = any_board.log("a", [scalars("loss", [1, math.nan, 3, math.inf])])
    any_board.log("b", [scalars("loss", [3, 3, 3, 3])])

    banded = Banded(any_board)

    assert banded.column("y").tolist() == [2, 2, 3, 3]
    assert banded.column("runs").tolist() == [2, 2, 2, 1]
    assert banded.lines[0]["nonfinite"] == 2
    assert banded.lines[0]["marks"] == [
        {"x": 1, "step": 1, "value": "NaN", "run": uid},
        {"x": 3, "step": 3, "value": "Infinity", "run": uid},
    ]


def test_long_runs_are_drawn_on_pixels_with_every_spike_in_the_band(any_board: Board) -> None:
    value = np.zeros(70_000)
    value[43_210], value[20_001] = 7.0, -5.0
    any_board.log("long", [scalars("loss", value)])
    any_board.log("short", [scalars("loss", value[:30_000])])

    banded = Banded(any_board, width=200)

    assert banded.column("x").size == banded.lines[0]["shown"] <= 800
    assert banded.lines[0]["n"] == 100_000
    assert (banded.column("low").min(), banded.column("high").max()) == (-5, 7)
    assert set(banded.column("runs").tolist()) == {1, 2}


def test_a_zoom_is_computed_from_all_points_in_it(any_board: Board) -> None:
    any_board.log("fine", [scalars("loss", np.zeros(1000))])
    any_board.log("coarse", [scalars("loss", [4, 8], step=[0, 999])])

    banded = Banded(any_board, zoom=(100.5, 120), width=50)

    assert banded.column("x").tolist() == [float(step) for step in range(101, 121)]
    assert set(banded.column("y").tolist()) == {2}


def test_relative_steps_begin_with_each_run(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2], step=[1000, 1010])])
    any_board.log("b", [scalars("loss", [3, 4], step=[0, 10])])

    banded = Banded(any_board, x="rstep")

    assert banded.column("x").tolist() == [0, 10]
    assert banded.column("y").tolist() == [2, 3]


def test_runs_are_aligned_by_a_metric_that_they_logged_too(any_board: Board) -> None:
    any_board.log(
        "a", [scalars("loss", [1, 2], step=[5, 6]), scalars("epoch", [0, 1], step=[5, 6])]
    )
    any_board.log(
        "b",
        [scalars("loss", [3, 4, 9], step=[50, 60, 70]), scalars("epoch", [0, 1], step=[50, 60])],
    )

    banded = Banded(any_board, x="m:epoch")

    assert banded.column("x").tolist() == [0, 1]
    assert banded.column("y").tolist() == [2, 3]
    assert banded.lines[0]["without_x"] == 1


def test_active_time_of_each_run_is_without_its_pauses(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2, 3], wall=[0, 10, 20])])
    any_board.log("b", [scalars("loss", [3, 4, 5, 6], wall=[0, 10, 20, 30_000])])

    banded = Banded(any_board, x="active")

    assert banded.column("x").tolist() == [0, 10, 20, 30]
    assert banded.column("runs").tolist() == [2, 2, 2, 1]


def test_a_log_axis_of_groups_draws_what_is_above_zero(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2, 3], step=[0, 1, 100])])

    banded = Banded(any_board, lx=True)

    assert banded.column("x").tolist() == [1, 100]
    assert banded.lines[0]["without_x"] == 1


def test_relative_time_begins_with_each_run(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2], wall=[1000, 1010])])
    any_board.log("b", [scalars("loss", [3, 4], wall=[5000, 5010])])

    banded = Banded(any_board, x="relative", line="max", band="none")

    assert banded.column("x").tolist() == [0, 10]
    assert banded.column("y").tolist() == banded.column("high").tolist() == [3, 4]


GOOD: dict[str, Any] = {"cards": [{"tag": 1}], "groups": [{"id": "a", "runs": ["b"]}]}


@pytest.mark.parametrize(
    "wrong",
    [
        {"groups": None},
        {"groups": [{"id": "a"}] * 201},
        {"groups": [1]},
        {"groups": [{"runs": []}]},
        {"groups": [{"id": "", "runs": []}]},
        {"groups": [{"id": "é", "runs": []}]},
        {"groups": [{"id": "a" * 41, "runs": []}]},
        {"groups": [{"id": "a", "runs": "b"}]},
        {"groups": [{"id": "a", "runs": [1]}]},
        {"groups": [{"id": "a", "runs": ["b"] * 201}]},
        {"groups": [{"id": "a", "runs": ["b c"]}]},
        {"line": "mode"},
        {"band": ["std"]},
        {"cards": []},
    ],
)
def test_a_question_beyond_the_limits_is_refused(wrong: dict[str, Any]) -> None:
    parse_bands(GOOD)

    with pytest.raises(BadQuery):
        parse_bands({**GOOD, **wrong})


@pytest.mark.parametrize(
    "wrong", [b"", b"[]", b'{"runs": []}', b'{"by": "hp:a"}', b'{"by": 1, "runs": []}']
)
def test_what_is_no_question_about_groups_is_refused(wrong: bytes) -> None:
    with pytest.raises(BadQuery):
        parse_groups(wrong)
