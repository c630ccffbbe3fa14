"""Boards that released versions left behind: up, down and up again, killed on the way."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from alembic import command
from sqlalchemy import Engine, column, event, func, insert, select, table, update
from sqlalchemy.exc import IntegrityError

from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.backup.give_back import restore_backup
from orgboard_schema.sql.backup.layout import tables_of
from orgboard_schema.sql.backup.streams import read_table
from orgboard_schema.sql.backup.take import take_backup
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import (
    alembic_config,
    check_version,
    head,
    releases,
    upgrade,
    version,
)
from orgboard_schema.sql.text import sha256
from support.filled import Contents, contents
from support.words import said, save_views, saved_views, say

OLD = Path(__file__).resolve().parents[1] / "old"
RELEASES = sorted(path.name for path in OLD.iterdir() if (path / "truth.json").is_file())

BEA = {"name": "Bea", "kind": "person", "created_at": 1.0}

SAID_SINCE = {"comment": "v0_6", "note before": "v0_6"}
"""What people say that the first release with their words did not know."""

SHARES = 4
"""Of the statements of a migration: each is died at in one of as many tests, so that none of
them takes long. What comes before a death is done again for each."""

MOST_STATEMENTS = 500
"""That any migration here needs, many times over."""


@pytest.fixture(params=RELEASES)
def release(request: pytest.FixtureRequest) -> str:
    """Give each release of which a board was kept."""
    name: str = request.param
    return name


@pytest.fixture
def old(release: str, database_url: str, tmp_path: Path) -> Iterator[Engine]:
    """Give an engine on the board that a release left, on each engine."""
    if database_url.startswith("postgresql"):
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute((OLD / release / "postgres.sql").read_bytes())
    else:
        shutil.copy(OLD / release / "board.db", tmp_path / "board.db")
    engine = open_engine(database_url)
    yield engine
    engine.dispose()


def _truth(release: str, engine: Engine) -> Contents:
    name = "sqlite" if engine.dialect.name == "sqlite" else "postgres"
    told: Contents = json.loads((OLD / release / "truth.json").read_text(encoding="utf-8"))[name]
    return told


def _hashes(engine: Engine, release: str) -> dict[str, str]:
    """Return of each table of a release the checksum of all its rows."""
    with begin_read(engine) as conn:
        return {
            table.name: hashlib.sha256(b"".join(read_table(conn, table))).hexdigest()
            for table in tables_of(release)
        }


def _go_down(engine: Engine, release: str) -> None:
    with begin_write(engine) as conn:
        command.downgrade(alembic_config(conn), release)


def test_each_release_left_boards_to_test_with() -> None:
    assert releases()[:-1] == RELEASES


def test_an_upgrade_keeps_every_point(old: Engine, release: str, database_url: str) -> None:
    assert version(old) == release

    assert upgrade(old) == (release, head())

    assert contents(old) == _truth(release, old)
    with begin_read(old) as conn:
        assert set(conn.execute(select(tables.run.c.host)).scalars()) == {"vm"}
    assert db(["check", "--db", database_url]) == 0
    with begin_write(old) as conn:
        command.check(alembic_config(conn))


def test_down_again_is_what_it_was_and_up_again_too(old: Engine, release: str) -> None:
    before = _hashes(old, release)
    upgrade(old)
    upgraded = _hashes(old, head())

    _go_down(old, release)
    down = _hashes(old, release)
    upgrade(old)

    assert down == before
    assert _hashes(old, head()) == upgraded
    assert contents(old) == _truth(release, old)


def test_an_upgrade_finds_settings_that_stand_beside_their_run(old: Engine) -> None:
    run = table("run", column("run_id"), column("name"))
    with begin_write(old) as conn:
        run_id = conn.execute(select(func.min(run.c.run_id))).scalar_one()
        named = update(run).where(run.c.run_id == run_id)
        conn.execute(named.values(name="above/1795394269.9034734"))

    upgrade(old)

    columns = tables.run.c
    with begin_read(old) as conn:
        rows = conn.execute(select(columns.run_id, columns.settings_of)).all()
    assert {row.run_id: row.settings_of for row in rows if row.settings_of} == {
        run_id: sha256("above")
    }
    assert len(rows) > 1


def test_going_down_gives_up_what_a_release_cannot_hold_and_nothing_else(
    old: Engine, release: str
) -> None:
    before = _hashes(old, release)
    upgrade(old)
    if release < "v0_3":
        assert not any(said(old).values())
        say(old, "long")
    save_views(old, "first")
    words = said(old)
    assert len(words["tag"]) == 2
    assert words["comment"]
    views = saved_views(old)
    assert len(views) == 3
    with begin_write(old) as conn:
        conn.execute(insert(tables.account), {**BEA, "name_key": "bea"})
        people = set(conn.scalars(select(tables.account.c.name)))

    _go_down(old, release)

    # What the release knew of, and was given since, it keeps.
    since = {"saved_view": "v0_4", "account": "v0_5"}
    kept = {table for table, first in since.items() if release >= first}
    after = _hashes(old, release)
    assert {table for table in before if before[table] != after[table]} == kept
    upgrade(old)
    assert saved_views(old) == (views if "saved_view" in kept else [])
    assert said(old) == {
        what: rows if release >= SAID_SINCE.get(what, "v0_3") else []
        for what, rows in words.items()
    }
    with begin_read(old) as conn:
        known = set(conn.scalars(select(tables.account.c.name)))
    assert known == (people if "account" in kept else set())


def test_a_project_has_one_default_view_whoever_asks(old: Engine) -> None:
    upgrade(old)
    save_views(old, "first")

    with pytest.raises(IntegrityError), begin_write(old) as conn:
        conn.execute(update(tables.saved_view).values(is_default=1))

    assert [row[5] for row in saved_views(old)] == [1, 0, 0]


def test_a_backup_of_an_old_board_is_restored_and_upgraded(
    old: Engine, release: str, tmp_path: Path
) -> None:
    backup = take_backup(old, tmp_path / "old.backup", None, now=0.0)

    restore_backup(backup.path, str(tmp_path / "new.db"), None)

    assert backup.manifest.release == release
    new = open_engine(str(tmp_path / "new.db"))
    check_version(new)
    assert contents(new) == _truth(release, old)
    new.dispose()


@pytest.mark.slow
@pytest.mark.parametrize("way", ["up", "down"])
@pytest.mark.parametrize("share", range(SHARES))
def test_a_migration_killed_at_any_statement_has_not_happened_or_has(
    old: Engine, release: str, way: str, share: int
) -> None:
    if way == "down":
        upgrade(old)
    start, end = (release, head()) if way == "up" else (head(), release)
    before = _hashes(old, start)
    migrate = _up if way == "up" else lambda to: _go_down(to, release)
    killed = 0

    while _killed(old, migrate, share + killed * SHARES):
        killed += 1
        found = version(old)
        assert found in (start, end)
        if found == start:
            assert _hashes(old, start) == before
        else:
            # Killed after its COMMIT: the next one has nothing to do.
            break

    assert version(old) == end
    # In all, one for each statement of a migration, at the least of one table.
    assert killed > 1
    upgrade(old)
    assert contents(old) == _truth(release, old)


def _up(engine: Engine) -> None:
    upgrade(engine)


def _killed(engine: Engine, migrate: Callable[[Engine], None], statement: int) -> bool:
    """Migrate in a child that is killed before its n-th statement; tell whether it came to that."""
    assert statement < MOST_STATEMENTS
    # No connection of the parent's is used, or closed, by the child.
    engine.dispose()
    child = os.fork()
    if not child:
        _die(engine, migrate, statement)
    _, status = os.waitpid(child, 0)
    assert status == 0 or os.WTERMSIG(status) == signal.SIGKILL
    return status != 0


def _die(engine: Engine, migrate: Callable[[Engine], None], statement: int) -> None:
    left = statement

    def count(*_: object) -> None:
        nonlocal left
        if not left:
            os.kill(os.getpid(), signal.SIGKILL)
        left -= 1

    event.listen(engine, "before_cursor_execute", count)
    event.listen(engine, "commit", count)
    try:
        migrate(engine)
        os._exit(0)
    finally:
        os._exit(1)
