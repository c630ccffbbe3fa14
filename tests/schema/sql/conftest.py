"""A store with its tables, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade

__all__ = ["engine", "postgres_store"]


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an engine on an empty store at this release, once on SQLite, once on PostgreSQL."""
    engine = open_engine(database_url)
    upgrade(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_store(postgres_database: str) -> Iterator[Engine]:
    """Give an engine on an empty store on PostgreSQL."""
    engine = open_engine(postgres_database)
    upgrade(engine)
    yield engine
    engine.dispose()
