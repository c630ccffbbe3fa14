"""Deleting runs from the browser: told first, live ones spared, brought back."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from orgboard_dashboard.queries.edits import MAX_RUNS
from orgboard_ingest.commands import ingest
from orgboard_schema.types import Blob, Media
from support.boards import Board, scalars, values
from support.event_files import event_file, scalar_event

API = "/api/ui/v1"
PROJECT = f"{API}/p/default/board"
OLD = 1.7e9


def _post(board: Board, path: str, uids: list[str]) -> dict[str, Any]:
    answer = board.ask("POST", f"{PROJECT}/{path}", json={"runs": uids})
    assert answer.status_code == 200, answer.text
    told: dict[str, Any] = answer.json()
    return told


def _names(board: Board) -> list[str]:
    runs = board.ask("GET", f"{PROJECT}/runs?sort=name").json()["runs"]
    return [run["name"] for run in runs]


def test_what_deleting_frees_is_told_and_nothing_changes_by_it(any_board: Board) -> None:
    picture = Media((Blob(b"x" * 1000, "image/png"),))
    shared = [scalars("loss", [1.0] * 100), values("i", "image", [picture])]
    a = any_board.log("a", shared, now=OLD)
    b = any_board.log("b", shared, now=OLD)
    live = any_board.log("live", [scalars("loss", [1.0])])

    one = _post(any_board, "deletion/preview", [a])
    both = _post(any_board, "deletion/preview", [a, b, live, "nobody"])

    assert (one["runs"], one["live"], one["points"]) == (1, 0, 101)
    assert (both["runs"], both["live"], both["points"], both["gone"]) == (2, 1, 202, 0)
    # The picture goes only with the last run that shows it.
    assert both["bytes"] == 2 * one["bytes"] + 1000
    assert _names(any_board) == ["a", "b", "live"]


def test_live_runs_stay_and_deleted_ones_are_listed(any_board: Board) -> None:
    a = any_board.log("a", [scalars("loss", [1.0])], now=OLD)
    live = any_board.log("live", [scalars("loss", [1.0])])
    any_board.ask("POST", f"{PROJECT}/edits", json={"edits": [{"runs": [a], "name": "mine"}]})

    done = _post(any_board, "deletion", [a, live, "nobody"])

    assert done == {"deleted": [a], "live": 1}
    assert _names(any_board) == ["live"]
    (gone,) = any_board.ask("GET", f"{PROJECT}/deleted").json()["runs"]
    assert (gone["uid"], gone["name"], gone["display_name"]) == (a, "a", "mine")
    assert any_board.ask("GET", f"{API}/r/{a}").status_code == 404


def test_a_restored_run_is_read_again_and_people_find_their_words(
    any_board: Board, tmp_path: Path
) -> None:
    folder = tmp_path / "logs" / "run"
    folder.mkdir(parents=True)
    events = [scalar_event("loss", step, step / 7, OLD + step) for step in range(50)]
    file = folder / "events.out.tfevents.1.host"
    file.write_bytes(event_file(*events))
    url = any_board.engine.url.render_as_string(hide_password=False)
    command = [str(tmp_path / "logs"), "--db", url.removeprefix("sqlite:///"), "--once"]
    command += ["--project", "default/board"]
    os.utime(file, (OLD, OLD))
    assert ingest(command) == 0
    (run,) = any_board.ask("GET", f"{PROJECT}/runs").json()["runs"]
    uid = run["uid"]
    edits = [{"runs": [uid], "tag": ["keep"]}, {"runs": [uid], "starred": True}]
    any_board.ask("POST", f"{PROJECT}/edits", json={"edits": edits})

    assert _post(any_board, "deletion", [uid])["deleted"] == [uid]
    assert ingest(command) == 0
    assert _names(any_board) == []
    assert _post(any_board, "restoration", [uid, "nobody"]) == {"restored": 1}
    assert ingest(command) == 0

    (back,) = any_board.ask("GET", f"{PROJECT}/runs").json()["runs"]
    assert (back["uid"], back["points"], back["tags"]) == (uid, 50, ["keep"])
    assert back["starred"] is True
    assert any_board.ask("GET", f"{PROJECT}/deleted").json()["runs"] == []


def test_what_may_not_be_seen_is_neither_deleted_nor_restored(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1.0])], now=OLD)
    secret = any_board.log("b", [scalars("loss", [1.0])], logdir="/secret", now=OLD)
    narrow, whole = any_board.web(logdirs=("/logs",)), any_board.web()

    def ask(path: str, web: Any) -> Any:
        return any_board.ask("POST", f"{PROJECT}/{path}", json={"runs": [secret]}, web=web).json()

    assert ask("deletion/preview", narrow)["runs"] == 0
    assert ask("deletion", narrow)["deleted"] == []
    assert ask("deletion", whole)["deleted"] == [secret]
    assert any_board.ask("GET", f"{PROJECT}/deleted", web=narrow).json()["runs"] == []
    assert ask("restoration", narrow) == {"restored": 0}
    assert ask("restoration", whole) == {"restored": 1}


def test_too_many_runs_are_refused_in_words(board: Board) -> None:
    board.log("a", [scalars("loss", [1.0])], now=OLD)
    many = [f"r{n}" for n in range(MAX_RUNS + 1)]

    for path in ("deletion", "deletion/preview", "restoration"):
        answer = board.ask("POST", f"{PROJECT}/{path}", json={"runs": many})
        assert answer.status_code == 400
        assert str(MAX_RUNS) in answer.json()["error"]
