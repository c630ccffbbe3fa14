"""Child processes: started again when they die, ended with their parent however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgboard_dashboard.supervise import Child, Family
from support.waiting import wait_until

WITHIN_S = 20.0
SLEEPER = (sys.executable, "-c", "import time; time.sleep(600)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
)

PARENT = """
import sys, time
from orgboard_dashboard.supervise import Child, Family
child = Child("sleeper", (sys.executable, "-c", "import time; time.sleep(600)"))
family = Family([child, child], say=print)
print(*[one.process.pid for one in family._running], flush=True)
time.sleep(600)
"""


class Said:
    """What the family said, and a clock that is told the time."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.now = 0.0

    def say(self, line: str) -> None:
        self.lines.append(line)

    def clock(self) -> float:
        return self.now


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def families() -> Iterator[list[Family]]:
    made: list[Family] = []
    yield made
    for family in made:
        family.stop()


def _family(families: list[Family], said: Said, *children: Child) -> Family:
    family = Family(children, say=said.say, clock=said.clock)
    families.append(family)
    return family


def _tend_until(family: Family, said: Said, what: str, done: str) -> None:
    def is_done() -> bool:
        family.tend()
        return any(done in line for line in said.lines)

    wait_until(is_done, WITHIN_S, what)


def test_a_child_that_dies_is_started_again_after_a_pause(
    families: list[Family], said: Said
) -> None:
    family = _family(families, said, Child("sleeper", SLEEPER))
    first = family.pids()["sleeper"]
    os.kill(first, signal.SIGKILL)

    _tend_until(family, said, "the death is noticed", "SIGKILL")
    assert family.pids()["sleeper"] == first
    said.now += 1.0
    family.tend()

    assert family.pids()["sleeper"] != first
    assert _is_alive(family.pids()["sleeper"])


def test_a_child_that_dies_again_and_again_is_started_ever_more_rarely(
    families: list[Family], said: Said
) -> None:
    failing = (sys.executable, "-c", "raise SystemExit(1)")
    family = _family(families, said, Child("failing", failing))
    pauses: list[float] = []

    for death in range(1, 5):
        wait_until(lambda: family.tend() or len(said.lines) == death, WITHIN_S, f"death {death}")  # noqa: B023
        died = said.now
        pid = family.pids()["failing"]
        while family.pids()["failing"] == pid:
            said.now += 0.25
            family.tend()
        pauses.append(said.now - died)

    assert pauses == [0.5, 1.0, 2.0, 4.0]


@pytest.mark.parametrize("status", [2, 78])
def test_a_child_that_cannot_work_at_all_is_not_started_again(
    families: list[Family], said: Said, status: int
) -> None:
    hopeless = (sys.executable, "-c", f"raise SystemExit({status})")
    family = _family(families, said, Child("hopeless", hopeless))

    assert wait_until(family.tend, WITHIN_S, "the exit status is reported") == status


def test_a_child_that_has_done_its_work_is_left_in_peace(
    families: list[Family], said: Said
) -> None:
    once = Child("once", (sys.executable, "-c", "pass"), keep_alive=False)
    family = _family(families, said, once, Child("sleeper", SLEEPER))
    pid = family.pids()["once"]

    wait_until(lambda: not _is_alive(pid), WITHIN_S, "it has ended")
    said.now += 100
    family.tend()

    assert family.pids()["once"] == pid
    assert said.lines == []


def test_stopping_ends_even_a_child_that_does_not_listen(said: Said) -> None:
    children = [Child("stubborn", STUBBORN), Child("sleeper", SLEEPER)]
    family = Family(children, say=said.say, stop_within_s=0.5)
    pids = family.pids()
    wait_until(lambda: _ignores_term(pids["stubborn"]), WITHIN_S, "it ignores SIGTERM")

    family.stop()

    assert not any(map(_is_alive, pids.values()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_a_parent_killed_at_once_leaves_no_child(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2
        assert all(map(_is_alive, pids))

        parent.kill()

        wait_until(lambda: not any(map(_is_alive, pids)), WITHIN_S, "the children are gone")


def _is_alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    # A zombie has ended; whoever inherits it has not looked yet.
    return state != "Z"


def _ignores_term(pid: int) -> bool:
    status = Path(f"/proc/{pid}/status").read_text()
    mask = next(line.split()[1] for line in status.splitlines() if line.startswith("SigIgn:"))
    return bool(int(mask, 16) >> (signal.SIGTERM - 1) & 1)
