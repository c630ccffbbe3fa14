"""A PostgreSQL server of the tests' own, and a fresh database for each test that asks.

`ORGBOARD_TEST_POSTGRES` may name a server instead (a URL of a role that may create
databases). Our own cluster is started by the first test that needs it, listens on
loopback only, and is stopped and deleted when the session ends, failed or not.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from support.lacking import lack
from support.waiting import free_port

__all__ = [
    "Cluster",
    "binaries",
    "database_url",
    "fresh_database",
    "own_cluster",
    "postgres_database",
    "postgres_url",
    "server",
    "sqlite_url",
]

DEBIAN_BINARIES = Path("/usr/lib/postgresql")
"""Debian keeps initdb and pg_ctl in `<version>/bin` here, off the PATH."""

SERVER_USER = "postgres"
"""Who runs the server when the tests run as root, which PostgreSQL refuses to run as."""

SPEED = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
"""The cluster lives as long as the tests: nothing in it must survive a power cut."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """Give the URL of a server's maintenance database, starting a server when none is named."""
    with server() as url:
        yield url


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL database that exists for this test only."""
    with fresh_database(postgres_url) as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of a SQLite file that does not exist yet."""
    return f"sqlite:///{tmp_path / 'board.db'}"


@pytest.fixture(params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of an empty database, once on each engine."""
    fixture = {"sqlite": "sqlite_url", "postgres": "postgres_database"}[request.param]
    url: str = request.getfixturevalue(fixture)
    return url


@contextmanager
def server() -> Iterator[str]:
    """Give the URL of the server that is named for the tests, or of one that runs meanwhile."""
    named = os.environ.get("ORGBOARD_TEST_POSTGRES")
    if named:
        yield named
        return
    found = binaries()
    if found is None:
        lack("no PostgreSQL: neither initdb on PATH nor in /usr/lib/postgresql/*/bin")
    if os.geteuid() == 0 and shutil.which("runuser") is None:
        lack("PostgreSQL does not run as root, and runuser is not there to change the user")
    with _cluster(found) as cluster:
        yield cluster.url


@contextmanager
def own_cluster(*settings: str) -> Iterator[Cluster]:
    """Run a server that may be crashed, moved and restarted: nobody else uses it."""
    found = binaries()
    if found is None:
        lack("no PostgreSQL: neither initdb on PATH nor in /usr/lib/postgresql/*/bin")
    with _cluster(found, settings) as cluster:
        yield cluster


@contextmanager
def fresh_database(server_url: str, copied: str = "") -> Iterator[str]:
    """Create a database on the server, give its URL, and drop it whoever still uses it.

    It is empty, or a copy of the one whose URL is `copied`, to which nobody is connected.
    """
    name = f"orgboard_test_{uuid4().hex}"
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if copied:
        source = sql.Identifier(urlsplit(copied).path.removeprefix("/"))
        create += sql.SQL(" TEMPLATE {}").format(source)
    _execute(server_url, create)
    try:
        yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    finally:
        drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
        _execute(server_url, drop)


def _execute(server_url: str, statement: sql.Composed) -> None:
    # CREATE and DROP DATABASE refuse to run inside a transaction.
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(statement)


def binaries() -> Path | None:
    """Find the folder of PostgreSQL's programs; None when it is not installed."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    versions = [path.parent for path in DEBIAN_BINARIES.glob("*/bin/initdb")]
    return max(versions, key=lambda path: float(path.parent.name), default=None)


class SmallDisk:
    """A file system with little room."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path.with_name("filler")

    def fill(self) -> None:
        """Take all the room that is left."""
        with self._filler.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(bytes(4096))

    def empty(self) -> None:
        """Give it back."""
        self._filler.unlink()


class Cluster:
    """A server of our own in a folder of its own."""

    def __init__(self, binaries: Path, home: Path, settings: Sequence[str]) -> None:
        self.data = home / "data"
        """Its data directory; may be copied and put back while it is stopped."""
        self.port = free_port()
        self.url = f"postgresql://{SERVER_USER}@127.0.0.1:{self.port}/postgres"
        self._binaries = binaries
        self._home = home
        self._settings = settings

    def start(self) -> None:
        """Start it, and wait until it answers."""
        _start(self._binaries, self._home, self.port, self._settings)

    def crash(self) -> None:
        """Stop it as a power cut would, as far as the server is concerned."""
        _stop(self._binaries, self._home)

    @contextmanager
    def small_disk(self, size: int) -> Iterator[SmallDisk]:
        """Mount a file system that is soon full, where tables may be kept."""
        place = self._home / "small"
        place.mkdir()
        mount = ["mount", "-t", "tmpfs", "-o", f"size={size},mode=700", "none", str(place)]
        done = subprocess.run(mount, check=False, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"no file system of our own may be mounted: {done.stderr.strip()}")
        try:
            # A tablespace has a folder to itself.
            (place / "tables").mkdir()
            if os.geteuid() == 0:
                shutil.chown(place, SERVER_USER)
                shutil.chown(place / "tables", SERVER_USER)
            yield SmallDisk(place / "tables")
        finally:
            subprocess.run(["umount", "--lazy", str(place)], check=True, capture_output=True)

    def copy_data(self, source: Path, target: Path) -> None:
        """Copy a data directory with its owners, while the server is stopped."""
        subprocess.run(["cp", "-a", "--", source, target], check=True)


@contextmanager
def _cluster(binaries: Path, settings: Sequence[str] = ()) -> Iterator[Cluster]:
    """Run a server on a free loopback port, in a folder that its user owns."""
    # Not pytest's tmp_path: that is private to root, and the server's user could not enter it.
    home = Path(tempfile.mkdtemp(prefix="orgboard-postgres-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(home, SERVER_USER)
        cluster = Cluster(binaries, home, settings)
        _create(binaries, home)
        try:
            cluster.start()
            yield cluster
        finally:
            cluster.crash()
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _create(binaries: Path, home: Path) -> None:
    _run(
        [
            *(str(binaries / "initdb"), "--pgdata", str(home / "data")),
            *("--username", SERVER_USER, "--auth", "trust", "--no-sync"),
            *("--encoding", "UTF8", *_collation(binaries)),
        ],
        home,
    )


def _collation(binaries: Path) -> list[str]:
    """Choose dictionary order where the server can: an order by code point must be asked for."""
    known = subprocess.run(
        [binaries / "initdb", "--help"], check=True, capture_output=True, text=True
    ).stdout
    if "--icu-locale" in known:
        return ["--locale", "C", "--locale-provider", "icu", "--icu-locale", "en-US"]
    return ["--locale", "C"]


def _start(binaries: Path, home: Path, port: int, more: Sequence[str]) -> None:
    # No Unix socket: its default folder may belong to a server that is not ours.
    settings = ("listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=200")
    options = " ".join(f"-c {setting}" for setting in (f"port={port}", *settings, *SPEED, *more))
    log = home / "log"
    command = [str(binaries / "pg_ctl"), "--pgdata", str(home / "data"), "--wait"]
    try:
        _run([*command, "--log", str(log), "--options", options, "start"], home)
    except subprocess.CalledProcessError as error:
        said = log.read_text(errors="replace") if log.exists() else error.stderr
        raise RuntimeError(f"the tests' PostgreSQL did not start:\n{said}") from error


def _stop(binaries: Path, home: Path) -> None:
    if (home / "data" / "postmaster.pid").exists():
        stop = ["--wait", "--mode", "immediate", "stop"]
        _run([str(binaries / "pg_ctl"), "--pgdata", str(home / "data"), *stop], home)


def _run(command: list[str], folder: Path) -> None:
    user = ["runuser", "-u", SERVER_USER, "--"] if os.geteuid() == 0 else []
    subprocess.run([*user, *command], check=True, capture_output=True, text=True, cwd=folder)
