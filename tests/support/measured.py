"""What a program costs: CPU of all its processes, wall time, peak memory; PostgreSQL's CPU."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg

__all__ = [
    "Cost",
    "cpu_by_process",
    "cpu_of",
    "machine_cpu",
    "measured",
    "measured_until",
    "peak_of",
    "processes_of",
    "running_apart",
    "server_cpu",
]

LOOK_EVERY_S: Final = 0.02
"""Memory's high-water mark only rises: no more is missed than what came after the last look."""

TICKS: Final = os.sysconf("SC_CLK_TCK")
PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a program took, with all processes that it started."""

    cpu_s: float
    wall_s: float
    peak_mib: float
    """The sum of each process's peak: at least what they held together at any time."""
    status: int
    said: str
    """What it printed, standard output and error in one."""


def measured(command: Sequence[object], environment: Mapping[str, str] | None = None) -> Cost:
    """Run a program to its end."""
    with tempfile.TemporaryFile("w+b") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
            env=None if environment is None else {**os.environ, **environment},
        )
        with _peak_watched(process.pid) as peaks:
            # Not wait(): of the resources of one child, and of those it waited for, this tells.
            _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        wall = time.perf_counter() - began
        said.seek(0)
        text = said.read().decode(errors="replace")
    cpu = used.ru_utime + used.ru_stime
    return Cost(cpu, wall, sum(peaks.values()) / 1024, process.returncode, text)


def measured_until(command: Sequence[object], words: str) -> Cost:
    """Run a program until it prints a line with `words`, look what it took, and kill it."""
    lines: list[str] = []
    began = time.perf_counter()
    process = subprocess.Popen(
        [str(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    with process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                if words in line:
                    break
            else:
                raise RuntimeError(f"{command[0]} ended without {words!r}:\n{''.join(lines)}")
            wall = time.perf_counter() - began
            cpu, peak = cpu_of(process.pid), peak_of(process.pid)
        finally:
            process.kill()
    return Cost(cpu, wall, peak, 0, "".join(lines))


@contextmanager
def running_apart(command: Sequence[object], log: Path) -> Iterator[int]:
    """Give the number of a process that runs `command` while the block runs."""
    with log.open("wb") as said:
        process = subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait()


@contextmanager
def _peak_watched(pid: int) -> Iterator[dict[int, int]]:
    """Note the peaks, in KiB, of a process and its descendants while the block runs."""
    peaks: dict[int, int] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY_S):
            for each in _tree(pid):
                # One that has just ended tells nothing any more.
                peaks[each] = max(peaks.get(each, 0), _peak_kib(each))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield peaks
    finally:
        ended.set()
        thread.join()


def peak_of(pid: int) -> float:
    """Give the most MiB that a running process and its descendants ever had resident, each."""
    return sum(_peak_kib(each) for each in _tree(pid)) / 1024


def machine_cpu() -> float:
    """Return the CPU seconds that everything on this machine took since it started."""
    _, user, nice, system, _, _, *interrupts = (PROC / "stat").read_text().split(maxsplit=9)[:8]
    return sum(map(int, (user, nice, system, *interrupts))) / TICKS


def cpu_of(pid: int) -> float:
    """Give the CPU seconds of a running process, its descendants, and those that ended."""
    return sum(_cpu_s(each) for each in _tree(pid))


def processes_of(pid: int) -> tuple[int, ...]:
    """Give the numbers of a running process and its descendants."""
    return tuple(_tree(pid))


def cpu_by_process(pids: Sequence[int]) -> dict[int, float]:
    """Give the CPU seconds of each running process alone."""
    return {pid: _cpu_s(pid) for pid in pids}


def server_cpu(url: str) -> float | None:
    """Give the CPU seconds of all of a PostgreSQL server; None when it runs elsewhere."""
    with psycopg.connect(url) as connection:
        backend = connection.info.backend_pid
        parent = _stat(backend)
        # Another machine's process of that number is no process of a PostgreSQL server.
        if not parent or not parent[0].startswith("postgres"):
            return None
        return cpu_of(int(parent[2]))


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        tasks = list((PROC / str(pid) / "task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return  # It ended meanwhile.
    for child in children:
        yield from _tree(int(child))


def _peak_kib(pid: int) -> int:
    try:
        status = (PROC / str(pid) / "status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if "VmHWM" in line), 0)


def _cpu_s(pid: int) -> float:
    stat = _stat(pid)
    # utime, stime, and those of children that ended and were waited for.
    return sum(map(int, stat[12:16])) / TICKS if stat else 0.0


def _stat(pid: int) -> list[str]:
    """Give the fields of a process from its name on; none when it is gone."""
    try:
        text = (PROC / str(pid) / "stat").read_text()
    except OSError:
        return []
    name, _, rest = text.partition("(")[2].rpartition(")")
    return [name, *rest.split()]
