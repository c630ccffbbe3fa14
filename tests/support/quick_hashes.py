"""Passwords whose hashes take no time, where hashing is not what is tested.

A hash takes 64 MiB and all cores for a while on purpose; hundreds of tests sign somebody in.
What runs as a program of its own, as in the tests of browsers, hashes as it always does.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest
from argon2 import PasswordHasher, profiles

from orgboard_dashboard.accounts import passwords

__all__ = ["REAL", "REAL_NOBODYS", "quick_hashes"]

REAL: Final = passwords._hasher
REAL_NOBODYS: Final = passwords._NOBODYS


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Hash as little as argon2 can be told to."""
    quick = PasswordHasher.from_parameters(profiles.CHEAPEST)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", quick)
        patch.setattr(passwords, "_NOBODYS", quick.hash("a password that nobody knows"))
        yield
