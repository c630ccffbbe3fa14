"""Sign-in by the organisation's provider, in a browser: there, back, about, and out."""

from __future__ import annotations

import base64
import re
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from zxingcpp import read_barcode

from orgboard_dashboard.accounts.totp import code_at, link_of
from support.by_provider import ANA, connect_by_hand
from support.people import PASSWORD, add_person
from support.provider import CLIENT, SECRET, Answer, Provider, provider_on_loopback
from support.served import Served, serve_example
from support.signing_in import add_person as add_known
from support.waiting import free_port

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with provider_on_loopback() as served:
        yield served


@pytest.fixture(scope="module")
def board(provider: Provider, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Give a board that the provider signs people in to, who come back to this very address."""
    folder = tmp_path_factory.mktemp("provided")
    secret = folder / "secret"
    secret.write_text(SECRET + "\n")
    address = f"http://127.0.0.1:{free_port()}"
    with serve_example(folder, *_flags(provider, address, secret)) as served:
        add_person(served.board, "Ana", is_admin=True)
        add_person(served.board, "ben")
        connect_by_hand(served.board, provider, add_known(served.board, "eve"), "eve")
        yield Served(address, served.board)


def _flags(provider: Provider, address: str, secret: Path) -> list[str]:
    return [
        *("--port", address.rpartition(":")[2], "--base-url", address),
        *("--oidc-issuer", provider.issuer, "--oidc-client-id", CLIENT, "--oidc-name", "Acme"),
        *("--oidc-secret-file", str(secret), "--oidc-groups-claim", "groups"),
    ]


def test_one_signs_in_by_the_button_looks_about_and_signs_out(
    page: Page, board: Served, provider: Provider
) -> None:
    provider.person = {"sub": "eve", "groups": []}
    page.goto(f"{board.address}/account")
    page.get_by_role("button", name="Sign in with Acme").click()

    expect(page).to_have_url(f"{board.address}/account")
    expect(page.get_by_role("heading", name="eve")).to_be_visible()
    expect(page.get_by_label("Sign-in by Acme")).to_contain_text(provider.issuer)
    assert not [one for one in page.context.cookies() if one.get("name") == "ob_provider"]
    page.get_by_role("button", name="Account: eve").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page).to_have_url(re.compile("/sign-in$"))
    page.goto(board.address)
    expect(page.get_by_role("button", name="Sign in with Acme")).to_be_visible()


def test_who_is_not_known_is_told_what_to_do(page: Page, board: Served, provider: Provider) -> None:
    provider.person = {"sub": "nobody here"}
    page.goto(f"{board.address}/sign-in")
    page.get_by_role("button", name="Sign in with Acme").click()

    expect(page.get_by_role("heading", name="You are not signed in")).to_be_visible()
    expect(page.get_by_role("alert")).to_contain_text("connect Acme on your account's page")
    # What the provider put into the address is in no history.
    expect(page).to_have_url(f"{board.address}/sign-in/back")
    page.get_by_role("link", name="To the sign-in").click()
    expect(page.get_by_role("button", name="Sign in with Acme")).to_be_visible()


def test_where_the_provider_is_down_the_page_says_so_and_takes_passwords(
    page: Page, board: Served, provider: Provider
) -> None:
    provider.instead["/token"] = Answer(500, b"")
    page.goto(f"{board.address}/sign-in")
    page.get_by_role("button", name="Sign in with Acme").click()
    expect(page.get_by_role("alert")).to_contain_text("Acme does not answer")
    provider.instead.clear()
    page.get_by_role("link", name="To the sign-in").click()

    _give_password(page, "ben")
    expect(page.get_by_role("button", name="Account: ben")).to_be_visible()


def test_an_account_is_connected_and_a_rule_on_a_group_made_and_ended(
    page: Page, board: Served, provider: Provider
) -> None:
    provider.person = {"sub": ANA, "email": "ana@acme.example"}
    page.goto(f"{board.address}/sign-in?next=/account")
    _give_password(page, "Ana")
    page.get_by_role("button", name="Connect Acme").click()
    expect(page.get_by_role("table", name="Identities")).to_contain_text("ana@acme.example")

    page.goto(f"{board.address}/admin/teams")
    page.get_by_role("button", name="New rule…").click()
    page.get_by_label("Group", exact=True).fill("ml-<b>leads</b>")
    page.get_by_label("Role", exact=True).select_option("editor")
    page.get_by_role("button", name="Make the rule").click()
    row = page.get_by_role("table", name="Groups").get_by_role("row").nth(1)
    expect(row).to_contain_text(re.compile("ml-<b>leads</b>.*default.*editor"))
    page.get_by_role("button", name=re.compile("End what ml-")).click()
    page.get_by_role("button", name="End it").click()
    expect(page.get_by_role("table", name="Groups")).to_have_count(0)


def test_a_second_factor_is_set_up_asked_for_and_ended(page: Page, board: Served) -> None:
    add_person(board.board, "lou")
    page.goto(f"{board.address}/sign-in?next=/account")
    _give_password(page, "lou")
    page.get_by_role("button", name="Set up…").click()
    secret = page.get_by_label("The secret").inner_text()
    seed = base64.b32decode(secret.replace(" ", ""))
    assert scanned(page) == link_of(seed, "lou", "orgboard 127.0.0.1")
    page.emulate_media(color_scheme="dark")
    assert scanned(page) == link_of(seed, "lou", "orgboard 127.0.0.1")
    page.get_by_label("The code that it shows").fill(code_at(seed, int(time.time() // 30)))
    page.get_by_role("button", name="Put it in force").click()
    codes = page.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    code = codes.first.inner_text()
    page.get_by_role("button", name="Close").click()
    expect(page.get_by_label("Second factor")).to_contain_text("10 recovery codes left")

    page.context.clear_cookies()
    page.goto(f"{board.address}/sign-in?next=/account")
    expect(page.get_by_label("Code")).to_be_hidden()
    _give_password(page, "lou")
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_role("alert").first).to_contain_text("That code does not open")
    page.get_by_label("Code").fill(code)
    page.get_by_role("button", name="Sign in", exact=True).click()
    expect(page.get_by_label("Second factor")).to_contain_text("9 recovery codes left")
    page.get_by_role("button", name="End it…").click()
    page.get_by_role("button", name="End it", exact=True).click()
    expect(page.get_by_role("button", name="Set up…")).to_be_visible()


def scanned(page: Page) -> str:
    """Return what a phone reads on the page."""
    picture = page.get_by_role("img", name="QR code").screenshot()
    code = read_barcode(Image.open(BytesIO(picture)))
    assert code is not None
    return code.text


def _give_password(page: Page, name: str) -> None:
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
