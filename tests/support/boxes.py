"""Where on the page something is, measured at one instant.

Playwright's own `bounding_box()` finds the element first and measures it in a second step; what is
drawn anew in between, as a page that listens to a live board may be at any time, has none then.
"""

from __future__ import annotations

from typing import TypedDict

from playwright.sync_api import Locator, expect

__all__ = ["Box", "box_of", "boxes_of"]

MEASURE = """(all) => all.map((one) => {
    const { x, y, width, height } = one.getBoundingClientRect();
    return { x, y, width, height };
})"""


class Box(TypedDict):
    """A rectangle in CSS pixels, from the upper left corner of what the window shows."""

    x: float
    y: float
    width: float
    height: float


def box_of(locator: Locator) -> Box:
    """Wait for the one element to be seen, and measure it."""
    expect(locator).to_be_visible()
    (box,) = boxes_of(locator)
    return box


def boxes_of(locator: Locator) -> list[Box]:
    """Measure all that the locator finds now."""
    found: list[Box] = locator.evaluate_all(MEASURE)
    return found
