"""The API for programs: by a token, within its scope and place, and told by its own document."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import anyio
import httpx
import pytest

from orgboard_dashboard.accounts.opaque import new_token
from orgboard_dashboard.app import Web
from orgboard_dashboard.policies import rules_for
from orgboard_dashboard.queries.people.accounts import change_account, make_account
from orgboard_dashboard.queries.people.members import set_member
from orgboard_dashboard.queries.people.tokens import NewToken, make_token, revoke_token
from orgboard_dashboard.urls import PAGES
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars

V1 = "/api/v1"
BOARD = f"{V1}/projects/default/board"
HOST = SystemViewer()


@dataclass(frozen=True, slots=True)
class Program:
    """A program that has a token of ana's to read."""

    board: Board
    web: Web
    token: str
    token_id: str

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None
    ) -> httpx.Response:
        """Ask as a program does: with a token, and with nothing that browsers send."""
        headers = {"authorization": f"Bearer {token or self.token}"}

        async def send() -> httpx.Response:
            transport = httpx.ASGITransport(self.web.gate, raise_app_exceptions=False)
            async with httpx.AsyncClient(
                transport=transport, base_url="http://127.0.0.1:7070", headers=headers
            ) as client:
                return await client.request(method, path, json=body)

        return anyio.run(send)


def token_for(board: Board, new: NewToken, now: float) -> tuple[str, str]:
    """Make a token, and return it with its id."""
    token_id = new_uid()
    token = new_token(token_id)
    with begin_write(board.engine) as conn:
        make_token(HOST, conn, token_id, token, new, now)
    return token, token_id


@pytest.fixture
def program(any_board: Board) -> Program:
    any_board.log("first", [scalars("loss", [1.0, 2.0, 3.0]), scalars("acc", [0.5])])
    any_board.log("second", [scalars("loss", [4.0])])
    any_board.log("other", [scalars("loss", [9.0])], project="default/elsewhere")
    now = time.time()
    with begin_write(any_board.engine) as conn:
        make_account(HOST, conn, "root", now, kind="person", is_admin=True)
        make_account(HOST, conn, "ana", now, kind="person")
        set_member(HOST, conn, "default", "ana", Role.EDITOR, now)
    token, token_id = token_for(any_board, NewToken("ci", owner="ana"), now)
    return Program(any_board, any_board.web(), token, token_id)


def test_a_program_lists_reads_and_changes_runs(program: Program) -> None:
    listed = program.ask("GET", f"{V1}/projects").json()
    runs = program.ask("GET", f"{BOARD}/runs?metric=last:loss&sort=name").json()
    uid = runs["runs"][0]["uid"]
    whole = program.ask("GET", f"{V1}/runs/{uid}").json()
    tags = program.ask("GET", f"{BOARD}/tags").json()["tags"]

    assert [row["project"] for row in listed] == ["board", "elsewhere"]
    assert [(row["name"], row["metrics"]) for row in runs["runs"]] == [
        ("first", {"last:loss": 3.0}),
        ("second", {"last:loss": 4.0}),
    ]
    assert [series["name"] for series in whole["series"]] == ["acc", "loss"]
    assert [tag["name"] for tag in tags] == ["acc", "loss"]


def test_every_point_is_streamed_of_some_tags_or_of_all(program: Program) -> None:
    uid = program.board.uids["first"]

    some = program.ask("GET", f"{BOARD}/points?run={uid}&tag=loss&format=csv").text
    every = program.ask("GET", f"{BOARD}/points?run={uid}").text

    assert [line.split(",")[-1] for line in some.split()[1:]] == ["1.0", "2.0", "3.0"]
    assert len(every.splitlines()) == 4
    assert program.ask("GET", f"{BOARD}/points?run={uid}&format=xml").status_code == 400


def test_a_token_to_write_changes_runs_and_its_owner_is_the_author(program: Program) -> None:
    now = time.time()
    token, _ = token_for(program.board, NewToken("bot", "write", owner="ana"), now)
    uid = program.board.uids["first"]
    edits = {"edits": [{"runs": [uid], "tag": ["baseline"]}]}

    refused = program.ask("POST", f"{BOARD}/edits", edits)
    done = program.ask("POST", f"{BOARD}/edits", edits, token=token)
    noted = program.ask("POST", f"{V1}/runs/{uid}/note", {"text": "**good**"}, token=token)

    assert (refused.status_code, done.json()["changed"]) == (403, 1)
    assert noted.json()["author"] == "ana"
    assert program.ask("GET", f"{V1}/runs/{uid}").json()["run"]["tags"] == ["baseline"]


