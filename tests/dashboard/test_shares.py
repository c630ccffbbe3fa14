"""Share links: what a guest sees, and that it ends."""

from __future__ import annotations

import json
import time

import pytest
from sqlalchemy import update

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.proof import FRESH_S
from orgboard_dashboard.queries.errors import BadQuery, Forbidden, NotFound
from orgboard_dashboard.queries.people.accounts import make_account
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.members import set_member
from orgboard_dashboard.queries.people.shares import (
    NewShare,
    list_shares,
    make_share,
    open_share,
    revoke_share,
)
from orgboard_dashboard.queries.remarks import Moment, add_remark
from orgboard_dashboard.queries.views import NewView, save_view
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import PASSWORD, add_person, sign_in
from support.signing_in import Browser

HOST = SystemViewer()
API = "/api/ui/v1/p/default/board"
PAGE = "/p/default/board/scalars?q=name"


@pytest.fixture
def shared(any_board: Board) -> Board:
    """Give a board with people and two runs, whose project is its team's."""
    any_board.log("first", [scalars("loss", [1.0])])
    any_board.log("second", [scalars("loss", [2.0]), scalars("secret", [3.0])])
    any_board.log("other", [scalars("loss", [9.0])], project="default/elsewhere")
    with begin_write(any_board.engine) as conn:
        make_account(HOST, conn, "ana", time.time(), kind="person")
        set_member(HOST, conn, "default", "ana", Role.EDITOR, time.time())
    return any_board


def link(board: Board, *runs: str, days: int = 30, now: float | None = None) -> tuple[str, str]:
    """Share a page with these runs, or all of them; return the secret and the link's id."""
    secret = new_secret()
    uids = tuple(board.uids[run] for run in runs) or None
    new = NewShare(PAGE, "for the paper", uids, days)
    with begin_write(board.engine) as conn:
        made = make_share(HOST, conn, "default", "board", secret, new, now or time.time())
    return secret, made.id


def test_a_guest_sees_the_page_that_was_shared_and_nothing_else(shared: Board) -> None:
    guest = Browser(shared.web())
    assert guest.asked("GET", f"{API}/runs").status == 401
    secret, _ = link(shared)

    assert guest.asked("POST", "/s", {"secret": secret}).json() == {"to": PAGE}

    listed = guest.asked("GET", f"{API}/runs").json()["runs"]
    projects = guest.asked("GET", "/api/ui/v1/projects").json()
    elsewhere = guest.asked("GET", "/api/ui/v1/p/default/elsewhere/runs")
    nowhere = guest.asked("GET", "/api/ui/v1/p/default/nowhere/runs")
    assert {run["name"] for run in listed} == {"first", "second"}
    assert [row["project"] for row in projects] == ["board"]
    assert (elsewhere.status, elsewhere.body) == (404, nowhere.body)
    assert guest.asked("GET", PAGE).status == 200


def test_a_guest_of_one_run_knows_no_other(shared: Board) -> None:
    with begin_write(shared.engine) as conn:
        add_remark(HOST, conn, "default", "board", Moment(), "of the whole project", 1.0)
        add_remark(HOST, conn, "default", "board", Moment(shared.uids["first"]), "mine", 1.0)
    guest = Browser(shared.web())
    secret, _ = link(shared, "first")
    guest.asked("POST", "/s", {"secret": secret})

    page = guest.asked("GET", f"{API}/runs").json()
    tags = guest.asked("GET", f"{API}/tags?kind=scalar").json()["tags"]
    fields = guest.asked("GET", f"{API}/fields").body
    remarks = guest.asked("GET", f"{API}/remarks").json()["remarks"]

    assert ([run["name"] for run in page["runs"]], page["total"]) == (["first"], 1)
    assert [(tag["name"], tag["runs"]) for tag in tags] == [("loss", 1)]
    assert b"secret" not in fields
    assert [(remark["text"], remark["author"]) for remark in remarks] == [("mine", "")]
    assert guest.asked("GET", f"/api/ui/v1/r/{shared.uids['second']}").status == 404
    told = guest.asked("GET", f"/api/ui/v1/r/{shared.uids['first']}").json()
    # Nor where on the host it is, nor who has an account.
    assert (told["run"]["name"], told["logdir"], told["note"]["author"]) == ("first", "", "")


def test_a_guest_is_not_told_who_keeps_the_view_that_was_shared(shared: Board) -> None:
    new = NewView("scalars", "s=0.9", "ours", for_team=True)
    with begin_write(shared.engine) as conn:
        key = save_view(HOST, conn, "default", "board", new, 1.0).view.id
        conn.execute(update(tables.saved_view).values(owner="ana"))
    guest = Browser(shared.web())
    guest.asked("POST", "/s", {"secret": link(shared)[0]})

    told = guest.asked("GET", f"{API}/views/{key}").json()

    assert (told["view"]["name"], told["view"]["owner"]) == ("ours", "")


def test_a_guest_changes_nothing(shared: Board) -> None:
    guest = Browser(shared.web())
    guest.asked("POST", "/s", {"secret": link(shared)[0]})
    edits = {"edits": [{"runs": [shared.uids["first"]], "starred": True}]}

    answers = [
        guest.asked("POST", f"{API}/edits", edits),
        guest.asked("POST", f"{API}/views", {"page": "scalars", "state": "q=a", "name": "mine"}),
        guest.asked("POST", f"{API}/shares", {"path": PAGE, "title": "more"}),
    ]

    assert [answer.status for answer in answers] == [403, 403, 403]
    assert guest.asked("GET", f"{API}/me").json() == {
        "name": "guest",
        "role": "viewer",
        "can_edit": False,
        "can_delete": False,
        "can_keep": False,
        "can_share": False,
    }


