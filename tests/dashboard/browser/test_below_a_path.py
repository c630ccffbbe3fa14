"""The whole board below a path, by HTTPS, with accounts: alone, and behind real proxies."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade
from support.boards import Board, scalars
from support.browser import profile_of
from support.certificates import Pair, make_pair
from support.programs import ORGBOARD, running
from support.proxies import caddy, caddy_text, nginx, nginx_text
from support.served import log_example
from support.waiting import free_port, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(180)]

PREFIX = "/board"
PROJECT = PREFIX + "/p/default/board"
PASSWORD = "a sentence that is long enough"
WITHIN_S = 60.0
LINK = re.compile(r"^  (https://\S+/welcome#\S+)$", re.MULTILINE)
LAST_STEP = """() => {
    const plot = document.querySelector('[data-tag="val/loss"] .ob-plot');
    return plot?.data?.at(-1)?.x?.at(-1) ?? -1;
}"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where the board is, the link to its first account, and the database behind it."""

    address: str
    link: str
    board: Board


Fronted = Callable[[int, int, Pair, Path], AbstractContextManager[None]]


def _behind_nginx(
    port: int, outside: int, pair: Pair, folder: Path
) -> AbstractContextManager[None]:
    site = nginx_text(
        "nginx-path.conf", name="localhost", ports={443: outside, 7070: port}, pair=pair
    )
    return nginx(site, folder)


def _behind_caddy(
    port: int, outside: int, pair: Pair, folder: Path
) -> AbstractContextManager[None]:
    names = {
        "board.example": f"board.example:{free_port()}",
        "tools.example": f"localhost:{outside}",
    }
    return caddy(caddy_text(names, {7071: port}, pair), folder)


@contextmanager
def _served(folder: Path, pair: Pair, front: Fronted | None) -> Iterator[Place]:
    database, port = folder / "board.db", free_port()
    outside = port if front is None else free_port()
    engine = open_engine(str(database))
    upgrade(engine)
    board = Board(engine)
    log_example(board)
    address = f"https://localhost:{outside}{PREFIX}"
    how = (
        ["--tls-cert", pair.cert, "--tls-key", pair.key]
        if front is None
        else ["--trusted-proxy", "127.0.0.1", "--workers", 2]
    )
    command = [ORGBOARD, "web", "--db", database, "--port", port, "--accounts", *how]
    before = nullcontext() if front is None else front(port, outside, pair, folder)
    with before, running([*command, "--base-url", address], folder / "web.log") as program:
        found = wait_until(lambda: LINK.search(program.output()), WITHIN_S, "the link")
        assert f"orgboard is at {address}, and listens at" in program.output()
        yield Place(address, found.group(1), board)
    engine.dispose()


@pytest.mark.parametrize(
    "front", [None, _behind_nginx, _behind_caddy], ids=["own TLS", "nginx", "Caddy"]
)
def test_who_is_led_in_by_the_link_works_below_the_path_and_is_led_back_after_a_sign_in(
    browser: Browser, tmp_path: Path, front: Fronted | None
) -> None:
    with (
        _served(tmp_path, make_pair(tmp_path), front) as place,
        profile_of(browser, any_certificate=True) as profile,
    ):
        page = profile.new_page()
        strays: list[str] = []
        page.on("request", lambda request: _note_stray(request.url, strays))
        refused: list[str] = []
        page.on(
            "response",
            lambda answer: refused.append(answer.url) if answer.status >= 400 else None,
        )
        _make_the_first_account(page, place)
        _look_around(page, place)
        _follow_a_run_that_grows(page, place)
        assert refused == []
        _rename(page, place)
        with profile_of(browser, any_certificate=True) as guests:
            _share(page, guests.new_page(), place)
            _embed(page, guests.new_page(), place)
        _see_oneself(page, place)
        _sign_out_and_in(page, place)
        assert strays == []


def _note_stray(url: str, strays: list[str]) -> None:
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and not parts.path.startswith(PREFIX + "/"):
        strays.append(url)


def _make_the_first_account(page: Page, place: Place) -> None:
    page.goto(place.link)
    expect(page.get_by_role("heading")).to_have_text("Welcome to your board")
    # The secret is out of the address at once.
    expect(page).to_have_url(f"{place.address}/welcome")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Make the account").click()
    expect(page).to_have_url(re.compile(re.escape(PROJECT) + "/scalars"))
    cookies = {cookie.get("name"): dict(cookie) for cookie in page.context.cookies()}
    assert set(cookies) == {"__Host-ob_session", "__Host-ob_csrf"}
    for cookie in cookies.values():
        assert (cookie["path"], cookie["secure"], cookie["sameSite"]) == ("/", True, "Lax")
    assert cookies["__Host-ob_session"]["httpOnly"]


