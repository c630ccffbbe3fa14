"""Cards of charts on a page, found and waited for."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

__all__ = ["card_of", "ready"]


def ready(page: Page) -> None:
    """Wait for the first curve."""
    expect(page.locator(".ob-card:has(.scatterlayer .trace)").first).to_be_visible()


def card_of(page: Page, tag: str) -> Locator:
    """Find the card of a tag; of a chart that is named like one, that chart's, too."""
    return page.locator(f'.ob-card[data-tag="{tag}"]')
