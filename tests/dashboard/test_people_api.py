"""What pages ask about people: accounts, teams, access, directories, links, the audit log."""

from __future__ import annotations

import csv
import io
import time
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update

from orgboard_dashboard.queries.people.audit import Actor, note_down
from orgboard_dashboard.queries.people.links import find_link
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import Person, put, sign_in, two_teams

NEW_PASSWORD = "another long walk, inland"


@pytest.fixture
def ana(board: Board) -> Person:
    """Give who runs a board that has two teams, each with a project and a member."""
    return two_teams(board)


@pytest.fixture
def any_ana(any_board: Board) -> Person:
    """Give the same, once on each engine."""
    return two_teams(any_board)


def signed_in(ana: Person, name: str, *, at: float | None = None) -> Person:
    return sign_in(ana.board, name, at=at)


def names(rows: list[dict[str, Any]], key: str = "name") -> list[str]:
    return [row[key] for row in rows]


def body_of_nothing(board: Person) -> tuple[int, Any]:
    nothing = board.ask("GET", "p/no/body/access")
    return nothing.status_code, nothing.json()


def said(answer: httpx.Response) -> tuple[int, Any]:
    return answer.status_code, answer.json()


def test_runs_that_are_deleted_and_come_back_are_in_the_log(any_ana: Person) -> None:
    ana = any_ana
    uids = [
        ana.board.log(name, [scalars("loss", [1.0])], project="red/one", now=1e9) for name in "ab"
    ]
    live = ana.board.log("live", [scalars("loss", [1.0])], project="red/one")

    ana.post("p/red/one/deletion", {"runs": [*uids, live, "nobody"]})
    ana.post("p/red/one/restoration", {"runs": [uids[0], "nobody"]})
    ana.post("p/red/one/deletion", {"runs": [live]})

    noted = [r for r in ana.get("audit")["records"] if r["action"].startswith("run.")]
    assert [(r["action"], r["actor"], r["subject"], r["after"]) for r in noted] == [
        ("run.restore", "Ana", "red/one", {"runs": 1, "uids": [uids[0]]}),
        ("run.delete", "Ana", "red/one", {"runs": 2, "uids": sorted(uids)}),
    ]


def test_what_a_group_gave_and_somebody_gives_too_is_in_the_log(any_ana: Person) -> None:
    ana = any_ana
    with begin_write(ana.board.engine) as conn:
        conn.execute(update(tables.team_member).values(by_group=1))

    for _ in range(2):
        ana.post("teams/red/members", {"name": "ben", "role": "editor"})

    records = [r for r in ana.get("audit")["records"] if r["action"] == "member.set"]
    assert [r["actor"] for r in records] == ["Ana", "host", "host"]
    first = records[0]
    assert [first["subject"], first["before"], first["after"]] == [
        "red: ben",
        {"role": "editor", "by_group": True},
        {"role": "editor", "by_group": False},
    ]


def test_an_admin_makes_accounts_and_the_links_open_them(any_ana: Person) -> None:
    ana = any_ana
    made = ana.post("accounts", {"name": "zoe"})
    bot = ana.post("accounts", {"name": "bot", "kind": "service"})
    again = ana.ask("POST", "accounts", {"name": "ZOE"})

    assert "link" not in bot
    assert again.status_code == 409
    secret = made["link"].removeprefix("welcome#")
    opened = ana.board.ask(
        "POST", "/welcome", json={"secret": secret, "password": NEW_PASSWORD, "name": ""}
    )
    assert opened.status_code == 200
    listed = {row["name"]: row for row in ana.get("accounts")["accounts"]}
    assert list(listed) == ["Ana", "ben", "bot", "eve", "zoe"]
    assert listed["zoe"]["has_password"] is True
    assert listed["bot"]["kind"] == "service"


def test_a_link_names_the_base_that_the_board_was_given(ana: Person) -> None:
    web = ana.board.web(base_url="https://board.example/")
    with begin_write(ana.board.engine) as conn:
        conn.execute(update(tables.session).values(proved_at=time.time()))
    headers = {"host": "board.example", "cookie": f"__Host-ob_session={ana.secret}"}
    from orgboard_dashboard.accounts.opaque import csrf_of

    made = ana.board.ask(
        "POST",
        "/api/ui/v1/accounts/ben/link",
        web=web,
        json={},
        headers=headers | {"x-csrftoken": csrf_of(ana.secret)},
    ).json()

    assert made["link"].startswith("https://board.example/welcome#")


def test_a_disabled_account_is_out_at_once_and_its_admin_is_the_last_to_go(any_ana: Person) -> None:
    ana = any_ana
    ben = signed_in(ana, "ben")

    ana.post("accounts/ben", {"disabled": True}, "PATCH")
    assert ben.ask("GET", "me").status_code == 401
    last = ana.ask("PATCH", "accounts/ana", {"admin": False})
    assert last.status_code == 409
    ana.post("accounts/ben", {"disabled": False, "admin": True}, "PATCH")
    ana.post("accounts/ana", {"admin": False}, "PATCH")
    assert ana.ask("GET", "accounts").status_code == 404
    assert len(signed_in(ana, "ben").get("accounts")["accounts"]) == 3


