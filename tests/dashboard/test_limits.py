"""How much one may ask: enough for a hundred people behind one address, and not without end."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import delete, event

from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.limits import (
    COSTS,
    OF_ACCOUNT,
    OF_NETWORK,
    OF_SESSION,
    OF_SHARE,
    OF_TOKEN,
    OF_WORDS,
    SAYING,
    Limits,
    cost_of,
    is_said,
)
from orgboard_dashboard.policies import rules_for
from orgboard_dashboard.queries.people.tokens import NewToken, make_token
from orgboard_dashboard.urls import PAGES
from orgboard_dashboard.viewer import LOCAL_VIEWER, SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from support.asgi import Reply
from support.boards import Board, scalars
from support.people import HOST
from support.signing_in import START, Browser, add_person, browser_at

RULES = rules_for(PAGES)


@dataclass(slots=True)
class Seconds:
    """A clock that only goes on when it is told to."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


def account(session: str = "s1", number: int = 1) -> Viewer:
    return Viewer("account", "ana", account_id=number, via=session)


def asked(limits: Limits, viewer: Viewer | None, times: int, *, address: str = "10.0.0.1") -> int:
    """Return how many of so many requests are answered."""
    return sum(limits.ask(viewer, address, 1.0) == 0 for _ in range(times))


@pytest.mark.parametrize(
    ("viewer", "allowance"),
    [
        (account(), OF_SESSION),
        (Viewer("token", "ana", account_id=1, via="t1"), OF_TOKEN),
        (Viewer("share", "guest", via="x1"), OF_SHARE),
        (Viewer("embed", "embed", account_id=1, is_admin=True, via="x1"), OF_SHARE),
        (None, OF_NETWORK),
    ],
)
def test_whoever_asks_has_so_much_at_once_and_so_much_a_second(
    viewer: Viewer | None, allowance: Any
) -> None:
    clock = Seconds()
    limits = Limits(clock)
    burst, rate = int(allowance.burst), int(allowance.per_s)

    assert asked(limits, viewer, burst + 50) == burst
    assert limits.ask(viewer, "10.0.0.1", 1.0) == 1
    clock.now += 2
    assert asked(limits, viewer, 3 * rate) == 2 * rate
    clock.now += 1e6
    assert asked(limits, viewer, burst + 50) == burst


def test_the_wait_that_is_told_is_long_enough_and_a_refusal_costs_nothing() -> None:
    clock = Seconds()
    limits = Limits(clock)
    asked(limits, account(), int(OF_SESSION.burst))
    waits = [limits.ask(account(), "", 3 * OF_SESSION.per_s) for _ in range(5)]

    assert waits == [3] * 5
    clock.now += 3
    assert limits.ask(account(), "", 3 * OF_SESSION.per_s) == 0


def test_one_does_not_ask_in_anothers_name_but_all_sessions_of_an_account_share_a_bucket() -> None:
    limits = Limits(Seconds())
    assert asked(limits, account("s1"), 5000) == OF_SESSION.burst
    assert asked(limits, account("s2"), 10) == 10
    assert asked(limits, account("other", 2), 10) == 10
    assert asked(limits, Viewer("token", "ben", account_id=3, via="t"), 10) == 10

    many = sum(asked(limits, account(f"more{n}"), int(OF_SESSION.burst)) for n in range(12))
    assert many == OF_ACCOUNT.burst - OF_SESSION.burst - 10


def test_who_writes_very_often_waits_and_goes_on_reading() -> None:
    limits = Limits(lambda: 0.0)
    page, other = (Viewer("account", "ana", account_id=1, via=via) for via in ("one", "two"))
    program = Viewer("token", "ana", account_id=1, via="token")

    told = [limits.ask(page, "::1", 1, says=True) for _ in range(int(OF_WORDS.burst))]

    assert set(told) == {0}
    assert [limits.ask(who, "::1", 1, says=True) for who in (page, other, program)] == [1, 1, 1]
    assert limits.ask(page, "::1", 1) == 0
    assert limits.ask(Viewer("account", "ben", account_id=2, via="b"), "::1", 1, says=True) == 0


def test_all_that_makes_a_comment_is_counted_as_said() -> None:
    made = {r for r in RULES.rules if r.method == "POST" and r.path.endswith("/comments")}

    assert {(rule.method, rule.path) for rule in made} == SAYING
    assert all(is_said(rule) for rule in made)


