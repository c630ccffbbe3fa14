"""The system's Chromium, driven by Playwright.

Its headless shell where that is installed: the same engine without the windows around it, of
which each page would get one, drawn for nobody with as much work as the page itself.

A page fails its test afterwards when a script on it raised, when the content
security policy stopped something, or when it asked any machine but this one:
a board behind a firewall must work in full.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Error,
    Page,
    Playwright,
    Request,
    sync_playwright,
)

from support.lacking import lack

__all__ = ["NO_CHROMIUM", "browser", "context", "launch", "page", "profile_of"]

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
"""Chromium by the names that distributions give it."""

SHELL = "chromium-headless-shell"
"""What of it the tests need, as Debian names it; benchmarks measure the whole one."""

FLAGS = (
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    # Without these it asks its maker's hosts at every start.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

NO_CHROMIUM = "no Chromium on PATH (Debian's package is called chromium), nor Playwright's own"

LOCAL_SCHEMES = ("data", "blob", "about")


# For a module and not the session: while Playwright runs, its event loop counts as running in
# this thread, and a test elsewhere that calls asyncio.run() would be refused.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Give a headless Chromium, one for the whole module."""
    with sync_playwright() as playwright:
        chromium = launch(playwright, (SHELL, *NAMES))
        if chromium is None:
            lack(NO_CHROMIUM)
        yield chromium
        chromium.close()


def launch(playwright: Playwright, names: Sequence[str] = NAMES) -> Browser | None:
    """Start the system's Chromium, or else the one that Playwright downloaded, if any."""
    on_path = next(filter(None, map(shutil.which, names)), None)
    own = playwright.chromium.executable_path
    program = on_path or (own if Path(own).exists() else None)
    if program is None:
        return None
    # Chromium's sandbox does not work for root.
    flags = [*FLAGS, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
    return playwright.chromium.launch(executable_path=program, args=flags)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """Give a browser profile of its own: no cookies, no storage, a laptop's screen, UTC."""
    with profile_of(browser) as profile:
        yield profile


@contextmanager
def profile_of(browser: Browser, *, any_certificate: bool = False) -> Iterator[BrowserContext]:
    """Give a profile whose pages are watched; `any_certificate` takes one of the tests' own."""
    profile = browser.new_context(
        viewport={"width": 1440, "height": 900},
        locale="en-US",
        timezone_id="UTC",
        ignore_https_errors=any_certificate,
    )
    faults: list[str] = []
    profile.on("weberror", lambda error: faults.append(f"raised: {_text(error.error)}"))
    profile.on("console", lambda message: _note_policy(message, faults))
    profile.on("request", lambda request: _note_stranger(request, faults))
    yield profile
    profile.close()
    assert faults == [], "the page had faults"


@pytest.fixture
def page(context: BrowserContext) -> Page:
    """Give an empty page."""
    return context.new_page()


def _text(error: Error) -> str:
    return error.stack or error.message


def _note_policy(message: ConsoleMessage, faults: list[str]) -> None:
    if message.type == "error" and "Content Security Policy" in message.text:
        faults.append(message.text)


def _note_stranger(request: Request, faults: list[str]) -> None:
    address = urlsplit(request.url)
    if address.scheme not in LOCAL_SCHEMES and address.hostname not in ("127.0.0.1", "localhost"):
        faults.append(f"asked another machine: {request.url}")