def test_an_invitation_leads_into_a_team(any_ana: Person) -> None:
    ana = any_ana
    made = ana.post("invitations", {"team": "red", "role": "editor"})
    plain = ana.post("invitations", {})
    unclear = ana.ask("POST", "invitations", {"team": "red"})

    now = time.time()
    with begin_read(ana.board.engine) as conn:
        link = find_link(conn, made["link"].removeprefix("welcome#"), now)
        other = find_link(conn, plain["link"].removeprefix("welcome#"), now)
    assert link is not None
    assert other is not None
    assert (link.team, link.role) == ("red", Role.EDITOR)
    assert (other.team, other.role) == ("", None)
    assert unclear.status_code == 400


def test_admins_of_a_team_say_who_is_in_it_and_members_see_who_is(any_ana: Person) -> None:
    ana = any_ana
    ben, eve = signed_in(ana, "ben"), signed_in(ana, "eve")

    told = ben.get("teams/red/members")
    assert (names(told["members"]), told["may_change"]) == (["ben"], False)
    assert said(eve.ask("GET", "teams/red/members")) == body_of_nothing(eve)
    put_in = {"name": "eve", "role": "viewer"}
    assert ben.ask("POST", "teams/red/members", put_in).status_code == 403
    assert said(eve.ask("POST", "teams/red/members", put_in)) == body_of_nothing(eve)

    ana.post("teams/red/members", {"name": "ben", "role": "admin"})
    assert ben.get("teams/red/members")["may_change"] is True
    ben.post("teams/red/members", put_in)
    assert names(eve.get("teams/red/members")["members"]) == ["ben", "eve"]
    ben.post("teams/red/projects", {"name": "two", "visibility": "private"})
    ben.post("invitations", {"team": "red", "role": "viewer"})
    assert ben.ask("POST", "invitations", {}).status_code == 403
    assert ben.ask("POST", "teams", {"name": "green"}).status_code == 403
    ben.post("teams/red/members", {"name": "eve", "role": None})
    assert eve.ask("GET", "teams/red/members").status_code == 404


def test_grants_and_visibility_act_on_the_next_request_and_are_foreseen(any_ana: Person) -> None:
    ana = any_ana
    eve = signed_in(ana, "eve")
    path = "p/red/one/access"

    assert eve.ask("GET", "p/red/one/runs").status_code == 404
    foreseen = ana.post(f"{path}/preview", {"name": "eve", "role": "editor"})
    assert [(turn["account"], turn["after"]) for turn in foreseen["gain"]] == [("eve", "editor")]
    assert eve.ask("GET", "p/red/one/runs").status_code == 404
    ana.post(f"{path}/grants", {"name": "eve", "role": "editor"})
    assert eve.ask("GET", "p/red/one/runs").status_code == 200
    foreseen = ana.post(f"{path}/preview", {"visibility": "private"})
    assert [turn["account"] for turn in foreseen["lose"]] == ["ben"]
    ana.post(path, {"visibility": "private"})
    told = ana.get(path)
    assert told["visibility"] == "private"
    assert names(told["grants"]) == ["eve"]
    assert names(told["people"], "account") == ["Ana", "eve"]
    assert told["people"][1]["ways"] == [{"by": "grant", "role": "editor"}]
    ana.post(f"{path}/grants", {"name": "eve", "role": None})
    assert eve.ask("GET", "p/red/one/runs").status_code == 404
    assert ana.get("accounts/eve/access")["projects"][0]["team"] == "blue"


def test_access_is_told_to_who_runs_a_project_and_nobody_else(ana: Person) -> None:
    ben, eve = signed_in(ana, "ben"), signed_in(ana, "eve")
    asked = [
        ("GET", "p/red/one/access", None),
        ("POST", "p/red/one/access", {"visibility": "organisation"}),
        ("POST", "p/red/one/access/grants", {"name": "ben", "role": "admin"}),
        ("POST", "p/red/one/access/preview", {"visibility": "organisation"}),
        ("POST", "p/red/one/access/preview", {"name": "ben", "role": "admin"}),
    ]

    for method, path, body in asked:
        assert ben.ask(method, path, body).status_code == 403
        assert said(eve.ask(method, path, body)) == body_of_nothing(eve)
    put(ana.board, "red/one", "ben", Role.ADMIN)
    for method, path, body in asked:
        assert ben.ask(method, path, body).status_code == 200
    assert [(row["team"], row["project"]) for row in ben.get("places")["places"]] == [
        ("red", "one")
    ]
    assert eve.get("places") == {"places": []}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "accounts", None),
        ("POST", "accounts", {"name": "zoe"}),
        ("PATCH", "accounts/ben", {"admin": True}),
        ("PATCH", "accounts/nobody", {"admin": True}),
        ("POST", "accounts/ana/link", {}),
        ("POST", "accounts/nobody/link", {}),
        ("GET", "accounts/ana/access", None),
        ("GET", "accounts/nobody/access", None),
        ("GET", "directories", None),
        ("GET", "audit", None),
        ("GET", "audit.csv", None),
    ],
)
def test_what_is_for_who_runs_the_board_is_not_there_for_others(
    ana: Person, method: str, path: str, body: Any
) -> None:
    ben = signed_in(ana, "ben")

    assert said(ben.ask(method, path, body)) == body_of_nothing(ben)
    assert names(ana.get("accounts")["accounts"]) == ["Ana", "ben", "eve"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("accounts", {}),
        ("accounts", {"name": "a b"}),
        ("accounts", {"name": "zoe", "kind": "robot"}),
        ("accounts", {"name": "zoe", "admin": "yes"}),
        ("invitations", {"team": "red", "role": "owner"}),
        ("teams", {"name": "a/b"}),
        ("teams/red/members", {"name": "eve", "role": 3}),
        ("teams/red/projects", {"name": "", "visibility": "team"}),
        ("p/red/one/access", {"visibility": "public"}),
        ("p/red/one/access/preview", {}),
    ],
)
def test_what_makes_no_sense_is_a_bad_request(ana: Person, path: str, body: Any) -> None:
    assert ana.ask("POST", path, body).status_code == 400


