"""Signing in: nothing tells who has an account, and guessing leads nowhere."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest
from sqlalchemy import func, select

from orgboard_dashboard.accounts.delays import FORGET_AFTER_S, OF_NETWORK
from orgboard_dashboard.accounts.names import key_of, name_problem
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.accounts import change_account, make_account
from orgboard_dashboard.signin.places import checked_next
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.signing_in import Browser, Clock, add_person, browser_at, door

WRONG = "another sentence altogether"


def test_a_wrong_password_and_an_unknown_name_look_the_same(any_board: Board) -> None:
    add_person(any_board, "ana")
    web = door(any_board, Clock())

    async def both() -> tuple[Reply, Reply]:
        known = await browser_at(web).sign_in("ana", WRONG)
        return known, await browser_at(web, "10.9.0.1").sign_in("nobody.at.all", WRONG)

    known, unknown = asyncio.run(both())

    assert known.status == 401
    assert known == unknown


def test_an_account_asleep_or_without_a_password_looks_as_if_there_was_none(board: Board) -> None:
    add_person(board, "boss", is_admin=True)
    add_person(board, "gone")
    with begin_write(board.engine) as conn:
        change_account(SystemViewer(), conn, "gone", 1.0, is_disabled=True)
        make_account(SystemViewer(), conn, "robot", 1.0, kind="service")
    web = door(board, Clock())

    async def all_of_them() -> list[Reply]:
        names = ("gone", "robot", "nobody")
        return [await browser_at(web, f"10.{n}.0.1").sign_in(name) for n, name in enumerate(names)]

    gone, robot, nobody = asyncio.run(all_of_them())

    assert gone.status == 401
    assert gone == robot == nobody


@pytest.mark.parametrize("at_once", [False, True], ids=["in a row", "at once"])
def test_of_a_thousand_guesses_at_one_name_a_handful_is_looked_at(
    any_board: Board, at_once: bool
) -> None:
    add_person(any_board, "ana")
    web = door(any_board, Clock())
    # From everywhere, so that it is the name that counts.
    browsers = [browser_at(web, f"10.{n // 200}.{n % 200}.1") for n in range(1000)]

    async def guess_all() -> list[Reply]:
        tries = [browser.sign_in("ana", f"{WRONG} {n}") for n, browser in enumerate(browsers)]
        return list(await asyncio.gather(*tries)) if at_once else [await each for each in tries]

    told = Counter(reply.status for reply in asyncio.run(guess_all()))

    assert set(told) == {401, 429}
    assert 0 < told[401] <= 15


def test_of_a_thousand_names_from_one_network_a_handful_is_looked_at(any_board: Board) -> None:
    web = door(any_board, Clock())
    add_person(any_board, "ana")

    async def guess_all() -> list[Reply]:
        tries = [browser_at(web, f"10.0.0.{n % 250}").sign_in(f"n{n}", WRONG) for n in range(1000)]
        return list(await asyncio.gather(*tries))

    told = Counter(reply.status for reply in asyncio.run(guess_all()))

    assert set(told) == {401, 429}
    assert 0 < told[401] <= 15


def test_a_network_that_waits_leaves_no_rows_and_what_is_old_is_forgotten(
    any_board: Board,
) -> None:
    add_person(any_board, "ana")
    clock = Clock()
    web = door(any_board, clock)

    async def guess_all() -> None:
        browser = browser_at(web)
        for number in range(60):
            await browser.sign_in(f"nobody{number}", WRONG)

    asyncio.run(guess_all())

    # Each that was looked at, and the network.
    assert _rows(any_board) == OF_NETWORK.free + 1
    clock.now += FORGET_AFTER_S + 1
    assert asyncio.run(browser_at(web, "10.9.0.1").sign_in("ana")).status == 200
    assert _rows(any_board) == 1


def _rows(board: Board) -> int:
    with begin_read(board.engine) as conn:
        return int(conn.scalar(select(func.count()).select_from(tables.sign_in_delay)) or 0)


def test_waits_grow_and_end_and_while_one_waits_the_right_password_is_not_looked_at(
    any_board: Board,
) -> None:
    add_person(any_board, "ana")
    clock = Clock()
    ana = browser_at(door(any_board, clock))

    async def guess_on() -> list[int]:
        waits: list[int] = []
        while len(waits) < 12:
            reply = await ana.sign_in("ana", WRONG)
            if reply.status == 429:
                assert (await ana.sign_in("ana")).status == 429
                waits.append(int(reply.header("retry-after")))
                clock.now += waits[-1]
        return waits

    waits = asyncio.run(guess_on())

    assert waits == sorted(waits)
    assert waits[0] <= 2
    assert waits[-1] == 300
    assert asyncio.run(ana.sign_in("ana")).status == 200


def test_a_success_takes_the_wrong_ones_of_a_name_back(any_board: Board) -> None:
    add_person(any_board, "ana")
    ana = browser_at(door(any_board, Clock()))

    async def mistype_often() -> list[int]:
        told = []
        for _ in range(2):
            told += [(await ana.sign_in("ana", WRONG)).status for _ in range(4)]
            told.append((await ana.sign_in("ana")).status)
        return told

    assert asyncio.run(mistype_often()) == [401, 401, 401, 401, 200] * 2


def test_who_claims_to_come_from_elsewhere_is_not_believed(board: Board) -> None:
    add_person(board, "ana")
    web = door(board, Clock())
    guesser = browser_at(web)

    async def guess_all() -> list[Reply]:
        told = []
        for n in range(40):
            guesser.headers["x-forwarded-for"] = f"192.0.{n}.1"
            told.append(await guesser.sign_in(f"name{n}", WRONG))
        return told

    assert sum(reply.status == 401 for reply in asyncio.run(guess_all())) <= 15


@pytest.mark.parametrize(
    ("name", "same"),
    [
        ("ana", "ANA"),
        ("stra\u00dfe", "STRASSE"),
        ("\u00e9lan", "E\u0301LAN"),
        ("\u03c3\u03b1\u03c2", "\u03a3\u0391\u03a3"),
        ("fin", "\ufb01n"),
        ("ana1", "ana\uff11"),
        ("k", "\u212a"),
    ],
)
def test_names_that_are_spelled_alike_are_one(board: Board, name: str, same: str) -> None:
    add_person(board, name)
    browser = browser_at(door(board, Clock()))

    assert key_of(name) == key_of(same)
    assert asyncio.run(browser.sign_in(same)).status == 200


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", "ana ", "a" * 65, ".ana", "_ana", "ana\0", "a\nb", "a/b", "\u202eana"),
        *("an\u200ba", "\ufb01n", "ana\uff11", "e\u0301", "<b>", "a b", "-a", "@ana", "\ud800"),
    ],
)
def test_what_could_be_taken_for_another_name_is_none(name: str) -> None:
    assert name_problem(name) is not None


@pytest.mark.parametrize(
    "name",
    # A Cyrillic a, a Greek o, an Arabic digit among Latin letters.
    [*("\u0430na", "an\u0430", "b\u03bfb", "ana\u0661"), *("host", "HOST", "guest", "Gue\u017ft")],
)
def test_a_name_is_of_one_script_and_not_what_the_log_calls_others(
    any_board: Board, name: str
) -> None:
    with begin_write(any_board.engine) as conn, pytest.raises(BadQuery):
        make_account(SystemViewer(), conn, name, 1.0, kind="person")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "ana.lopez-2",
            "\u0430\u043d\u044f_1",
            "\u03c3\u03bf\u03c6\u03af\u03b1",
            "\u5c71\u7530\u3042\u30ab\u30fc2",
        ),
        *("\uae40\u91d1", "\u0639\u0644\u064a\u0661", "zo\u00eb", "42", "host2", "guests"),
    ],
)
def test_names_of_every_script_are_names(name: str) -> None:
    assert name_problem(name) is None


HOSTILE_NEXTS = [
    *("//evil.example", "///evil.example", "////evil.example/x", "http://evil.example"),
    *("https://evil.example", "HTTPS://EVIL.example", "javascript:alert(1)", "JaVaScRiPt:alert(1)"),
    *(
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "mailto:a@b",
        "blob:x",
        "about:blank",
    ),
    *(
        "/\\evil.example",
        "\\\\evil.example",
        "\\/evil.example",
        "/\\/evil.example",
        "/%5cevil.example",
    ),
    *(
        "/%2f%2fevil.example",
        "/%2fevil.example",
        "%2f%2fevil.example",
        "/.evil.example",
        "/@evil.example",
    ),
    *("http:evil.example", "http:/evil.example", "https:evil.example", "://evil.example", ":80/x"),
    *("/p/a/b/../../../x", "/p/a/b/..", "/p/../..", "/./p/a/b", "/p/a//b", "/p//b", "/r/../x"),
    *(
        "/\tevil.example",
        "/\n/evil.example",
        "/\r\nLocation: x",
        "\t//evil.example",
        " //evil.example",
    ),
    *(
        "/ /evil.example",
        "/\u2028/evil",
        "/\u3000evil",
        "/\uff0fevil.example",
        "\uff0f\uff0fevil.example",
    ),
    *("/p/a/b\0", "/\0", "/sign-out", "/sign-in", "/sign-in?next=//evil.example", "/welcome"),
    *("/api/ui/v1/projects", "/assets/x.js", "/_dash-layout", "/docs", "/nothing", "evil.example"),
    *("p/a/b", "?next=//evil", "#//evil", "/p/a/b/<script>", '/p/a/b"onload=', "/p/a/b/'x"),
    *("/p/a/b/runs/more", "/r/a/b", "/admin/a/b", "/account/x", "/" + "p" * 9000, "/p/a\\b/c"),
]


def test_there_are_sixty_ways_to_lead_elsewhere() -> None:
    assert len(set(HOSTILE_NEXTS)) >= 60


@pytest.mark.parametrize("asked", HOSTILE_NEXTS)
def test_after_signing_in_one_is_led_nowhere_else(asked: str) -> None:
    assert checked_next(asked) == "/"


@pytest.mark.parametrize(
    "asked", ["/", "/p/a/b", "/p/a/b/scalars?q=a%20b&x=wall#c", "/r/abc123", "/account", "/admin"]
)
def test_after_signing_in_one_is_led_on_to_pages_of_the_board(board: Board, asked: str) -> None:
    add_person(board, "ana")
    browser: Browser = browser_at(door(board, Clock()))

    assert asyncio.run(browser.sign_in("ana", to=asked)).json() == {"to": asked}


def test_who_is_nobody_is_led_to_the_sign_in_and_back(board: Board) -> None:
    add_person(board, "ana")
    browser = browser_at(door(board, Clock()))

    page = asyncio.run(browser.ask("GET", "/p/a/b/runs?q=x", accept="text/html"))
    data = asyncio.run(browser.ask("GET", "/api/ui/v1/projects"))

    assert (page.status, page.header("location")) == (303, "/sign-in?next=/p/a/b/runs%3Fq%3Dx")
    assert (data.status, page.body) == (401, b"")
