"""How an absence of the database is counted, spaced and told."""

from __future__ import annotations

import logging

import pytest

from orgboard_ingest.outage import FIRST_PAUSE_S, LONGEST_PAUSE_S, Outage


class Clock:
    """A clock that a test sets."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_tries_are_spaced_more_and_more_until_one_succeeds(clock: Clock) -> None:
    outage = Outage(clock)
    pauses = []
    for _ in range(12):
        outage.failed("refused")
        pauses.append(outage.pause)
    assert pauses[:3] == [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    assert pauses[-1] == LONGEST_PAUSE_S

    outage.over()
    assert outage.pause == 0
    outage.failed("refused")
    assert outage.pause == FIRST_PAUSE_S


def test_it_lasts_from_the_first_failure_to_the_first_success(clock: Clock) -> None:
    outage = Outage(clock)
    assert outage.seconds() is None

    outage.failed("refused")
    clock.now += 5
    outage.failed("refused")
    assert outage.seconds() == 5

    outage.over()
    assert outage.seconds() is None
    assert outage.reason == ""


def test_each_reason_and_the_end_are_told_once(
    clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    outage = Outage(clock)
    with caplog.at_level(logging.INFO, "orgboard.ingest"):
        for reason in ("refused", "refused", "starting up", "starting up"):
            outage.failed(reason)
        outage.over()
        outage.over()
    assert [record.getMessage() for record in caplog.records] == [
        "database away",
        "database still away",
        "database back",
    ]
