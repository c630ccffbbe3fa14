"""Measure whether the time of a sign-in tells which names are known: it must not.

200 tries each of a known name with a wrong password, of an unknown name, and of a name that is
known and asleep, by turns, through the whole app; with its delays forgotten, so that each try is
looked at. CPU time of the process, and wall time, as medians; the ratio is what counts.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import delete

from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from support.boards import Board, opened
from support.signing_in import START, Browser, Clock, add_person, browser_at, door

WITHIN = 0.05
"""How far apart the medians may be."""


def main() -> int:
    """Measure, and return 0 when nothing is told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=200)
    tries = parser.parse_args().tries
    with tempfile.TemporaryDirectory() as folder, opened(str(Path(folder, "board.db"))) as board:
        for name in ("boss", "known", "asleep"):
            add_person(board, name, is_admin=name == "boss")
        with begin_write(board.engine) as conn:
            change_account(SystemViewer(), conn, "asleep", START, is_disabled=True)
        taken = asyncio.run(_measure(board, tries))
    cpu = {name: statistics.median(each[0] for each in all_of) for name, all_of in taken.items()}
    wall = {name: statistics.median(each[1] for each in all_of) for name, all_of in taken.items()}
    for name in taken:
        print(f"{name:8} {cpu[name] * 1e3:7.2f} ms CPU, {wall[name] * 1e3:7.2f} ms")
    apart = max(cpu.values()) / min(cpu.values()) - 1
    print(f"medians of CPU time are {apart:.2%} apart; {WITHIN:.0%} is the most")
    return int(apart > WITHIN)


async def _measure(board: Board, tries: int) -> dict[str, list[tuple[float, float]]]:
    browser = browser_at(door(board, Clock()))
    taken: dict[str, list[tuple[float, float]]] = {"known": [], "unknown": [], "asleep": []}
    for name in taken:
        await _try(board, browser, name)
    for _ in range(tries):
        for name, all_of in taken.items():
            all_of.append(await _try(board, browser, name))
    return taken


async def _try(board: Board, browser: Browser, name: str) -> tuple[float, float]:
    with begin_write(board.engine) as conn:
        conn.execute(delete(tables.sign_in_delay))
    cpu, wall = time.process_time(), time.perf_counter()
    reply = await browser.sign_in(name, "a sentence that is not the one")
    taken = time.process_time() - cpu, time.perf_counter() - wall
    if reply.status != 401:
        raise RuntimeError(f"{name}: {reply.status}, and not 401")
    return taken


if __name__ == "__main__":
    sys.exit(main())
