"""Comments on runs and views: who reads them, who writes, who takes them back."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sqlalchemy import func, select

from orgboard_dashboard.queries.comments import MAX_CHARS, MAX_OF_ONE, OnRun, add_comment
from orgboard_dashboard.queries.deletions import delete_runs, restore_runs
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.logdirs import move_logdir
from orgboard_schema.sql.registry import ensure_project
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import HOST, Person, add_person, add_project, put, sign_in, two_teams
from support.words import HOSTILE

RED = "p/red/one"


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board of two teams, signed in; each team has a run."""
    for team in ("red", "blue"):
        any_board.log(f"of-{team}", [scalars("loss", [1.0])], project=f"{team}/one", now=1e9)
    return two_teams(any_board)


@pytest.fixture
def ben(ana: Person) -> Person:
    """Give an editor of red."""
    return sign_in(ana.board, "ben")


@pytest.fixture
def vic(ana: Person) -> Person:
    """Give a viewer of red."""
    add_person(ana.board, "vic")
    put(ana.board, "red", "vic", Role.VIEWER)
    return sign_in(ana.board, "vic")


def _on_run(person: Person) -> str:
    return f"r/{person.board.uids['of-red']}/comments"


def _view(person: Person, *, for_team: bool = True) -> str:
    new = {"page": "scalars", "state": "s=0.5", "name": f"v{for_team}", "for_team": for_team}
    key = person.post(f"{RED}/views", new)["view"]["id"]
    return f"{RED}/views/{key}/comments"


def _say(person: Person, path: str, text: str, answers: str | None = None) -> str:
    return str(person.post(path, {"text": text, "answers": answers})["id"])


