"""`orgboard ingest` and `orgboard verify` as people run them."""

from __future__ import annotations

import json
import os
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sqlalchemy import create_engine, text

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.wire.kinds import META_GRAPH_TAG
from support.corpus import FRAMEWORK_CASES
from support.event_files import event_file, scalar_event
from support.ingested import migrated, stored_scalars
from support.programs import run_orgboard

NAME = "events.out.tfevents.1"
BOTH_ENGINES = ("torch_tb", "tf2_summary")

Command: TypeAlias = Callable[[Sequence[str]], int]


def _truth(case: Path) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((case / "truth.json").read_text(encoding="utf-8"))
    return truth


def _number(told: float | str) -> str:
    return repr(float(told))


def _expected_scalars(truth: dict[str, Any]) -> dict[tuple[str, str], list[tuple[int, str]]]:
    return {
        (run, tag): sorted((step, _number(value)) for step, _, value in known["points"])
        for run, held in truth["runs"].items()
        for tag, known in held["tags"].items()
        if known["plugin"] == "scalars"
    }


def _check_case(case: Path, db: str) -> None:
    """Ingest a case; compare it with its files, and with what TensorBoard reads in them."""
    truth = _truth(case)

    status = ingest([str(case / "logs"), "--once", "--db", db])

    assert (status, verify([str(case / "logs"), "--db", db])) == (0, 0)
    assert _stored_values(db) == _expected_scalars(truth)
    assert _counts(db) == {
        (run, tag): known["count"]
        for run, held in truth["runs"].items()
        for tag, known in held["tags"].items()
    }


def _stored_values(db: str) -> dict[tuple[str, str], list[tuple[int, str]]]:
    engine = migrated(db)
    stored = stored_scalars(engine)
    engine.dispose()
    return {
        key: sorted((point.step, _number(point.value)) for point in points)
        for key, points in stored.items()
    }


@pytest.mark.parametrize("case", FRAMEWORK_CASES)
def test_every_point_of_every_framework_is_stored(case: str, corpus: Path, sqlite_url: str) -> None:
    _check_case(corpus / case, sqlite_url)


@pytest.mark.parametrize("case", BOTH_ENGINES)
def test_postgresql_stores_the_same(case: str, corpus: Path, postgres_database: str) -> None:
    _check_case(corpus / case, postgres_database)


def _counts(url: str) -> Counter[tuple[str, str]]:
    counts: Counter[tuple[str, str]] = Counter()
    engine = open_engine(url)
    with begin_read(engine) as conn:
        names = {row.tag_id: row.name for row in conn.execute(tables.tag.select())}
        for run in conn.execute(tables.run.select()):
            for head in read.heads(conn, [run.run_id])[run.run_id]:
                counts[run.name, names[int(head["tag_id"])]] += int(head["n_all"])
    engine.dispose()
    # TensorBoard hides a MetaGraphDef behind the graph that it may hold.
    return Counter({key: count for key, count in counts.items() if key[1] != META_GRAPH_TAG})


def _logdir(tmp_path: Path) -> Path:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    (run / NAME).write_bytes(event_file(*(scalar_event("a", n, n) for n in range(3))))
    return tmp_path / "logs"


def test_a_second_reading_changes_nothing(tmp_path: Path, sqlite_url: str) -> None:
    logdir = _logdir(tmp_path)

    first = run_orgboard("ingest", logdir, "--once", "--db", sqlite_url)
    second = run_orgboard("ingest", logdir, "--once", "--db", sqlite_url)

    assert first.stderr == second.stderr
    assert "3 points of 1 runs in 1 files are stored" in first.stderr


def test_several_processes_share_the_runs(tmp_path: Path, sqlite_url: str) -> None:
    logdir = _logdir(tmp_path)
    for number in range(6):
        shutil.copytree(logdir / "run", logdir / f"copy {number}")

    done = run_orgboard("ingest", logdir, "--once", "--jobs", 3, "--db", sqlite_url)

    assert done.returncode == 0, done.stderr
    assert "21 points of 7 runs" in done.stderr


