"""How slow a password's hash is, which the other tests do without."""

from __future__ import annotations

import pytest
from argon2 import extract_parameters, profiles

from orgboard_dashboard.accounts import passwords
from support.quick_hashes import REAL, REAL_NOBODYS

WORD = "a sentence that ana knows by heart"


@pytest.fixture
def _as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "_hasher", REAL)
    monkeypatch.setattr(passwords, "_NOBODYS", REAL_NOBODYS)


@pytest.mark.usefixtures("_as_it_is")
def test_a_password_is_kept_as_slow_a_hash_as_rfc_9106_wants() -> None:
    kept = passwords.hash_of(WORD)

    assert extract_parameters(kept) == profiles.RFC_9106_LOW_MEMORY
    assert passwords.is_right(kept, WORD)
    assert not passwords.is_right(kept, WORD.upper())
    assert not passwords.needs_rehash(kept)


def test_who_is_unknown_costs_as_much_as_who_is_known() -> None:
    assert extract_parameters(REAL_NOBODYS) == extract_parameters(REAL.hash(WORD))


@pytest.mark.usefixtures("_as_it_is")
def test_a_hash_of_weaker_parameters_is_made_anew() -> None:
    quick = REAL.from_parameters(profiles.CHEAPEST).hash(WORD)

    assert passwords.needs_rehash(quick)