def test_who_is_not_known_is_counted_by_network_and_guests_of_a_link_by_theirs() -> None:
    limits, guest = Limits(Seconds()), Viewer("share", "guest", via="x1")
    assert asked(limits, None, 9999, address="10.0.0.1") == OF_NETWORK.burst
    assert asked(limits, None, 1, address="10.0.0.200") == 0
    assert asked(limits, None, 1, address="10.0.1.1") == 1
    assert asked(limits, None, 1, address="2001:db8::1") == 1
    assert asked(limits, account(), 1, address="10.0.0.1") == 1
    assert asked(limits, guest, 9999, address="10.9.0.1") == OF_SHARE.burst
    assert asked(limits, guest, 1, address="10.9.1.1") == 1


@pytest.mark.parametrize("viewer", [LOCAL_VIEWER, SystemViewer()])
def test_who_is_alone_on_the_machine_is_not_limited(viewer: Viewer) -> None:
    assert asked(Limits(Seconds()), viewer, 50_000) == 50_000


def test_a_hundred_live_browsers_behind_one_address_do_not_meet_it() -> None:
    clock = Seconds()
    limits = Limits(clock)
    people = [account(f"s{n}", n) for n in range(100)]
    # They come within ten seconds, each by the page of the sign-in, and then look for a minute:
    # thirty questions to open a board, and then what two tabs that are live ask.
    sign_in = COSTS["POST", "/sign-in"]
    arrived = [limits.ask(None, "192.0.2.7", cost) for _ in people for cost in (1.0, sign_in, 1.0)]
    opened = [asked(limits, one, 30, address="192.0.2.7") for one in people]
    looked = []
    for _ in range(60):
        clock.now += 1
        looked += [asked(limits, one, 20, address="192.0.2.7") for one in people]

    assert set(arrived) == {0}
    assert set(opened) == {30}
    assert set(looked) == {20}
    # And all of them as one account.
    wall = [account(f"w{n}", 7) for n in range(100)]
    assert {asked(limits, one, 5, address="192.0.2.7") for one in wall} == {5}


def test_what_is_heavy_costs_more_and_is_a_rule_that_there_is() -> None:
    rules = {(rule.method, rule.path): rule for rule in RULES.rules}

    assert COSTS.keys() <= rules.keys()
    assert all(cost_of(rules[key]) == cost for key, cost in COSTS.items())
    ordinary = cost_of(rules["GET", "/api/ui/v1/p/{team}/{project}/runs"])
    assert ordinary == 1
    for path in ("/sign-in", "/api/ui/v1/prove"):
        assert cost_of(rules["POST", path]) >= 10 * ordinary
    assert cost_of(rules["GET", "/api/ui/v1/p/{team}/{project}/export"]) >= 10 * ordinary


def test_buckets_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgboard_dashboard.limits._MOST_KEPT", 100)
    limits = Limits(Seconds())
    for n in range(1000):
        limits.ask(None, f"2001:db8:{n:x}::1", 1.0)

    assert len(limits._buckets) == 100


def _web(board: Board, clock: Seconds) -> Web:
    return create_app(WebConfig(accounts=True), board.engine, clock=lambda: START, monotonic=clock)


async def _until_refused(browser: Browser, path: str, most: int, **headers: str) -> list[Reply]:
    replies: list[Reply] = []
    while len(replies) < most and (not replies or replies[-1].status != 429):
        replies.append(await browser.ask("GET", path, **headers))
    return replies


def test_whoever_asks_too_much_is_told_when_to_ask_again_and_others_are_answered(
    board: Board,
) -> None:
    uid = board.log("a", [scalars("loss", [1.0])])
    add_person(board, "ana", is_admin=True)
    add_person(board, "ben", is_admin=True)
    clock = Seconds()
    web = _web(board, clock)
    ana, ben = browser_at(web), browser_at(web)

    async def ask() -> tuple[list[Reply], Reply, Reply, Reply]:
        await ana.sign_in("ana")
        await ben.sign_in("ben")
        path = f"/api/ui/v1/p/default/board/export?tags=1&runs={uid}"
        told = await _until_refused(ana, path, 100)
        page = await ana.ask("GET", "/", accept="text/html")
        other = await ben.ask("GET", path)
        clock.now += int(told[-1].header("retry-after"))
        return told, page, other, await ana.ask("GET", path)

    told, page, other, later = asyncio.run(ask())

    assert len(told) == OF_SESSION.burst / COSTS["GET", f"{_P}/export"] + 1
    assert {reply.status for reply in told[:-1]} == {200}
    refused = told[-1]
    assert refused.status == 429
    assert "Try again in 1 second." in refused.json()["error"]
    assert refused.header("x-content-type-options") == "nosniff"
    # A page of one's own is refused alike, in words and not in JSON.
    assert (page.status, page.header("content-type")) == (429, "text/html; charset=utf-8")
    assert (other.status, later.status) == (200, 200)