def _read(person: Person, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get(path)["comments"]
    return found


def test_a_viewer_asks_an_editor_answers_and_both_read_a_thread(ben: Person, vic: Person) -> None:
    for path in (_on_run(ben), _view(ben)):
        first = _say(vic, path, f"why **so** {HOSTILE}")
        answer = _say(ben, path, "because", first)
        # What answers an answer joins its thread.
        again = _say(vic, path, "I see", answer)

        found = _read(ben, path)

        assert [(one["id"], one["answers"], one["author"], one["mine"]) for one in found] == [
            (first, None, "vic", False),
            (answer, first, "ben", True),
            (again, first, "vic", False),
        ]
        assert found[0]["text"] == f"why **so** {HOSTILE}"
        assert found[0]["html"].startswith("<p>why <strong>so</strong> &lt;b&gt;")
        assert vic.get(path)["can_write"]
    assert [run["comments"] for run in vic.get(f"{RED}/runs")["runs"]] == [3]


def test_only_who_wrote_it_changes_it_and_who_runs_the_project_takes_it_back(
    ana: Person, ben: Person, vic: Person
) -> None:
    path = _on_run(ben)
    key = _say(vic, path, "one")

    assert vic.post(f"comments/{key}", {"text": "two"}, "PATCH") == {"id": key}
    for other in (ana, ben):
        assert other.ask("PATCH", f"comments/{key}", {"text": "mine now"}).status_code == 403
    assert ben.ask("DELETE", f"comments/{key}").status_code == 403
    one = _read(ana, path)[0]
    assert (one["text"], one["mine"], one["can_remove"]) == ("two", False, True)
    assert one["changed_at"] >= one["written_at"]
    # What was refused is written down as well, and changed nothing.
    assert _audit(ana.board) == [("ben", key, None)]

    ana.post(f"comments/{key}", method="DELETE")

    assert _read(vic, path) == []
    [(subject, before)] = [row[1:] for row in _audit(ana.board) if row[0] == "Ana"]
    assert subject == key
    assert json.loads(before or "") == {
        "author": "vic",
        "run": ben.board.uids["of-red"],
        "view": None,
    }
    for gone in ("PATCH", "DELETE"):
        assert vic.ask(gone, f"comments/{key}", {"text": "x"}).status_code == 404


def _audit(board: Board) -> list[tuple[str, str, str | None]]:
    of = tables.audit.c
    query = select(of.actor, of.subject, of.before).where(of.action == "comment.removed")
    with begin_read(board.engine) as conn:
        return [tuple(row) for row in conn.execute(query)]


def test_a_view_does_not_take_along_what_others_said_of_it(
    ana: Person, ben: Person, vic: Person
) -> None:
    path = _view(ben)
    view = path.removesuffix("/comments")
    _say(ben, path, "mine")
    theirs = _say(vic, path, "these numbers are wrong")

    refused = ben.ask("DELETE", view)

    assert (refused.status_code, "who runs the project" in refused.text) == (403, True)
    assert [one["text"] for one in _read(vic, path)] == ["mine", "these numbers are wrong"]
    assert _removed_views(ana.board) == []
    # With what is only one's own, it goes; and so it does for who may take theirs back.
    vic.post(f"comments/{theirs}", method="DELETE")
    ben.post(view, method="DELETE")
    again = _view(ben)
    _say(vic, again, "these too")
    ana.post(again.removesuffix("/comments"), method="DELETE")
    assert _removed_views(ana.board) == [("ben", 0), ("Ana", 1)]


def _removed_views(board: Board) -> list[tuple[str, int]]:
    of = tables.audit.c
    done = (of.action == "view.removed") & (of.outcome == "done")
    query = select(of.actor, of.before).where(done).order_by(of.audit_id)
    with begin_read(board.engine) as conn:
        rows = conn.execute(query).all()
    return [(actor, json.loads(before or "")["comments_of_others"]) for actor, before in rows]


def test_what_was_answered_leaves_its_place_until_the_last_answer_goes(
    ben: Person, vic: Person
) -> None:
    path = _on_run(ben)
    first = _say(ben, path, "one")
    answer = _say(vic, path, "two", first)

    ben.post(f"comments/{first}", method="DELETE")

    left = _read(vic, path)
    assert [run["comments"] for run in vic.get(f"{RED}/runs")["runs"]] == [1]
    assert [(one["id"], one["text"], one["removed"]) for one in left] == [
        (first, "", True),
        (answer, "two", False),
    ]
    vic.post(f"comments/{answer}", method="DELETE")
    assert _read(vic, path) == []


def test_who_may_not_see_it_neither_reads_nor_writes_and_learns_nothing(
    ben: Person, vic: Person
) -> None:
    eve = sign_in(ben.board, "eve")
    paths = [_on_run(ben), _view(ben)]
    key = _say(ben, paths[0], "secret")
    nothing = eve.ask("GET", "r/nosuchrun/comments")

    for path in paths:
        for answer in (eve.ask("GET", path), eve.ask("POST", path, {"text": "x"})):
            assert (answer.status_code, answer.content) == (404, nothing.content)
    for method in ("PATCH", "DELETE"):
        answer = eve.ask(method, f"comments/{key}", {"text": "x"})
        assert (answer.status_code, answer.content) == (404, nothing.content)
    # A thread is of one place: a comment of another one is not answered here.
    other = eve.board.uids["of-blue"]
    assert eve.ask("POST", f"r/{other}/comments", {"text": "x", "answers": key}).status_code == 404
    put(ben.board, "red", "vic", None)
    assert vic.ask("GET", paths[0]).status_code == 404


def test_who_came_by_a_link_reads_no_comment_nor_what_a_note_said(ben: Person, ana: Person) -> None:
    board, uid = ben.board, ben.board.uids["of-red"]
    _say(ben, _on_run(ben), "among us")
    view = _view(ben)
    for text in ("first", "second"):
        read = ben.get(f"r/{uid}")["note"]["written_at"]
        ben.post(f"r/{uid}/note", {"text": text, "read": read})
    asked = {"path": "/p/red/one/scalars", "title": "look"}
    secret = ana.post(f"{RED}/shares", asked)["link"].partition("#")[2]
    opened = board.ask("POST", "/s", json={"secret": secret})
    assert opened.status_code == 200, opened.text
    guest = {"cookie": f"ob_share={secret}"}

    def get(path: str) -> Any:
        return board.ask("GET", f"/api/ui/v1/{path}", headers=guest)

    assert get(f"r/{uid}").json()["note"]["text"] == "second"
    assert get(f"r/{uid}").json()["note"]["earlier"] == 0
    assert [run["comments"] for run in get(f"{RED}/runs").json()["runs"]] == [0]
    for path in (_on_run(ben), view, f"r/{uid}/note/versions", f"r/{uid}/note/versions/1"):
        assert get(path).status_code == 404
    answer = board.ask("POST", f"/api/ui/v1/{_on_run(ben)}", json={"text": "x"}, headers=guest)
    assert answer.status_code == 403


def test_a_view_of_ones_own_and_a_long_link_have_no_comments_of_others(
    ben: Person, vic: Person
) -> None:
    own = _view(ben, for_team=False)
    link = ben.post(f"{RED}/views", {"page": "scalars", "state": "q=a"})["view"]["id"]

    _say(ben, own, "for me")

    assert vic.ask("GET", own).status_code == 404
    assert ben.ask("POST", f"{RED}/views/{link}/comments", {"text": "x"}).status_code == 404
    assert [one["text"] for one in _read(ben, own)] == ["for me"]


def test_a_view_goes_with_what_was_said_of_it(ana: Person, ben: Person, vic: Person) -> None:
    path = _view(ben)
    first = _say(vic, path, "@ben look")
    _say(ben, path, "@vic yes", first)
    _say(ben, _on_run(ben), "stays")

    ana.post(path.removesuffix("/comments"), method="DELETE")

    assert vic.ask("GET", path).status_code == 404
    with begin_read(ben.board.engine) as conn:
        left = conn.execute(select(func.count()).select_from(tables.comment)).scalar_one()
        named = conn.execute(select(func.count()).select_from(tables.mention)).scalar_one()
    assert (left, named) == (1, 0)


def test_comments_stay_with_a_run_that_is_deleted_returns_and_moves(
    ana: Person, ben: Person
) -> None:
    path, uid = _on_run(ben), ben.board.uids["of-red"]
    _say(ben, path, "kept")
    with begin_write(ben.board.engine) as conn:
        assert delete_runs(HOST, conn, "red", "one", [uid], time.time()).uids == (uid,)
    assert ben.ask("GET", path).status_code == 404
    with begin_write(ben.board.engine) as conn:
        assert restore_runs(HOST, conn, "red", "one", [uid], time.time()) == 1
    assert [one["text"] for one in _read(ben, path)] == ["kept"]

    add_project(ben.board, "green", "two")
    run = tables.run.c
    with begin_write(ben.board.engine) as conn:
        logdir = conn.execute(select(run.logdir_id).where(run.uid == uid)).scalar_one()
        to = ensure_project(conn, "green/two", now=time.time())
        move_logdir(conn, logdir, to, now=time.time())

    # Who sees it there reads it, and who does not, does not.
    assert ben.ask("GET", path).status_code == 404
    assert [one["text"] for one in _read(ana, path)] == ["kept"]


def test_a_comment_is_a_revision_of_the_run(ben: Person) -> None:
    run = tables.run.c
    query = select(run.revision, run.edits).where(run.uid == ben.board.uids["of-red"])

    def state() -> tuple[int, ...]:
        with begin_read(ben.board.engine) as conn:
            return tuple(conn.execute(query).one())

    seen = [state()]
    key = _say(ben, _on_run(ben), "one")
    seen.append(state())
    ben.post(f"comments/{key}", {"text": "two"}, "PATCH")
    seen.append(state())
    ben.post(f"comments/{key}", method="DELETE")
    seen.append(state())

    assert len({revision for revision, _ in seen}) == len({edits for _, edits in seen}) == 4


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"text": " \n"},
        {"text": "x" * (MAX_CHARS + 1)},
        {"text": 5},
        {"text": "x", "answers": 7},
    ],
)
def test_a_wrong_comment_is_refused_in_words(board: Board, asked: dict[str, Any]) -> None:
    uid = board.log("a", [scalars("loss", [1.0])])

    answer = board.ask("POST", f"/api/ui/v1/r/{uid}/comments", json=asked)

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_of_one_run_there_are_so_many_and_no_more(board: Board) -> None:
    uid = board.log("a", [scalars("loss", [1.0])])
    with begin_write(board.engine) as conn:
        for n in range(MAX_OF_ONE):
            add_comment(HOST, conn, OnRun(uid), str(n), None, float(n))

    with begin_write(board.engine) as conn, pytest.raises(TooMuch, match=str(MAX_OF_ONE)):
        add_comment(HOST, conn, OnRun(uid), "one more", None, 1.0)

    found = board.ask("GET", f"/api/ui/v1/r/{uid}/comments").json()["comments"]
    assert [one["text"] for one in found] == [str(n) for n in range(MAX_OF_ONE)]


