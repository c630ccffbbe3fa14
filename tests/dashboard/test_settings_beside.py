"""Settings that torch's `add_hparams` put into a run of its own, beside the run they are of."""

from __future__ import annotations

import json
import shutil
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orgboard_dashboard.queries.beside import settings_beside
from orgboard_dashboard.queries.people.moves import move_runs
from orgboard_dashboard.viewer import SystemViewer, Within
from orgboard_ingest.commands import ingest
from orgboard_schema.sql import tables
from orgboard_schema.sql.beside import settings_of
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine, shown
from orgboard_schema.sql.text import sha256
from support.boards import Board, scalars
from support.programs import run_orgboard

PROJECT = "/api/ui/v1/p/default/board"
TIME = "1795394269.9034734"


def log_trial(board: Board, run: str, lr: float, at: str = TIME, **told: Any) -> None:
    """Log what torch logs: curves in the run, settings and a last metric below it."""
    board.log(run, [scalars("val/loss", [2.0, lr])], **told)
    board.log(f"{run}/{at}", [scalars("hparam/loss", [lr])], hparams=json.dumps({"lr": lr}), **told)


def runs(board: Board, **asked: Any) -> dict[str, dict[str, Any]]:
    """Return the rows of the table of runs by name."""
    answer = board.ask("GET", f"{PROJECT}/runs", params=asked)
    assert answer.status_code == 200, answer.text
    return {row["name"]: row for row in answer.json()["runs"]}


@pytest.mark.parametrize(
    ("name", "above"),
    [
        (f"resnet/{TIME}", "resnet"),
        (f"a/b/{TIME}", "a/b"),
        (TIME, "."),
        ("resnet/1795394269.0", "resnet"),
        ("resnet/trial_1", None),
        ("resnet/1795394269", None),
        ("resnet/0795394269.5", None),
        (f"{TIME}/resnet", None),
        (f"resnet/x{TIME}", None),
        (f"resnet/{TIME}\n", None),
        (".", None),
    ],
)
def test_a_directory_named_by_the_time_holds_what_is_of_the_run_above(
    name: str, above: str | None
) -> None:
    assert settings_of(name) == (None if above is None else sha256(above))


def test_a_run_has_the_settings_that_stand_beside_it(any_board: Board) -> None:
    log_trial(any_board, "a", 0.1)
    log_trial(any_board, "b", 0.2)
    any_board.log("c", [scalars("val/loss", [3.0])])

    found = runs(any_board)

    assert found["a"]["hparams"] == {"lr": 0.1}
    assert found["a"]["beside"] == {"uid": any_board.uids[f"a/{TIME}"], "name": f"a/{TIME}"}
    assert (found[f"a/{TIME}"]["hparams"], found[f"a/{TIME}"]["beside"]) == ({"lr": 0.1}, None)
    assert (found["c"]["hparams"], found["c"]["beside"]) == ({}, None)
    assert set(runs(any_board, q="lr > 0.15")) == {"b", f"b/{TIME}"}
    assert list(runs(any_board, q="has:val/loss", sort="hp:lr"))[:2] == ["a", "b"]


def test_the_newest_settings_count_and_a_runs_own_before_any(any_board: Board) -> None:
    log_trial(any_board, "again", 0.1, "1795394269.95")
    log_trial(any_board, "again", 0.3, "1795394270.5")
    log_trial(any_board, "again", 0.2, "1795394270.25")
    log_trial(any_board, "own", 0.1)
    any_board.log("own", hparams='{"lr": 0.7}')

    found = runs(any_board)

    assert found["again"]["hparams"] == {"lr": 0.3}
    assert (found["own"]["hparams"], found["own"]["beside"]) == ({"lr": 0.7}, None)


def test_groups_settings_and_standings_have_them_too(any_board: Board) -> None:
    for name, lr in (("a", 0.1), ("b", 0.1), ("c", 0.2)):
        log_trial(any_board, name, lr)
    curves = [any_board.uids[name] for name in "abc"]

    groups = any_board.ask("POST", f"{PROJECT}/groups", json={"by": "hp:lr", "runs": curves}).json()
    told = any_board.ask("POST", f"{PROJECT}/settings", json={"runs": curves}).json()
    standings = any_board.ask(
        "POST", f"{PROJECT}/standings", json={"metric": "val/loss", "q": "has:val/loss"}
    ).json()

    assert [(one["name"], len(one["runs"])) for one in groups["groups"]] == [
        ("lr = 0.1", 2),
        ("lr = 0.2", 1),
    ]
    assert [column["values"] for column in told["columns"] if column["key"] == "hp:lr"]
    assert told["settings"]
    assert "no settings logged" not in json.dumps(standings)


def test_what_may_not_be_seen_lends_nothing(any_board: Board) -> None:
    log_trial(any_board, "a", 0.1)
    run_id = select(tables.run.c.run_id).where(tables.run.c.name == "a")
    guest = SystemViewer(within=Within(uids=(any_board.uids["a"],)))

    with begin_read(any_board.engine) as conn:
        here = tables.run.c.run_id == conn.execute(run_id).scalar_one()
        assert len(settings_beside(SystemViewer(), conn, here)) == 1
        assert settings_beside(guest, conn, here) == {}


def test_what_was_moved_to_another_project_or_logged_elsewhere_lends_nothing(
    any_board: Board,
) -> None:
    log_trial(any_board, "a", 0.1)
    any_board.log("b", [scalars("val/loss", [3.0])])
    any_board.log(f"b/{TIME}", hparams='{"lr": 1}', logdir="/elsewhere")
    any_board.log("x", project="default/other", logdir="/other")
    with begin_write(any_board.engine) as conn:
        moved = [any_board.uids[f"a/{TIME}"]]
        move_runs(SystemViewer(), conn, ("default", "board"), moved, ("default", "other"), 1.7e9)

    found = runs(any_board)

    assert (found["a"]["hparams"], found["b"]["hparams"]) == ({}, {})


def test_accelerates_settings_are_those_of_its_run(
    corpus: Path, database_url: str, tmp_path: Path
) -> None:
    logs = tmp_path / "logs"
    shutil.copytree(corpus / "accelerate" / "logs", logs)
    assert ingest([str(logs), "--db", database_url, "--once", "--project", "default/board"]) == 0
    with closing(Board(open_engine(database_url))) as board:
        found = runs(board)

    (time,) = (name for name in found if settings_of(name))
    assert found["my_project"]["hparams"] == found[time]["hparams"] != {}
    assert found["my_project/group_a"]["hparams"] == {}


def test_exports_have_settings_where_they_were_logged(any_board: Board) -> None:
    log_trial(any_board, "a", 0.1)

    url = shown(any_board.engine.url)
    done = run_orgboard("export", "runs", "--format", "jsonl", "--db", url)

    told = {row["run"]: row["hparams"] for row in map(json.loads, done.stdout.splitlines())}
    assert told == {"a": {}, f"a/{TIME}": {"lr": 0.1}}
