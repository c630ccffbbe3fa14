"""Take the README's pictures anew: `make screenshots`. The demo must learn a while first.

Pictures are of the real demo, in a real browser, at the sizes people have.
"""

from __future__ import annotations

import re
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from support.browser import NO_CHROMIUM, launch
from support.programs import ORGBOARD, running
from support.waiting import wait_until

FOLDER = Path(__file__).resolve().parent.parent / "dashboard" / "screenshots"
PROJECT = "p/default/spirals"
LAPTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
DRAWN = ".ob-plot path, .ag-row, .ob-texts, .ob-parallel canvas, .ob-g-world, img"
LEARN_S = 100
"""So long that the curves have a shape."""

PICTURES = (
    ("scalars-light", "scalars?t=train%7Cval", "light", LAPTOP),
    ("scalars-dark", "scalars?t=train%7Cval", "dark", LAPTOP),
    ("scalars-phone", "scalars?t=train%7Cval", "dark", PHONE),
    ("runs-light", "runs", "light", LAPTOP),
    ("histograms-light", "histograms?hm=w1&q=%5Eadam-w64%24", "light", LAPTOP),
    ("settings-light", "hparams", "light", LAPTOP),
    ("graphs-light", "graphs?q=%5Eadam-w64%24&go=layer0&go=layer1", "light", LAPTOP),
    ("images-light", "images", "light", LAPTOP),
)


def main() -> str | None:
    """Start the demo, let it learn, take each picture; return why that cannot be."""
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        browser = launch(playwright)
        if browser is None:
            return NO_CHROMIUM
        with running([ORGBOARD, "demo", "--port", 0], Path(scratch, "log")) as demo:
            address = wait_until(
                lambda: re.search(r"http://\S+:\d+", demo.output()), 30, "the demo's address"
            )
            time.sleep(LEARN_S)
            for name, page, scheme, size in PICTURES:
                _take(browser, f"{address.group()}/{PROJECT}/{page}", name, scheme, size)
        browser.close()
    return None


def _take(browser: Browser, address: str, name: str, scheme: str, size: ViewportSize) -> None:
    context = browser.new_context(
        viewport=size, color_scheme="dark" if scheme == "dark" else "light", device_scale_factor=1.5
    )
    page = context.new_page()
    page.goto(address)
    page.wait_for_selector(DRAWN, state="attached")
    # All that is on the screen has asked for its data and drawn it.
    page.wait_for_load_state("load")
    page.wait_for_timeout(3000)
    page.screenshot(path=FOLDER / f"{name}.png")
    context.close()
    sys.stdout.write(f"{name}.png\n")


if __name__ == "__main__":
    sys.exit(main())
