"""Databases at this release, copied: making all the tables takes longer than most tests."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade
from support.postgres import fresh_database

__all__ = ["postgres_tables_url", "sqlite_tables_url", "tables_url"]


@pytest.fixture(scope="session")
def _sqlite_original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("original") / "board.db"
    _make_tables(str(path))
    return path


@pytest.fixture(scope="session")
def _postgres_original(postgres_url: str) -> Iterator[str]:
    with fresh_database(postgres_url) as url:
        _make_tables(url)
        yield url


def _make_tables(url: str) -> None:
    engine = open_engine(url)
    upgrade(engine)
    # A database that somebody is connected to is not copied.
    engine.dispose()


@pytest.fixture
def sqlite_tables_url(_sqlite_original: Path, tmp_path: Path) -> str:
    """Give the URL of a SQLite file with all tables, and nothing in them."""
    path = shutil.copyfile(_sqlite_original, tmp_path / "board.db")
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_tables_url(postgres_url: str, _postgres_original: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database with all tables, and nothing in them."""
    with fresh_database(postgres_url, _postgres_original) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def tables_url(request: pytest.FixtureRequest) -> str:
    """Give the URL of a database with all tables, and nothing in them, once on each engine."""
    url: str = request.getfixturevalue(f"{request.param}_tables_url")
    return url
