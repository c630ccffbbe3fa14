"""A store in this process' memory, read by the same driver protocol as buckets are."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from support.lacking import lack

__all__ = ["memory"]


@pytest.fixture
def memory() -> Iterator[Any]:
    """Give fsspec's store in memory, empty before and after: `memory://` is one for a process."""
    try:
        import fsspec
    except ImportError:
        lack("fsspec is not installed")
    files = fsspec.filesystem("memory")
    _clear(files)
    yield files
    _clear(files)


def _clear(files: Any) -> None:
    files.store.clear()
    files.pseudo_dirs[:] = [""]
