"""What a test does on a machine that lacks a part: skip with the reason, but fail in CI."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["lack"]


def lack(reason: str) -> NoReturn:
    """Skip the running test for `reason`; fail it when `CI=true`: CI has every part."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI has every part, yet: {reason}", pytrace=False)
    pytest.skip(reason, allow_module_level=True)
