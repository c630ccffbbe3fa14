from __future__ import annotations

import threading

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, inspect

from orgboard_schema.errors import DatabaseNewer, DatabaseOlder
from orgboard_schema.sql.engine import begin_write, open_engine
from orgboard_schema.sql.fresh import make_tables
from orgboard_schema.sql.migrate import (
    alembic_config,
    check_version,
    head,
    releases,
    upgrade,
    version,
)
from orgboard_schema.sql.tables import schema
from support.recorded_tables import described


def test_an_empty_database_is_brought_to_head_and_stays_there(database_url: str) -> None:
    engine = open_engine(database_url)

    assert version(engine) is None
    assert upgrade(engine) == (None, head())
    assert upgrade(engine) == (head(), head())

    check_version(engine)
    engine.dispose()


def test_the_release_that_the_program_names_is_the_last_revision() -> None:
    assert releases()[-1] == head()


def test_the_revisions_make_the_tables_that_the_program_knows(engine: Engine) -> None:
    with begin_write(engine) as conn:
        command.check(alembic_config(conn))
        found = set(inspect(conn).get_table_names())

    assert found == {*schema.tables, "alembic_version"}


def test_an_empty_database_gets_the_same_tables_as_by_every_revision(database_url: str) -> None:
    engine = open_engine(database_url)
    made = {}
    for name, make in (("recorded", make_tables), ("by revisions", _by_revisions)):
        with begin_write(engine) as conn:
            make(conn)
            made[name] = described(conn)
            conn.rollback()
    engine.dispose()

    # Else `make tables` was forgotten.
    assert made["recorded"] == made["by revisions"]


def _by_revisions(conn: Connection) -> None:
    command.upgrade(alembic_config(conn), "head")


def test_revisions_go_down_and_up_again(engine: Engine) -> None:
    with begin_write(engine) as conn:
        command.downgrade(alembic_config(conn), "base")
    with begin_write(engine) as conn:
        assert inspect(conn).get_table_names() == ["alembic_version"]

    upgrade(engine)

    check_version(engine)


def test_a_database_without_tables_asks_for_an_upgrade(database_url: str) -> None:
    engine = open_engine(database_url)

    with pytest.raises(DatabaseOlder, match="orgboard db upgrade --db"):
        check_version(engine)

    engine.dispose()


def test_a_newer_database_is_left_alone_with_status_78(engine: Engine) -> None:
    with begin_write(engine) as conn:
        conn.exec_driver_sql("UPDATE alembic_version SET version_num = 'v9_9'")

    for refused in (check_version, upgrade):
        with pytest.raises(DatabaseNewer, match="newer") as caught:
            refused(engine)
        assert caught.value.exit_status == 78
    assert version(engine) == "v9_9"


def test_two_upgrades_at_once_make_one(database_url: str) -> None:
    results: list[object] = []

    def run() -> None:
        engine = open_engine(database_url)
        try:
            results.append(upgrade(engine))
        except Exception as error:  # noqa: BLE001 - the test reports it
            results.append(error)
        finally:
            engine.dispose()

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(map(str, results)) == sorted([str((None, head())), str((head(), head()))])


def test_payloads_are_stored_as_they_are_on_postgresql(postgres_database: str) -> None:
    engine = open_engine(postgres_database)
    upgrade(engine)

    with begin_write(engine) as conn:
        external = conn.exec_driver_sql(
            "SELECT attrelid::regclass::text FROM pg_attribute"
            " WHERE attstorage = 'e' AND attrelid::regclass::text IN"
            " ('block', 'segment', 'run_head', 'blob') ORDER BY 1"
        ).scalars()
        assert list(external) == ["blob", "block", "run_head", "segment"]
    engine.dispose()
