"""A card in another site's page: made on the board, shown in a frame, blocked elsewhere, revoked.

The other site is the same machine by another name: `localhost` is another origin, and another
site, than `127.0.0.1`, for cookies and for all that browsers say of who asks.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, FrameLocator, Page, Request, expect

from support.axe import faults_of
from support.boards import scalars
from support.boxes import box_of, boxes_of
from support.other_site import pages_of
from support.people import sign_in
from support.people_pages import let_in, people_of
from support.served import Served, serve_example

pytestmark = pytest.mark.browser

EVERY_MS = 15_000
CURVE = ".scatterlayer .js-line"
ENDED = "This card is not shown any more, or never was."


@dataclass(frozen=True, slots=True)
class Wiki:
    """A site with one page, and the folder of its pages."""

    address: str
    folder: Path

    @property
    def elsewhere(self) -> str:
        """The same pages by another origin."""
        return self.address.replace("localhost", "127.0.0.1")

    def write(self, name: str, html: str) -> None:
        """Put a page there."""
        self.folder.joinpath(name).write_text(f"<!doctype html><title>Wiki</title>{html}")


@pytest.fixture(scope="module")
def peopled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board with people on it, and two runs in a project of red."""
    with serve_example(tmp_path_factory.mktemp("embedded")) as served:
        people_of(served.board)
        served.board.log("second", [scalars("loss", [4.0, 3.0, 2.5])], project="red/one")
        yield served


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiki]:
    folder = tmp_path_factory.mktemp("wiki")
    with pages_of(folder) as address:
        yield Wiki(address, folder)


@pytest.fixture
def ana(browser: Browser, peopled: Served) -> Iterator[Page]:
    """Give the page of who runs the board, in a browser of her own."""
    profile = browser.new_context()
    let_in(profile, peopled, sign_in(peopled.board, "Ana"))
    yield profile.new_page()
    profile.close()


def _open_dialog(page: Page, served: Served, query: str = "s=0") -> None:
    page.goto(f"{served.address}/p/red/one/scalars?{query}")
    expect(page.locator(f".ob-card {CURVE}").first).to_be_visible()
    page.get_by_role("button", name="More about loss").click()
    page.get_by_role("button", name=re.compile("^Embed…")).click()


def _embed(page: Page, served: Served, origin: str, title: str) -> str:
    """Make a frame of the card as it is shown, and return its HTML."""
    _open_dialog(page, served)
    page.get_by_role("textbox", name="Title").fill(title)
    page.get_by_label("Sites that may show it, one a line").fill(origin)
    page.get_by_role("button", name="Make the frame").click()
    return page.get_by_role("textbox", name="HTML to paste").input_value()


def _frame(page: Page) -> FrameLocator:
    return page.frame_locator("iframe")


def test_a_card_is_made_shown_in_a_wiki_as_it_grows_and_revoked(
    ana: Page, page: Page, peopled: Served, wiki: Wiki
) -> None:
    html = _embed(ana, peopled, wiki.address, 'Loss "of" the <week>')
    wiki.write("page.html", html)
    page.clock.install()
    asked: list[Request] = []
    page.on("request", lambda request: asked.append(request))

    page.goto(f"{wiki.address}/page.html")

    frame = _frame(page)
    expect(frame.locator(CURVE)).to_have_count(2)
    expect(frame.get_by_role("heading")).to_have_text('Loss "of" the <week>')
    expect(frame.locator(".ob-embed-keys li")).to_have_text(["of-red/one", "second"])
    expect(frame.locator("footer")).to_contain_text("6 points")
    assert not any("cookie" in request.all_headers() for request in asked)
    assert page.context.cookies() == []
    link = frame.get_by_role("link", name="Open in orgboard")
    assert (link.get_attribute("rel"), link.get_attribute("target")) == (
        "noopener noreferrer",
        "_blank",
    )

    peopled.board.log("second", [scalars("loss", [2.0], step=[3])], project="red/one")
    page.clock.run_for(EVERY_MS)
    expect(frame.locator("footer")).to_contain_text("7 points")

    ana.get_by_role("button", name="Close").click()
    ana.locator("#ob-views button").click()
    ana.get_by_role("button", name=re.compile("Share by a link")).click()
    listed = ana.locator(".ob-shares li", has_text="Loss")
    expect(listed).to_contain_text(f"loss · 2 runs · on {wiki.address} · by Ana")
    expect(listed).to_contain_text("last shown")
    listed.get_by_role("button", name="Revoke the frame").click()
    expect(listed).to_have_count(0)
    page.clock.run_for(EVERY_MS)

    expect(frame.get_by_text(ENDED)).to_be_visible()
    expect(frame.locator(CURVE)).to_have_count(0)
    expect(link).to_be_hidden()


def test_the_link_of_a_frame_leads_to_the_board_without_any_right(
    ana: Page, browser: Browser, peopled: Served, wiki: Wiki
) -> None:
    wiki.write("link.html", _embed(ana, peopled, wiki.address, "With a link"))
    profile = browser.new_context()
    page = profile.new_page()
    page.goto(f"{wiki.address}/link.html")

    with profile.expect_page() as opened:
        _frame(page).get_by_role("link", name="Open in orgboard").click()

    # Who is nobody on the board is asked who that is, and the wiki's page stays where it was.
    expect(opened.value).to_have_url(re.compile(r"/sign-in\?next="))
    assert opened.value.evaluate("[window.opener, document.referrer]") == [None, ""]
    expect(page).to_have_url(f"{wiki.address}/link.html")
    profile.close()


