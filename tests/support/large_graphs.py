"""A graph of very many nodes, and what its page costs when it is opened for the first time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Locator, Page, Playwright

from support.boards import opened
from support.graph_defs import Row, graph_def, logged
from support.served_logs import Server, our_server
from support.sides import sqlite
from support.tabs import Cpu, tab

__all__ = ["GraphSeen", "large_graph", "pages_of_a_graph"]

_BLOCK = "model/block_{}"
_WITHIN_MS = 60_000
_TOLD_AND_DRAWN = """() => document.querySelector(".ob-g-node")
    && document.querySelector(".ob-g-words").textContent.includes("node")"""
_MORE = """(nodes) => document.querySelectorAll(".ob-g-node").length > nodes"""


def large_graph(nodes: int) -> bytes:
    """Return a model of blocks of twenty layers of fifty nodes, with shapes."""
    rows: list[Row] = []
    for n in range(nodes):
        name = f"{_BLOCK.format(n // 1000)}/layer_{n // 50 % 20}/op_{n % 50}"
        sources = [rows[at][0] for at in (n - 1, n - 9) if at >= 0]
        rows.append((name, f"Op{n % 7}", sources, (8, n % 100 + 1)))
    return graph_def(rows)


@dataclass(frozen=True, slots=True)
class GraphSeen:
    """What the page of a graph took that nobody had looked at, and a scope opened in it."""

    drawn_s: float
    page: Cpu
    server_cpu_s: float
    scope_s: float
    scope_server_cpu_s: float
    heap_mb: float


@contextmanager
def _stored(data: bytes, scratch: Path) -> Iterator[tuple[Path, str]]:
    logdir = scratch / "large-graph"
    with sqlite(scratch, logdir.name) as store:
        with opened(store.url) as board:
            board.log("run", [logged(data)], project=f"default/{logdir.name}")
        yield logdir, store.url


def pages_of_a_graph(
    playwright: Playwright, nodes: int, scratch: Path, runs: int
) -> list[GraphSeen]:
    """Open the page of a graph, each time in a fresh browser and of a fresh server, which has
    answered another question before."""
    seen = []
    with _stored(large_graph(nodes), scratch) as (logdir, url):
        for _ in range(runs):
            with our_server(logdir, url, scratch) as server:
                server.uids()
                seen.append(_page_of_a_graph(playwright, server))
    return seen


def _page_of_a_graph(playwright: Playwright, server: Server) -> GraphSeen:
    with tab(playwright) as fresh:
        page = fresh.page
        served, began = server.cpu_s(), time.time()
        with fresh.watched() as watch:
            page.goto(server.page("graphs"), wait_until="commit")
            page.wait_for_function(_TOLD_AND_DRAWN, timeout=_WITHIN_MS)
            drawn = time.time() - began
            first = server.cpu_s() - served
        _open(page, page.locator('.ob-g-node[data-path="model"]'))
        served, began = server.cpu_s(), time.time()
        _open(page, page.locator('.ob-g-node[data-path^="model/"]').first)
        return GraphSeen(
            drawn,
            watch.taken(),
            first,
            time.time() - began,
            server.cpu_s() - served,
            fresh.heap_mb(),
        )


def _open(page: Page, scope: Locator) -> None:
    before = page.locator(".ob-g-node").count()
    scope.dblclick()
    page.wait_for_function(_MORE, arg=before, timeout=_WITHIN_MS)