def test_the_audit_log_is_listed_by_action_and_page_and_as_a_file(any_ana: Person) -> None:
    ana = any_ana
    ana.post("teams/red/members", {"name": "eve", "role": "viewer"})
    with begin_write(ana.board.engine) as conn:
        for n in range(1100):
            # Half a character hides no row after it.
            after = {"description": "\ud800"} if n == 1098 else None
            note_down(conn, Actor(None, "=cmd|x"), "made-up", f"n{n}", time.time(), after=after)

    told = ana.get("audit")
    assert len(told["records"]) == 500
    assert (told["records"][0]["subject"], told["is_all"]) == ("n1099", False)
    assert {"made-up", "member.set", "sign-in"} <= set(told["actions"])
    older = ana.get(f"audit?before={told['records'][-1]['id']}")["records"]
    assert older[0]["subject"] == "n599"
    put_in = ana.get("audit?action=member.set")
    assert put_in["is_all"] is True
    newest = put_in["records"][0]
    assert (newest["actor"], newest["subject"]) == ("Ana", "red: eve")
    assert (newest["before"], newest["after"]) == ({"role": ""}, {"role": "viewer"})

    answer = ana.ask("GET", "audit.csv?action=made-up")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["content-disposition"].startswith("attachment")
    assert [row["subject"] for row in rows] == [f"n{n}" for n in reversed(range(1100))]
    assert {row["actor"] for row in rows} == {"'=cmd|x"}
    assert ana.ask("GET", "audit?before=-1").status_code == 400


def test_no_secret_that_was_told_is_kept_anywhere(ana: Person) -> None:
    links = [
        ana.post("accounts", {"name": "zoe"})["link"],
        ana.post("accounts/ben/link")["link"],
        ana.post("invitations", {"team": "red", "role": "viewer"})["link"],
    ]
    secrets = [link.removeprefix("welcome#") for link in links]

    with begin_read(ana.board.engine) as conn:
        kept = [
            str(value)
            for table in (tables.audit, tables.one_time_link, tables.session)
            for row in conn.execute(select(table))
            for value in row
        ]

    assert all(len(secret) == 43 for secret in secrets)
    assert not any(secret in value for secret in secrets for value in kept)


def test_a_directory_is_assigned_once_it_is_said_who_gains_and_loses_sight(any_ana: Person) -> None:
    ana = any_ana
    ben = signed_in(ana, "ben")
    uid = ana.board.log("run", project="red/one", logdir="/data/faces")
    change = {"path": "/data", "project": "blue/one"}

    told = ana.post("directories", {**change, "trial": True})
    assert (told["logdirs"], told["projects"], told["runs"]) == (["/data/faces"], ["red/one"], 1)
    assert [turn["account"] for turn in told["gain"]] == ["eve"]
    assert [turn["account"] for turn in told["lose"]] == ["ben"]
    assert ben.ask("GET", f"r/{uid}").status_code == 200
    for path, body in (("directories", change), ("directories/drop", change)):
        assert said(ben.ask("POST", path, body)) == body_of_nothing(ben)
        assert said(ben.ask("POST", path, {**body, "trial": True})) == body_of_nothing(ben)

    ana.post("directories", change)
    assert ben.ask("GET", f"r/{uid}").status_code == 404
    assert signed_in(ana, "eve").ask("GET", f"r/{uid}").status_code == 200
    listed = ana.get("directories")
    assert [(row["path"], row["project"]) for row in listed["directories"]] == [
        ("/data/faces", "blue/one")
    ]
    assert [(row["path"], row["project"]) for row in listed["rules"]] == [("/data", "blue/one")]
    ana.post("directories/drop", {"path": "/data"})
    assert ana.get("directories")["rules"] == []
    assert ana.ask("POST", "directories", {**change, "path": "data"}).status_code == 400
    assert ana.ask("POST", "directories", {**change, "project": "blue/no"}).status_code == 404