def test_a_token_of_one_place_knows_no_other(program: Program) -> None:
    new = NewToken("one", owner="ana", team="default", project="elsewhere")
    token, _ = token_for(program.board, new, time.time())
    uid = program.board.uids["first"]

    listed = program.ask("GET", f"{V1}/projects", token=token).json()

    assert [row["project"] for row in listed] == ["elsewhere"]
    assert program.ask("GET", f"{BOARD}/runs", token=token).status_code == 404
    assert program.ask("GET", f"{V1}/runs/{uid}", token=token).status_code == 404


def test_a_token_gives_what_its_owner_may_at_that_moment(program: Program) -> None:
    before = program.ask("GET", f"{BOARD}/runs").status_code
    with begin_write(program.board.engine) as conn:
        set_member(HOST, conn, "default", "ana", None, time.time())
    after = program.ask("GET", f"{BOARD}/runs").status_code

    assert (before, after) == (200, 404)


@pytest.mark.parametrize("end", ["revoked", "over", "asleep", "cut", "another's scheme"])
def test_a_token_that_ended_opens_nothing(program: Program, end: str) -> None:
    now, token = time.time(), program.token
    with begin_write(program.board.engine) as conn:
        if end == "revoked":
            revoke_token(HOST, conn, program.token_id, now)
        if end == "asleep":
            change_account(HOST, conn, "ana", now, is_disabled=True)
    if end == "over":
        token, _ = token_for(program.board, NewToken("old", days=1, owner="ana"), now - 90_000)
    if end == "cut":
        token = token[:-1]
    if end == "another's scheme":
        token = token.removeprefix("ob_pat_")

    refused = program.ask("GET", f"{V1}/projects", token=token)

    assert refused.status_code == 401
    assert "default" not in refused.text


def test_a_token_opens_no_page_and_no_account(program: Program) -> None:
    answers = [program.ask("GET", path).status_code for path in ("/", "/p/default/board/runs")]

    assert answers == [404, 404]


def test_the_document_tells_of_every_route_and_of_no_other(program: Program) -> None:
    document = program.ask("GET", f"{V1}/openapi.json").json()

    told = {(verb.upper(), path) for path, verbs in document["paths"].items() for verb in verbs}
    rules = {
        (rule.method, rule.path)
        for rule in rules_for(PAGES).rules
        if rule.path.startswith(f"{V1}/") and not rule.path.endswith("openapi.json")
    }
    assert told == rules
    assert all(
        verb["description"] for verbs in document["paths"].values() for verb in verbs.values()
    )


def test_the_dictionary_of_metrics_is_read_by_all_and_written_for_who_runs_the_board(
    program: Program,
) -> None:
    board, now = program.board, time.time()
    bound = NewToken("bound", "write", owner="root", team="default")
    tokens = {
        name: token_for(board, new, now)[0]
        for name, new in {
            "anas": NewToken("anas", "write", owner="ana"),
            "reads": NewToken("reads", "read", owner="root"),
            "bound": bound,
            "writes": NewToken("writes", "write", owner="root"),
        }.items()
    }
    said: dict[str, Any] = {"name": "loss", "unit": "nats", "direction": "min"}
    said |= {"aliases": [{"tag": "train/loss"}, {"tag": "bits", "scale": 0.693}]}

    def save(name: str, body: Any) -> httpx.Response:
        return program.ask("POST", f"{V1}/metrics", body, token=tokens[name])

    refused = [save(name, said).status_code for name in ("anas", "reads", "bound")]
    saved = save("writes", said)
    wrong: tuple[Any, ...] = (
        [],
        {},
        {"name": 1},
        {**said, "aliases": {}},
        {**said, "aliases": [1]},
        {**said, "name": "x", "aliases": [{"tag": "t", "scale": "2"}]},
        {**said, "name": "x", "aliases": [{"tag": "t", "scale": True}]},
    )
    listed = program.ask("GET", f"{V1}/metrics").json()["metrics"]

    assert refused == [403, 403, 403]
    assert [(each["tag"], each["scale"]) for each in saved.json()["aliases"]] == [
        *(("loss", 1), ("bits", 0.693), ("train/loss", 1))
    ]
    assert [save("writes", body).status_code for body in wrong] == [400] * len(wrong)
    assert save("writes", said).status_code == 409
    assert listed == [saved.json()]
    dropped = program.ask("POST", f"{V1}/metrics/drop", {"name": "loss"}, token=tokens["writes"])
    assert (dropped.status_code, program.ask("GET", f"{V1}/metrics").json()) == (
        200,
        {"metrics": []},
    )
