"""What people do on a page of curves, in our board and in TensorBoard, and what it takes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from playwright.sync_api import Page, Playwright

from support.boxes import box_of
from support.served_logs import Server
from support.tabs import Cpu, Tab, Watch, shown, tab

__all__ = [
    "OURS",
    "TENSORBOARD",
    "FirstScreen",
    "Look",
    "Zoomed",
    "dragged",
    "first_screen",
    "hovered",
    "rows_shown",
    "scrolled",
    "show_cards",
    "zoomed",
]

COMPLETE_WITHIN_S: Final = 60.0
CALM_MS: Final = 1000
CALM_S: Final = 0.05
"""A page that takes no more CPU than that in a second is at rest."""
ASK_EVERY_MS: Final = 400


@dataclass(frozen=True, slots=True)
class Look:
    """Where in a page its parts are."""

    charts: str
    """The areas in which curves are, without their axes where that is an element."""
    slider: str
    """Of the smoothing."""
    drawn: str
    """Counts, in the page, the curves that were drawn anew since `count`; empty: nobody can."""


OURS: Final = Look(".ob-plot", "input.ob-smoothing", "repaths")
TENSORBOARD: Final = Look("scalar-card line-chart .series-view", 'input[max="0.99"]', "")


@dataclass(frozen=True, slots=True)
class FirstScreen:
    """What a cold page took until its first screen was complete."""

    first_s: float
    complete_s: float
    charts: int
    """That lie on the screen as a whole."""
    cpu: Cpu
    """Until the screen is complete."""
    rested: Cpu
    """Until the page is at rest: what is drawn beyond the screen's edge, too."""
    server_s: float
    heap_mb: float
    received_mb: float


def first_screen(playwright: Playwright, server: Server, address: str, look: Look) -> FirstScreen:
    """Open a page in a fresh browser, and wait for a curve in each chart on the screen."""
    with tab(playwright) as opened:
        before = server.cpu_s()
        with opened.watched() as watch, opened.filmed() as frames:
            began = time.time()
            opened.page.goto(address, wait_until="commit")
            _await_curves(opened, look, began)
            _await_rest(opened, watch, began)
        charts = opened.boxes(look.charts)
        when = shown(frames, charts, began)
        return FirstScreen(
            first_s=when.first,
            complete_s=when.every,
            charts=len(charts),
            cpu=watch.taken(began + when.every),
            rested=watch.taken(),
            server_s=server.cpu_s() - before,
            heap_mb=opened.heap_mb(),
            received_mb=opened.received / 1e6,
        )


def _await_curves(opened: Tab, look: Look, began: float) -> None:
    while not opened.frames or not _shows_all(opened, look):
        if time.time() - began > COMPLETE_WITHIN_S:
            raise RuntimeError(f"no complete screen within {COMPLETE_WITHIN_S} s")
        _pause(opened)


def _pause(opened: Tab) -> None:
    had = len(opened.frames)
    opened.page.wait_for_timeout(ASK_EVERY_MS)
    if len(opened.frames) == had:
        opened.film_again()


def _await_rest(opened: Tab, watch: Watch, began: float) -> None:
    kinds, before = opened.kinds(), -1.0
    while time.time() - began < COMPLETE_WITHIN_S:
        last = watch.samples[-1][1]
        now = sum(cpu for pid, cpu in last.items() if kinds.get(pid) == "renderer")
        if before >= 0 and now - before < CALM_S:
            return
        before = now
        opened.page.wait_for_timeout(CALM_MS)


def _shows_all(opened: Tab, look: Look) -> bool:
    try:
        shown(opened.frames[-1:], opened.boxes(look.charts), 0.0)
    except RuntimeError:
        return False
    return True


def show_cards(opened: Tab, address: str, look: Look, cards: int) -> None:
    """Open a page and wait until so many charts have a curve."""
    began = time.time()
    with opened.filmed():
        opened.page.goto(address, wait_until="commit")
        while len(opened.boxes(look.charts)) < cards or not _shows_all(opened, look):
            if time.time() - began > COMPLETE_WITHIN_S:
                raise RuntimeError(f"no {cards} charts within {COMPLETE_WITHIN_S} s")
            _pause(opened)
        opened.page.wait_for_timeout(CALM_MS)


DRAWN_IN_SIGHT = """() => {
    const cards = [...document.querySelectorAll(".ob-card")].filter((one) => one.card.visible);
    return cards.length > 0 && cards.every((one) => one.querySelector(".js-line"));
}"""


