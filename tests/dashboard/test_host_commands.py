"""`orgboard user`, `team` and `project`: what who has the host does with people."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from orgboard_dashboard.host.project import project
from orgboard_dashboard.host.team import team
from orgboard_dashboard.host.token import token
from orgboard_dashboard.host.user import user
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.people.links import find_link
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.registry import ensure_project
from support.boards import Board, opened
from support.programs import ORGBOARD

NOW = 1.8e9
COMMANDS = {"user": user, "team": team, "project": project, "token": token}
LINK = re.compile(r"^  (https?://\S+)/welcome#([\w-]{43})$", re.MULTILINE)


class Host:
    """The host's commands on one database."""

    def __init__(self, board: Board, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.board = board
        self.url = url
        self._capsys = capsys

    def tried(self, line: str) -> tuple[int, str, str]:
        """Run a command; give its status, and what it says on either stream."""
        name, *arguments = line.split()
        self._capsys.readouterr()
        try:
            status = COMMANDS[name]([*arguments, "--db", self.url])
        except SystemExit as ended:
            status = int(ended.code or 0)
        said = self._capsys.readouterr()
        return status, said.out, said.err

    def run(self, line: str) -> str:
        status, out, err = self.tried(line)
        assert (status, err) == (0, ""), err
        return out

    def told(self, line: str) -> Any:
        return json.loads(self.run(f"{line} --json"))


@pytest.fixture
def host(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Host]:
    url = str(tmp_path / "board.db")
    with opened(url) as board:
        yield Host(board, url, capsys)


@pytest.fixture
def any_host(tables_url: str, capsys: pytest.CaptureFixture[str]) -> Iterator[Host]:
    with opened(tables_url) as board:
        yield Host(board, tables_url, capsys)


def test_people_teams_and_projects_are_made_and_told_of(any_host: Host) -> None:
    host = any_host
    host.run("user add Ana --admin")
    host.run("user add ben")
    host.run("user add bot --service")
    host.run("team add red")
    host.run("team set red BEN editor")
    host.run("project add red/one")
    host.run("project add red/two --visibility private")
    host.run("project grant red/two bot viewer")

    accounts = {row["name"]: (row["kind"], row["is_admin"]) for row in host.told("user list")}
    assert accounts == {
        "Ana": ("person", True),
        "ben": ("person", False),
        "bot": ("service", False),
    }
    assert host.told("team list") == [{"team": "red", "members": 1, "projects": 2}]
    assert [(row["name"], row["role"]) for row in host.told("team members red")] == [
        ("ben", "editor")
    ]
    assert [
        (row["project"], row["visibility"], row["grants"]) for row in host.told("project list")
    ] == [
        ("one", "team", 0),
        ("two", "private", 1),
    ]
    assert [(row["account"], row["role"]) for row in host.told("project who red/two")] == [
        ("Ana", "admin"),
        ("bot", "viewer"),
    ]
    assert [(row["project"], row["role"]) for row in host.told("user sees ben")] == [
        ("one", "editor")
    ]

    host.run("project visibility red/two organisation")
    host.run("team set red ben none")
    host.run("project grant red/two bot none")
    assert [(row["project"], row["role"]) for row in host.told("user sees ben")] == [
        ("two", "viewer")
    ]


def test_tables_for_people_say_why(host: Host) -> None:
    host.run("user add Ana --admin")
    host.run("user add ben")
    host.run("team add red")
    host.run("team set red ben editor")
    host.run("project add red/one --visibility organisation")

    assert host.run("project who red/one").splitlines() == [
        "NAME  KIND    ROLE    WHY",
        "Ana   person  admin   runs the board, everybody may view it",
        "ben   person  editor  editor of the team red, everybody may view it",
    ]
    assert host.run("user sees ben").splitlines() == [
        "PROJECT  ROLE    VISIBILITY    WHY",
        "red/one  editor  organisation  editor of the team red, everybody may view it",
    ]


@pytest.mark.parametrize(
    ("line", "purpose", "account"),
    [
        ("user add ben", "reset", "ben"),
        ("user reset ben", "reset", "ben"),
        ("team invite red editor", "invite", ""),
    ],
)
def test_a_link_is_printed_once_and_opens_what_it_says(
    host: Host, line: str, purpose: str, account: str
) -> None:
    host.run("user add Ana --admin")
    host.run("team add red")
    if line == "user reset ben":
        host.run("user add ben")

    found = LINK.search(host.run(f"{line} --base-url https://board.example/"))

    assert found is not None
    assert found[1] == "https://board.example"
    with begin_read(host.board.engine) as conn:
        made = conn.execute(select(tables.one_time_link.c.created_at)).scalars().all()
        link = find_link(conn, found[2], max(made))
    assert link is not None
    assert (link.purpose, link.account) == (purpose, account)
    if purpose == "invite":
        assert (link.team, link.role and link.role.word) == ("red", "editor")


def test_a_service_gets_no_link_and_a_disabled_account_is_asleep(host: Host) -> None:
    host.run("user add Ana --admin")

    assert "link" not in host.told("user add bot --service")
    host.run("user disable bot")
    assert host.told("user list")[1]["disabled_at"] is not None
    host.run("user enable bot")
    assert host.told("user list")[1]["disabled_at"] is None
    host.run("user admin bot")
    host.run("user admin bot --no")
    assert host.told("user list")[1]["is_admin"] is False


def test_who_adds_people_before_an_admin_is_told(host: Host) -> None:
    status, out, err = host.tried("user add ben")

    assert status == 0
    assert LINK.search(out)
    assert "nobody runs the board yet" in err


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("user add ana", "There is an account of this name already"),
        ("user add ana/b", "A name begins with a letter or digit"),
        ("user disable eve", "there is no account eve"),
        ("user reset eve", "there is no account eve"),
        ("user sees eve", "there is no account eve"),
        ("user disable ANA", "Somebody must run the board"),
        ("user admin ana --no", "Somebody must run the board"),
        ("user reset ana --base-url board.example", "--base-url is like"),
        ("team add red", "There is a team of this name already"),
        ("team set blue ana viewer", "there is no team blue"),
        ("team set red eve viewer", "there is no account eve"),
        ("team set red ana owner", "a role is one of viewer, editor, admin, or none"),
        ("team members blue", "there is no team blue"),
        ("team invite blue", "there is no team blue"),
        ("team invite red none", "an invitation is as"),
        ("project add blue/one", "there is no team blue"),
        ("project add red/one", "The team has a project of this name already"),
        ("project add red/two --visibility public", "A project is seen by one of"),
        ("project visibility red/two team", "there is no project red/two"),
        ("project visibility red/one public", "A project is seen by one of"),
        ("project grant red/one eve viewer", "there is no account eve"),
        ("project grant red/two ana viewer", "there is no project red/two"),
        ("project who /one", "a project is written TEAM/PROJECT"),
        ("project who one", "there is no project one"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_2(host: Host, line: str, words: str) -> None:
    for made in ("user add Ana --admin", "team add red", "project add red/one"):
        host.run(made)
    with begin_read(host.board.engine) as conn:
        before = list_records(SystemViewer(), conn)

    status, out, err = host.tried(line)

    assert (status, out) == (2, "")
    assert words in err
    assert err.startswith("orgboard: ")
    assert err.count("\n") == 1
    with begin_read(host.board.engine) as conn:
        assert list_records(SystemViewer(), conn) == before


def test_every_change_is_in_the_audit_log_as_the_hosts(host: Host) -> None:
    for line in (
        "user add Ana --admin",
        "user add ben",
        "user admin ben",
        "user disable ben",
        "user reset Ana",
        "team add red",
        "team set red ben editor",
        "team invite red",
        "project add red/one",
        "project visibility red/one private",
        "project grant red/one ben admin",
    ):
        host.run(line)

    with begin_read(host.board.engine) as conn:
        records = list_records(SystemViewer(), conn)

    assert {record.actor for record in records} == {"host"}
    assert sorted({record.action for record in records}) == [
        "account.invite",
        "account.made",
        "account.set",
        "grant.set",
        "member.set",
        "password.link",
        "project.made",
        "team.made",
        "visibility.set",
    ]


def test_no_name_makes_a_terminal_do_anything(host: Host) -> None:
    hostile = "red/\x1b[31mred\u202e\x7f\x9b"
    with begin_write(host.board.engine) as conn:
        ensure_project(conn, hostile, now=NOW)
    host.run("user add Ana --admin")

    for line in ("project list", "user sees ana", "project list --json", "user sees ana --json"):
        out = host.run(line)
        assert "31mred" in out
        assert all(char.isprintable() or char == "\n" for char in out)
    assert host.told("project list")[0]["project"] == hostile.partition("/")[2]


def test_a_database_that_is_not_there_is_told_with_what_makes_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert user(["list", "--db", str(tmp_path / "none.db")]) == 2
    assert "orgboard db upgrade" in capsys.readouterr().err
    assert not (tmp_path / "none.db").exists()


@pytest.mark.slow
def test_the_installed_command_has_them(host: Host) -> None:
    done = subprocess.run(
        [ORGBOARD, "user", "add", "Ana", "--admin", "--db", host.url],
        check=True,
        capture_output=True,
        text=True,
        env={"ORGBOARD_BASE_URL": "https://board.example", "PATH": ""},
    )

    found = LINK.search(done.stdout)
    assert found is not None
    assert found[1] == "https://board.example"


def test_a_token_is_made_shown_once_listed_and_revoked(any_host: Host) -> None:
    host = any_host
    host.run("user add Ana --admin")
    host.run("user add bot --service")
    host.run("team add red")
    host.run("project add red/one")

    said = host.run("token add bot --name ci --for red/one --days 7")
    secret = re.search(r"^  (ob_pat_\w+_[\w-]{43})$", said, re.MULTILINE)
    (listed,) = host.told("token list")

    assert secret
    assert (listed["owner"], listed["name"], listed["scope"]) == ("bot", "ci", "read")
    assert listed["place"] == "red/one"
    assert secret.group(1) not in host.run("token list")
    host.run(f"token revoke {listed['id']}")
    assert host.told("token list") == []
    assert host.tried(f"token revoke {listed['id']}")[0] == 2


def test_what_no_token_can_be_for_is_one_line(host: Host) -> None:
    host.run("user add Ana --admin")
    host.run("user add bot --service")

    for line in (
        "token add nobody --name a",
        "token add bot --name a --for nowhere",
        "token add bot --name a --for no/where",
        "token add bot --name a --days 400",
    ):
        status, out, err = host.tried(line)
        assert (status, out, err.count("\n")) == (2, "", 1)


def test_a_directory_is_assigned_after_a_trial(any_host: Host) -> None:
    host = any_host
    host.board.log("first", project="default/Unassigned", logdir="/data/faces/a")
    host.run("team add red")
    host.run("project add red/one")

    trial = host.told("project assign /data/faces red/one --trial")
    assert (trial["logdirs"], trial["runs"]) == (["/data/faces/a"], 1)
    assert host.told("project rules") == []

    assert "Moved 1 runs" in host.run("project assign /data/faces red/one")
    assert [(r["path"], r["project"]) for r in host.told("project rules")] == [
        ("/data/faces", "red/one")
    ]
    assert [(r["path"], r["project"]) for r in host.told("project directories")] == [
        ("/data/faces/a", "red/one")
    ]
    host.run("project assign /data/faces none")
    assert host.told("project rules") == []
    assert host.tried("project assign data red/one")[0] == 2
