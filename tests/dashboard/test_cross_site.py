"""Other sites' pages make browsers ask, with their cookies: each combination of what is sent along.

The rules are written here once more, as a function of the four things that count: where the page
was from as the browser says (Sec-Fetch-Site), as it says elsewhere (Origin), what only our pages
know (the token), and whether a form could have sent it (Content-Type).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from itertools import product

import pytest

from orgboard_dashboard.accounts.opaque import csrf_of
from orgboard_dashboard.policies import CHANGING, Policy, rules_for
from orgboard_dashboard.urls import PAGES
from support.asgi import HOST, call
from support.boards import Board, opened, scalars
from support.signing_in import Browser, Clock, add_person, browser_at, door

SITES = ("same-origin", "same-site", "cross-site", "none", None)
ORIGINS = (f"http://{HOST}", "http://evil.example", "null", None)
TOKENS = ("right", "of another", None)
TYPES = ("application/json", "text/plain", "application/x-www-form-urlencoded", None)

ASKED: dict[Policy, tuple[str, str]] = {
    "door": ("POST", "/welcome/look"),
    "view": ("POST", "/api/ui/v1/p/default/board/scalars"),
    "own": ("POST", "/sign-out"),
    "edit": ("POST", "/api/ui/v1/p/default/board/edits"),
}


@pytest.fixture(scope="module")
def ana(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with opened(str(tmp_path_factory.mktemp("sites") / "board.db")) as board:
        board.log("run", [scalars("loss", [1.0])])
        add_person(board, "ana", is_admin=True)
        yield browser_at(door(board, Clock()))


def test_the_matrix_has_every_policy_that_takes_a_body() -> None:
    policies = {rule.policy for rule in rules_for(PAGES).rules if rule.method != "GET"}

    assert policies == set(ASKED)
    assert len(list(product(SITES, ORIGINS, TOKENS, TYPES))) >= 24


@pytest.mark.parametrize("policy", list(ASKED))
def test_only_what_a_page_of_the_board_sends_gets_through(ana: Browser, policy: Policy) -> None:
    method, path = ASKED[policy]

    async def ask_all() -> list[str]:
        wrong: list[str] = []
        status = 401
        for site, origin, token, kind in product(SITES, ORIGINS, TOKENS, TYPES):
            if status == 401 or (status == 200 and policy == "own"):
                # What was sent before has signed out.
                ana.cookies.clear()
                assert (await ana.sign_in("ana")).status == 200
            secret = ana.cookies["ob_session"]
            known = {"right": csrf_of(secret), "of another": csrf_of("another")}
            told = {"host": HOST, "cookie": f"ob_session={secret}", "sec-fetch-site": site}
            told |= {"origin": origin, "content-type": kind, "x-csrftoken": known.get(token or "")}
            sent = {name: value for name, value in told.items() if value is not None}
            body = json.dumps({"nothing": 1}).encode()
            status = (await call(ana.web.gate, method, path, sent, body)).status
            expected = _expected(policy, site, origin, token, kind)
            # Through is what the route itself answers: it is no question, or it is done.
            through = {200, 400, 404}
            if (status in through) != (expected == 0) or (expected and status != expected):
                wrong.append(f"{site} {origin} {token} {kind}: {status}, not {expected}")
        return wrong

    assert asyncio.run(ask_all()) == []


def _expected(
    policy: Policy, site: str | None, origin: str | None, token: str | None, kind: str | None
) -> int:
    """Return the status of the refusal; 0 where there is none."""
    is_own = origin == f"http://{HOST}"
    # A browser that says where the page is from is believed; of an older one, Origin is.
    is_ours = site in ("same-origin", "none") if site is not None else is_own
    if policy in CHANGING:
        # Only from a page of the board: and then nothing that is said may speak against it.
        is_ours = is_ours and site in ("same-origin", None) and (origin is None or is_own)
    if not is_ours:
        return 403
    if policy != "door" and token != "right":  # what it is, not a secret
        return 403
    return 0 if kind == "application/json" else 415


def test_who_sends_a_token_of_programs_is_let_in_nowhere_but_at_the_api(board: Board) -> None:
    add_person(board, "ana")
    browser = browser_at(door(board, Clock()))

    async def ask_all() -> dict[str, int]:
        asked = ("/", "/p/a/b", "/account", "/_dash-layout", "/api/ui/v1/projects")
        told = {path: (await browser.ask("GET", path, authorization="x")).status for path in asked}
        for path in ("/sign-in", "/sign-out", "/welcome"):
            told[path] = (await browser.ask("POST", path, authorization="Bearer x")).status
        return told

    assert set(asyncio.run(ask_all()).values()) == {404}


def test_what_is_open_is_open_to_who_sends_a_token_along(board: Board) -> None:
    browser = browser_at(door(board, Clock()))

    async def ask_all() -> list[int]:
        paths = ("/healthz", "/readyz", "/sign-in", "/assets/ob/boot.js")
        return [(await browser.ask("GET", path, authorization="Basic x")).status for path in paths]

    assert set(asyncio.run(ask_all())) <= {200, 303}
