"""Queries on a stored project: they find what looking at every run finds, on both engines."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from sqlalchemy import select, update

from orgboard_dashboard.queries.language import (
    FieldName,
    QueryProblem,
    Test,
    Value,
    write,
)
from orgboard_dashboard.queries.matching import matching_runs
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.text import from_sql
from support.asked_by_chance import Run, Trees, holds, random_run, value_of
from support.boards import Board, scalars

NOW = 1_800_000_000.0
RUNS = 40
QUERIES = 400


def _log(board: Board, run: Run) -> None:
    board.log(
        run.name,
        [scalars(tag, values) for tag, values in run.metrics.items()],
        hparams=json.dumps(run.hparams) if run.hparams else None,
        gaps=[NewGap(8, 4, "checksum differs")] * run.gaps,
        finished="stop" if run.finished else None,
        now=NOW,
    )


def _found(board: Board, q: str, sort: str = "name", viewer: Viewer = LOCAL_VIEWER) -> list[str]:
    with begin_read(board.engine) as conn:
        project = find_project(viewer, conn, "default", "board")
        ids = matching_runs(viewer, conn, project, q=q, sort=sort, now=NOW).page
        rows = conn.execute(select(tables.run.c.run_id, tables.run.c.name)).all()
    names = {row.run_id: row.name for row in rows}
    return [from_sql(names[run_id]) for run_id in ids]


def test_a_query_finds_what_looking_at_every_run_finds(any_board: Board) -> None:
    rng = random.Random(5)
    runs = [random_run(rng, number) for number in range(RUNS)]
    for run in runs:
        _log(any_board, run)
    trees = Trees(rng)
    sizes = set()

    for _ in range(QUERIES):
        tree = trees.tree()
        wanted = sorted(run.name for run in runs if holds(tree, run))
        assert _found(any_board, write(tree)) == wanted, write(tree)
        sizes.add(len(wanted))

    assert len(sizes) > RUNS // 2


SORTS: Mapping[str, Callable[[Run], Any]] = {
    "points": lambda run: run.points,
    "last_step": lambda run: run.last_step,
    "hp:loss": lambda run: run.hparams.get("loss"),
    "hp:optimizer": lambda run: run.hparams.get("optimizer"),
    "last:a b": lambda run: value_of(FieldName("a b", "metric"), run),
    "best:loss": lambda run: value_of(FieldName("loss", "metric", "min"), run),
    "best:val/acc": lambda run: value_of(FieldName("val/acc", "metric", "max"), run),
}


def test_runs_are_sorted_by_any_column_and_those_without_come_last(any_board: Board) -> None:
    rng = random.Random(7)
    runs = [random_run(rng, number) for number in range(20)]
    for run in runs:
        _log(any_board, run)

    for q in ("", "name ~ 1", "has:points"):
        shown = sorted((run for run in runs if "1" in run.name or "1" not in q), key=_name)
        for sort, value in SORTS.items():
            for sign in ("", "-"):
                wanted = _ordered(shown, value, down=sign == "-")
                assert _found(any_board, q, sign + sort) == wanted, (q, sign + sort)


def _ordered(runs: list[Run], value: Callable[[Run], Any], *, down: bool) -> list[str]:
    known = [run for run in runs if not _is_missing(value(run))]
    ordered = sorted(known, key=value, reverse=down)
    return [run.name for run in (*ordered, *(run for run in runs if run not in known))]


def _name(run: Run) -> str:
    return run.name


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, float) and math.isnan(value))


HOSTILE = (
    "<img src=x onerror=alert(1)>",
    'a"b',
    "back\\slash\\",
    '", "lr": 9, "x": "',
    "line\nbreak\0nul",
    "\udcff lone",
    "\u202eright to left",
    "é😀",
    "x" * 10_000,
    "and",
)


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
def test_hostile_names_and_values_are_asked_for_like_others(any_board: Board, name: str) -> None:
    both = {name: name, "lr": 1}
    any_board.log("one", [scalars(name, [3.0])], hparams=json.dumps(both), now=NOW)
    any_board.log("other", [scalars("loss", [1.0])], hparams='{"lr": 2}', now=NOW)
    short = name[:3000]
    value = Value(short, quoted=True)

    queries = {
        write(Test(FieldName(short, "hp"), "=", (value,))): name == short,
        write(Test(FieldName(short, "metric"), ">", (Value("2"),))): name == short,
        write(Test(FieldName("lr"), "=", (Value("1"),))): True,
    }

    for query, is_there in queries.items():
        try:
            assert _found(any_board, query) == ["one"]
        except QueryProblem:
            # Longer than a query: it is not there by any shorter name.
            assert not is_there


def test_a_field_that_no_visible_run_has_does_not_exist(any_board: Board) -> None:
    any_board.log("mine", [scalars("loss", [1])], logdir="/mine", hparams='{"lr": 1}')
    any_board.log("theirs", [scalars("secret", [1])], logdir="/theirs", hparams='{"hidden": 1}')
    viewer = Viewer("local", "me", ("/mine",))

    assert _found(any_board, "secret = 1 or hidden = 1") == ["theirs"]
    assert _found(any_board, "loss = 1", viewer=viewer) == ["mine"]
    for query in ("secret = 1", "hidden = 1", "has:secret", "min(secret) < 3", "secre = 1"):
        with pytest.raises(QueryProblem, match="There is no") as raised:
            _found(any_board, query, viewer=viewer)
        assert not {"secret", "hidden"} & set(raised.value.suggestions)


def test_of_very_many_names_the_nearest_is_found_all_the_same(board: Board) -> None:
    names = [f"layer_{n}/{word}" for n in range(2000) for word in ("weight", "bias")]
    hparams = json.dumps(dict.fromkeys([*names, "learning_rate"], 1))
    board.log("run", [scalars("val/loss", [1])], hparams=hparams)

    with pytest.raises(QueryProblem) as raised:
        _found(board, "lerning_rat < 1 or x")

    assert raised.value.suggestions[0] == "learning_rate"


def test_a_field_that_does_not_exist_brings_the_nearest_ones(board: Board) -> None:
    board.log("run", [scalars("val/loss", [1])], hparams='{"learning_rate": 1}')

    with pytest.raises(QueryProblem) as raised:
        _found(board, "name ~ x and learnin_rate < 1")

    assert raised.value.suggestions[0] == "learning_rate"
    assert (raised.value.at, raised.value.end) == (13, 25)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("name ~ '('", "RE2"),
        ("lr < adam", "not a number"),
        ("points = many", "is a number"),
        ("status:dead", "no status"),
        ("status < live", "cannot be ordered"),
        ("points ~ 1", "cannot be matched"),
        ("started = 2024-01-01", "cannot be equal"),
        ("started > soon", "not a date"),
        ("duration > long", "not a length of time"),
        ("loss ~ 1", "A metric is a number"),
        ("best(thing) > 1", "less or more is better"),
        ("min(hp:lr) > 1", "one value in a run"),
        ("owner:baseline", "There is no field `owner`"),
    ],
)
def test_what_cannot_be_compared_so_is_said_with_its_place(
    board: Board, query: str, said: str
) -> None:
    board.log("run", [scalars("loss", [1]), scalars("thing", [1])], hparams='{"lr": 1}')

    with pytest.raises(QueryProblem, match=re.escape(said)) as raised:
        _found(board, query)

    assert 0 <= raised.value.at < raised.value.end <= len(query)


def test_times_are_dates_in_utc_or_so_long_ago(any_board: Board) -> None:
    day = 86_400.0
    for name, days in (("old", 10.0), ("new", 1.0)):
        began = NOW - days * day
        any_board.log(name, [scalars("loss", [1, 2], wall=[began, began + 7200 / days])])
        with begin_write(any_board.engine) as conn:
            conn.execute(
                update(tables.run)
                .where(tables.run.c.uid == any_board.uids[name])
                .values(started=began, last_event=began + 7200 / days)
            )

    assert _found(any_board, "started > -2d") == ["new"]
    assert _found(any_board, "started < 2027-01-10") == ["old"]
    assert _found(any_board, 'started >= "2027-01-10 12:00"') == ["new"]
    assert _found(any_board, "duration >= 2h") == ["new"]
    assert _found(any_board, "duration < 1h or duration > 1e9") == ["old"]


def test_points_that_come_later_count_and_those_that_a_restart_replaced_do_not(
    any_board: Board,
) -> None:
    any_board.log("run", [scalars("loss", [5, 4])])
    any_board.log("other", [scalars("loss", [9])])
    assert _found(any_board, "loss = 4") == ["run"]
    assert _found(any_board, "loss < 3") == []

    any_board.log("run", [scalars("loss", [2], step=[2])])

    assert _found(any_board, "loss < 3") == ["run"]
    assert _found(any_board, "", "last:loss") == ["run", "other"]


def test_a_damaged_head_costs_its_own_run_only(any_board: Board) -> None:
    for name in ("a", "b"):
        any_board.log(name, [scalars("loss", [1])])
    with begin_write(any_board.engine) as conn:
        broken = select(tables.run.c.run_id).where(tables.run.c.name == "a").scalar_subquery()
        conn.execute(
            update(tables.run_head)
            .where(tables.run_head.c.run_id == broken)
            .values(payload=b"\2 not a head")
        )

    assert _found(any_board, "loss = 1") == ["b"]


def test_the_page_of_a_table_brings_the_metrics_that_were_asked_for(any_board: Board) -> None:
    any_board.log("a", [scalars("val/loss", [3, 1, 2]), scalars("acc", [math.nan])])
    any_board.log("b", [scalars("acc", [0.5, 0.25])])
    keys = ("last:val/loss", "min:val/loss", "best:acc", "last:acc", "last:none", "what:ever", "")

    with begin_read(any_board.engine) as conn:
        page = list_runs(
            LOCAL_VIEWER, conn, "default", "board", RunQuery(sort="name", metrics=keys), NOW
        )

    first, second = (dict(row.metrics) for row in page.runs)
    assert first.pop("last:acc") != first.get("last:acc")
    assert first == {"last:val/loss": 2.0, "min:val/loss": 1.0}
    assert second == {"last:acc": 0.25, "best:acc": 0.5}


def test_the_api_says_where_a_query_is_wrong_and_what_there_is(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [math.nan])], hparams='{"lr": 1}')
    path = "/api/ui/v1/p/default/board"

    wrong = any_board.ask("GET", f"{path}/runs", params={"q": "lr < 1 and optimiser = adam"})
    right = any_board.ask("GET", f"{path}/runs", params={"q": "lr = 1", "m": "last:loss"})
    words = any_board.ask("GET", f"{path}/fields").json()
    table = any_board.ask("GET", f"{path}/hparams", params={"q": "lr > 1"})

    assert wrong.status_code == 400
    assert {key: wrong.json()[key] for key in ("at", "end", "suggestions")} == {
        "at": 11,
        "end": 20,
        "suggestions": [],
    }
    assert right.json()["runs"][0]["metrics"] == {"last:loss": "NaN"}
    assert words["hparams"] == [{"name": "lr", "runs": 1, "values": ["1"]}]
    assert words["metrics"] == [{"name": "loss", "runs": 1, "best": "min"}]
    assert "live" in next(field for field in words["fields"] if field["name"] == "status")["values"]
    assert table.json()["runs"] == []


def test_too_many_columns_of_metrics_are_refused(board: Board) -> None:
    board.log("a", [scalars("loss", [1])])

    answer = board.ask(
        "GET", "/api/ui/v1/p/default/board/runs", params={"m": [f"last:{n}" for n in range(51)]}
    )

    assert answer.status_code == 400
    assert "at most 50" in answer.json()["error"]
