from __future__ import annotations

import stat
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError

from orgboard_schema.errors import DatabaseUnreachable, DatabaseUrlError
from orgboard_schema.settings import default_url
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine, parse_url, shown
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.places import network_filesystem
from support.waiting import free_port


def test_a_bare_path_is_sqlite(tmp_path: Path) -> None:
    url = parse_url(str(tmp_path / "a b%20.db"))

    assert url.drivername == "sqlite"
    assert shown(url) == str(tmp_path / "a b%20.db")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_postgresql_is_spoken_with_psycopg_and_shown_without_its_password(scheme: str) -> None:
    url = parse_url(f"{scheme}://me:secret@db.example:5433/board")

    assert url.drivername == "postgresql+psycopg"
    assert shown(url) == "postgresql://me:***@db.example:5433/board"


@pytest.mark.parametrize(
    "text",
    [
        *("", "  ", ":memory:", "a\0b", "sqlite://", "sqlite:///:memory:", "http://u:pw@h/"),
        *("mysql://u:pw@h/d", "postgresql+asyncpg://u:pw@h/d", "postgresql://u:pw@h:port/d"),
    ],
)
def test_what_names_no_database_is_refused_in_one_line_without_the_password(text: str) -> None:
    with pytest.raises(DatabaseUrlError) as caught:
        parse_url(text)

    assert "\n" not in str(caught.value)
    assert "pw" not in str(caught.value)


def test_the_default_is_the_users_own_file_unless_the_environment_names_another() -> None:
    assert default_url({"XDG_DATA_HOME": "/data"}) == "/data/orgboard/board.db"
    assert default_url({"XDG_DATA_HOME": "relative"}).endswith(".local/share/orgboard/board.db")
    assert default_url({"ORGBOARD_DB": "postgresql://h/d"}) == "postgresql://h/d"


def test_a_new_file_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new" / "deeper" / "board.db"

    engine = open_engine(str(path))
    upgrade(engine)
    with begin_write(engine) as conn:
        conn.execute(tables.team.insert().values(name="t", created_at=0))
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    engine.dispose()

    assert modes == {"board.db": 0o600, "board.db-wal": 0o600, "board.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert stat.S_IMODE(path.parent.parent.stat().st_mode) == 0o700


def test_a_reader_does_not_create_a_database(tmp_path: Path) -> None:
    path = tmp_path / "board.db"

    with pytest.raises(DatabaseUnreachable, match="orgboard db upgrade"):
        open_engine(str(path), create=False)

    assert not path.exists()


def test_a_directory_is_no_database(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUrlError, match="is a directory"):
        open_engine(str(tmp_path))


def test_a_server_that_is_not_there_is_told_in_one_line() -> None:
    engine = open_engine(f"postgresql://me:secret@127.0.0.1:{free_port()}/board")

    with pytest.raises(DatabaseUnreachable) as caught, begin_read(engine):
        pass

    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_file_that_is_no_database_is_told_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database " * 1000)

    with pytest.raises(DatabaseUnreachable, match="not a database"):
        upgrade(open_engine(str(path)))

    assert path.read_text() == "not a database " * 1000


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/home/me/board.db", None),
        ("/home/net/board.db", "nfs4"),
        ("/home/net/local/board.db", None),
        ("/home/a b/board.db", "fuse.sshfs"),
        ("/disk/board.db", None),
        ("/homework/board.db", None),
    ],
)
def test_network_file_systems_are_known_by_their_mount(path: str, found: str | None) -> None:
    mounts = (
        "1 0 8:1 / / rw - ext4 /dev/sda rw\n"
        "2 1 8:2 / /home/net rw shared:1 - nfs4 host:/x rw\n"
        "3 2 8:3 / /home/net/local rw - xfs /dev/sdb rw\n"
        "4 1 8:4 / /home/a\\040b rw - fuse.sshfs me@host: rw\n"
        "5 1 8:5 / /disk rw - fuseblk /dev/sdc rw\n"
        "a line of another form\n"
    )

    assert network_filesystem(Path(path), mounts) == found


def test_a_snapshot_does_not_see_what_is_committed_after_it_began(engine: Engine) -> None:
    with begin_read(engine) as before:
        assert not before.execute(tables.team.select()).all()
        with begin_write(engine) as conn:
            conn.execute(tables.team.insert().values(name="t", created_at=0))

        assert not before.execute(tables.team.select()).all()

    with begin_read(engine) as after:
        assert len(after.execute(tables.team.select()).all()) == 1


def test_an_error_takes_the_whole_transaction_back(engine: Engine) -> None:
    def store_and_fail() -> None:
        with begin_write(engine) as conn:
            conn.execute(tables.team.insert().values(name="t", created_at=0))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        store_and_fail()

    with begin_read(engine) as conn:
        assert not conn.execute(tables.team.select()).all()


def test_what_is_told_of_a_statement_that_failed_holds_nothing_of_what_it_wrote(
    engine: Engine,
) -> None:
    row = {"name": "a-secret-of-somebody", "created_at": 0}
    with pytest.raises(IntegrityError) as raised, begin_write(engine) as conn:
        conn.execute(tables.team.insert(), [row, row])

    # What PostgreSQL itself says of a key that is there already is its own.
    ours = str(raised.value).partition("[SQL:")[2]
    assert "INSERT INTO team" in ours
    assert "a-secret" not in ours


def test_a_connection_is_opened_while_another_one_writes(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    engine.dispose()

    with begin_write(engine), begin_read(engine) as conn:
        assert conn.exec_driver_sql("PRAGMA busy_timeout").scalar_one() > 0
    engine.dispose()
