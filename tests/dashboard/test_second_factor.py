"""A second factor: codes of a device beside the password, and recovery codes."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator
from typing import Any, Final

import pytest
from sqlalchemy import select

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.accounts.totp import code_at, link_of, new_recovery_codes, spelled, step_of
from orgboard_dashboard.host.user import user
from orgboard_dashboard.provider.settings import SECRET_VARIABLE
from orgboard_dashboard.queries.people.links import reset
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.asgi import Reply
from support.boards import Board
from support.by_provider import records, round_trip, web_with
from support.provider import SECRET, Provider, provider_on_loopback
from support.signing_in import PASSWORD, START, Browser, Clock, add_person, browser_at, door

API: Final = "/api/ui/v1"
SEED: Final = b"12345678901234567890"
HOST: Final = SystemViewer()


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    monkeypatch.setenv(SECRET_VARIABLE, SECRET)
    with provider_on_loopback() as served:
        yield served


@pytest.mark.parametrize(
    ("at", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2000000000, "279037"),
        (20000000000, "353130"),
    ],
)
def test_codes_are_those_of_the_standard(at: int, code: str) -> None:
    assert code_at(SEED, at // 30) == code
    assert step_of(SEED, code, at, None) == at // 30


def test_a_code_is_good_for_half_a_minute_before_and_after_and_never_after_a_later_one() -> None:
    now, here = 1_000_000_020.0, 1_000_000_020 // 30

    around = [step_of(SEED, code_at(SEED, here + off), now, None) for off in range(-3, 4)]

    assert around == [None, None, here - 1, here, here + 1, None, None]
    assert step_of(SEED, code_at(SEED, here), now, here) is None
    assert step_of(SEED, code_at(SEED, here - 1), now, here) is None
    assert step_of(SEED, code_at(SEED, here + 1), now, here) == here + 1


def test_what_apps_open_names_the_board_and_whose_it_is() -> None:
    link = link_of(SEED, "ana l\u00f3pez&x", "orgboard board.example")

    assert link == (
        "otpauth://totp/orgboard%20board.example:ana%20l%C3%B3pez%26x"
        "?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=orgboard%20board.example"
    )
    assert spelled(SEED) == "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ"
    assert len(set(new_recovery_codes())) == 10


async def put_in_force(browser: Browser, clock: Clock) -> tuple[bytes, list[str]]:
    """Set a second factor up, as the account's page does; return the secret and the codes."""
    made = (await browser.ask("POST", API + "/second-factor")).json()
    seed = base64.b32decode(made["secret"].replace(" ", ""))
    wrong = await browser.ask("POST", API + "/second-factor/confirm", {"code": "000 000 0"})
    assert wrong.status == 400
    code = code_at(seed, int(clock.now // 30))
    body = {"code": f" {code[:3]} {code[3:]} "}
    return seed, (await browser.ask("POST", API + "/second-factor/confirm", body)).json()["codes"]


async def try_in(browser: Browser, code: str = "", password: str = PASSWORD) -> Reply:
    body = {"name": "ana", "password": password, "code": code}
    return await browser.ask("POST", "/sign-in", body)


def test_with_a_second_factor_the_password_alone_opens_nothing(any_board: Board) -> None:
    clock = Clock()
    add_person(any_board, "ana")
    web = door(any_board, clock)

    async def come() -> list[Any]:
        ana = browser_at(web)
        await ana.sign_in("ana")
        seed, codes = await put_in_force(ana, clock)
        now, other = int(clock.now // 30), browser_at(web)
        told: list[Any] = [(await try_in(other)).json()]
        assert "ob_session" not in other.cookies
        # The one that confirmed it was used by that; then a wrong one, and the next.
        told.extend([(await try_in(other, code_at(seed, now + off))).status for off in (0, 40, 1)])
        # Neither that nor an older one opens twice.
        told.extend([(await try_in(browser_at(web), code_at(seed, now + 1))).status])
        clock.now += 60
        told.append((await try_in(browser_at(web), codes[0].upper())).status)
        told.append((await try_in(browser_at(web), codes[0])).status)
        # A wrong password is told as ever, whatever the code.
        told.append((await try_in(browser_at(web), codes[1], "wrong")).status)
        left = (await ana.ask("GET", API + "/second-factor")).json()["recovery_codes"]
        return [*told, left]

    told = asyncio.run(come())

    assert told == [{"second": True}, 401, 401, 200, 401, 200, 401, 401, 9]
    refused = [record for record in records(any_board) if record[2] == "refused"]
    assert [subject for _, subject, _ in refused] == [
        *["wrong second factor"] * 4,
        "wrong name or password",
    ]


def test_of_a_thousand_guesses_at_a_code_a_handful_is_looked_at(any_board: Board) -> None:
    clock = Clock()
    add_person(any_board, "ana")
    web = door(any_board, clock)

    async def guess() -> int:
        ana = browser_at(web)
        await ana.sign_in("ana")
        await put_in_force(ana, clock)
        looked_at = 0
        for number in range(60):
            # From everywhere, and asking for the second step in between wipes nothing out.
            browser = browser_at(web, f"10.{number}.0.1")
            looked_at += (await try_in(browser, f"{number:06}")).status == 401
            await try_in(browser)
        return looked_at

    assert asyncio.run(guess()) <= 15


def test_a_link_to_a_new_password_is_no_way_around(any_board: Board, provider: Provider) -> None:
    clock = Clock()
    add_person(any_board, "ana")
    web = web_with(any_board, provider, clock)
    first = new_secret()

    async def use_links() -> list[Any]:
        ana, thief = browser_at(web), browser_at(web, "10.4.0.1")
        await ana.sign_in("ana")
        await put_in_force(ana, clock)
        with begin_write(any_board.engine) as conn:
            reset(HOST, conn, first, "ana", clock.now)
        told: list[Any] = [(await round_trip(thief, provider, link=first)).status]
        body = {"secret": first, "password": "another long walk, inland"}
        told.append((await thief.ask("POST", "/welcome", body)).json())
        assert "ob_session" not in thief.cookies
        told.append((await try_in(thief, password=body["password"])).json())
        return told

    assert asyncio.run(use_links()) == [403, {"to": "/sign-in"}, {"second": True}]


def test_setting_up_and_ending_wants_fresh_proof_and_is_written_down(any_board: Board) -> None:
    clock = Clock()
    add_person(any_board, "ana")
    ana = browser_at(door(any_board, clock))

    async def come() -> list[int]:
        await ana.sign_in("ana")
        told = [(await ana.ask("POST", API + "/second-factor/confirm", {"code": "1"})).status]
        await put_in_force(ana, clock)
        told.append((await ana.ask("POST", API + "/second-factor")).status)
        clock.now += 601
        told.append((await ana.ask("DELETE", API + "/second-factor")).status)
        told.append((await ana.ask("POST", API + "/second-factor")).status)
        await ana.ask("POST", API + "/prove", {"password": PASSWORD})
        told.append((await ana.ask("DELETE", API + "/second-factor")).status)
        told.append((await try_in(browser_at(ana.web))).status)
        return told

    assert asyncio.run(come()) == [409, 409, 403, 403, 200, 200]
    noted = [record for record in records(any_board) if record[0].startswith("second")]
    assert noted == [("second.set", "ana", "done"), ("second.gone", "ana", "done")]
    assert rows(any_board) == ([], [])


def test_who_runs_the_board_ends_it_for_who_lost_the_device(
    any_board: Board, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = Clock()
    for name in ("ana", "eve"):
        add_person(any_board, name)
    add_person(any_board, "boss", is_admin=True)
    web = door(any_board, clock)
    ana, eve, boss = (browser_at(web, f"10.{n}.0.1") for n in range(3))

    async def end() -> list[Any]:
        for browser, name in ((ana, "ana"), (eve, "eve"), (boss, "boss")):
            await browser.sign_in(name)
        await put_in_force(ana, clock)
        await put_in_force(eve, clock)
        of_ana = f"{API}/accounts/ana/second-factor"
        told: list[Any] = [(await eve.ask("DELETE", of_ana)).status]
        accounts = (await boss.ask("GET", API + "/accounts")).json()["accounts"]
        told.append([row["name"] for row in accounts if row["has_second"]])
        told.append((await boss.ask("DELETE", of_ana)).json())
        told.append((await try_in(browser_at(web))).status)
        return told

    assert asyncio.run(end()) == [404, ["ana", "eve"], {"ended": True}, 200]
    db = ["--db", any_board.engine.url.render_as_string(hide_password=False)]
    assert user(["second-factor", "off", "eve", *db]) == 0
    assert user(["second-factor", "off", "nobody", *db]) == 2
    assert "eve is asked for no second factor any more" in capsys.readouterr().out
    assert rows(any_board) == ([], [])
    assert ("second.gone", "eve", "done") in records(any_board)


def test_recovery_codes_are_kept_as_their_hashes(board: Board) -> None:
    clock = Clock(START)
    add_person(board, "ana")
    ana = browser_at(door(board, clock))

    async def make() -> list[str]:
        await ana.sign_in("ana")
        return (await put_in_force(ana, clock))[1]

    codes = asyncio.run(make())

    kept = str(rows(board)[1])
    assert len(codes) == 10
    assert not any(code in kept or code.replace("-", "") in kept for code in codes)


def rows(board: Board) -> tuple[list[Any], list[Any]]:
    """Return what is kept of second factors, and of recovery codes."""
    with begin_read(board.engine) as conn:
        return (
            list(conn.execute(select(tables.second_factor))),
            list(conn.execute(select(tables.recovery_code))),
        )
