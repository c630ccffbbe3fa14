"""Points of a card as a file over HTTP: all of them, of what the asker may see, in time."""

from __future__ import annotations

import csv
import io
import itertools
import json
from typing import Any

import httpx
import numpy as np
import pytest

from orgboard_dashboard.api.exports import WITHIN_S, Wanted, stream_points
from orgboard_dashboard.outgoing import BrokenOff
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.exported import places_of
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.engine import begin_read
from support.boards import Board, scalars
from support.curves import tag_id

ROUTE = "/api/ui/v1/p/default/board/export"


def export(board: Board, tags: list[str], **query: Any) -> httpx.Response:
    asked = {
        "tags": ",".join(str(tag_id(board, tag)) for tag in tags),
        "runs": ",".join(board.uids.values()),
        **query,
    }
    return board.ask("GET", ROUTE, params=asked)


def test_csv_has_every_point_of_a_long_series(any_board: Board) -> None:
    value = np.random.default_rng(4).normal(size=70_000)
    any_board.log("run", [scalars("loss", value, dtype="float64"), scalars("acc", [1, 2])])

    answer = export(any_board, ["loss"])

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [float(row["value"]) for row in rows] == value.tolist()
    assert {(row["project"], row["run"], row["tag"]) for row in rows} == {
        ("default/board", "run", "loss")
    }
    assert answer.headers["content-disposition"] == 'attachment; filename="loss.csv"'
    assert answer.headers["content-type"].startswith("text/csv")


def test_json_has_an_object_a_point_of_all_tags_and_runs(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2]), scalars("acc", [3])])
    any_board.log("b", [scalars("loss", [float("nan")])])

    answer = export(any_board, ["loss", "acc"], form="jsonl")

    points = [json.loads(line) for line in answer.text.splitlines()]
    assert [(point["run"], point["tag"], point["value"]) for point in points] == [
        ("a", "acc", 3),
        ("a", "loss", 1),
        ("a", "loss", 2),
        ("b", "loss", "NaN"),
    ]
    assert answer.headers["content-disposition"] == 'attachment; filename="board.jsonl"'


@pytest.mark.parametrize("name", ["=1+2", "+x", "-x", "@sum(a)", "\tx", "\rx"])
def test_what_a_table_program_takes_for_a_formula_is_marked_as_text_on_pages_alone(
    any_board: Board, name: str
) -> None:
    any_board.log(name, [scalars(name, [-1.5])])
    cells = {
        form: export(any_board, [name], form=form).content.decode() for form in ("csv", "jsonl")
    }
    with begin_read(any_board.engine) as conn:
        places = places_of(LOCAL_VIEWER, conn, "default", "board", (any_board.uids[name],))
    wanted = Wanted(tuple(places), None, "csv")
    by_program = b"".join(stream_points(LOCAL_VIEWER, any_board.engine, wanted)).decode()

    (row,) = csv.DictReader(io.StringIO(cells["csv"], newline=""))
    (raw,) = csv.DictReader(io.StringIO(by_program, newline=""))
    assert (row["run"], row["tag"], row["value"]) == (f"'{name}", f"'{name}", "-1.5")
    assert (raw["run"], raw["tag"], raw["value"]) == (name, name, "-1.5")
    assert json.loads(cells["jsonl"])["tag"] == name


def test_what_may_not_be_seen_is_neither_in_the_file_nor_in_its_name(any_board: Board) -> None:
    any_board.log("mine", [scalars("loss", [1])])
    theirs = any_board.log(
        "theirs", [scalars("secret", [2])], project="default/other", logdir="/other"
    )
    other = any_board.ask("GET", "/api/ui/v1/p/default/other/tags?kind=scalar").json()["tags"]

    answer = any_board.ask(
        "GET", ROUTE, params={"tags": other[0]["id"], "runs": f"{any_board.uids['mine']},{theirs}"}
    )

    assert answer.text.splitlines() == ["project,run,tag,attempt,superseded,step,wall_time,value"]
    assert "secret" not in answer.headers["content-disposition"]


def test_a_run_outside_of_the_viewers_directories_is_not_placed(any_board: Board) -> None:
    uid = any_board.log("run", [scalars("loss", [1])])
    viewer = Viewer(kind="local", name="you", logdirs=("/logs", "/elsewhere"))
    stranger = Viewer(kind="local", name="you", logdirs=("/elsewhere",))

    with begin_read(any_board.engine) as conn:
        assert len(places_of(viewer, conn, "default", "board", [uid])) == 1
        with pytest.raises(NotFound):
            places_of(stranger, conn, "default", "board", [uid])


def test_a_hostile_tag_names_no_file_but_a_plain_one(any_board: Board) -> None:
    tag = '../"><script>\r\nX: 1/\u202e'
    any_board.log("run", [scalars(tag, [1])])

    answer = export(any_board, [tag])

    assert answer.headers["content-disposition"] == 'attachment; filename="script_X_1.csv"'
    assert "x" not in answer.headers


@pytest.mark.parametrize(
    "wrong",
    [
        {"tags": ""},
        {"tags": "1,"},
        {"tags": "-1"},
        {"tags": "9" * 19},
        {"tags": ",".join(["1"] * 1001)},
        {"runs": ""},
        {"runs": "a,b;c"},
        {"runs": ",".join(["a"] * 201)},
        {"form": "parquet"},
    ],
)
def test_a_question_beyond_the_limits_is_refused(board: Board, wrong: dict[str, str]) -> None:
    board.log("run", [scalars("loss", [1])])

    answer = board.ask("GET", ROUTE, params={"tags": "1", "runs": "a", **wrong})

    assert answer.status_code == 400
    assert answer.json()["error"]


def test_a_project_that_is_not_there_is_not_exported(board: Board) -> None:
    path = "/api/ui/v1/p/default/nothing/export?tags=1&runs=a"

    assert board.ask("GET", path).status_code == 404


def test_a_file_that_takes_too_long_is_broken_off_and_not_cut_short(any_board: Board) -> None:
    uid = any_board.log("run", [scalars("loss", np.zeros(70_000))])
    with begin_read(any_board.engine) as conn:
        places = tuple(places_of(LOCAL_VIEWER, conn, "default", "board", [uid]))
    clock = itertools.count(step=WITHIN_S / 3)
    wanted = Wanted(places, frozenset({"loss"}), "csv")

    with pytest.raises(BrokenOff):
        list(stream_points(LOCAL_VIEWER, any_board.engine, wanted, lambda: float(next(clock))))
