"""A note that is written anew: what it said before is kept, found again and put back."""

from __future__ import annotations

from typing import Any

import pytest

from orgboard_dashboard.queries.edits import write_note
from orgboard_dashboard.queries.note_history import MAX_VERSIONS
from orgboard_schema.sql.engine import begin_write
from support.boards import Board, scalars
from support.people import HOST, sign_in, two_teams
from support.words import HOSTILE

API = "/api/ui/v1"


@pytest.fixture
def run(any_board: Board) -> str:
    return any_board.log("a", [scalars("loss", [1.0])])


def _write(board: Board, run: str, text: str) -> dict[str, Any]:
    read = board.ask("GET", f"{API}/r/{run}").json()["note"]["written_at"]
    answer = board.ask("POST", f"{API}/r/{run}/note", json={"text": text, "read": read})
    assert answer.status_code == 200, answer.text
    written: dict[str, Any] = answer.json()
    return written


def _versions(board: Board, run: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = board.ask("GET", f"{API}/r/{run}/note/versions").json()[
        "versions"
    ]
    return found


def _text(board: Board, run: str, version: int) -> str:
    return str(board.ask("GET", f"{API}/r/{run}/note/versions/{version}").json()["text"])


def test_what_a_note_said_is_kept_and_an_edit_puts_it_back(any_board: Board, run: str) -> None:
    assert _write(any_board, run, HOSTILE)["earlier"] == 0
    assert _versions(any_board, run) == []
    first = any_board.ask("GET", f"{API}/r/{run}").json()["note"]
    _write(any_board, run, "two")
    # Written once more, word by word: nothing to keep.
    assert _write(any_board, run, "two")["earlier"] == 1
    gone = _write(any_board, run, " ")

    assert (gone["text"], gone["written_at"], gone["earlier"]) == ("", None, 2)
    found = _versions(any_board, run)
    assert [one["version"] for one in found] == [2, 1]
    assert found[1]["written_at"] == first["written_at"]
    assert [_text(any_board, run, n) for n in (2, 1)] == ["two", HOSTILE]

    _write(any_board, run, _text(any_board, run, 1))

    assert any_board.ask("GET", f"{API}/r/{run}").json()["note"]["text"] == HOSTILE
    assert len(_versions(any_board, run)) == 2


def test_of_very_many_versions_the_newest_are_kept(any_board: Board, run: str) -> None:
    at = None
    with begin_write(any_board.engine) as conn:
        for n in range(MAX_VERSIONS + 5):
            at = write_note(HOST, conn, run, f"note {n}", at, float(n + 1)).written_at

    found = _versions(any_board, run)

    assert [one["version"] for one in found] == list(range(MAX_VERSIONS + 4, 4, -1))
    assert _text(any_board, run, 5) == "note 4"
    assert any_board.ask("GET", f"{API}/r/{run}/note/versions/4").status_code == 404


@pytest.mark.parametrize("version", ["0", "-1", str(2**31), "9" * 30])
def test_a_version_that_is_none_is_not_there(any_board: Board, run: str, version: str) -> None:
    assert any_board.ask("GET", f"{API}/r/{run}/note/versions/{version}").status_code == 404


def test_a_hidden_run_has_no_history(any_board: Board) -> None:
    uid = any_board.log("of-red", [scalars("loss", [1.0])], project="red/one")
    two_teams(any_board)
    ben, eve = sign_in(any_board, "ben"), sign_in(any_board, "eve")
    for text in ("secret", "public"):
        read = ben.get(f"r/{uid}")["note"]["written_at"]
        ben.post(f"r/{uid}/note", {"text": text, "read": read})

    assert [one["author"] for one in ben.get(f"r/{uid}/note/versions")["versions"]] == ["ben"]
    for path in (f"r/{uid}/note/versions", f"r/{uid}/note/versions/1"):
        hidden, nothing = eve.ask("GET", path), eve.ask("GET", path.replace(uid, "nosuch"))
        assert hidden.status_code == 404
        assert hidden.content == nothing.content
