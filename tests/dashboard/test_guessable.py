"""Which passwords are refused: those that are made of few things that everybody guesses."""

from __future__ import annotations

import pytest

from orgboard_dashboard.accounts.passwords import MAX_CHARS, password_problem

_WEAK = """
1q2w3e4r5t6y q1w2e3r4t5y6 1qaz2wsx3edc zaq12wsxcde3 qwertyuiop[] asdfghjkl123 poiuytrewq1!
abcdefghijkl 987654321098 112233445566 aaaabbbbcccc aaaaaaaaaaaa xyxyyxzzxyxz
password123! passw0rd1234 p@ssw0rd1234 P@$$W0RD2024 Summer2026!! W1nter!2025? Januar.2026!
dragondragon football2024 sunshine1234 liverpool123 michaeljordan manchesterunited monkey--dragon
ana123ana123ana ana.l-ana.l-1 Orgboard2026! tensorboard12 orgboard-ana-12 ilovemydog99
correcthorsebatterystaple
"""

STRONG = [
    *("a long walk by the sea", "a sentence that ana knows by heart", "fourteen geese at dawn"),
    *("xk9#mq2vlp7w", "kj3h5v8w2m9q", "#4k9$2m!8@q1", "Vq7.hTzw-Lr2"),
    *("viel zu viel Regen im Mai", "どこかの海辺を長く歩いた日", "x" * 5 + "no two are alike here"),
]


@pytest.mark.parametrize("password", _WEAK.split())
def test_what_everybody_guesses_is_no_password(password: str) -> None:
    problem = password_problem(password, "Ana.L" if "ana.l" in password else "ana")

    assert problem is not None
    assert "anybody would guess" in problem


@pytest.mark.parametrize("password", STRONG)
def test_a_sentence_and_what_a_program_makes_are_passwords(password: str) -> None:
    assert password_problem(password, "ana") is None


def test_the_name_of_another_is_as_good_as_other_letters() -> None:
    assert password_problem("zvonimir-12-zvonimir", "Zvonimir")
    assert password_problem("zvonimir-12-zvonimir", "ana") is None


def test_however_long_it_is_it_is_looked_at() -> None:
    assert password_problem("monkey" * 40, "ana")
    assert password_problem("x" * (MAX_CHARS + 1), "ana")
