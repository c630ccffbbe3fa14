"""Sign-in by the organisation's provider: who comes in, and all that brings nobody in."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from copy import copy
from threading import Event
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from sqlalchemy import select

from orgboard_dashboard.provider import asking
from orgboard_dashboard.provider.reasons import Reason, told
from orgboard_dashboard.provider.settings import SECRET_VARIABLE, ProviderSettings
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.by_provider import (
    ANA,
    BASE,
    back,
    known,
    leave,
    records,
    round_trip,
    sessions,
    web_with,
)
from support.provider import CLIENT, SECRET, Answer, Provider, provider_on_loopback
from support.signing_in import Clock, add_person, browser_at, door

FIELDS: Final = (
    *("wrong", "kids", "signs_with", "algorithm", "names_kid", "said_issuer", "error"),
    *("discovery", "instead"),
)
"""Where a provider says what it does wrong."""


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with provider_on_loopback() as served:
        yield served


def test_who_is_known_by_the_provider_comes_in_and_goes_on(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider)

    reply = asyncio.run(round_trip(ana, provider, next="/account"))

    assert reply.json() == {"to": "/account"}
    assert asyncio.run(ana.is_known())
    assert sessions(any_board) == ["identity"]
    assert ("sign-in", "by the provider", "done") in records(any_board)
    # What bound the browser to the way is of no more use.
    assert set(ana.cookies) == {"ob_session", "ob_csrf"}


def test_the_way_there_is_bound_to_this_browser_and_says_no_more_than_it_must(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider, scopes=("groups",))

    address = asyncio.run(leave(ana))

    asked = parse_qs(urlsplit(address).query)
    assert address.startswith(provider.issuer + "/authorize?")
    assert asked["redirect_uri"] == [BASE + "/sign-in/back"]
    assert asked["scope"] == ["openid profile email groups"]
    assert asked["code_challenge_method"] == ["S256"]
    kept = ana.cookies["ob_provider"]
    secrets = {asked[name][0] for name in ("state", "nonce", "code_challenge")}
    assert len(secrets) == 3
    assert not any(secret in kept for secret in secrets)


def _of(**claims: Any) -> Callable[[Provider], None]:
    def tell(provider: Provider) -> None:
        provider.wrong = claims

    return tell


def _with(**fields: Any) -> Callable[[Provider], None]:
    def tell(provider: Provider) -> None:
        for name, value in fields.items():
            setattr(provider, name, value)

    return tell


def _at(path: str, answer: Answer) -> Callable[[Provider], None]:
    def tell(provider: Provider) -> None:
        provider.instead[path] = answer

    return tell


LONG: Final = b'{"id_token": "' + b"x" * 600_000 + b'"}'
DOCUMENT: Final = "/.well-known/openid-configuration"
UNSIGNED: Final = {"id_token_signing_alg_values_supported": ["none", "HS256"]}

DOUBTFUL: Final = {
    "another nonce": _of(nonce="another"),
    "no nonce": _of(nonce=None),
    "a nonce of another type": _of(nonce=5),
    "another audience": _of(aud="another-board"),
    "no audience": _of(aud=None),
    "an empty audience": _of(aud=[]),
    "several audiences without a party": _of(aud=[CLIENT, "another-board"]),
    "another party": _of(azp="another-board"),
    "another issuer": _of(iss="https://login.elsewhere.example"),
    "no issuer": _of(iss=None),
    "expired": _of(exp=lambda now: now - 61),
    "expired since ever": _of(exp=0),
    "no end": _of(exp=None),
    "an end that is no number": _of(exp="tomorrow"),
    "an end that is none": _of(exp=float("nan")),
    "from tomorrow": _of(iat=lambda now: now + 90_000),
    "no beginning": _of(iat=None),
    "not valid yet": _of(nbf=lambda now: now + 90_000),
    "no subject": _of(sub=None),
    "an empty subject": _of(sub=""),
    "a subject of another type": _of(sub=[ANA]),
    "a subject without end": _of(sub="2" * 256),
    "of another access token": _of(at_hash="AAAAAAAAAAAAAAAAAAAAAA"),
    "groups that are no list": _of(groups="admins"),
    "groups that are no names": _of(groups=[["admins"]]),
    "groups kept elsewhere": _of(groups=None, _claim_names={"groups": "src1"}),
    "unsigned": _with(algorithm="none"),
    "unsigned, which it says it may": _with(algorithm="none", discovery=UNSIGNED),
    "signed with what everybody can read": _with(algorithm="HS256"),
    "signed so, which it says it may": _with(algorithm="HS256", discovery=UNSIGNED),
    "signed with a key that is not its": _with(signs_with="another"),
    "unnamed, with a key that is not its": _with(signs_with="another", names_kid=False),
    "unnamed, of several keys": _with(kids=("one", "two"), names_kid=False),
    "signed in a way it does not say": _with(
        discovery={"id_token_signing_alg_values_supported": ["ES256"]}
    ),
    "an answer from elsewhere": _with(said_issuer="https://login.elsewhere.example"),
    "an answer from nowhere": _with(said_issuer=""),
    "a token that is none": _at("/token", Answer(200, b'{"id_token": "a.b.c"}')),
    "a token without end": _at("/token", Answer(200, b'{"id_token": "%s"}' % (b"a" * 200_000))),
    "a broken key": _at("/keys", Answer(200, b'{"keys": [{"kty": "RSA", "kid": "one"}]}')),
}

AWAY: Final = {
    "a broken token endpoint": _at("/token", Answer(500, b"{}")),
    "an answer without end": _at("/token", Answer(200, LONG)),
    "no JSON": _at("/token", Answer(200, b"<html>")),
    "JSON without end": _at("/token", Answer(200, b"[" * 100_000)),
    "a list": _at("/token", Answer(200, b"[]")),
    "no token": _at("/token", Answer(200, b"{}")),
    "a token of another type": _at("/token", Answer(200, b'{"id_token": {"sub": 1}}')),
    "a packed answer": _at("/token", Answer(200, b"{}", {"content-encoding": "gzip"})),
    "a way elsewhere": _at("/token", Answer(307, b"{}", {"location": "/elsewhere"})),
    "no keys": _at("/keys", Answer(200, b'{"keys": 5}')),
    "keys elsewhere": _at("/keys", Answer(302, b"{}", {"location": "/elsewhere"})),
}

NOT_THERE: Final = {
    "an error": _with(error="access_denied"),
    "a refusal": _at("/token", Answer(401, b'{"error": "invalid_client"}')),
}

NO_WAY_THERE: Final = {
    "a document of another": _with(discovery={"issuer": "https://login.elsewhere.example"}),
    "a document elsewhere": _at(DOCUMENT, Answer(302, b"{}", {"location": "/elsewhere"})),
    "a document that is none": _at(DOCUMENT, Answer(200, b"null")),
    "addresses in the clear": _with(discovery={"token_endpoint": "http://login.example/token"}),
    "an address of a script": _with(discovery={"authorization_endpoint": "javascript:alert(1)"}),
}


def test_a_provider_that_misbehaves_brings_nobody_in(any_board: Board, provider: Provider) -> None:
    clock = Clock()
    ana = known(any_board, provider, clock=clock, groups_claim="groups")
    well = {name: copy(getattr(provider, name)) for name in FIELDS}
    faults = [
        *((name, fault, Reason.DOUBTFUL) for name, fault in DOUBTFUL.items()),
        *((name, fault, Reason.AWAY) for name, fault in AWAY.items()),
        *((name, fault, Reason.NOT_THERE) for name, fault in NOT_THERE.items()),
    ]

    async def come(fault: Callable[[Provider], None]) -> Reply:
        # What it said of itself, and its keys, are old by then.
        clock.now += 4000
        for name, value in well.items():
            setattr(provider, name, copy(value))
        fault(provider)
        return await round_trip(ana, provider)

    for name, fault, reason in faults:
        reply = asyncio.run(come(fault))
        assert reply.json() == {"error": told(reason, "Acme")}, name
        noted = ("sign-in", f"by the provider: {reason.value}", "refused")
        assert records(any_board)[-1] == noted, name

    assert sessions(any_board) == []
    assert "ob_session" not in ana.cookies
    assert not asyncio.run(ana.is_known())
    assert len(records(any_board)) == len(faults)
    assert "/elsewhere" not in provider.asked
    # And it was for that, and for nothing else.
    assert asyncio.run(come(lambda _: None)).status == 200


@pytest.mark.parametrize("fault", NO_WAY_THERE.values(), ids=NO_WAY_THERE.keys())
def test_nobody_is_sent_to_a_provider_that_says_of_itself_what_cannot_be(
    board: Board, provider: Provider, fault: Callable[[Provider], None]
) -> None:
    ana = known(board, provider)
    fault(provider)

    reply = asyncio.run(ana.ask("POST", "/sign-in/provider", {}))

    assert reply.status == 503
    assert "Acme does not answer" in reply.json()["error"]
    assert "/elsewhere" not in provider.asked
    assert "ob_provider" not in ana.cookies


def test_a_provider_that_is_slow_is_waited_for_so_long_and_no_longer(
    board: Board, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    released = Event()
    ana = known(board, provider)
    asked = asking.ask_json

    async def impatiently(*args: Any, **more: Any) -> tuple[int, dict[str, Any]]:
        return await asked(*args, **more, within_s=0.3)

    monkeypatch.setattr("orgboard_dashboard.provider.flow.ask_json", impatiently)
    provider.instead["/token"] = Answer(200, b"{}", wait=lambda: released.wait(30))

    try:
        reply = asyncio.run(round_trip(ana, provider))
    finally:
        released.set()

    assert reply.status == 503
    assert sessions(board) == []


def test_where_the_provider_is_down_passwords_open_as_before(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)
    provider.instead["/.well-known/openid-configuration"] = Answer(503, b"")

    async def try_both() -> tuple[Reply, Reply]:
        return await ana.ask("POST", "/sign-in/provider", {}), await ana.sign_in("ana")

    down, opened = asyncio.run(try_both())

    assert down.status == 503
    assert "sign in with your password" in down.json()["error"]
    assert opened.status == 200


def test_a_state_is_good_once_in_its_browser_and_for_ten_minutes(
    any_board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(any_board, provider, clock=clock)
    other = browser_at(ana.web, "10.3.0.1")

    async def misuse() -> list[int]:
        told: list[int] = []
        # Somebody else is sent the way back, having begun one, too.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        await leave(other)
        told.append((await back(other, query)).status)
        # That spent it.
        told.append((await back(ana, query)).status)
        # Too late.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        clock.now += 601
        told.append((await back(ana, query)).status)
        # Once, and with the cookie of that once.
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        cookie = ana.cookies["ob_provider"]
        assert (await back(ana, query)).status == 200
        ana.cookies["ob_provider"] = cookie
        told.append((await back(ana, query)).status)
        # One that was never made; twice in one address; none at all.
        told.append((await back(ana, "?state=made-up&code=code-0")).status)
        told.append((await back(ana, f"{query}&state=another")).status)
        told.append((await back(ana, "")).status)
        return told

    assert asyncio.run(misuse()) == [403] * 7
    assert sessions(any_board) == ["identity"]
    refused = [record for record in records(any_board) if record[2] == "refused"]
    assert len(refused) == 7


def test_who_sends_made_up_states_all_the_time_does_not_fill_the_log(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)

    async def come_often() -> None:
        for number in range(50):
            assert (await back(ana, f"?state={number}&code=x")).status == 403
        # And nobody is kept out by that.
        assert (await round_trip(ana, provider)).status == 200

    asyncio.run(come_often())

    assert len([record for record in records(board) if record[2] == "refused"]) < 20


def test_a_code_that_was_used_before_opens_nothing(any_board: Board, provider: Provider) -> None:
    ana = known(any_board, provider)

    async def use_twice() -> Reply:
        first = await asyncio.to_thread(provider.visit, await leave(ana))
        assert (await back(ana, first)).status == 200
        second = await asyncio.to_thread(provider.visit, await leave(ana))
        code = parse_qs(first[1:])["code"][0]
        state = parse_qs(second[1:])["state"][0]
        told = {"code": code, "state": state, "iss": provider.issuer}
        return await back(ana, "?" + urlencode(told))

    assert asyncio.run(use_twice()).status == 403
    assert len(sessions(any_board)) == 1


def test_a_code_that_somebody_else_began_is_of_no_use_without_the_verifier(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)
    other = browser_at(ana.web, "10.3.0.1")

    async def inject() -> Reply:
        stolen = parse_qs((await asyncio.to_thread(provider.visit, await leave(ana)))[1:])
        own = parse_qs((await asyncio.to_thread(provider.visit, await leave(other)))[1:])
        told = {"code": stolen["code"][0], "state": own["state"][0], "iss": provider.issuer}
        return await back(other, "?" + urlencode(told))

    assert asyncio.run(inject()).status == 403
    assert sessions(board) == []


def test_keys_that_change_are_looked_for_again_and_not_all_the_time(
    board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(board, provider, clock=clock)

    async def change_keys() -> list[int]:
        told = [(await round_trip(ana, provider)).status]
        clock.now += 60
        provider.kids, provider.signs_with = ("two",), "two"
        told.append((await round_trip(ana, provider)).status)
        provider.signs_with = "made up"
        return told + [(await round_trip(ana, provider)).status for _ in range(5)]

    assert asyncio.run(change_keys()) == [200, 200, 403, 403, 403, 403, 403]
    assert provider.asked.count("/keys") == 2
    assert provider.asked.count("/.well-known/openid-configuration") == 1


def test_a_key_that_was_withdrawn_is_believed_an_hour_at_most(
    board: Board, provider: Provider
) -> None:
    clock = Clock()
    ana = known(board, provider, clock=clock)

    async def withdraw() -> list[int]:
        told = [(await round_trip(ana, provider)).status]
        provider.kids = ("two",)
        clock.now += 3601
        told.append((await round_trip(ana, provider)).status)
        return told

    assert asyncio.run(withdraw()) == [200, 403]


@pytest.mark.parametrize(
    "to",
    ["https://elsewhere.example/", "//elsewhere.example", "/\\elsewhere.example", "/sign-out", "x"],
)
def test_after_the_provider_one_is_led_nowhere_else(
    board: Board, provider: Provider, to: str
) -> None:
    assert asyncio.run(round_trip(known(board, provider), provider, next=to)).json() == {"to": "/"}


def test_who_the_provider_knows_and_the_board_does_not_is_found_by_no_name_and_no_address(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "ana")
    provider.person |= {"email": "ana", "preferred_username": "ana", "email_verified": True}
    stranger = browser_at(web_with(any_board, provider))

    reply = asyncio.run(round_trip(stranger, provider))

    assert reply.status == 403
    assert sessions(any_board) == []
    assert records(any_board)[-1][2] == "refused"


def test_an_account_asleep_looks_as_if_there_was_none(any_board: Board, provider: Provider) -> None:
    ana = known(any_board, provider, sign_up=True)
    add_person(any_board, "boss", is_admin=True)
    unknown = browser_at(web_with(any_board, provider))
    with begin_write(any_board.engine) as conn:
        change_account(SystemViewer(), conn, "ana", 1.0, is_disabled=True)

    asleep = asyncio.run(round_trip(ana, provider))
    provider.person = {"sub": "somebody else"}
    nobody = asyncio.run(round_trip(unknown, provider))

    assert asleep.status == 403
    assert asleep.body == nobody.body
    assert sessions(any_board) == []


def test_with_sign_up_a_stranger_gets_an_account_of_its_own(
    any_board: Board, provider: Provider
) -> None:
    add_person(any_board, "ana")
    web = web_with(any_board, provider, sign_up=True)
    provider.person |= {"preferred_username": "ana@acme.example", "email": "ana@acme.example"}

    async def come_twice() -> list[str]:
        names = []
        for address in ("10.0.0.7", "10.0.0.8"):
            browser = browser_at(web, address)
            assert (await round_trip(browser, provider)).status == 200
            names.append((await browser.ask("GET", "/api/ui/v1/me")).json()["name"])
        return names

    assert asyncio.run(come_twice()) == ["ana2", "ana2"]
    assert ("account.made", "ana2", "done") in records(any_board)


@pytest.mark.parametrize(
    ("wish", "name"),
    [
        ("Ana L\u00f3pez", "Ana.L\u00f3pez"),
        ("<img src=x onerror=alert(1)>", "img.src.x.onerror.alert.1"),
        ("../../etc/passwd", "etc.passwd"),
        ("\u202e\0\ud800", "person"),
        ("@@@", "person"),
        ("x" * 500, "x" * 64),
    ],
)
def test_whatever_the_provider_calls_somebody_a_name_comes_of_it(
    board: Board, provider: Provider, wish: str, name: str
) -> None:
    provider.person |= {"preferred_username": wish}
    browser = browser_at(web_with(board, provider, sign_up=True))

    async def come() -> str:
        assert (await round_trip(browser, provider)).status == 200
        return str((await browser.ask("GET", "/api/ui/v1/me")).json()["name"])

    assert asyncio.run(come()) == name


def test_only_who_is_in_a_group_that_is_let_in_comes_in(
    any_board: Board, provider: Provider
) -> None:
    ana = known(any_board, provider, groups_claim="groups", only_groups=("ml", "ops"))

    def come(groups: object) -> int:
        provider.wrong = {"groups": groups}
        return asyncio.run(round_trip(ana, provider)).status

    assert [come(groups) for groups in (["sales"], [], None, ["sales", "ops"])] == [
        *(403, 403, 403),
        200,
    ]


def test_a_board_without_a_provider_offers_none(board: Board) -> None:
    add_person(board, "ana")
    browser = browser_at(door(board, Clock()))

    async def look() -> tuple[int, int, bytes]:
        left = await browser.ask("POST", "/sign-in/provider", {})
        came = await back(browser, "?state=a&code=b")
        return left.status, came.status, (await browser.ask("GET", "/sign-in")).body

    left, came, page = asyncio.run(look())

    assert (left, came) == (404, 404)
    assert b"provider" not in page


def test_the_page_names_the_provider_and_takes_no_markup_from_it(
    board: Board, provider: Provider
) -> None:
    add_person(board, "ana")
    settings = ProviderSettings(provider.issuer, CLIENT, "<b>Acme & Co</b>")
    browser = browser_at(door(board, Clock(), base_url=BASE, provider=settings))

    page = asyncio.run(browser.ask("GET", "/sign-in")).body.decode()

    assert "Sign in with &lt;b&gt;Acme &amp; Co&lt;/b&gt;" in page


def test_no_secret_of_the_provider_is_left_in_the_database_or_told(
    board: Board, provider: Provider
) -> None:
    ana = known(board, provider)

    async def come() -> str:
        query = await asyncio.to_thread(provider.visit, await leave(ana))
        assert (await back(ana, query)).status == 200
        return query

    said = parse_qs(asyncio.run(come())[1:])

    with begin_read(board.engine) as conn:
        rows = [
            json.dumps([str(cell) for cell in row])
            for table in tables.schema.sorted_tables
            for row in conn.execute(select(table))
        ]
    kept = "\n".join(rows)
    for secret in (
        SECRET,
        said["state"][0],
        said["code"][0],
        "an access token",
        ana.cookies["ob_session"],
    ):
        assert secret not in kept