def test_verify_tells_a_changed_value_from_the_logged_one(
    tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logdir = _logdir(tmp_path)
    ingest([str(logdir), "--once", "--db", sqlite_url])
    file = logdir / "run" / NAME

    file.write_bytes(event_file(*(scalar_event("a", n, n + (n == 1)) for n in range(3))))

    assert verify([str(logdir), "--db", sqlite_url]) == 1
    assert capsys.readouterr().out.startswith("run: a (scalar): 3 points ")


def test_verify_tells_what_is_not_stored_yet(
    tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logdir = _logdir(tmp_path)
    ingest([str(logdir), "--once", "--db", sqlite_url])

    with (logdir / "run" / NAME).open("ab") as file:
        file.write(event_file(scalar_event("a", 3, 3.0)))
    shutil.copytree(logdir / "run", logdir / "later")

    assert verify([str(logdir), "--db", sqlite_url]) == 1
    said = capsys.readouterr().out
    assert "later: not stored" in said
    assert f"run: {NAME}: not stored from byte" in said


def _is_refused(
    capsys: pytest.CaptureFixture[str], command: Command, *arguments: object
) -> tuple[int, str]:
    capsys.readouterr()
    status = command([str(argument) for argument in arguments])
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1, said
    return status, said


@pytest.mark.parametrize(
    ("command", "arguments", "what"),
    [
        (ingest, ("nowhere",), "nowhere does not exist"),
        (ingest, (f"logs/run/{NAME}",), "is not a folder"),
        (ingest, ("logs", "--db", "mysql://host/board"), "mysql://"),
        (ingest, ("logs", "--once", "--db", "postgresql://x@127.0.0.1:1/x"), "cannot open"),
        (ingest, ("logs", "--db", "board.db", "--project", "a/b/c"), "TEAM/PROJECT"),
        (ingest, ("logs", "--db", "board.db", "--jobs", 0), "--jobs must be 1 or more"),
        (ingest, ("logs", "--once", "--db", "text.db"), "text.db"),
        (verify, ("logs", "--db", "board.db"), "no database at"),
        (verify, ("logs", "--db", "ingested.db"), "was never ingested"),
    ],
)
def test_wrong_use_is_one_line_that_says_what_to_do(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    command: Command,
    arguments: tuple[object, ...],
    what: str,
) -> None:
    logdir = _logdir(tmp_path)
    monkeypatch.chdir(tmp_path)
    Path("text.db").write_text("a text file" * 100, encoding="utf-8")
    ingest([str(logdir / "run"), "--once", "--db", "ingested.db"])

    status, said = _is_refused(capsys, command, *arguments)

    assert (status, what in said) == (2, True), said


def test_a_newer_database_is_refused_with_a_status_of_its_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    logdir, db = _logdir(tmp_path), tmp_path / "board.db"
    ingest([str(logdir), "--once", "--db", str(db)])
    engine = create_engine(f"sqlite:///{db}")
    with engine.begin() as conn:
        conn.execute(text("UPDATE alembic_version SET version_num = 'v9_9_future'"))
    engine.dispose()

    assert _is_refused(capsys, ingest, logdir, "--once", "--db", db)[0] == 78


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    logdir, db = _logdir(tmp_path), tmp_path / "board.db"
    (logdir / "run" / NAME).chmod(0)

    done = run_orgboard("ingest", logdir, "--once", "--db", db)

    assert done.returncode == 2
    assert f"cannot be read: {logdir / 'run' / NAME}" in done.stderr


def test_help_shows_an_example() -> None:
    for command in ("ingest", "verify"):
        done = run_orgboard(command, "--help")

        assert done.returncode == 0
        assert f"orgboard {command} ~/logs" in done.stdout