_P = "/api/ui/v1/p/{team}/{project}"


def test_a_program_is_limited_by_its_token_and_a_page_says_so_in_words(board: Board) -> None:
    add_person(board, "ana", is_admin=True)
    token = new_token("tokenoftests")
    with begin_write(board.engine) as conn:
        made = NewToken("mine", owner="ana")
        make_token(HOST, conn, "tokenoftests", token, made, START)
    web = _web(board, Seconds())

    async def ask() -> tuple[int, int, Reply]:
        program, ana = Browser(web), browser_at(web)
        bearer = {"authorization": f"Bearer {token}"}
        answered = await _until_refused(program, "/api/v1/projects", 2000, **bearer)
        await ana.sign_in("ana")
        own = await ana.ask("GET", "/api/ui/v1/me")
        stranger = browser_at(web, "10.7.7.7")
        doors = await _until_refused(stranger, "/sign-in", 9999, accept="text/html")
        return len(answered) - 1, own.status, doors[-1]

    answered, own, door = asyncio.run(ask())

    assert answered == OF_TOKEN.burst
    assert own == 200
    assert (door.status, door.header("retry-after")) == (429, "1")
    assert b"<p>More was asked at once" in door.body


def test_who_tries_ways_in_that_open_nothing_is_counted_where_it_comes_from(board: Board) -> None:
    add_person(board, "ana", is_admin=True)
    web = _web(board, Seconds())

    async def guess() -> tuple[int, int]:
        thief = Browser(web, "10.5.5.5", cookies={"ob_session": "guessed"})
        told = await _until_refused(thief, "/api/ui/v1/projects", 9999)
        ana = browser_at(web, "10.5.5.5")
        return len(told), (await ana.ask("GET", "/sign-in")).status

    tries, door = asyncio.run(guess())

    assert tries == OF_NETWORK.burst + 1
    assert door == 429


def test_who_asks_too_much_is_refused_without_a_question_to_the_database(
    any_board: Board,
) -> None:
    add_person(any_board, "ana", is_admin=True)
    add_person(any_board, "ben", is_admin=True)
    clock, sent = Seconds(), list[str]()
    engine = any_board._served()
    web = create_app(WebConfig(accounts=True), engine, clock=lambda: START, monotonic=clock)
    ana, ben = browser_at(web), browser_at(web)
    me = "/api/ui/v1/me"

    def look(_conn: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        sent.append(statement)

    async def statements(browser: Browser) -> tuple[set[int], int]:
        """Ask some times; return the statuses, and how many statements that took."""
        sent.clear()
        told = {(await browser.ask("GET", me)).status for _ in range(5)}
        return told, len(sent)

    async def scene() -> None:
        for browser, name in ((ana, "ana"), (ben, "ben")):
            await browser.sign_in(name)
            await browser.ask("GET", me)
        guessers = [Browser(web, "10.0.0.7", cookies={"ob_session": f"g{n}"}) for n in range(2)]
        await _until_refused(guessers[0], me, 9999)
        assert [await statements(each) for each in guessers] == [({429}, 0)] * 2
        # Who is known goes on, from the same network; and is refused unasked like everybody.
        assert (await statements(ben))[0] == {200}
        await _until_refused(ana, me, 9999)
        assert await statements(ana) == ({429}, 0)
        assert (await statements(ben))[0] == {200}
        # What let somebody in and does no more, counts as what never did.
        with begin_write(any_board.engine) as conn:
            conn.execute(delete(tables.session))
        assert (await ben.ask("GET", me)).status == 429
        assert await statements(ben) == ({429}, 0)

    event.listen(engine, "before_cursor_execute", look)
    try:
        asyncio.run(scene())
    finally:
        event.remove(engine, "before_cursor_execute", look)


def test_what_is_remembered_of_secrets_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("orgboard_dashboard.limits._MOST_KNOWN", 100)
    limits = Limits(Seconds())
    for n in range(1000):
        limits.knows(f"s{n}", account(f"s{n}"))

    assert len(limits._known) == 100
    assert b"s999" not in limits._known


def test_a_real_clock_is_one_that_only_goes_on(board: Board) -> None:
    web = create_app(WebConfig(), board.engine)

    assert web.gate._limits._clock is time.monotonic
