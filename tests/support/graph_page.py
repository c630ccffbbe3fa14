"""The graphs page of a board's project `graphs`, opened, and what stands on it."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

from support.served import Served

__all__ = ["node_box", "open_graph", "side_panel"]


def open_graph(page: Page, served: Served, run: str, query: str = "") -> None:
    """Open the graph of a run, and wait until it is drawn."""
    uid = served.board.uids[run]
    page.goto(f"{served.address}/p/default/graphs/graphs?gr={uid}{query}")
    expect(page.locator(".ob-g-words")).to_contain_text("node")


def node_box(page: Page, path: str) -> Locator:
    """Find the box of a node or scope."""
    return page.locator(f'.ob-g-node[data-path="{path}"]')


def side_panel(page: Page) -> Locator:
    """Find what is told beside the drawing."""
    return page.get_by_role("region", name="About the graph")
