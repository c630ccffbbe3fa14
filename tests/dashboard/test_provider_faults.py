"""A provider that misbehaves, is slow or is down: nobody comes in, and it is written down."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from copy import copy
from threading import Event
from typing import Any, Final

import pytest

from orgboard_dashboard.provider import asking
from orgboard_dashboard.provider.reasons import Reason, told
from orgboard_dashboard.provider.settings import SECRET_VARIABLE
from support.asgi import Reply
from support.boards import Board
from support.by_provider import (
    ANA,
    known,
    records,
    round_trip,
    sessions,
)
from support.provider import CLIENT, SECRET, Answer, Provider, provider_on_loopback
from support.signing_in import Clock

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


def test_what_the_provider_says_is_one_line_in_the_log(
    board: Board, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    ana = known(board, provider)
    provider.error = "x\nERROR the disk is full\x1b[2J"

    asyncio.run(round_trip(ana, provider))

    told = [record.getMessage() for record in caplog.records if "disk is full" in record.message]
    assert len(told) == 1
    assert told[0].isprintable()


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