def _blocked(browser: Browser, address: str, board: str) -> list[str]:
    """Open a page whose frame is blocked; return what of the board was asked for by it."""
    profile = browser.new_context()
    page, asked = profile.new_page(), list[str]()
    page.on("request", lambda request: asked.append(request.url))
    with page.expect_console_message(lambda said: "frame-ancestors" in said.text):
        page.goto(address)
    expect(_frame(page).locator(CURVE)).to_have_count(0)
    profile.close()
    return [url.removeprefix(board) for url in asked if url.startswith(board)]


def test_no_other_sites_page_shows_it_nor_a_page_around_the_one_that_may(
    ana: Page, browser: Browser, peopled: Served, wiki: Wiki
) -> None:
    html = _embed(ana, peopled, wiki.address, "Only here")
    wiki.write("mine.html", html)
    wiki.write("around.html", f"<iframe src='{wiki.address}/mine.html'></iframe>")
    (framed,) = re.findall(r"(/embed/\w+)#", html)

    for page in ("mine.html", "around.html"):
        asked = _blocked(browser, f"{wiki.elsewhere}/{page}", peopled.address)
        # Its script did not come to run: neither that nor the card was asked for.
        assert [path.partition("#")[0] for path in asked] == [framed]


def test_what_was_never_there_is_framed_by_nobody(
    ana: Page, browser: Browser, peopled: Served, wiki: Wiki
) -> None:
    html = _embed(ana, peopled, wiki.address, "Never there")
    wiki.write("unknown.html", re.sub(r"/embed/\w+#", "/embed/nosuchembed#", html))

    asked = _blocked(browser, f"{wiki.address}/unknown.html", peopled.address)

    assert [path.partition("#")[0] for path in asked] == ["/embed/nosuchembed"]


def test_a_frame_says_what_is_wrong_with_its_address(
    ana: Page, page: Page, peopled: Served, wiki: Wiki
) -> None:
    html = _embed(ana, peopled, wiki.address, "Half of it")
    wiki.write("half.html", re.sub(r"#[\w-]+", "", html))
    wiki.write("wrong.html", re.sub(r"#[\w-]+", "#" + "A" * 43, html))

    page.goto(f"{wiki.address}/half.html")
    expect(_frame(page).get_by_text("This address is not whole.")).to_be_visible()

    page.goto(f"{wiki.address}/wrong.html")
    expect(_frame(page).get_by_text(ENDED)).to_be_visible()


def test_the_sheet_shows_what_the_frame_will_and_refuses_what_is_no_origin(
    ana: Page, peopled: Served
) -> None:
    _open_dialog(ana, peopled)
    preview = ana.get_by_role("group", name="Preview")

    expect(preview.locator(CURVE)).to_have_count(2)
    ana.get_by_role("textbox", name="Title").fill("Called otherwise")
    expect(preview.get_by_role("heading")).to_have_text("Called otherwise")
    ana.get_by_label("Sites that may show it, one a line").fill("https://*.example.org")
    ana.get_by_role("button", name="Make the frame").click()
    expect(ana.get_by_role("alert")).to_contain_text("Write an origin as https://")
    ana.get_by_role("radio", name=re.compile("The first 10")).click()
    expect(preview.locator(".ob-embed-keys li")).to_have_count(2)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_frame_is_read_by_everybody_in_either_theme_and_on_a_phone(
    ana: Page, context: BrowserContext, peopled: Served, wiki: Wiki, scheme: str
) -> None:
    html = _embed(ana, peopled, wiki.address, "A title of some length, as wikis have them")
    address = re.findall(r'src="([^"]+)"', html)[0]
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
    page.set_viewport_size({"width": 390, "height": 360})

    page.goto(address)

    expect(page.locator(f"html[data-mantine-color-scheme={scheme}]")).to_be_attached()
    expect(page.locator(CURVE)).to_have_count(2)
    assert faults_of(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    plot, stage = box_of(page.locator(".ob-plot")), box_of(page.locator(".ob-embed"))
    assert plot["height"] > stage["height"] / 2
    page.mouse.move(plot["x"] + 50, plot["y"] + plot["height"] / 2)
    tip = page.locator(".ob-tip")
    expect(tip.locator("thead")).to_have_text("step 0value")
    rows = re.compile(r"^(of-red/one3\.000|second4\.000){2}$")
    expect(tip.locator("tbody")).to_have_text(rows)
    place = box_of(tip)
    assert place["x"] >= 0
    assert place["x"] + place["width"] <= 390
    # By the keyboard there is one thing to come to.
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Open in orgboard")).to_be_focused()
    page.set_viewport_size({"width": 800, "height": 500})
    expect(page.locator(f".ob-plot > svg[width='{776}']")).to_be_attached()
    assert [box["width"] for box in boxes_of(page.locator(".ob-plot"))] == [776]
