"""Fixtures of the tests that look at the board through a browser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.served import Served, serve_example

__all__ = ["served"]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a served board with three runs."""
    with serve_example(tmp_path_factory.mktemp("served")) as board:
        yield board
