"""A page in a fresh Chromium, and what each of its processes takes: CPU, heap, bytes.

    with tab(playwright) as opened:
        with opened.watched() as watch:
            opened.page.goto(address)
        watch.renderer_s()

A fresh browser a page: nothing is cached, and the process that drew is the one that worked most.
"""

from __future__ import annotations

import base64
import io
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from playwright.sync_api import Browser, CDPSession, Page, Playwright

from support.browser import NO_CHROMIUM, launch
from support.measured import cpu_by_process, processes_of

__all__ = ["Box", "Cpu", "Frame", "Shown", "Tab", "Watch", "shown", "tab"]

LOOK_EVERY_S: Final = 0.03
LOOK_FOR_NEW_EVERY: Final = 5
"""Finding processes costs more than asking one: in every so many looks."""

COLOURED: Final = 30
"""By so much the channels of a curve's pixel differ, also where a film washes dashes out that lie
on one another; those of text, axes and grids do not."""

PART_OF_A_CURVE: Final = 1 / 3
"""Of a chart's pixel columns: a curve has colour in more of them, a spinner or a mark in fewer."""


@dataclass(frozen=True, slots=True)
class Cpu:
    """Seconds that the processes of a browser took."""

    renderer: float
    """Of the page's process, every thread of it."""
    gpu: float
    """Draws by software where there is no GPU."""
    browser: float
    """The browser's own process, and its helpers."""


@dataclass(frozen=True, slots=True)
class Box:
    """Where something is on the screen, in pixels."""

    left: int
    top: int
    right: int
    bottom: int


@dataclass(frozen=True, slots=True)
class Frame:
    """What the screen showed from a moment on."""

    at: float
    jpeg: bytes


@dataclass(slots=True)
class Watch:
    """What the processes of a browser took, over time."""

    samples: list[tuple[float, dict[int, float]]] = field(default_factory=list)
    kind_of: Mapping[int, str] = field(default_factory=dict)

    def taken(self, until: float | None = None) -> Cpu:
        """Give what was taken up to a moment; by default to the end."""
        first = self.samples[0][1]
        last = next((cpu for at, cpu in self.samples if until and at >= until), self.samples[-1][1])
        spent = {pid: cpu - first.get(pid, 0.0) for pid, cpu in last.items()}
        # A browser keeps a spare renderer at hand: the page's is the one that works.
        renderers = [cpu for pid, cpu in spent.items() if self.kind_of.get(pid) == "renderer"]
        gpu = sum(cpu for pid, cpu in spent.items() if self.kind_of.get(pid) == "GPU")
        renderer = max(renderers, default=0.0)
        others = sum(spent.values()) - sum(renderers) - gpu
        return Cpu(renderer, gpu, others)


