"""Old runs are put aside or deleted by a policy: shown first, then done, never their files."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.delete import delete_run
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.retention import Planned, Policy, planned, settle
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.types import Blob, Media
from support.stores import new_feed, scalars, values

DAY = 86_400.0
AGES = {"young": 1.0, "old": 40.0, "older/a": 100.0, "older/b": 101.0}


def _fill(engine: Engine, now: float) -> None:
    for run, days in AGES.items():
        feed = new_feed(engine, run=run)
        feed.store([scalars("loss", range(2000))])
        feed.store([values("i", "image", [Media((Blob(run.encode() * 100, "image/png"),))])])
        with begin_write(engine) as conn:
            row = tables.run.c.run_id == feed.run_id
            conn.execute(update(tables.run).where(row).values(last_write=now - days * DAY))


def _plans(engine: Engine, policy: Policy, now: float) -> list[Planned]:
    with begin_read(engine) as conn:
        return list(planned(conn, policy, now=now))


def _states(engine: Engine) -> dict[str, str]:
    run = tables.run.c
    with begin_read(engine) as conn:
        rows = conn.execute(select(run.name, run.standing, run.archived_at)).all()
    told = {SHOWN: "shown", DELETED: "deleted"}
    return {
        row.name: "archived" if row.standing == SHOWN and row.archived_at else told[row.standing]
        for row in rows
    }


def test_age_project_and_name_choose_the_runs(engine: Engine) -> None:
    now = 1_800_000_000.0
    _fill(engine, now)

    def chosen(**policy: object) -> list[tuple[str, str]]:
        found = _plans(engine, Policy(**policy), now)  # type: ignore[arg-type]
        return [(plan.name, plan.fate) for plan in found]

    assert chosen(archive_after=30, delete_after=90) == [
        *(("older/b", "delete"), ("older/a", "delete"), ("old", "archive"))
    ]
    assert chosen(archive_after=30, names=re.compile("a$")) == [("older/a", "archive")]
    assert chosen(delete_after=90, project=("team", "other")) == []
    assert chosen(delete_after=101, project=("team", "project")) == [("older/b", "delete")]
    assert chosen(delete_after=0, names=re.compile("young")) == [("young", "delete")]


def test_a_live_run_is_left_alone_whatever_the_policy(engine: Engine) -> None:
    now = 1_800_000_000.0
    _fill(engine, now)

    found = _plans(engine, Policy(delete_after=0), now - DAY + 60)

    assert "young" not in {plan.name for plan in found}


def test_a_dry_run_tells_what_goes_and_changes_nothing(
    engine: Engine, tables_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _fill(engine, time.time())

    status = db(["retain", "--db", tables_url, *("--archive-after", "30", "--delete-after", "90")])

    told = capsys.readouterr().out.splitlines()
    assert status == 0
    assert [line.split(" run ")[0] for line in told[:3]] == [
        *("would delete team/project", "would delete team/project", "would archive team/project")
    ]
    assert len(told) == 5
    assert told[3] == "team/project: would archive 1 runs, nothing freed (1 image, 2,000 scalar)"
    assert re.fullmatch(
        r"team/project: would delete 2 runs, [\d,]+ bytes freed \(2 image, 4,000 scalar\)", told[4]
    )
    assert set(_states(engine).values()) == {"shown"}


def test_applied_it_tells_each_run_and_leaves_a_sound_store(
    engine: Engine, tables_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _fill(engine, time.time())
    command = ["retain", "--db", tables_url, "--archive-after", "30", "--delete-after", "90"]

    db([*command, "--apply"])
    told = capsys.readouterr().out
    db([*command, "--apply"])

    assert _states(engine) == {
        "young": "shown",
        "old": "archived",
        "older/a": "deleted",
        "older/b": "deleted",
    }
    audit = re.findall(r"^\d{4}-\S+Z (deleted|archived) team/project run '(.+?)' \(", told, re.M)
    assert audit == [("deleted", "older/b"), ("deleted", "older/a"), ("archived", "old")]
    assert capsys.readouterr().out == "no run is that old\n"
    with begin_read(engine) as conn:
        assert list(check_store(conn)) == []
        blocks = set(conn.execute(select(tables.block.c.run_id)).scalars())
        assert len(blocks) == 2
        assert len(conn.execute(select(tables.source_file.c.file_id)).all()) == len(AGES)


def test_a_run_that_grew_or_went_since_it_was_planned_is_left_alone(engine: Engine) -> None:
    now = 1_800_000_000.0
    _fill(engine, now)
    policy = Policy(archive_after=30, delete_after=90)
    plans = {plan.name: plan for plan in _plans(engine, policy, now)}
    run = tables.run.c
    with begin_write(engine) as conn:
        grown = (run.name == "older/a") | (run.name == "old")
        conn.execute(update(tables.run).where(grown).values(last_write=now - 1))
        delete_run(conn, plans["older/b"].run_id, now=now)

    with begin_write(engine) as conn:
        assert [settle(conn, plan, policy, now=now) for plan in plans.values()] == [False] * 3

    assert _states(engine)["older/a"] == "shown"
    assert _states(engine)["old"] == "shown"


def test_what_an_interrupted_one_left_is_removed_by_the_next(
    engine: Engine, tables_url: str
) -> None:
    now = 1_800_000_000.0
    _fill(engine, now)
    policy = Policy(delete_after=90)
    with begin_write(engine) as conn:
        # Killed here: the runs are off every list, their points are still there.
        for plan in planned(conn, policy, now=now):
            settle(conn, plan, policy, now=now)

    db(["retain", "--db", tables_url, "--delete-after", "9e9", "--apply"])

    with begin_read(engine) as conn:
        assert len(set(conn.execute(select(tables.block.c.run_id)).scalars())) == 2


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "needs --archive-after DAYS or --delete-after DAYS"),
        (["--delete-after", "1", "--project", "a/b/c"], "--project: a project is written"),
    ],
)
def test_a_policy_that_says_nothing_or_nonsense_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert db(["retain", "--db", str(tmp_path / "board.db"), *arguments]) == 2

    assert told in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--delete-after", "nan"], ["--run", "("]])
def test_arguments_that_mean_nothing_are_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        db(["retain", "--db", str(tmp_path / "board.db"), *arguments])

    assert caught.value.code == 2
    assert "Traceback" not in capsys.readouterr().err
