"""Pages are told one after another, and at most so often that answering stays quick."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from orgboard_dashboard.pace import LONGEST_S, MOST_EACH_S, SHARE, Pace, Work


@dataclass
class Process:
    """A process whose pages ask, each time they are told, for `each_s` seconds of work."""

    each_s: float
    pages: int
    now: float = 1000.0
    work: Work = field(init=False)
    pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self.work = Work(lambda: self.now)
        self.pace = Pace(self.work, lambda: self.now)

    def tell(self) -> float:
        """Tell one page, let it be answered and the pause pass; return the pause."""
        self.pace.told()
        pause = self.pace.pause_s(self.pages)
        self.ask(self.each_s)
        self.now += max(0.0, pause - self.each_s)
        return pause

    def ask(self, seconds: float) -> None:
        with self.work.question():
            self.now += seconds


def test_those_who_follow_keep_a_process_at_work_for_its_share_of_the_time() -> None:
    process = Process(each_s=0.02, pages=50)
    for _ in range(500):
        process.tell()

    began, spent = process.now, process.work.spent_s()
    for _ in range(500):
        process.tell()

    taken = (process.work.spent_s() - spent) / (process.now - began)
    assert taken == pytest.approx(SHARE, rel=0.05)


def test_the_pause_follows_what_a_telling_costs() -> None:
    process = Process(each_s=0.03, pages=50)
    for _ in range(500):
        process.tell()
    busy = process.tell()
    process.each_s = 0.003
    for _ in range(5000):
        process.tell()
    quick = process.tell()

    assert busy == pytest.approx(0.03 / SHARE, rel=0.1)
    assert quick == pytest.approx(0.003 / SHARE, rel=0.1)


def test_the_first_pages_are_told_at_once() -> None:
    assert Process(each_s=0.5, pages=50).tell() == 0


def test_all_pages_are_told_within_the_longest_time_whatever_it_costs() -> None:
    process = Process(each_s=1.0, pages=200)
    for _ in range(50):
        process.tell()

    assert process.pace.pause_s(200) * 200 == pytest.approx(LONGEST_S)


def test_what_others_asked_in_a_quiet_hour_holds_nobody_up_for_long() -> None:
    process = Process(each_s=0.01, pages=1)
    process.tell()
    for _ in range(100):
        process.ask(3.0)

    process.tell()

    assert process.pace.pause_s(1) <= MOST_EACH_S / SHARE


def test_questions_side_by_side_are_work_once() -> None:
    now = 0.0
    work = Work(lambda: now)
    with work.question():
        now = 1.0
        with work.question():
            now = 3.0
        assert work.spent_s() == 3.0
        now = 4.0
    now = 9.0

    assert work.spent_s() == 4.0
