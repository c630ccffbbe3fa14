"""Histograms over the API: exact buckets, bounded in number, and the map of layers."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from orgboard_dashboard.api.codec import column, decode
from orgboard_dashboard.api.histograms import MAX_CARDS, MAX_RUNS
from orgboard_dashboard.histograms.buckets import FAULTS
from orgboard_dashboard.queries import histograms as queries
from orgboard_ingest.commands import ingest
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.flush import Restart
from orgboard_schema.types import ProtoHistogram, TensorHistogram, Value
from support.boards import Board, scalars, values
from support.corpus import FRAMEWORK_CASES

PROJECT = "/api/ui/v1/p/default/board"


def tensor(*rows: tuple[float, float, float]) -> TensorHistogram:
    return TensorHistogram("float64", rows)


class Line:
    """The histograms of one run on one card, unpacked."""

    def __init__(self, line: dict[str, Any], data: memoryview) -> None:
        self.told = line
        self.columns = {name: column(ref, data) for name, ref in line["blocks"].items()}

    def rows(self) -> list[NDArray[np.float64]]:
        """Return (left, right, count) of each histogram, as the browser reads them."""
        right = self.columns["right"].astype(np.float64)
        count = self.columns["count"].astype(np.float64)
        ends = np.cumsum(self.columns["lengths"]).astype(int)
        if "left" in self.columns:
            left = self.columns["left"].astype(np.float64)
        else:
            left = np.concatenate([[0.0], right[:-1]])[: len(right)]
            for end, length, first in zip(
                ends, self.columns["lengths"], self.columns["first"], strict=True
            ):
                if length:
                    left[end - int(length)] = first
        return np.split(np.stack([left, right, count], axis=1), ends[:-1])

    def faults(self) -> set[str]:
        """Return in words what is wrong with any of them."""
        bits = int(np.bitwise_or.reduce(self.columns["faults"].astype(int), initial=0))
        return {words for bit, words in enumerate(FAULTS) if bits >> bit & 1}


def asked(
    board: Board, tag: str, *, frames: int = 50, more: Mapping[str, Any] | None = None
) -> list[Line]:
    """Ask for one tag of all runs."""
    tags = board.ask("GET", f"{PROJECT}/tags?kind=histogram").json()["tags"]
    tag_id = next(int(row["id"]) for row in tags if row["name"] == tag)
    runs = list(board.uids.values())
    answer = board.ask(
        "POST",
        f"{PROJECT}/histograms",
        json={"runs": runs, "frames": frames, **(more or {}), "cards": [{"tag": tag_id}]},
    )
    assert answer.status_code == 200, answer.text
    header, data = decode(answer.content)
    return [Line(line, data) for line in header["cards"][0]["lines"]]


def test_a_card_has_the_exact_buckets_of_both_forms(any_board: Board) -> None:
    proto = ProtoHistogram(-0.1, 2.5, 6, 3, 5, (-1e300, 0.1, 1 / 3, 1e308), (0, 1, 2, 3))
    rows = (0.0, 0.1, 3.0), (0.1, 0.1, 0.0), (0.2, 1 / 3, 1e16)
    any_board.log("run", [values("w", "histogram", [proto, tensor(*rows)])])

    (line,) = asked(any_board, "w")

    old, new = (frame.tolist() for frame in line.rows())
    assert old == [[-0.1, 0.1, 1], [0.1, 1 / 3, 2], [1 / 3, 2.5, 3]]
    assert new == [list(row) for row in rows]
    assert (line.told["n"], line.told["shown"], line.told["run"]) == (2, 2, any_board.uids["run"])
    assert line.faults() == set()


def test_of_many_the_first_the_last_and_some_between_are_sent(board: Board) -> None:
    many = [tensor((0.0, 1.0, float(at))) for at in range(1000)]
    board.log("run", [values("w", "histogram", many)])

    (line,) = asked(board, "w", frames=5)
    (zoomed,) = asked(board, "w", more={"from": 10, "to": 12})

    assert line.columns["x"].tolist() == [0, 250, 500, 749, 999]
    assert [frame[0, 2] for frame in line.rows()] == [0, 250, 500, 749, 999]
    assert (line.told["n"], line.told["shown"]) == (1000, 5)
    assert zoomed.columns["x"].tolist() == [10, 11, 12]


def test_fewer_are_sent_where_each_has_very_many_buckets(board: Board) -> None:
    edges = np.arange(30_000.0)
    one = tensor(*((at, at + 1, 1.0) for at in edges.tolist()))
    board.log("run", [values("w", "histogram", [one] * 20)])

    (line,) = asked(board, "w")

    assert (line.told["n"], line.told["shown"]) == (20, 13)


def test_histograms_out_of_order_are_sent_in_the_order_of_their_steps(board: Board) -> None:
    some = [tensor((0.0, 1.0, float(step))) for step in (5, 1, 3)]
    board.log("run", [values("w", "histogram", some, step=[5, 1, 3])])

    (line,) = asked(board, "w")

    assert line.columns["x"].tolist() == [1, 3, 5]
    assert [frame[0, 2] for frame in line.rows()] == [1, 3, 5]


def test_what_a_restart_replaced_is_not_shown(board: Board) -> None:
    board.log("run", [values("w", "histogram", [tensor((0, 1, 1))] * 4)])
    board.log(
        "run",
        [values("w", "histogram", [tensor((0, 1, 7))], step=[2], attempt=1)],
        restarts=[Restart(1, None, None, 2)],
    )

    (line,) = asked(board, "w")

    assert [frame[0, 2] for frame in line.rows()] == [1, 1, 7]


def test_a_question_of_nonsense_is_refused_in_words(board: Board) -> None:
    run = board.log("run", [values("w", "histogram", [tensor()])])
    for question, words in [
        ({}, "cards"),
        ({"cards": [{"tag": 1}] * (MAX_CARDS + 1), "runs": []}, "cards"),
        ({"cards": [{"tag": "1"}], "runs": []}, "tag"),
        ({"cards": [{"tag": 1}], "runs": ["x"] * (MAX_RUNS + 1)}, "runs"),
        ({"cards": [{"tag": 1}], "runs": [run], "frames": 0}, "frames"),
    ]:
        answer = board.ask("POST", f"{PROJECT}/histograms", json=question)
        assert (answer.status_code, words in answer.json()["error"]) == (400, True), question
    for question, words in [
        ({"run": "../x"}, "run"),
        ({"run": run, "other": 3}, "other"),
        ({"run": run, "measure": "size"}, "measure"),
        ({"run": run, "columns": 1000}, "columns"),
    ]:
        answer = board.ask("POST", f"{PROJECT}/layers", json=question)
        assert (answer.status_code, words in answer.json()["error"]) == (400, True), question


def test_more_than_can_be_read_at_once_is_refused_in_words(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MAX_FRAMES_READ", 3)
    run = board.log("run", [values("w", "histogram", [tensor()] * 4)])

    answer = board.ask("POST", f"{PROJECT}/layers", json={"run": run})

    assert answer.status_code == 413
    assert "4 histograms; 3 can be read at once" in answer.json()["error"]


def test_a_run_of_another_project_is_as_one_that_is_not_there(board: Board) -> None:
    other = board.log("theirs", [values("w", "histogram", [tensor()])], project="default/other")
    board.log("mine", [values("w", "histogram", [tensor()])])

    answer = board.ask("POST", f"{PROJECT}/layers", json={"run": other})

    header, _ = decode(answer.content)
    assert header["cards"][0]["lines"][0]["rows"] == []
    assert [line.told["run"] for line in asked(board, "w")] == [board.uids["mine"]]


def test_the_map_has_a_row_each_tag_and_tells_what_leapt(any_board: Board) -> None:
    calm = [tensor((0.0, 1.0, 5.0))] * 3
    leaps = [tensor((0.0, 1.0, 5.0)), tensor((0.0, 1.0, 5.0)), tensor((50.0, 51.0, 5.0))]
    chunks = [values("a", "histogram", calm), values("b", "histogram", leaps), scalars("c", [1.0])]
    run = any_board.log("run", chunks)

    answer = any_board.ask("POST", f"{PROJECT}/layers", json={"run": run, "measure": "w1"})

    header, data = decode(answer.content)
    (line,) = header["cards"][0]["lines"]
    drawn = column(line["blocks"]["values"], data).reshape(2, 3)
    assert [row["name"] for row in line["rows"]] == ["a", "b"]
    assert header["measure"] == "Wasserstein-1 distance"
    assert drawn[:, 1:].tolist() == [[0, 0], [0, 50]]


def test_statistics_of_histograms_are_drawn_as_curves(any_board: Board) -> None:
    proto = ProtoHistogram(1, 9, 4, 16, 102, (1.0, 3.0, 9.0), (1, 1, 2))
    some: list[Value] = [proto, tensor((0.0, 2.0, 4.0)), tensor((0.0, 4.0, 4.0))]
    any_board.log("run", [values("w", "histogram", some), scalars("loss", [1.0, 2.0, 3.0])])

    answer = any_board.ask(
        "POST",
        f"{PROJECT}/expressions",
        json={
            "chart": "hist:w:mean; hist:w:p50 - loss; hist:w:size; hist:gone:std",
            "runs": [any_board.uids["run"]],
        },
    )

    assert answer.status_code == 200, answer.text
    header, data = decode(answer.content)
    lines = {line["part"]: line["blocks"] for line in header["cards"][0]["lines"]}
    assert column(lines[0]["y"], data).tolist() == [4.0, 1.0, 2.0]
    assert column(lines[1]["y"], data).tolist() == pytest.approx([3.0 - 1.0, 1 - 2.0, 2 - 3.0])
    assert header["missing"] == ["hist:w:size", "hist:gone:std"]


def test_a_scalar_of_the_very_name_comes_before_a_statistic(board: Board) -> None:
    chunks = [values("w", "histogram", [tensor((0.0, 2.0, 4.0))]), scalars("hist:w:mean", [7.0])]
    run = board.log("run", chunks)

    answer = board.ask(
        "POST", f"{PROJECT}/expressions", json={"chart": "hist:w:mean", "runs": [run]}
    )

    header, data = decode(answer.content)
    (line,) = header["cards"][0]["lines"]
    assert column(line["blocks"]["y"], data).tolist() == [7.0]


def test_a_file_has_the_exact_buckets_of_every_histogram(any_board: Board) -> None:
    rows = (0.1, 1 / 3, 2.0), (1 / 3, 0.5, 1.0)
    proto = ProtoHistogram(0, 2, 3, 1, 1, (-1.0, 1.0, 2.5, 9.0), (0, 1, 2, 0))
    run = any_board.log("run", [values("w", "histogram", [tensor(*rows), proto])])
    tags = any_board.ask("GET", f"{PROJECT}/tags?kind=histogram").json()["tags"]
    asked = {"tags": str(tags[0]["id"]), "runs": run, "kind": "histogram"}

    table = any_board.ask("GET", f"{PROJECT}/export", params={**asked, "form": "csv"})
    lines = any_board.ask("GET", f"{PROJECT}/export", params={**asked, "form": "jsonl"})
    none = any_board.ask("GET", f"{PROJECT}/export", params={**asked, "kind": "image"})

    read = list(csv.DictReader(io.StringIO(table.text)))
    assert [
        (row["step"], *(float(row[of]) for of in ("left", "right", "count"))) for row in read
    ] == [
        *(("0", *row) for row in rows),
        ("1", 0.0, 1.0, 1.0),
        ("1", 1.0, 2.0, 2.0),
    ]
    assert table.headers["content-disposition"] == 'attachment; filename="w.csv"'
    first, second = map(json.loads, lines.text.splitlines())
    assert first["buckets"] == [list(row) for row in rows]
    assert second["limits"] == [-1.0, 1.0, 2.5, 9.0]
    assert none.status_code == 400


def test_every_bad_histogram_is_drawn_as_far_as_it_is_sound(corpus: Path, sqlite_url: str) -> None:
    lines = _of_case(corpus, sqlite_url, "hostile/bad_histograms")

    told = {tag: sorted(line.faults()) for (_, tag), line in lines.items()}
    totals = {tag: sum(f[:, 2].sum() for f in line.rows()) for (_, tag), line in lines.items()}
    assert told["ok"] == told["big"] == told["fractional"] == told["tensor_empty"] == []
    assert "not as many counts as edges" in told["few_buckets"]
    assert "not as many counts as edges" in told["few_limits"]
    assert "edges that go back" in told["descending"]
    assert "an edge that is no number" in told["nan_limit"]
    assert "a negative count" in told["negative_counts"]
    assert told["inf_limits"]
    assert "edges that go back" in told["tensor_backwards"]
    assert told["tensor_nan"]
    assert totals["ok"] == 4
    for line in lines.values():
        for frame in line.rows():
            assert np.isfinite(frame).all()
            assert (frame[:, 0] <= frame[:, 1]).all()
            assert (frame[:, 2] >= 0).all()


@pytest.mark.parametrize("case", [*FRAMEWORK_CASES, "hostile/bad_histograms"])
def test_the_buckets_of_every_case_are_those_of_the_truth(
    corpus: Path, sqlite_url: str, case: str
) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text(encoding="utf-8"))
    expected = {
        (run, tag): [point[2] for point in series["points"]]
        for run, held in truth["runs"].items()
        for tag, series in held["tags"].items()
        if series["plugin"] == "histograms"
    }

    found = _of_case(corpus, sqlite_url, case)

    assert found.keys() >= expected.keys()
    for key, points in expected.items():
        frames = found[key].rows()
        assert len(frames) == len(points)
        for frame, point in zip(frames, points, strict=True):
            if not all(
                isinstance(end, float) for end in (*point.get("first", ()), *point.get("last", ()))
            ):
                # What has no place is told, and the rest of it drawn.
                assert found[key].faults()
                continue
            # TensorBoard casts the buckets of old histograms to float32.
            rows = frame.astype(point["dtype"]).astype(np.float64)
            assert (len(rows), rows[:, 2].sum()) == (point["buckets"], point["total"])
            if len(rows):
                assert [rows[0].tolist(), rows[-1].tolist()] == [point["first"], point["last"]]
            if "rows" in point:
                assert rows.tolist() == point["rows"]


def _of_case(corpus: Path, url: str, case: str) -> dict[tuple[str, str], Line]:
    """Ingest a case, and ask for all of its histograms."""
    assert ingest([str(corpus / case / "logs"), "--once", "--db", url]) == 0
    engine = open_engine(url)
    board = Board(engine)
    (listed,) = board.ask("GET", "/api/ui/v1/projects").json()
    project = f"/api/ui/v1/p/{listed['team']}/{listed['project']}"
    runs = board.ask("GET", f"{project}/runs?limit=200").json()["runs"]
    name_of = {run["uid"]: run["name"] for run in runs}
    tags = board.ask("GET", f"{project}/tags?kind=histogram").json()["tags"]
    found: dict[tuple[str, str], Line] = {}
    for row in tags:
        question = {"runs": [*name_of], "cards": [{"tag": int(row["id"])}], "frames": 100}
        answer = board.ask("POST", f"{project}/histograms", json=question)
        header, data = decode(answer.content)
        for line in header["cards"][0]["lines"]:
            found[name_of[line["run"]], row["name"]] = Line(line, data)
    engine.dispose()
    return found
