"""A board of very many histograms, and what its page and its map of layers cost."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal
from urllib.request import Request, urlopen

import numpy as np
from playwright.sync_api import Playwright

from orgboard_schema.types import ProtoHistogram, TensorHistogram
from support.boards import opened, values
from support.logdirs import Scalars
from support.served_logs import Server, our_server
from support.sides import sqlite
from support.tabs import tab

__all__ = ["PageSeen", "layers_cpu_s", "page_of_histograms", "serve_histograms"]

Form = Literal["tensor", "proto"]

_BUCKETS = 30
_EDGES = 1e-6 * 1.1 ** np.arange(160)
"""A part of TensorBoard's edges, to both sides of 0: as many as weights of usual size fill."""
_AT_ONCE = 100
_ASK_WITHIN_S = 120

_IN_SIGHT_DRAWN = """() => {
    const cards = [...document.querySelectorAll(".ob-histcard")];
    const seen = cards.filter((one) => {
        const {top, bottom} = one.getBoundingClientRect();
        return bottom > 0 && top < innerHeight;
    });
    return seen.length > 0 && seen.every((one) => one.querySelector(".ob-plot path"));
}"""


@contextmanager
def serve_histograms(shape: Scalars, form: Form, scratch: Path) -> Iterator[Server]:
    """Store one run of so many histograms, and serve it while the block runs."""
    logdir = scratch / f"histograms-{form}"
    with sqlite(scratch, logdir.name) as store:
        with opened(store.url) as board:
            rng = np.random.default_rng(1)
            for begin in range(0, shape.tags, _AT_ONCE):
                tags = range(begin, min(shape.tags, begin + _AT_ONCE))
                chunks = [
                    values(f"block{tag // 10}/layer{tag}", "histogram", _series(form, shape, rng))
                    for tag in tags
                ]
                board.log("run", chunks, project=f"default/{logdir.name}")
        with our_server(logdir, store.url, scratch) as server:
            yield server


def _series(
    form: Form, shape: Scalars, rng: np.random.Generator
) -> list[TensorHistogram | ProtoHistogram]:
    spread = 0.02 * (1 + rng.random()) * np.exp(np.cumsum(rng.normal(0, 0.02, shape.steps)))
    made = _tensor if form == "tensor" else _proto
    return [made(float(each), rng) for each in spread]


def _tensor(spread: float, rng: np.random.Generator) -> TensorHistogram:
    edges = np.linspace(-4 * spread, 4 * spread, _BUCKETS + 1)
    middle = (edges[1:] + edges[:-1]) / 2
    counts = rng.poisson(1000 * np.exp(-((middle / spread) ** 2) / 2)).astype(np.float64)
    rows = zip(edges[:-1].tolist(), edges[1:].tolist(), counts.tolist(), strict=True)
    return TensorHistogram("float64", tuple(rows))


def _proto(spread: float, rng: np.random.Generator) -> ProtoHistogram:
    limits = np.concatenate([-_EDGES[::-1], _EDGES])
    width = np.diff(limits, prepend=2 * limits[0])
    counts = rng.poisson(1e5 * width / spread * np.exp(-((limits / spread) ** 2) / 2))
    total = float(counts.sum())
    low, high = float(limits[0]), float(limits[-1])
    squares = total * spread * spread
    return ProtoHistogram(
        *(low, high, total, 0.0, squares), tuple(limits.tolist()), tuple(map(float, counts))
    )


def layers_cpu_s(server: Server, measure: str) -> float:
    """Ask for the map of layers; return the CPU seconds that the server took for it."""
    (uid,) = server.uids()
    body = json.dumps({"run": uid, "measure": measure}).encode()
    asked = Request(
        server.api("layers"),
        body,
        {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"},
    )
    before = server.cpu_s()
    with urlopen(asked, timeout=_ASK_WITHIN_S) as answer:
        answer.read()
    return server.cpu_s() - before


@dataclass(frozen=True, slots=True)
class PageSeen:
    """What a cold page took until every card in sight was drawn, and what it held later."""

    usable_s: float
    page_cpu_s: float
    server_cpu_s: float
    heap_mb: float
    most_mb: float
    """At its largest, while all cards were scrolled through."""


def page_of_histograms(playwright: Playwright, server: Server) -> PageSeen:
    """Open the page of histograms, and scroll through it."""
    with tab(playwright) as fresh:
        page = fresh.page
        served, began = server.cpu_s(), time.time()
        with fresh.watched() as watch:
            page.goto(server.page("histograms"), wait_until="commit")
            page.wait_for_function(_IN_SIGHT_DRAWN, timeout=60_000)
            usable = time.time() - began
            served = server.cpu_s() - served
        taken = watch.taken()
        first = fresh.heap_mb()
        heaps = [first]
        page.mouse.move(900, 500)
        while True:
            for more in page.locator(".ob-section > .ob-grid > .ob-pill").all():
                more.click()
            page.wait_for_function(_IN_SIGHT_DRAWN, timeout=60_000)
            heaps.append(fresh.heap_mb())
            at = page.evaluate("scrollY")
            page.mouse.wheel(0, 1600)
            page.wait_for_timeout(100)
            if page.evaluate("scrollY") == at:
                break
        return PageSeen(usable, taken.renderer, served, first, max(heaps))