@dataclass(slots=True)
class Tab:
    """A page alone in its browser."""

    browser: Browser
    page: Page
    _pages: CDPSession
    _processes: CDPSession
    received: int = 0
    """Bytes of all answers, as they came over the wire."""
    frames: list[Frame] = field(default_factory=list)

    def kinds(self) -> dict[int, str]:
        """Tell what each process is: browser, renderer, GPU or a helper."""
        answer = self._processes.send("SystemInfo.getProcessInfo")
        return {int(each["id"]): str(each["type"]) for each in answer["processInfo"]}

    @contextmanager
    def watched(self) -> Iterator[Watch]:
        """Follow the CPU of all processes while the block runs."""
        main = next(pid for pid, kind in self.kinds().items() if kind == "browser")
        watch = Watch()
        ended = threading.Event()

        def look() -> None:
            pids: tuple[int, ...] = ()
            turn = 0
            while True:
                ends = ended.is_set()
                if turn % LOOK_FOR_NEW_EVERY == 0 or ends:
                    pids = processes_of(main)
                turn += 1
                watch.samples.append((time.time(), cpu_by_process(pids)))
                if ends:
                    return
                ended.wait(LOOK_EVERY_S)

        thread = threading.Thread(target=look)
        thread.start()
        try:
            yield watch
        finally:
            ended.set()
            thread.join()
            watch.kind_of = self.kinds()

    def heap_mb(self) -> float:
        """Give what scripts hold once the garbage is gone, in 10^6 bytes."""
        self._pages.send("HeapProfiler.collectGarbage")
        metrics = self._pages.send("Performance.getMetrics")["metrics"]
        return next(float(m["value"]) for m in metrics if m["name"] == "JSHeapUsedSize") / 1e6

    @contextmanager
    def filmed(self) -> Iterator[list[Frame]]:
        """Keep each frame that the screen shows while the block runs."""
        self.frames = []
        self._start_film()
        yield self.frames
        self._pages.send("Page.stopScreencast")

    def film_again(self) -> None:
        """Ask for what the screen shows now.

        A frame that comes while others are on their way is dropped, be it the last one.
        """
        self._pages.send("Page.stopScreencast")
        self._start_film()

    def _start_film(self) -> None:
        self._pages.send("Page.startScreencast", {"format": "jpeg", "quality": 60})

    def boxes(self, selector: str) -> list[Box]:
        """Give where the elements are that lie on the screen as a whole."""
        found = self.page.evaluate(
            """(selector) => [...document.querySelectorAll(selector)]
                .map((one) => one.getBoundingClientRect())
                .filter((box) => box.width && box.top >= 0 && box.bottom <= innerHeight)
                .map(({ left, top, right, bottom }) => [left, top, right, bottom])""",
            selector,
        )
        return [Box(*map(round, each)) for each in found]

    def listen(self) -> None:
        """Hear of bytes and frames."""
        self._pages.send("Network.enable")
        self._pages.send("Performance.enable")
        # Playwright writes its marks on a method's object, and this one has no room for them.
        self._pages.on("Network.loadingFinished", lambda event: self._take_answer(event))
        self._pages.on("Page.screencastFrame", lambda event: self._take_frame(event))

    def _take_answer(self, event: dict[str, Any]) -> None:
        self.received += int(event["encodedDataLength"])

    def _take_frame(self, event: dict[str, Any]) -> None:
        at = float(event["metadata"]["timestamp"])
        self.frames.append(Frame(at, base64.b64decode(event["data"])))
        self._pages.send("Page.screencastFrameAck", {"sessionId": event["sessionId"]})


@contextmanager
def tab(playwright: Playwright, width: int = 1440, height: int = 900) -> Iterator[Tab]:
    """Give an empty page of a fresh browser.

    Raises:
        RuntimeError: There is no Chromium.
    """
    browser = launch(playwright)
    if browser is None:
        raise RuntimeError(NO_CHROMIUM)
    try:
        context = browser.new_context(viewport={"width": width, "height": height})
        page = context.new_page()
        opened = Tab(
            browser, page, context.new_cdp_session(page), browser.new_browser_cdp_session()
        )
        opened.listen()
        yield opened
    finally:
        browser.close()


@dataclass(frozen=True, slots=True)
class Shown:
    """When curves were on the screen, in seconds since a moment."""

    first: float
    """The first one."""
    every: float
    """One in each chart that lies on the screen as a whole."""


def shown(frames: Sequence[Frame], charts: Sequence[Box], since: float) -> Shown:
    """Find when frames show curves in charts, by their colour.

    Raises:
        RuntimeError: In some chart there is none to the end.
    """
    came: dict[Box, float] = {}
    for frame in frames:
        pixels = _pixels(frame)
        for chart in charts:
            if chart not in came and _has_curve(pixels, chart):
                came[chart] = frame.at - since
        if len(came) == len(charts):
            break
    if not charts or len(came) < len(charts):
        raise RuntimeError(f"a curve in {len(came)} of {len(charts)} charts")
    return Shown(min(came.values()), max(came.values()))


def _pixels(frame: Frame) -> NDArray[np.int16]:
    with Image.open(io.BytesIO(frame.jpeg)) as image:
        return np.asarray(image.convert("RGB")).astype(np.int16)


def _has_curve(pixels: NDArray[np.int16], chart: Box) -> bool:
    inside = pixels[chart.top : chart.bottom, chart.left : chart.right]
    coloured = (inside.max(axis=2) - inside.min(axis=2)) > COLOURED
    return bool(coloured.any(axis=0).mean() > PART_OF_A_CURVE)
