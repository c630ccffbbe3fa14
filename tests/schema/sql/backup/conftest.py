"""A filled board on each engine, to be backed up."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.filled import fill
from support.postgres import fresh_database

__all__ = ["board_url", "filled_postgres", "filled_sqlite", "other_url"]


@pytest.fixture(scope="session")
def filled_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite board that holds something of everything; nobody writes to it."""
    folder = tmp_path_factory.mktemp("filled")
    fill(str(folder / "board.db"), folder / "logs")
    return folder / "board.db"


@pytest.fixture(scope="session")
def filled_postgres(postgres_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Give a PostgreSQL board that holds the same; nobody connects to it."""
    with fresh_database(postgres_url) as database:
        fill(database, tmp_path_factory.mktemp("filled") / "logs")
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def board_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give a filled board of the test's own, once on each engine."""
    if request.param == "sqlite":
        filled: Path = request.getfixturevalue("filled_sqlite")
        yield str(shutil.copy(filled, tmp_path / "board.db"))
        return
    server, original = map(request.getfixturevalue, ("postgres_url", "filled_postgres"))
    with fresh_database(server, original) as database:
        yield database


@pytest.fixture(params=["sqlite", "postgres"])
def other_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give an empty database to restore into, once on each engine."""
    if request.param == "sqlite":
        yield str(tmp_path / "restored.db")
        return
    url: str = request.getfixturevalue("postgres_url")
    with fresh_database(url) as database:
        yield database
