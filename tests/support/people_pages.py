"""The pages about people, and what opens on them: a board of two teams, signed in to."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from playwright.sync_api import BrowserContext, Page, expect
from sqlalchemy import Connection, select, update

from orgboard_dashboard.accounts.opaque import csrf_of, new_token
from orgboard_dashboard.queries.comments import OnRun, OnView, add_comment
from orgboard_dashboard.queries.edits import write_note
from orgboard_dashboard.queries.people.tokens import NewToken, make_token
from orgboard_dashboard.queries.views import NewView, save_view
from orgboard_dashboard.queries.watches import watch
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.flush import NewGap, Origin
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.every_state import State
from support.people import HOST, Person, add_person, add_project, put, sign_in
from support.served import Served

__all__ = [
    "DOORS",
    "MARKUP",
    "PEOPLE",
    "PEOPLE_PHONE",
    "let_in",
    "people_of",
    "talk_of",
    "watched_by",
]

MARKUP: Final = "<b onclick=alert(1)>bold"
"""Of a project: markup to whoever takes it for markup."""


def people_of(board: Board) -> Person:
    """Make people, teams and projects; give who runs the board, signed in."""
    add_person(board, "Ana", is_admin=True)
    for name in ("ben", "eve", *(f"person{n:02}" for n in range(14))):
        add_person(board, name)
    add_person(board, "bot", kind="service")
    for project in ("red/one", f"blue/{MARKUP}"):
        board.log(f"of-{project}", [scalars("loss", [3.0, 2.0, 1.0])], project=project)
    add_project(board, "red", "one")
    put(board, "red", "ben", Role.EDITOR)
    put(board, "blue", "eve", Role.ADMIN)
    put(board, "red/one", "bot", Role.VIEWER)
    with begin_write(board.engine) as conn:
        token = NewToken("nightly report", team="red", owner="bot")
        make_token(HOST, conn, "t1", new_token("t1"), token, time.time())
    sign_in(board, "Ana")
    return sign_in(board, "Ana")


def talk_of(board: Board) -> None:
    """Let ben say something of a run and of a view, and name Ana; let a note be written anew."""
    uid, now = board.uids["of-red/one"], time.time()
    with begin_write(board.engine) as conn:
        ben = _viewer(conn, "ben")
        first = add_comment(ben, conn, OnRun(uid), "Why? @Ana\n\n- `lr`", None, now)
        add_comment(ben, conn, OnRun(uid), "**So.** <https://a.example>", first, now)
        view = NewView("scalars", "s=0.3", "for the report", for_team=True)
        key = save_view(ben, conn, "red", "one", view, now).view.id
        add_comment(ben, conn, OnView("red", "one", key), "@Ana this one", None, now)
        at = write_note(ben, conn, uid, "lr is high", None, now - 9).written_at
        write_note(ben, conn, uid, "lr is low", at, now)


def _viewer(conn: Connection, name: str) -> Viewer:
    account = tables.account.c
    row = conn.execute(select(account.account_id, account.is_admin).where(account.name == name))
    account_id, is_admin = row.one()
    return Viewer("account", name, can_edit=True, account_id=account_id, is_admin=is_admin == 1)


def watched_by(board: Board) -> None:
    """Let Ana watch what people talk of, and something become of it."""
    uid, now = board.uids["of-red/one"], time.time()
    with begin_write(board.engine) as conn:
        for run in ("of-red/one", f"of-blue/{MARKUP}"):
            watch(_viewer(conn, "Ana"), conn, board.uids[run], now - 1)
        ben = _viewer(conn, "ben")
        add_comment(ben, conn, OnRun(uid), "It stopped at once, see `loss`.", None, now)
    walls = [now, now + 60]
    for n in range(3):
        points = scalars("val/loss", [3.0, 2.0 + n], wall=walls)
        board.log(f"lr={n}", [points], project="red/one", origin=Origin("gpu1", "ben"))
    gaps = [NewGap(48_104, 312, "payload crc")]
    board.log("of-red/one", [], project="red/one", gaps=gaps, finished="failed")
    of = tables.run.c
    with begin_write(board.engine) as conn:
        began = {"started": walls[0] - 60, "last_event": walls[0]}
        conn.execute(update(tables.run).where(of.started.is_(None)).values(began))


def let_in(context: BrowserContext, served: Served, person: Person) -> None:
    """Give a browser the cookies of a session."""
    named = {"ob_session": person.secret, "ob_csrf": csrf_of(person.secret)}
    context.add_cookies(
        [{"name": key, "value": value, "url": served.address} for key, value in named.items()]
    )


def _seen(*selectors: str) -> Callable[[Page], None]:
    def act(page: Page) -> None:
        for selector in selectors:
            expect(page.locator(selector).first).to_be_visible()

    return act


def _clicked(*steps: tuple[str, str], then: str) -> Callable[[Page], None]:
    """Press what has this role and name, one after the other; then what is meant stands."""

    def act(page: Page) -> None:
        for role, name in steps:
            page.get_by_role(role, name=name, exact=True).click()  # type: ignore[arg-type]
        expect(page.locator(then).first).to_be_visible()

    return act


def _naming(page: Page) -> None:
    """Begin to name somebody in a comment."""
    page.get_by_label("Comment, in Markdown").click()
    page.keyboard.type("see @b")
    expect(page.get_by_role("option")).to_be_visible()


def _embedding(page: Page) -> None:
    """Begin to let another site's page show a card."""
    page.get_by_role("button", name="More about loss").click()
    page.get_by_role("button", name="Embed… in a page of another site", exact=True).click()
    expect(page.locator(".ob-embed-preview .js-line").first).to_be_visible()


