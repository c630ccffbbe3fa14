"""What several tests of ingest start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.both_places import Side
from support.ingested import migrated


@pytest.fixture(scope="module")
def empty_board(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a database with its tables made, to be copied: making them takes longer than a test."""
    path = tmp_path_factory.mktemp("empty") / "board.db"
    migrated(str(path)).dispose()
    return path


@pytest.fixture
def sides(tmp_path: Path, memory: Any) -> Iterator[tuple[Side, Side]]:
    """Give a folder and a store in memory, both empty."""
    folder = tmp_path / "logs"
    folder.mkdir()
    local = Side(folder, str(tmp_path / "local.db"))
    remote = Side("memory://logs", str(tmp_path / "remote.db"))
    yield local, remote
    local.engine.dispose()
    remote.engine.dispose()
