from __future__ import annotations

from pathlib import Path

import pytest

from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write, open_engine
from support.stores import new_feed, scalars


def test_upgrade_says_from_what_to_what(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert db(["upgrade", "--db", database_url]) == 0
    assert db(["upgrade", "--db", database_url]) == 0

    told = capsys.readouterr().out.splitlines()
    assert told == ["upgraded the database from empty to v0_7", "the database is at v0_7 already"]


def test_check_names_damage_and_exits_with_3(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    db(["upgrade", "--db", database_url])
    engine = open_engine(database_url)
    new_feed(engine).store([scalars("loss", range(2000))])

    assert db(["check", "--db", database_url]) == 0
    sound = capsys.readouterr().out.splitlines()[-1]
    with begin_write(engine) as conn:
        conn.execute(tables.block.update().values(payload=b"junk"))
    engine.dispose()
    status = db(["check", "--db", database_url])

    assert sound == "1 runs, 2000 points, 0 blobs: nothing damaged"
    assert status == 3
    damaged, verdict = capsys.readouterr().out.splitlines()
    assert damaged.startswith("damaged: run 'run' (")
    assert verdict.endswith("1 damaged")


@pytest.mark.parametrize(
    ("url", "told"),
    [("mysql://h/d", "is no database of orgboard's"), ("{folder}", "is a directory")],
)
def test_a_wrong_url_is_told_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], url: str, told: str
) -> None:
    status = db(["check", "--db", url.format(folder=tmp_path)])

    captured = capsys.readouterr()
    assert status == 2
    assert captured.out == ""
    assert told in captured.err
    assert captured.err.count("\n") == 1


def test_a_newer_database_exits_with_78(
    database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    db(["upgrade", "--db", database_url])
    engine = open_engine(database_url)
    with begin_write(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9_9'")
    engine.dispose()

    assert db(["check", "--db", database_url]) == 78
    assert db(["upgrade", "--db", database_url]) == 78
    assert capsys.readouterr().err.count("newer than this program") == 2
