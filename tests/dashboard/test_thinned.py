"""What was thinned is told by the API: of a run's series, and with the values that are left."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from orgboard_dashboard.api.codec import decode
from orgboard_dashboard.export import Choice, export
from orgboard_schema.types import TensorHistogram
from support.boards import Board, scalars, values
from support.thinned import picture, thin

NOW = 1_800_000_000.0
PROJECT = "/api/ui/v1/p/default/board"


def _logged(board: Board) -> str:
    pictures = [picture(step) for step in range(1000)]
    return board.log("run", [scalars("loss", [1.0, 2.0, 3.0]), values("seen", "image", pictures)])


def test_a_run_tells_which_of_its_series_were_thinned_and_when(any_board: Board) -> None:
    uid = _logged(any_board)
    before = any_board.ask("GET", f"/api/v1/runs/{uid}").json()
    thin(any_board.engine, uid, "image", now=NOW)

    told = any_board.ask("GET", f"/api/v1/runs/{uid}").json()

    assert [each["thinned"] for each in before["series"]] == [None, None]
    loss, seen = told["series"]
    assert loss["thinned"] is None
    assert seen["n"] == 101
    assert seen["thinned"] == {"kept": 101, "logged": 1000, "at": NOW, "keep_every": 10}
    assert told["run"]["points"] == 104
    assert told["run"]["revision"] > before["run"]["revision"]


def test_values_that_are_left_say_how_many_there_were(any_board: Board) -> None:
    uid = _logged(any_board)
    thin(any_board.engine, uid, "image", now=NOW)

    answer = any_board.ask("GET", f"/api/ui/v1/p/default/board/values?kind=image&runs={uid}")

    (series,) = answer.json()["series"]
    assert (series["total"], series["thinned"]["logged"]) == (101, 1000)
    assert [point["step"] for point in series["points"][-2:]] == [990, 999]
    (blob,) = series["points"][0]["blobs"]
    there = any_board.ask("GET", f"/api/ui/v1/r/{uid}/blob/{blob['sha256']}")
    assert there.status_code == 200


def test_histograms_that_are_left_say_how_many_there_were(any_board: Board) -> None:
    shapes = [TensorHistogram("float64", ((0.0, 1.0, float(n)),)) for n in range(1000)]
    uids = [any_board.log(name, [values("w", "histogram", shapes)]) for name in ("one", "two")]
    thin(any_board.engine, uids[0], "histogram", now=NOW)
    tag = any_board.ask("GET", f"{PROJECT}/tags?kind=histogram").json()["tags"][0]["id"]
    told = [{"kept": 101, "logged": 1000, "at": NOW, "keep_every": 10}]

    def lines(question: Any, path: str = "histograms") -> Any:
        answer = any_board.ask("POST", f"{PROJECT}/{path}", json=question)
        return decode(answer.content)[0]["cards"][0]["lines"]

    cards = [{"tag": tag}]
    each = lines({"runs": uids, "cards": cards})
    groups = [("1", uids[:1]), ("2", uids[1:]), ("b", uids)]
    asked = [{"id": name, "runs": members} for name, members in groups]
    grouped = lines({"groups": asked, "cards": cards})
    assert [line["thinned"] for line in each] == [told, []]
    assert [line["thinned"] for line in grouped] == [told, [], told]
    assert lines({"run": uids[0]}, "layers")[0]["thinned"] == told
    assert lines({"run": uids[1]}, "layers")[0]["thinned"] == []


def test_a_picture_that_was_taken_is_not_there_any_more(any_board: Board) -> None:
    uid = _logged(any_board)
    asked = f"/api/ui/v1/p/default/board/values?kind=image&runs={uid}&limit=1000"
    (series,) = any_board.ask("GET", asked).json()["series"]
    gone = next(point for point in series["points"] if point["step"] == 5)["blobs"][0]["sha256"]
    thin(any_board.engine, uid, "image", now=NOW)

    assert any_board.ask("GET", f"/api/ui/v1/r/{uid}/blob/{gone}").status_code == 404


def test_an_export_says_how_many_are_not_in_it(any_board: Board, tmp_path: Path) -> None:
    uid = _logged(any_board)
    thin(any_board.engine, uid, "image", now=NOW)

    for choice, missed in (
        (Choice("values", "jsonl"), "orgboard: not in it: 899 points that were thinned\n"),
        (Choice("scalars", "csv"), ""),
    ):
        told = io.StringIO()
        export(any_board.engine, choice, tmp_path / "out", NOW, told)
        assert told.getvalue() == missed