def test_very_many_words_are_read_and_the_oldest_of_them_are_not_rendered(board: Board) -> None:
    uid = board.log("a", [scalars("loss", [1.0])])
    with begin_write(board.engine) as conn:
        for n in range(30):
            add_comment(HOST, conn, OnRun(uid), "x" * MAX_CHARS, None, float(n))

    found = board.ask("GET", f"/api/ui/v1/r/{uid}/comments").json()["comments"]

    assert [one["html"] is None for one in found] == [True] * 5 + [False] * 25
    assert {len(one["text"]) for one in found} == {MAX_CHARS}


def test_on_a_board_without_accounts_one_comments_alone(any_board: Board) -> None:
    uid = any_board.log("a", [scalars("loss", [1.0])])
    path = f"/api/ui/v1/r/{uid}/comments"
    made = any_board.ask("POST", path, json={"text": "@you remember"})
    assert made.status_code == 200, made.text
    key = made.json()["id"]
    found = any_board.ask("GET", path).json()["comments"][0]

    assert (found["author"], found["mine"], found["text"]) == ("", True, "@you remember")
    people = any_board.ask("GET", "/api/ui/v1/p/default/board/people")
    assert people.json() == {"names": []}
    assert any_board.ask("GET", "/api/ui/v1/mentions").status_code == 404
    web = any_board.web(read_only=True)
    assert any_board.ask("POST", path, json={"text": "x"}, web=web).status_code == 403
    assert not any_board.ask("GET", path, web=web).json()["can_write"]
    one, web = f"/api/ui/v1/comments/{key}", any_board.web()
    assert any_board.ask("PATCH", one, json={"text": "better"}, web=web).status_code == 200
    assert any_board.ask("DELETE", one, json={}).status_code == 200


