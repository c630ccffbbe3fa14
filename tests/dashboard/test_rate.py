"""How often one may do a thing: so many times in so many seconds."""

from __future__ import annotations

from orgboard_dashboard import rate
from orgboard_dashboard.rate import Rate


def test_each_may_so_often_and_again_when_the_time_has_passed() -> None:
    now = 0.0
    limit = Rate(2, 60.0, lambda: now)
    assert not limit.is_over("ana")
    limit.count("ana")
    now = 10.0
    assert not limit.is_over("ana")
    limit.count("ana")

    assert limit.is_over("ana")
    assert not limit.is_over("ben")
    now = 60.0
    assert not limit.is_over("ana")
    limit.count("ana")
    assert limit.is_over("ana")


def test_who_did_it_longest_ago_is_forgotten_first() -> None:
    limit = Rate(1, 60.0, lambda: 0.0)
    for number in range(rate._MOST_KNOWN + 1):
        limit.count(number)

    assert not limit.is_over(0)
    assert limit.is_over(1)