def test_a_link_that_was_revoked_is_over_for_who_opened_it_too(shared: Board) -> None:
    guest = Browser(shared.web())
    secret, share_id = link(shared)
    guest.asked("POST", "/s", {"secret": secret})
    before = guest.asked("GET", f"{API}/runs").status

    with begin_write(shared.engine) as conn:
        revoke_share(HOST, conn, "default", "board", share_id, time.time())

    assert (before, guest.asked("GET", f"{API}/runs").status) == (200, 401)
    again = guest.asked("POST", "/s", {"secret": secret})
    assert again.status == 404
    assert again.json() == guest.asked("POST", "/s", {"secret": new_secret()}).json()


def test_a_link_ends_by_itself(shared: Board) -> None:
    secret, _ = link(shared, days=1, now=time.time() - 86_401.0)

    assert Browser(shared.web()).asked("POST", "/s", {"secret": secret}).status == 404
    assert (
        Browser(shared.web(), cookies={"ob_share": secret}).asked("GET", f"{API}/runs").status
        == 401
    )


def test_who_runs_the_project_shares_it_and_sees_what_was_shared(shared: Board) -> None:
    viewer = Viewer("account", "ana", account_id=1, can_edit=True)
    with begin_read(shared.engine) as conn, pytest.raises(Forbidden):
        list_shares(viewer, conn, "default", "board", time.time())
    with begin_write(shared.engine) as conn:
        set_member(HOST, conn, "default", "ana", Role.ADMIN, time.time())
    secret, share_id = link(shared, "first")
    Browser(shared.web()).asked("POST", "/s", {"secret": secret})

    with begin_read(shared.engine) as conn:
        (listed,) = list_shares(viewer, conn, "default", "board", time.time())
        opened, made = list_records(HOST, conn)[:2]

    assert (listed.id, listed.runs, listed.uses, listed.title) == (share_id, 1, 1, "for the paper")
    assert (opened.action, opened.actor, opened.subject) == ("share.opened", "guest", share_id)
    assert (made.action, made.actor, made.subject[-12:]) == ("share.made", "host", share_id)
    assert json.loads(opened.after) == {"title": "for the paper"}


@pytest.mark.parametrize(
    "new",
    [
        NewShare(PAGE, "", None),
        NewShare(PAGE, "two\nlines", None),
        NewShare(PAGE, "title", (), 1),
        NewShare(PAGE, "title", None, 0),
        NewShare(PAGE, "title", None, 367),
        NewShare(PAGE + "x" * 8000, "title", None),
    ],
)
def test_what_is_out_of_bounds_is_not_shared(shared: Board, new: NewShare) -> None:
    with begin_write(shared.engine) as conn, pytest.raises(BadQuery):
        make_share(HOST, conn, "default", "board", new_secret(), new, 1.0)


def test_a_run_of_another_project_is_not_shared(shared: Board) -> None:
    new = NewShare(PAGE, "title", (shared.uids["first"], shared.uids["other"]))

    with begin_write(shared.engine) as conn, pytest.raises(NotFound):
        make_share(HOST, conn, "default", "board", new_secret(), new, 1.0)


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example", "/", "/docs", "p/a/b"])
def test_only_pages_of_the_board_are_shared(board: Board, path: str) -> None:
    board.log("first", [scalars("loss", [1.0])])
    add_person(board, "boss", is_admin=True)

    refused = sign_in(board, "boss").ask("POST", f"{API}/shares", {"path": path, "title": "a"})

    assert refused.status_code == 400


def test_who_opens_a_link_over_and_over_does_not_fill_the_log(shared: Board) -> None:
    secret, share_id = link(shared)
    minute = 60.0 * (time.time() // 60.0)

    with begin_write(shared.engine) as conn:
        for second in (0, 1, 59, 60, 61, 180):
            assert open_share(conn, secret, "10.0.0.7", minute + second) == PAGE

    with begin_read(shared.engine) as conn:
        noted = list_records(HOST, conn, action="share.opened")
        (listed,) = list_shares(HOST, conn, "default", "board", minute)
    assert [(one.subject, one.at - minute) for one in noted] == [
        (share_id, 180),
        (share_id, 60),
        (share_id, 0),
    ]
    assert listed.uses == 6


def test_a_link_is_made_with_a_fresh_password(any_board: Board) -> None:
    any_board.log("first", [scalars("loss", [1.0])])
    add_person(any_board, "boss", is_admin=True)
    boss = sign_in(any_board, "boss", at=time.time() - FRESH_S - 1)
    new = {"path": PAGE, "title": "a"}

    refused = boss.ask("POST", f"{API}/shares", new)

    assert (refused.status_code, refused.json().get("prove")) == (403, True)
    assert boss.get(f"{API}/shares")["shares"] == []
    boss.post("prove", {"password": PASSWORD})
    boss.post(f"{API}/shares", new)


def test_the_link_is_told_once_with_the_secret_behind_the_hash(board: Board) -> None:
    board.log("first", [scalars("loss", [1.0])])
    add_person(board, "boss", is_admin=True)
    boss = sign_in(board, "boss")

    made = boss.post(f"{API}/shares", {"path": PAGE, "title": "a"})
    listed = boss.get(f"{API}/shares")["shares"]

    base, _, secret = made["link"].partition("#")
    assert (base, len(secret)) == ("http://127.0.0.1:7070/s", 43)
    assert "link" not in listed[0]
    boss.post(f"{API}/shares/{made['id']}", method="DELETE")
    assert boss.get(f"{API}/shares")["shares"] == []