def scrolled(opened: Tab) -> tuple[int, float]:
    """Scroll through all cards of our page, each drawn; return how many, and the largest heap."""
    page = opened.page
    page.mouse.move(900, 500)
    heaps = []
    while True:
        for more in page.locator(".ob-section > .ob-grid > .ob-pill").all():
            more.click()
        page.wait_for_function(DRAWN_IN_SIGHT)
        heaps.append(opened.heap_mb())
        at = page.evaluate("scrollY")
        page.mouse.wheel(0, 800)
        page.wait_for_timeout(100)
        if page.evaluate("scrollY") == at:
            break
    return page.locator(".ob-card").count(), max(heaps)


def dragged(opened: Tab, look: Look, steps: int, cards: int) -> float:
    """Drag the smoothing; return the page's CPU in milliseconds a step and card."""
    page = opened.page
    box = box_of(page.locator(look.slider).first)
    middle, left = box["y"] + box["height"] / 2, box["x"] + box["width"] * 0.3
    if look.drawn:
        page.evaluate(
            """() => {
                const { repath } = ob;
                window.repaths = 0;
                ob.repath = (...given) => { repaths += 1; return repath(...given); };
            }"""
        )
    page.mouse.move(left, middle)
    page.mouse.down()
    _frames(page, 5)
    with opened.watched() as watch:
        for step in range(1, steps + 1):
            page.mouse.move(left + step * box["width"] * 0.6 / steps, middle)
            if look.drawn:
                page.wait_for_function(f"() => {look.drawn} >= {step * cards}")
            else:
                _frames(page, 10)
    page.mouse.up()
    return watch.taken().renderer * 1e3 / steps / cards


def hovered(opened: Tab, look: Look, moves: int) -> float:
    """Move over a chart, a frame a move; return the page's CPU in milliseconds a move."""
    page = opened.page
    box = opened.boxes(look.charts)[0]
    width, middle = box.right - box.left, (box.top + box.bottom) / 2

    def move(number: int) -> None:
        page.mouse.move(box.left + width * (0.15 + 0.8 * number / moves), middle)
        _frames(page, 2)

    move(0)
    with opened.watched() as watch:
        for number in range(moves):
            move(number)
    return watch.taken().renderer * 1e3 / moves


def _frames(page: Page, count: int) -> None:
    page.evaluate(
        """async (count) => {
            for (let n = 0; n < count; n += 1) await new Promise(requestAnimationFrame);
        }""",
        count,
    )


ROWS = """(() => {
    window.rowsAt = {};
    const places = {
        table: '.ag-row [col-id="name"]',
        panel: ".ob-rows .ob-row:not(.ob-waiting)",
    };
    const look = () => {
        for (const [name, selector] of Object.entries(places)) {
            if (rowsAt[name] || !document.querySelector(selector)?.textContent) continue;
            // What a frame finds in the document is on the screen once the frame is over.
            rowsAt[name] = -1;
            requestAnimationFrame(() => setTimeout(() => { rowsAt[name] = performance.now(); }));
        }
        requestAnimationFrame(look);
    };
    look();
})()"""


def rows_shown(playwright: Playwright, server: Server) -> dict[str, float]:
    """Open the table of runs in a fresh browser; return when its and the panel's first rows came.

    In seconds since the page was asked for.
    """
    with tab(playwright) as opened:
        opened.page.add_init_script(ROWS)
        opened.page.goto(server.page("runs"), wait_until="commit")
        opened.page.wait_for_function("() => rowsAt.table > 0 && rowsAt.panel > 0", timeout=60_000)
        found: dict[str, float] = opened.page.evaluate("rowsAt")
        return {name: at / 1e3 for name, at in found.items()}


@dataclass(frozen=True, slots=True)
class Zoomed:
    """A zoom, as the card has it."""

    ms: float
    """From the choice of the stretch to the screen."""
    request_ms: float
    """From the request for finer points to the screen."""
    x: NDArray[np.float64]
    y: NDArray[np.float64]


ZOOM = """async (zoom) => {
    const { card } = document.querySelector(".ob-card");
    const { fetch } = window;
    const { draw } = ob;
    let asked = 0;
    window.fetch = (...given) => {
        if (String(given[0]).endsWith("/scalars")) asked = performance.now();
        return fetch(...given);
    };
    const drawn = new Promise((resolve) => {
        ob.draw = async (...given) => {
            await draw(...given);
            if (asked && given[0] === card.plot) resolve();
        };
    });
    const began = performance.now();
    ob.setView({ zoom });
    await drawn;
    await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
    const now = performance.now();
    Object.assign(window, { fetch });
    Object.assign(ob, { draw });
    const [line] = card.shownLines();
    return { ms: now - began, request_ms: now - asked, x: [...line.x], y: [...line.y] };
}"""


def zoomed(page: Page, stretch: tuple[float, float] | None) -> Zoomed:
    """Zoom the first card of our page, and wait for the finer curve."""
    found: dict[str, Any] = page.evaluate(ZOOM, stretch)
    return Zoomed(found["ms"], found["request_ms"], np.array(found["x"]), np.array(found["y"]))
