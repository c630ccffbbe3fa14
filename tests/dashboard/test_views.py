"""Saved views: named, personal or the team's, one default of a project; and long links."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orgboard_dashboard.queries import views
from orgboard_dashboard.queries.errors import TooMuch
from orgboard_dashboard.queries.views import MAX_NAME_CHARS, MAX_STATE_BYTES, NewView, save_view
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.engine import begin_write
from support.boards import Board, scalars
from support.words import HOSTILE

PATH = "/api/ui/v1/p/default/board/views"


@pytest.fixture(autouse=True)
def _project(request: pytest.FixtureRequest) -> None:
    for name in {"board", "any_board"} & set(request.fixturenames):
        request.getfixturevalue(name).log("a", [scalars("loss", [1.0])])


def _save(board: Board, name: str | None = "one", **asked: Any) -> dict[str, Any]:
    body = {"name": name, "page": "scalars", "state": "s=0.9", "for_team": True, **asked}
    answer = board.ask("POST", PATH, json=body)
    assert answer.status_code == 200, answer.text
    saved: dict[str, Any] = answer.json()
    return saved


def _save_as(board: Board, viewer: str, name: str, *, for_team: bool) -> str:
    asked = NewView("scalars", "y=log", name, for_team)
    with begin_write(board.engine) as conn:
        who = Viewer(kind="system", name=viewer, can_edit=True)
        return save_view(who, conn, "default", "board", asked, 1.0).view.id


def _change(board: Board, key: str, **asked: Any) -> Any:
    return board.ask("PATCH", f"{PATH}/{key}", json=asked)


def _list(board: Board) -> dict[str, Any]:
    told: dict[str, Any] = board.ask("GET", PATH).json()
    return told


def test_a_view_is_saved_listed_and_read(any_board: Board) -> None:
    saved = _save(any_board, f" {HOSTILE} ", state="q=100%25&sel=aB3,x9Z", for_team=False)
    _save(any_board, "Zebra", page="runs")

    listed = _list(any_board)
    read = any_board.ask("GET", f"{PATH}/{saved['view']['id']}").json()

    assert [row["name"] for row in listed["views"]] == sorted([HOSTILE, "Zebra"])
    assert listed["opening"] is None
    assert read == saved
    assert read["state"] == "q=100%25&sel=aB3,x9Z"
    kept = ("page", "name", "for_team", "is_default")
    assert [read["view"][key] for key in kept] == ["scalars", HOSTILE, False, False]


def test_a_view_is_renamed_replaced_and_deleted(any_board: Board) -> None:
    view = _save(any_board)["view"]
    key, read = view["id"], view["changed_at"]

    renamed = _change(any_board, key, name="two").json()
    replaced = _change(any_board, key, state="y=log", page="compare", read=read).json()
    gone = any_board.ask("DELETE", f"{PATH}/{key}", json={}).json()

    assert (renamed["view"]["name"], renamed["state"]) == ("two", "s=0.9")
    assert (replaced["view"]["page"], replaced["state"]) == ("compare", "y=log")
    assert gone == replaced
    assert _list(any_board)["views"] == []
    assert any_board.ask("GET", f"{PATH}/{key}").status_code == 404


def test_a_deleted_view_comes_back_under_its_id(any_board: Board) -> None:
    key = _save(any_board)["view"]["id"]
    taken = any_board.ask("POST", PATH, json={"id": key, "name": "b", "page": "runs", "state": ""})
    any_board.ask("DELETE", f"{PATH}/{key}", json={})

    back = _save(any_board, id=key)

    assert taken.status_code == 409
    assert back["view"]["id"] == key


def test_what_somebody_changed_meanwhile_is_not_written_over(any_board: Board) -> None:
    view = _save(any_board)["view"]
    key, read = view["id"], view["changed_at"]
    assert _change(any_board, key, state="y=log", read=read).status_code == 200

    late = _change(any_board, key, state="x=wall", read=read)

    assert late.status_code == 409
    assert any_board.ask("GET", f"{PATH}/{key}").json()["state"] == "y=log"


def test_a_project_opens_in_one_view_of_the_team_or_in_none(any_board: Board) -> None:
    one, two = (_save(any_board, name)["view"]["id"] for name in ("one", "two"))
    mine = _save(any_board, "mine", for_team=False)["view"]["id"]

    for key in (one, two, two):
        assert _change(any_board, key, is_default=True).status_code == 200
    opening = _list(any_board)["opening"]
    refused = _change(any_board, mine, is_default=True)
    defaults = [row["name"] for row in _list(any_board)["views"] if row["is_default"]]
    _change(any_board, two, is_default=False)

    assert (opening["view"]["id"], opening["state"]) == (two, "s=0.9")
    assert refused.status_code == 400
    assert defaults == ["two"]
    assert _list(any_board)["opening"] is None


def test_a_personal_view_does_not_exist_for_others(any_board: Board) -> None:
    theirs = _save_as(any_board, "ada", "mine", for_team=False)
    shared = _save_as(any_board, "ada", "ours", for_team=True)

    asked = [
        any_board.ask("GET", f"{PATH}/{theirs}"),
        _change(any_board, theirs, name="stolen"),
        any_board.ask("DELETE", f"{PATH}/{theirs}", json={}),
    ]

    assert [answer.status_code for answer in asked] == [404, 404, 404]
    assert [(row["id"], row["owner"]) for row in _list(any_board)["views"]] == [(shared, "ada")]
    # Of a name that one cannot see nobody is told that it is taken.
    assert _save(any_board, "mine", for_team=False)["view"]["owner"] == ""


def test_a_long_link_is_kept_once_and_stays_as_it_is(any_board: Board) -> None:
    state = "&".join(f"c=group%20{i}" for i in range(300))
    first, again = (_save(any_board, None, state=state, for_team=False) for _ in range(2))
    key = first["view"]["id"]

    assert again["view"]["id"] == key
    assert first["view"]["for_team"]
    assert any_board.ask("GET", f"{PATH}/{key}").json()["state"] == state
    assert _list(any_board)["views"] == []
    assert _change(any_board, key, name="x").status_code == 400
    assert any_board.ask("DELETE", f"{PATH}/{key}", json={}).status_code == 400


def test_nobody_takes_the_id_of_a_long_link_or_learns_whether_there_is_one(
    any_board: Board,
) -> None:
    key = _save(any_board, None)["view"]["id"]
    elsewhere = PATH.replace("board", "other")
    any_board.log("run", project="default/other", logdir="/other")
    body = {"name": "x", "page": "runs", "state": "", "for_team": True}

    answers = [
        any_board.ask("POST", elsewhere, json={**body, "id": each})
        for each in (key, key[::-1], "f" * 16)
    ]

    assert {(answer.status_code, answer.text) for answer in answers} == {
        (400, '{"error":"`id` is the id of a view that was deleted."}')
    }


def test_of_very_many_links_the_oldest_go(
    any_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_LINKS", 2)
    named = _save(any_board)["view"]["id"]
    keys = [_save(any_board, None, state=f"s=0.{i}")["view"]["id"] for i in (1, 2)]
    _save(any_board, None, state="s=0.1")

    last = _save(any_board, None, state="s=0.3")["view"]["id"]

    status = [any_board.ask("GET", f"{PATH}/{key}").status_code for key in (named, *keys, last)]
    assert status == [200, 200, 404, 200]


@pytest.mark.parametrize("for_team", [True, False])
def test_a_project_has_a_bounded_number_of_views(
    any_board: Board, monkeypatch: pytest.MonkeyPatch, for_team: bool
) -> None:
    monkeypatch.setattr(views, "MAX_NAMED", 1)
    monkeypatch.setattr(views, "MAX_OWN", 1)
    _save(any_board, for_team=for_team)
    new = {"name": "two", "page": "runs", "state": "", "for_team": for_team}

    answer = any_board.ask("POST", PATH, json=new)

    assert answer.status_code == 413
    whose = "for the team. Delete some of those" if for_team else "Delete some of yours"
    assert whose in answer.json()["error"]
    # The one kind leaves the other its room.
    _save(any_board, "three", for_team=not for_team)


def test_nobody_takes_others_the_room_for_views(
    any_board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(views, "MAX_NAMED", 2)
    monkeypatch.setattr(views, "MAX_OWN", 2)
    for name in "ab":
        _save_as(any_board, "low", name, for_team=False)

    with pytest.raises(TooMuch):
        _save_as(any_board, "low", "c", for_team=False)
    _save_as(any_board, "ben", "mine", for_team=False)
    _save_as(any_board, "ben", "ours", for_team=True)


def test_two_views_that_one_sees_do_not_share_a_name(any_board: Board) -> None:
    _save(any_board, "one")
    other = _save(any_board, "two")["view"]["id"]
    mine = _save(any_board, "one", for_team=False)

    again = any_board.ask("POST", PATH, json={"name": "one", "page": "runs", "state": ""})
    renamed = _change(any_board, other, name="one")

    assert mine["view"]["name"] == "one"
    assert (again.status_code, renamed.status_code) == (409, 409)
    assert _change(any_board, other, name="two").status_code == 200


def test_a_state_is_kept_as_this_program_writes_it(board: Board) -> None:
    state = "v=abc,s&s=0.9&s=7&nonsense=%00&q=\ud800<b>&c=\u202e"

    body = json.dumps({"page": "scalars", "state": state})
    kind = {"content-type": "application/json"}
    saved = board.ask("POST", PATH, content=body, headers=kind).json()["state"]

    assert saved == "q=%3F%3Cb%3E&s=0.999&c=%E2%80%AE"


@pytest.mark.parametrize(
    "asked",
    [
        {"name": ""},
        {"name": " \n"},
        {"name": "x" * (MAX_NAME_CHARS + 1)},
        {"name": "two\nlines"},
        {"name": 5},
        {"page": "nothing"},
        {"page": None},
        {"state": 5},
        {"state": "q=" + "x" * MAX_STATE_BYTES},
        {"for_team": 1},
        {"id": "<b>"},
        {"id": "x" * 17},
    ],
)
def test_a_wrong_view_is_refused_in_words(board: Board, asked: dict[str, Any]) -> None:
    body = {"name": "one", "page": "scalars", "state": "", **asked}

    answer = board.ask("POST", PATH, json=body)

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10
    assert _list(board)["views"] == []


@pytest.mark.parametrize("asked", [{}, {"name": " "}, {"state": 7}, {"is_default": "yes"}])
def test_a_wrong_change_is_refused_in_words(board: Board, asked: dict[str, Any]) -> None:
    key = _save(board)["view"]["id"]

    answer = _change(board, key, **asked)

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_the_longest_state_and_name_fit(any_board: Board) -> None:
    state = "q=" + "x" * (MAX_STATE_BYTES - 2)

    saved = _save(any_board, "\U0001f4a9" * MAX_NAME_CHARS, state=state)

    assert saved["state"] == state


def test_a_read_only_board_lists_and_changes_nothing(board: Board) -> None:
    saved = _save(board)
    key = saved["view"]["id"]
    web = board.web(read_only=True)

    asked = [
        board.ask("POST", PATH, json={"name": "x", "page": "runs", "state": ""}, web=web),
        _change(board, key, name="x"),
        board.ask("DELETE", f"{PATH}/{key}", json={}),
    ]

    assert [answer.status_code for answer in asked] == [403, 403, 403]
    assert board.ask("GET", f"{PATH}/{key}").json() == saved


def test_views_of_a_project_that_is_not_shown_do_not_exist(board: Board) -> None:
    board.log("b", [scalars("loss", [1.0])], project="secret/plans", logdir="/secret")
    path = "/api/ui/v1/p/secret/plans/views"
    body = {"name": "x", "page": "runs", "state": ""}
    key = board.ask("POST", path, json=body).json()["view"]["id"]
    web = board.web(logdirs=("/logs",))

    asked = [
        board.ask("GET", path, web=web),
        board.ask("GET", f"{path}/{key}"),
        board.ask("POST", path, json=body),
        board.ask("PATCH", f"{path}/{key}", json={"name": "y"}),
        board.ask("DELETE", f"{path}/{key}", json={}),
        # Nor by way of a project that is shown.
        board.ask("GET", f"{PATH}/{key}"),
    ]

    assert {answer.status_code for answer in asked} == {404}


def test_a_view_outlives_the_runs_that_it_selects(board: Board) -> None:
    uid = board.uids["a"]
    key = _save(board, state=f"sel={uid}")["view"]["id"]
    # Nobody wrote to it for long.
    board.log("a", now=1.0)
    board.ask("POST", "/api/ui/v1/p/default/board/deletion", json={"runs": [uid]})

    assert board.ask("GET", f"{PATH}/{key}").json()["state"] == f"sel={uid}"
