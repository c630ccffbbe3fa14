"""What several tests of ingest start from."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.ingested import migrated


@pytest.fixture(scope="module")
def empty_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database with its tables made, to be copied: making them takes longer than a test."""
    path = tmp_path_factory.mktemp("empty") / "board.db"
    migrated(str(path)).dispose()
    return path
