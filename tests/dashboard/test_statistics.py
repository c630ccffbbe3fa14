"""Statistics of last histograms: columns and orders of the table of runs, conditions of queries."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from orgboard_dashboard.api.codec import column, decode
from orgboard_dashboard.histograms.buckets import frames_of
from orgboard_dashboard.histograms.percentiles import STATISTICS, statistic
from orgboard_dashboard.queries import statistics
from orgboard_schema.sql.engine import shown
from orgboard_schema.sql.flush import Restart
from orgboard_schema.types import Histogram, ProtoHistogram, TensorHistogram
from support.boards import Board, scalars, values
from support.programs import run_orgboard

PATH = "/api/ui/v1/p/default/board"


def tensor(*rows: tuple[float, float, float]) -> TensorHistogram:
    return TensorHistogram("float64", rows)


def wide(spread: float) -> TensorHistogram:
    """Make a histogram whose mean is 0 and whose greatest value is `spread`."""
    return tensor((-spread, spread, 3.0))


PROTO = ProtoHistogram(1, 9, 4, 16, 102, (1.0, 3.0, 9.0), (1, 1, 2))


def asked(board: Board, *keys: str, sort: str = "name", q: str = "") -> dict[str, dict[str, Any]]:
    """Return the columns of every run, by name, in the order of the answer."""
    question = [("sort", sort), ("q", q), *(("m", key) for key in keys)]
    answer = board.ask("GET", f"{PATH}/runs", params=question)
    assert answer.status_code == 200, answer.text
    return {run["name"]: run["metrics"] for run in answer.json()["runs"]}


def problem(board: Board, q: str) -> dict[str, Any]:
    """Return what is said of a query that is none."""
    answer = board.ask("GET", f"{PATH}/runs", params={"q": q})
    assert answer.status_code == 400, answer.text
    told: dict[str, Any] = answer.json()
    return told


def log(board: Board, run: str, some: Sequence[Histogram], **at: Any) -> None:
    board.log(run, [values("a/w", "histogram", some, **at)])


def test_every_statistic_is_that_of_the_last_histogram_in_the_order_of_steps(
    any_board: Board,
) -> None:
    last: dict[str, Histogram] = {
        "protos": PROTO,
        "tensors": tensor((0.0, 2.0, 4.0), (2.0, 7.0, 1.0)),
        "none": tensor(),
    }
    for run, value in last.items():
        log(any_board, run, [wide(1), value, wide(2)], step=[5, 30, 20])
    log(any_board, "mixed", [PROTO, wide(3)])
    any_board.log("other", [values("b", "histogram", [PROTO]), scalars("a/w", [1.0])])

    told = asked(any_board, *(f"hist:a/w:{of}" for of in STATISTICS))

    for run, value in {**last, "mixed": wide(3)}.items():
        frames = frames_of([[value]])
        numbers = {f"hist:a/w:{of}": float(statistic(frames, of)[0]) for of in STATISTICS}
        there = {key: number for key, number in numbers.items() if not np.isnan(number)}
        assert told[run] == pytest.approx(there), run
    assert told["protos"].keys() == {f"hist:a/w:{of}" for of in STATISTICS}
    assert told["other"] == {}


def test_the_last_one_is_found_among_blocks_and_what_waits(any_board: Board) -> None:
    for run, n in (("long", 1500), ("longer", 2048), ("short", 2)):
        log(any_board, run, [wide(1 + at) for at in range(n)])
    log(any_board, "long", [wide(7777)], step=[9])

    told = asked(any_board, "hist:a/w:max")

    assert {run: of["hist:a/w:max"] for run, of in told.items()} == {
        "long": 1500,
        "longer": 2048,
        "short": 2,
    }


def test_of_several_at_the_last_step_the_one_that_came_last_counts(any_board: Board) -> None:
    log(any_board, "a", [wide(1), wide(2)], step=[7, 7])
    log(any_board, "a", [wide(3)], step=[7])

    assert asked(any_board, "hist:a/w:max") == {"a": {"hist:a/w:max": 3}}


def test_what_a_restart_replaced_is_not_the_last(any_board: Board) -> None:
    log(any_board, "a", [wide(1), wide(2), wide(3)])
    again = values("a/w", "histogram", [wide(9)], step=[1], attempt=1)
    any_board.log("a", [again], restarts=[Restart(1, None, None, 1)])

    assert asked(any_board, "hist:a/w:max") == {"a": {"hist:a/w:max": 9}}


def test_runs_are_found_and_sorted_by_what_their_last_histograms_are_like(
    any_board: Board,
) -> None:
    for run, spread in (("a", 2.0), ("b", 8.0), ("c", 4.0)):
        log(any_board, run, [wide(99), wide(spread)])
    any_board.log("d", [scalars("loss", [1.0])])

    assert list(asked(any_board, q="hist:a/w:max < 5")) == ["a", "c"]
    assert list(asked(any_board, q='max("loss") = 1 or hist:"a/w":max in (8, 9)')) == ["b", "d"]
    assert list(asked(any_board, q="not hist:a/w:mean = 0")) == ["d"]
    assert list(asked(any_board, q="has:hist:a/w:std and not hist:a/w:p50 != 0")) == ["a", "b", "c"]
    assert list(asked(any_board, sort="hist:a/w:std")) == ["a", "c", "b", "d"]
    assert list(asked(any_board, sort="-hist:a/w:std", q="name !~ b")) == ["c", "a", "d"]


def test_a_statistic_is_the_last_point_of_the_formula_of_the_same_name(any_board: Board) -> None:
    log(any_board, "a", [wide(1), PROTO, tensor((0.0, 2.0, 4.0), (2.0, 7.0, 1.0))])

    for of in ("std", "p75", "num"):
        key = f"hist:a/w:{of}"
        drawn = any_board.ask(
            "POST", f"{PATH}/expressions", json={"chart": key, "runs": [any_board.uids["a"]]}
        )
        header, data = decode(drawn.content)
        last = column(header["cards"][0]["lines"][0]["blocks"]["y"], data)[-1]
        assert asked(any_board, key)["a"][key] == pytest.approx(last, rel=1e-7)


def test_a_column_that_is_kept_knows_of_new_histograms(any_board: Board) -> None:
    log(any_board, "a", [wide(1)])
    assert asked(any_board, "hist:a/w:max", "hist:a/w:p95")["a"]["hist:a/w:max"] == 1

    log(any_board, "a", [wide(5)], step=[1])

    told = asked(any_board, "hist:a/w:max", "hist:a/w:p95")["a"]
    assert told["hist:a/w:max"] == 5
    assert told["hist:a/w:p95"] == pytest.approx(4.5)


@pytest.mark.parametrize(
    "key", ["hist:a/w", "hist:a/w:", "hist::std", "hist:a/w:p6", "hist:no:std"]
)
def test_a_column_that_means_nothing_is_empty_and_no_order(any_board: Board, key: str) -> None:
    log(any_board, "a", [wide(1)])

    assert asked(any_board, key) == {"a": {}}
    assert any_board.ask("GET", f"{PATH}/runs", params={"sort": key}).status_code == 400


def test_a_query_that_is_none_says_what_there_is(any_board: Board) -> None:
    log(any_board, "a", [wide(1)])
    any_board.log("a", [values("b c", "histogram", [wide(1)])])

    misspelt = problem(any_board, "points = 1 or hist:a/w:sdt < 1")
    assert misspelt["problem"].startswith("`sdt` is no statistic of histograms: mean, std,")
    assert (misspelt["at"], misspelt["end"]) == (23, 26)
    assert misspelt["suggestions"] == ["std"]
    gone = problem(any_board, 'hist:"b  c":mean > 1')
    assert gone["problem"] == "There are no histograms `b  c` here."
    assert (gone["at"], gone["end"]) == (5, 11)
    assert gone["suggestions"] == ["b c"]
    assert "hist:a/w:mean" in problem(any_board, "hist:a/w < 1")["error"]
    assert "brackets" in problem(any_board, "min(hist:a/w:std) < 1")["error"]
    assert "a number" in problem(any_board, "hist:a/w:std < adam")["error"]
    assert "is a number" in problem(any_board, "hist:a/w:std ~ adam")["error"]


def test_more_histograms_than_can_be_looked_through_are_refused(
    any_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(statistics, "MOST_HISTOGRAMS", 203)
    log(any_board, "a", [wide(1), wide(2)])
    log(any_board, "b", [wide(1), wide(2)])

    refused = any_board.ask("GET", f"{PATH}/runs", params={"q": "hist:a/w:max = 2"})

    assert refused.status_code == 413
    assert "Let a query leave fewer runs first." in refused.text
    # Those that another condition decides are not looked at, in whichever order they are written.
    assert list(asked(any_board, q="hist:a/w:max = 2 and name = a")) == ["a"]
    assert list(asked(any_board, sort="hist:a/w:max", q="name = b")) == ["b"]


def test_a_field_of_that_name_is_still_one(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1.0])], hparams='{"hist": 5}')

    assert list(asked(any_board, q="hist:5")) == ["a"]
    assert list(asked(any_board, q="hist < 5")) == []


def test_the_words_of_a_project_name_its_histograms(any_board: Board) -> None:
    log(any_board, "a", [wide(1)])
    log(any_board, "b", [wide(1)])
    any_board.log("b", [values("hist", "histogram", [wide(1)]), scalars("loss", [1.0])])

    words = any_board.ask("GET", f"{PATH}/fields").json()

    assert words["histograms"] == [{"name": "a/w", "runs": 2}, {"name": "hist", "runs": 1}]
    assert words["statistics"] == list(STATISTICS)
    assert [metric["name"] for metric in words["metrics"]] == ["loss"]


def test_an_export_takes_the_runs_that_a_statistic_lets_through(board: Board) -> None:
    for run, spread in (("a", 2.0), ("b", 8.0)):
        board.log(run, [values("a/w", "histogram", [wide(spread)]), scalars("loss", [1.0])])

    told = run_orgboard(
        "export", "runs", "--db", shown(board.engine.url), "--where", "hist:a/w:max > 5"
    )

    assert [row["run"] for row in csv.DictReader(io.StringIO(told.stdout))] == ["b"]