def _framed(page: Page) -> None:
    """Make a frame of it."""
    _embedding(page)
    page.get_by_label("Sites that may show it, one a line").fill("https://wiki.example.org")
    page.get_by_role("button", name="Make the frame").click()
    expect(page.get_by_role("textbox", name="HTML to paste")).to_be_focused()


_TABLE: Final = _seen(".ob-peoplepage .ob-people")

PEOPLE: Final[dict[str, State]] = {
    "account": ("/account", _TABLE),
    "inbox": ("/account/mentions", _seen(".ob-inbox li .ob-damaged", ".ob-inbox li p")),
    "watched runs": ("/account", _seen("[aria-label='Watched runs']")),
    "a team's feed": ("/t/red/feed", _seen(".ob-feed li .ob-num", ".ob-feed .ob-feedsaid")),
    "a feed of nothing": ("/t/nobody/feed", _seen(".ob-feed .ob-empty")),
    "comments on a run": ("/r/{of-red/one}", _seen(".ob-said mark")),
    "naming somebody": ("/r/{of-red/one}", _naming),
    "what a note said": (
        "/r/{of-red/one}",
        _clicked(("button", "1 earlier version"), then=".ob-diff ins"),
    ),
    "comments on a view": (
        "/p/red/one/scalars",
        _clicked(
            *(("button", "Views"), ("button", "for the report team")),
            *(("button", "1 comment on this view"),),
            then=".ob-side .ob-said",
        ),
    ),
    "people": ("/admin", _TABLE),
    "teams": ("/admin/teams", _TABLE),
    "projects": ("/admin/projects", _TABLE),
    "audit log": ("/admin/audit", _TABLE),
    "everybody's sessions": ("/admin/sessions", _TABLE),
    "storage": ("/admin/storage", _TABLE),
    "a project's storage": ("/admin/storage?team=red&project=one", _TABLE),
    "ingest": ("/admin/ingest", _TABLE),
    "share link": (
        "/p/red/one/scalars",
        _clicked(
            ("button", "Views"),
            ("button", "Share by a link… without an account"),
            then="dialog .ob-seg",
        ),
    ),
    "embedding a card": ("/p/red/one/scalars", _embedding),
    "frame of a card": ("/p/red/one/scalars", _framed),
    "tokens": ("/admin/tokens", _TABLE),
    "assignment": (
        "/admin/directories",
        _clicked(("button", "Assign a directory…"), then="dialog select"),
    ),
    "new token": ("/account", _clicked(("button", "New token…"), then="dialog select")),
    "account menu": ("/account", _clicked(("button", "Account: Ana"), then=".ob-pop")),
    "menu of an account": (
        "/admin",
        _clicked(("button", "What can be done with ben"), then=".ob-acts"),
    ),
    "what somebody sees": (
        "/admin",
        _clicked(
            ("button", "What can be done with ben"),
            ("menuitem", "What ben sees"),
            then="dialog .ob-people",
        ),
    ),
    "new account": ("/admin", _clicked(("button", "New account…"), then="dialog select")),
    "invitation": ("/admin", _clicked(("button", "Invite…"), then="dialog select")),
    "link": (
        "/admin",
        _clicked(("button", "Invite…"), ("button", "Make a link"), then="dialog .ob-secret"),
    ),
    "team": ("/admin/teams", _clicked(("button", "Members of red"), then="dialog .ob-grants")),
    "new project": ("/admin/projects", _clicked(("button", "New project…"), then="dialog select")),
    "access": (
        "/admin/projects",
        _clicked(("button", "Access to red / one"), then="dialog .ob-people"),
    ),
    "what a change does": (
        "/admin/projects",
        _clicked(
            ("button", "Access to red / one"),
            ("radio", "Organisation"),
            then="dialog >> text=Gains sight",
        ),
    ),
}
"""States of pages that Ana has, who runs the board."""

PEOPLE_PHONE: Final = {
    name: PEOPLE[name]
    for name in (
        *("account", "people", "audit log", "team", "access", "share link"),
        *("embedding a card", "frame of a card"),
        *("everybody's sessions", "storage", "ingest"),
        *("inbox", "watched runs", "a team's feed"),
        *("naming somebody", "what a note said", "comments on a view"),
    )
}

DOORS: Final[dict[str, State]] = {
    "sign-in": ("/sign-in", _seen("#sign-in")),
    "back from the provider": ("/sign-in/back", _seen("#on", "text=You are not signed in")),
    "welcome": ("/welcome#nothing", _seen("#title", "text=does not open anything")),
}
"""States of the pages before the board."""