@pytest.fixture
def said(ben: Person) -> tuple[Person, str, str]:
    """Give ben, and a writing and a reading token of his."""
    write, read = (
        str(ben.post("tokens", {"name": scope, "scope": scope})["token"])
        for scope in ("write", "read")
    )
    return ben, write, read


def test_a_program_writes_by_a_token_and_reads_every_comment_line_by_line(
    said: tuple[Person, str, str],
) -> None:
    ben, write, read = said
    uid = ben.board.uids["of-red"]
    api = "/api/v1"

    def ask(method: str, path: str, token: str, **more: Any) -> Any:
        headers = {"authorization": f"Bearer {token}"}
        return ben.board.ask(method, api + path, headers=headers, **more)

    assert ask("POST", f"/runs/{uid}/comments", read, json={"text": "x"}).status_code == 403
    key = ask("POST", f"/runs/{uid}/comments", write, json={"text": "done, @Ana"}).json()["id"]
    changed = {"json": {"text": f"failed, @Ana {HOSTILE}"}}
    assert ask("PATCH", f"/comments/{key}", write, **changed).status_code == 200
    _say(ben, _view(ben), "a view")

    found = ask("GET", f"/runs/{uid}/comments", read).json()["comments"]
    assert [(one["id"], one["author"]) for one in found] == [(key, "ben")]
    assert "<mark>@Ana</mark>" in found[0]["html"]

    lines = ask("GET", "/projects/red/one/comments", read)
    assert lines.headers["content-type"].startswith("application/x-ndjson")
    rows = [json.loads(line) for line in lines.text.splitlines()]
    assert [(row["run"], row["view_name"], row["text"]) for row in rows] == [
        (uid, None, f"failed, @Ana {HOSTILE}"),
        (None, "vTrue", "a view"),
    ]
    assert ask("GET", "/projects/blue/one/comments", read).status_code == 404
    # Whom one might name tells who sees what: no program is told.
    people = f"/api/ui/v1/{RED}/people"
    told = ben.board.ask("GET", people, headers={"authorization": f"Bearer {write}"})
    assert told.status_code == 404
    assert ask("DELETE", f"/comments/{key}", write, json={}).status_code == 200


def test_all_comments_of_a_project_come_however_many_there_are(board: Board) -> None:
    uids = [board.log(name, [scalars("loss", [1.0])]) for name in "abc"]
    with begin_write(board.engine) as conn:
        for n in range(1200):
            # Many at the same moment: none is passed over.
            add_comment(HOST, conn, OnRun(uids[n % 3]), str(n), None, float(n // 700))

    lines = board.ask("GET", "/api/v1/projects/default/board/comments").text.splitlines()

    assert sorted(int(json.loads(line)["text"]) for line in lines) == list(range(1200))
