"""Cards in other sites' pages: what a frame is shown, whose sight it has, and that it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, select, update

from orgboard_dashboard import limits
from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.embeds import ENDED
from orgboard_dashboard.queries.people.embeds import list_embeds, revoke_embed
from orgboard_dashboard.queries.people.shares import NewShare, make_share
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boards import Board, scalars
from support.embedding import (
    FRAMED,
    HOST,
    ORIGIN,
    Framed,
    ana_of,
    change,
    embed,
    frame_of,
    header_of,
    look,
    shown_board,
)
from support.signing_in import START, Browser, Clock

API = "/api/ui/v1/p/default/board"
DAY_S = 86_400.0


@pytest.fixture
def shown(any_board: Board) -> Board:
    return shown_board(any_board)


def test_a_frame_is_shown_the_card_and_nothing_else(shown: Board) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", viewer=ana_of(shown), now=START)

    page = asyncio.run(browser.ask("GET", framed.page, **FRAMED))
    reply = look(browser, framed)

    told = header_of(reply)
    assert (page.status, reply.status) == (200, 200)
    assert [run["name"] for run in told["runs"]] == ["first"]
    assert [line["run"] for line in told["cards"][0]["lines"]] == [shown.uids["first"]]
    assert (told["title"], told["name"], told["state"]) == ("Loss of the week", "loss", "s=0")
    assert told["page"] == f"p/default/board/scalars?s=0&sel={shown.uids['first']}&pin=loss"
    said = page.body + reply.body + repr((page.headers, reply.headers)).encode()
    for hidden in ("second", "zqSECRETzq", "zqANAzq", "elsewhere", shown.uids["second"]):
        assert hidden.encode() not in said
    # What there is of it is told to who has the secret.
    assert b"Loss" not in page.body
    assert framed.secret.encode() not in said


def test_only_the_named_origins_may_frame_it_and_only_while_it_stands(shown: Board) -> None:
    browser = frame_of(shown)
    origins = (ORIGIN, "http://localhost:8000")
    framed = embed(shown, "first", now=START, origins=origins)

    def ancestors(path: str) -> tuple[int, str, str]:
        reply = asyncio.run(browser.ask("GET", path, **FRAMED))
        policy = reply.header("content-security-policy")
        (named,) = (each for each in policy.split("; ") if each.startswith("frame-ancestors"))
        return reply.status, named, reply.header("x-frame-options")

    assert ancestors(framed.page) == (200, f"frame-ancestors {' '.join(origins)}", "")
    nobody = (404, "frame-ancestors 'none'", "DENY")
    assert ancestors("/embed/nosuchembed") == nobody
    # The answer with the points is no page, and no page may show it.
    assert ancestors(framed.card) == nobody
    change(shown, lambda conn: revoke_embed(HOST, conn, "default", "board", framed.id, START))
    assert ancestors(framed.page) == nobody
    revoked = asyncio.run(browser.ask("GET", framed.page, **FRAMED))
    assert revoked == asyncio.run(browser.ask("GET", "/embed/nosuchembed", **FRAMED))
    assert ENDED.encode() in revoked.body


def test_the_policy_lets_a_frame_do_nothing_with_authority(shown: Board) -> None:
    framed = embed(shown, "first", now=START)

    policy = asyncio.run(frame_of(shown).ask("GET", framed.page)).header("content-security-policy")

    directives = {each.split(" ")[0]: each.partition(" ")[2] for each in policy.split("; ")}
    assert "unsafe" not in policy
    assert directives["default-src"] == "'none'"
    assert directives["form-action"] == directives["base-uri"] == "'none'"
    assert directives["script-src"] == directives["connect-src"] == "'self'"
    allowed = "allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox"
    assert directives["sandbox"] == allowed


def _member_no_more(conn: Connection) -> None:
    conn.execute(delete(tables.team_member))


def _disabled(conn: Connection) -> None:
    conn.execute(update(tables.account).values(disabled_at=START))


def _private(conn: Connection) -> None:
    conn.execute(update(tables.project).values(visibility="private"))


def _revoked(conn: Connection) -> None:
    conn.execute(update(tables.embed).values(revoked_at=START))


@pytest.mark.parametrize("end", [_member_no_more, _disabled, _private, _revoked])
def test_what_its_maker_may_not_see_any_more_is_gone_with_the_next_request(
    shown: Board, end: Callable[[Connection], None]
) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", viewer=ana_of(shown), now=START)
    before = look(browser, framed).status

    change(shown, end)

    after = look(browser, framed)
    assert (before, after.status, after.json()) == (200, 404, {"error": ENDED})
    for other in (Framed("nosuchembed", framed.secret), Framed(framed.id, new_secret())):
        reply = look(browser, other)
        assert (reply.status, reply.body) == (404, after.body)


def test_a_run_that_left_the_project_leaves_the_card(shown: Board) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", "second", viewer=ana_of(shown), now=START)
    names = [run["name"] for run in header_of(look(browser, framed))["runs"]]

    def move(conn: Connection) -> None:
        away = select(tables.run.c.project_id).where(tables.run.c.name == "other")
        here = tables.run.c.name == "second"
        conn.execute(update(tables.run).where(here).values(project_id=conn.scalar(away)))

    change(shown, move)
    told = header_of(look(browser, framed))

    assert (names, [run["name"] for run in told["runs"]]) == (["first", "second"], ["first"])
    assert shown.uids["second"] not in told["page"]
    assert len(told["cards"][0]["lines"]) == 1


def test_a_card_of_the_newest_runs_shows_those_that_come(shown: Board) -> None:
    browser = frame_of(shown)
    state = "q=name%20!%3D%20zqHIDDENzq&sort=-started"
    framed = embed(shown, viewer=ana_of(shown), now=START, state=state)
    before = look(browser, framed)
    shown.log("zqHIDDENzq", [scalars("loss", [7.0])], now=START + 2)
    shown.log("zqOTHERzq", [scalars("another tag", [7.0])], now=START + 2)
    shown.log("third", [scalars("loss", [4.0])], now=START + 3)

    after = look(browser, framed)

    assert {run["name"] for run in header_of(before)["runs"]} == {"first", "second"}
    assert {run["name"] for run in header_of(after)["runs"]} == {"first", "second", "third"}
    # A run without a curve is none of it.
    assert b"zqOTHERzq" not in after.body
    # What it filters by is the maker's business.
    assert b"zqHIDDENzq" not in after.body


def test_a_filter_that_is_none_any_more_says_nothing_of_the_project(shown: Board) -> None:
    framed = embed(shown, now=START, state="q=zqSECRETz%20%3E%201")

    refused = look(frame_of(shown), framed)

    assert refused.status == 400
    assert refused.json() == {
        "error": "The filter that finds the runs of this card is not understood any more."
    }


def test_a_tag_that_nobody_logged_is_an_empty_card(shown: Board) -> None:
    framed = embed(shown, "first", now=START, tag="no such tag")

    told = header_of(look(frame_of(shown), framed))

    assert told["cards"][0]["lines"] == []


def test_a_metric_names_none_of_the_tags_that_mean_it(shown: Board) -> None:
    with begin_write(shown.engine) as conn:
        metric = {"name": "Cost", "unit": "nats", "direction": "min", "description": ""}
        conn.execute(insert(tables.metric), metric | {"author": "zqANAzq", "changed_at": START})
        for tag, sha in (("loss", b"l" * 32), ("zqSECRETzq", b"s" * 32)):
            alias = {"tag": tag, "tag_sha256": sha, "metric_id": 1, "scale": 1.0}
            conn.execute(insert(tables.metric_alias), alias)
    framed = embed(shown, "second", now=START, tag="metric:Cost")

    reply = look(frame_of(shown), framed)

    told = header_of(reply)
    assert (told["unit"], told["best"], len(told["cards"][0]["lines"])) == ("nats", "min", 1)
    assert b"zqSECRETzq" not in reply.body
    assert b"zqANAzq" not in reply.body


def test_the_secret_of_a_card_opens_that_card_alone(shown: Board) -> None:
    browser = frame_of(shown)
    framed, second = (embed(shown, run, now=START) for run in ("first", "second"))

    def asked(path: str, scheme: str = "Embed", secret: str = framed.secret) -> int:
        said = {"authorization": f"{scheme} {secret}"}
        return asyncio.run(browser.ask("GET", path, **said)).status

    assert asked(framed.card) == 200
    assert asked(framed.card, "embed") == 200
    assert asked(second.card) == 404
    assert asked(framed.card, "Bearer") == asked(framed.card, "Basic") == 404
    assert asked(framed.card, secret="") == asked(framed.card, secret=" ") == 404
    for path in (
        f"{API}/runs",
        f"/api/ui/v1/r/{shown.uids['first']}",
        "/",
        "/p/default/board/runs",
    ):
        assert asked(path) == 404
    for path in ("/api/v1/projects", f"/api/v1/runs/{shown.uids['first']}"):
        assert asked(path) == asked(path, "Bearer") == 401
    assert asked("/metrics") != 200


def test_no_other_secret_opens_a_card_and_its_secret_is_no_cookie(shown: Board) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", now=START)
    share = new_secret()
    made = asyncio.run(_share(shown, browser, share))

    assert look(browser, Framed(framed.id, share)).status == 404
    assert made["to"].startswith("/p/default/board")
    # Who is known by a cookie is not known here, and the card's secret is none.
    assert asyncio.run(browser.ask("GET", framed.card)).status == 404
    guest = frame_of(shown)
    for cookie in ("ob_share", "ob_session"):
        guest.cookies = {cookie: framed.secret}
        assert guest.asked("GET", f"{API}/runs").status == 401
    assert guest.asked("POST", "/s", {"secret": framed.secret}).status == 404
    assert guest.asked("POST", "/welcome/look", {"secret": framed.secret}).status == 404


async def _share(board: Board, browser: Browser, secret: str) -> Any:
    with begin_write(board.engine) as conn:
        new = NewShare("/p/default/board/scalars", "shared", None)
        make_share(HOST, conn, "default", "board", secret, new, START)
    return (await browser.ask("POST", "/s", {"secret": secret})).json()


SITES = ("same-origin", "same-site", "cross-site", "none")


@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("mode", ["navigate", "cors", "no-cors"])
def test_a_frame_is_opened_from_anywhere_and_its_points_asked_by_itself_alone(
    shown: Board, site: str, mode: str
) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", now=START)
    browser.headers |= {"sec-fetch-site": site, "sec-fetch-mode": mode}

    page = asyncio.run(browser.ask("GET", framed.page)).status
    card = look(browser, framed).status

    ours = site in ("same-origin", "none")
    # No page can lead a browser somewhere and have it say the secret.
    assert page == (200 if ours or mode == "navigate" else 403)
    assert card == (200 if ours or mode == "navigate" else 403)


def test_what_has_not_changed_is_not_sent_again(shown: Board) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", now=START)
    first = look(browser, framed)

    again = look(browser, framed, if_none_match=first.header("etag"))
    shown.log("first", [scalars("loss", [0.2], step=[2])], now=START + 1)
    grown = look(browser, framed, if_none_match=first.header("etag"))

    assert (again.status, again.body) == (304, b"")
    assert grown.status == 200
    assert grown.header("cache-control") == "no-store"


def test_that_it_was_shown_is_written_down_once_an_hour(shown: Board) -> None:
    clock = Clock()
    browser = frame_of(shown, clock)
    framed = embed(shown, "first", now=START)
    used = []
    for at in (0.0, 60.0, 3601.0):
        clock.now = START + at
        look(browser, framed)
        with begin_read(shown.engine) as conn:
            (row,) = list_embeds(HOST, conn, "default", "board", START)
        used.append(row.used_at)

    assert used == [START, START, START + 3601.0]


def test_it_ends_by_itself(shown: Board) -> None:
    clock = Clock()
    browser = frame_of(shown, clock)
    framed = embed(shown, "first", now=START, days=1)

    clock.now = START + DAY_S - 1
    before = (look(browser, framed).status, browser.asked("GET", framed.page).status)
    clock.now = START + DAY_S
    after = (look(browser, framed).status, browser.asked("GET", framed.page).status)

    assert (before, after) == ((200, 200), (404, 404))


def test_who_tries_secrets_is_counted_where_that_comes_from(
    shown: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = frame_of(shown)
    framed = embed(shown, "first", now=START)
    monkeypatch.setattr(limits, "OF_NETWORK", limits.Allowance(burst=5, per_s=1))
    browser.web.gate._limits = limits.Limits(lambda: 0.0)

    statuses = [look(browser, Framed(framed.id, new_secret())).status for _ in range(7)]

    assert statuses == [404] * 5 + [429] * 2
    # Who has the secret is counted by the card, and not held up by them.
    assert look(browser, framed).status == 200
