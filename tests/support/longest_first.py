"""The order of test files for several workers: the longest first, so that all end together.

A worker takes a file at a time. Were one of minutes the last, all others would wait for it.
"""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

__all__ = ["pytest_collection_modifyitems"]

BROWSER: Final = 30
SLOW: Final = 60
"""How many other tests one of these takes as long as, roughly: more is told by no mark."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put first, in a worker, the files that take longest."""
    if not hasattr(config, "workerinput"):
        return
    work: Counter[object] = Counter()
    for item in items:
        work[item.path] += _work_of(item)
    items.sort(key=lambda item: -work[item.path])


def _work_of(item: pytest.Item) -> int:
    marks = {mark.name for mark in item.iter_markers()}
    return SLOW if "slow" in marks else BROWSER if "browser" in marks else 1
