"""Measure the time from `flush()` in a training script to the new point in a browser's curve.

The whole way for real: SummaryWriter, event file, ingest, SQLite, web, server-sent event,
Chromium. The page notes in each animation frame which step its curve ends at. Both ends read
the same machine's clock. Pauses between points are drawn at random, so that no poller on the
way is met at the same moment each time.
"""

from __future__ import annotations

import random
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from orgboard import SummaryWriter
from support.browser import NO_CHROMIUM, launch
from support.programs import ORGBOARD, running
from support.waiting import wait_until

POINTS = 40
WARM_UP = 5
"""The first points also pay for what a page loads once."""
PAUSE_S = (0.2, 0.9)
GIVE_UP_S = 20.0
START_WITHIN_S = 30.0
ADDRESS = re.compile(r"http://\S+:\d+")

WATCH = """() => {
    window.seen = {};
    const look = () => {
        const plot = document.querySelector('[data-tag="live"] .ob-plot');
        for (const line of plot?.data ?? []) {
            const step = line.x?.at(-1);
            if (step !== undefined) window.seen[step] ??= Date.now();
        }
        requestAnimationFrame(look);
    };
    look();
}"""


def main() -> int:
    """Log, look, and print the median, the ninth decile and the slowest."""
    with sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            print(NO_CHROMIUM)
            return 1
        delays = _measure(browser)
    ordered = sorted(delays)
    ninth = ordered[int(len(ordered) * 0.9)]
    print(f"  flush to visible curve, {len(delays)} points, one run, SQLite, one browser")
    print(f"  median {statistics.median(delays):.2f} s, 9 in 10 within {ninth:.2f} s, ", end="")
    print(f"slowest {ordered[-1]:.2f} s")
    return 0


def _measure(browser: Browser) -> list[float]:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        logdir = home / "bench-live"
        with (
            SummaryWriter(str(logdir / "run"), flush_secs=3600) as writer,
            _board(home, logdir) as address,
            _open(browser, f"{address}/p/default/bench-live/scalars") as page,
        ):
            return [_delay(writer, page, step) for step in range(POINTS)][WARM_UP:]


@contextmanager
def _board(home: Path, logdir: Path) -> Iterator[str]:
    command = [ORGBOARD, "serve", logdir, "--db", home / "board.db", "--port", 0]
    with running(command, home / "log") as program:
        found = wait_until(lambda: ADDRESS.search(program.output()), START_WITHIN_S, "an address")
        yield found.group()


@contextmanager
def _open(browser: Browser, address: str) -> Iterator[Page]:
    page = browser.new_page()
    page.goto(address)
    page.evaluate(WATCH)
    yield page
    browser.close()


def _delay(writer: SummaryWriter, page: Page, step: int) -> float:
    """Log one point and return the seconds until the page drew it."""
    time.sleep(random.uniform(*PAUSE_S))
    writer.add_scalar("live", random.random(), step)
    writer.flush()
    flushed = time.time()
    drawn: float = wait_until(
        lambda: page.evaluate("step => window.seen[step]", step), GIVE_UP_S, f"step {step} drawn"
    )
    return drawn / 1000 - flushed


if __name__ == "__main__":
    sys.exit(main())