def _look_around(page: Page, place: Place) -> None:
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)
    for name, filled in (("Runs", ".ag-row"), ("Text", ".ob-card"), ("Scalars", ".ob-card")):
        page.locator("#ob-tabs").get_by_role("link", name=name, exact=True).click()
        expect(page).to_have_url(re.compile(re.escape(f"{PROJECT}/{name.lower()}")))
        expect(page.locator(filled).first).to_be_visible()
    page.get_by_label("About cosine/a", exact=True).click()
    expect(page).to_have_url(f"{place.address}/r/{place.board.uids['cosine/a']}")
    page.locator(".ob-logo").click()
    expect(page).to_have_url(re.compile(re.escape(PROJECT) + "/scalars"))


def _follow_a_run_that_grows(page: Page, place: Place) -> None:
    page.goto(f"{place.address}/p/default/board/scalars?t=val")
    wait_until(lambda: page.evaluate(LAST_STEP) == 4990, 30, "the curve")
    for step in (5000, 5010):
        # Told by the event stream: a proxy that held it back would show nothing.
        place.board.log("cosine/a", [scalars("val/loss", [0.5], step=[step])])
        wait_until(lambda to=step: page.evaluate(LAST_STEP) == to, 20, f"step {step}")  # type: ignore[misc]


def _rename(page: Page, place: Place) -> None:
    uid = place.board.uids["cosine/b"]
    asked = {"edits": [{"runs": [uid], "name": "renamed"}]}
    done = page.evaluate("(asked) => ob.change('p/default/board/edits', asked)", asked)
    assert done["changed"] == 1


def _share(page: Page, guest: Page, place: Place) -> None:
    page.goto(f"{place.address}/p/default/board/scalars?t=val")
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)
    page.locator("#ob-views button").first.click()
    page.get_by_text("Share by a link…").click()
    page.get_by_role("button", name="Make a link").click()
    link = page.get_by_label("The link", exact=True).input_value()
    assert link.startswith(f"{place.address}/s#")

    guest.goto(link)

    expect(guest).to_have_url(re.compile(re.escape(f"{place.address}/p/default/board/scalars")))
    expect(guest.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)


def _embed(page: Page, guest: Page, place: Place) -> None:
    page.goto(f"{place.address}/p/default/board/scalars?t=val")
    expect(page.locator(".ob-card .scatterlayer .trace").first).to_be_visible(timeout=30_000)
    page.get_by_role("button", name="More about val/loss").click()
    page.get_by_role("button", name=re.compile("^Embed…")).click()
    page.get_by_label("Sites that may show it, one a line").fill("https://wiki.example.org")
    page.get_by_role("button", name="Make the frame").click()
    address = page.get_by_label("The address alone, where a page asks for one").input_value()
    assert address.startswith(f"{place.address}/embed/")

    answer = guest.goto(address)
    # A proxy leaves the policy as the board wrote it, and passes on what the frame says.
    policy = answer.all_headers()["content-security-policy"] if answer else ""
    assert "frame-ancestors https://wiki.example.org;" in policy
    expect(guest.locator(".scatterlayer .trace").first).to_be_visible(timeout=30_000)
    link = guest.get_by_role("link", name="Open in orgboard").evaluate("(link) => link.href")
    assert link.startswith(f"{place.address}/p/default/board/scalars?")


def _see_oneself(page: Page, place: Place) -> None:
    for name, heading in (("account", "ana"), ("admin/people", "Admin")):
        page.goto(f"{place.address}/{name}")
        expect(page.get_by_role("heading", name=heading, exact=True).first).to_be_visible()


def _sign_out_and_in(page: Page, place: Place) -> None:
    seen = f"{place.address}/p/default/board/runs?q=lr%20%3C%200.5"
    page.goto(seen)
    expect(page.locator(".ag-row").first).to_be_visible()
    out = """async () => {
        const csrf = /__Host-ob_csrf=([0-9a-f]+)/.exec(document.cookie)[1];
        const headers = { "Content-Type": "application/json", "X-CSRFToken": csrf };
        const done = await fetch(`${ob.base()}sign-out`, { method: "POST", headers, body: "{}" });
        return (await done.json()).to;
    }"""
    assert page.evaluate(out) == PREFIX + "/sign-in"
    assert page.context.cookies() == []
    page.reload()
    expect(page).to_have_url(re.compile(re.escape(f"{place.address}/sign-in?next=")))
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(seen)
    expect(page.locator(".ag-row").first).to_be_visible()
