"""Every page and all that opens on it, as axe-core sees it: in both themes, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, expect

from support.axe import faults_of
from support.every_state import OPENED, PAGES, PHONE, State, log_everything
from support.people_pages import DOORS, PEOPLE, PEOPLE_PHONE, let_in, people_of, talk_of, watched_by
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SCHEME = "data-mantine-color-scheme"


@dataclass(frozen=True, slots=True)
class Peopled:
    """A board that one signs in to, and two screens of one who has."""

    served: Served
    screen: Page
    phone: Page


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with a project of everything, beside the example's."""
    with serve_example(tmp_path_factory.mktemp("axe")) as served:
        log_everything(served.board)
        yield served


@pytest.fixture(scope="module")
def peopled(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Peopled]:
    """Give a board with accounts, and a page of a laptop and a phone of who runs it."""
    with serve_example(tmp_path_factory.mktemp("axe-people")) as served:
        ana = people_of(served.board)
        talk_of(served.board)
        watched_by(served.board)
        pages = []
        for width, height in ((1440, 900), (390, 844)):
            context = browser.new_context(
                viewport={"width": width, "height": height}, reduced_motion="reduce"
            )
            let_in(context, served, ana)
            pages.append(context.new_page())
        yield Peopled(served, *pages)
        for page in pages:
            page.context.close()


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Page]:
    """Give a page of a laptop, without motion: half a transition has no colour of its own."""
    context = browser.new_context(
        viewport={"width": 1440, "height": 900}, reduced_motion="reduce", color_scheme="light"
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def phone(browser: Browser) -> Iterator[Page]:
    """Give a page of a phone."""
    context = browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, reduced_motion="reduce"
    )
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", [*PAGES, *OPENED])
def test_axe_finds_no_fault_in_either_theme(screen: Page, served: Served, name: str) -> None:
    assert _faults(screen, served, {**PAGES, **OPENED}[name]) == []


@pytest.mark.parametrize("name", PHONE)
def test_axe_finds_no_fault_on_a_phone(phone: Page, served: Served, name: str) -> None:
    assert _faults(phone, served, PHONE[name]) == []


@pytest.mark.parametrize("name", [*PEOPLE, *DOORS])
def test_axe_finds_no_fault_where_people_are_managed(peopled: Peopled, name: str) -> None:
    assert _faults(peopled.screen, peopled.served, {**PEOPLE, **DOORS}[name]) == []


@pytest.mark.parametrize("name", [*PEOPLE_PHONE, *DOORS])
def test_axe_finds_no_fault_there_on_a_phone(peopled: Peopled, name: str) -> None:
    assert _faults(peopled.phone, peopled.served, {**PEOPLE_PHONE, **DOORS}[name]) == []


def test_axe_is_asked_rightly(screen: Page) -> None:
    screen.goto("about:blank")
    screen.set_content(
        "<!doctype html><html lang=en><title>t</title><main><input><p style='color:#bbb'>pale"
    )

    assert sorted(fault.split(":")[0] for fault in faults_of(screen)) == ["color-contrast", "label"]


def _faults(page: Page, served: Served, state: State) -> list[str]:
    """Open the state, and list what axe finds in it: in the light, then in the dark."""
    address, opened = state
    page.emulate_media(color_scheme="light")
    page.goto(served.address + re.sub(r"{(.+)}", lambda run: served.board.uids[run[1]], address))
    opened(page)
    faults: list[str] = []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        # What the gate refuses is no page of the app, and follows by itself.
        now = f"html[{SCHEME}={theme}], html:not([{SCHEME}])"
        expect(page.locator(now)).to_be_attached()
        faults += [f"{theme}: {fault}" for fault in faults_of(page)]
    return faults
