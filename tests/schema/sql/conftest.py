"""A store with its tables, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine

from orgboard_schema.sql.engine import open_engine

__all__ = ["engine", "postgres_store"]


@pytest.fixture
def engine(tables_url: str) -> Iterator[Engine]:
    """Give an engine on an empty store at this release, once on SQLite, once on PostgreSQL."""
    engine = open_engine(tables_url)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_store(postgres_tables_url: str) -> Iterator[Engine]:
    """Give an engine on an empty store on PostgreSQL."""
    engine = open_engine(postgres_tables_url)
    yield engine
    engine.dispose()
