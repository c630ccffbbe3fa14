"""Names, stars, colours, tags, notes and what is put aside: changed, undone, bounded."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from orgboard_dashboard.api import runs
from orgboard_dashboard.queries.edits import MAX_NOTE_BYTES, MAX_RUNS, MAX_TAGS
from support.boards import Board, scalars
from support.event_files import event_file, scalar_event
from support.ingested import drain, new_intake, stored_scalars, version_event
from support.words import HOSTILE

API = "/api/ui/v1"
PROJECT = f"{API}/p/default/board"
OLD = 1.7e9


def _runs(board: Board, query: str = "") -> dict[str, Any]:
    answer = board.ask("GET", f"{PROJECT}/runs?sort=name{query}")
    assert answer.status_code == 200, answer.text
    return {run["uid"]: run for run in answer.json()["runs"]}


def _edit(board: Board, *edits: dict[str, Any]) -> dict[str, Any]:
    answer = board.ask("POST", f"{PROJECT}/edits", json={"edits": edits})
    assert answer.status_code == 200, answer.text
    done: dict[str, Any] = answer.json()
    return done


def _three(board: Board) -> list[str]:
    return [board.log(name, [scalars("loss", [1.0])], now=OLD) for name in ("a", "b", "c")]


def _said(run: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(run[key] for key in ("display_name", "starred", "color", "tags", "archived_at"))


@pytest.mark.parametrize(
    ("change", "key", "value"),
    [
        ({"name": f"  {HOSTILE} "}, "display_name", HOSTILE),
        ({"starred": True}, "starred", True),
        ({"color": "#A0b1C2"}, "color", "#a0b1c2"),
        ({"tag": ["b", HOSTILE, "b"]}, "tags", sorted(["b", HOSTILE])),
    ],
)
def test_a_run_is_changed_and_its_undo_puts_it_back(
    any_board: Board, change: dict[str, Any], key: str, value: Any
) -> None:
    first, second, _ = _three(any_board)
    before = _runs(any_board)

    done = _edit(any_board, {"runs": [first], **change})
    changed = _runs(any_board)
    _edit(any_board, *done["undo"])
    after = _runs(any_board)

    assert done["changed"] == 1
    assert changed[first][key] == value
    assert _said(changed[second]) == _said(before[second])
    assert _said(after[first]) == _said(before[first])
    assert after[first]["edits"] == 2


def test_only_what_differs_is_changed_and_only_that_is_undone(any_board: Board) -> None:
    uids = _three(any_board)
    _edit(any_board, {"runs": uids[:1], "starred": True}, {"runs": uids[:2], "tag": ["x"]})

    done = _edit(
        any_board,
        {"runs": uids, "starred": True},
        {"runs": uids, "tag": ["x", "y"]},
        {"runs": uids, "untag": ["x"]},
    )
    middle = _runs(any_board)
    _edit(any_board, *done["undo"])
    after = _runs(any_board)

    assert [middle[uid]["tags"] for uid in uids] == [["y"]] * 3
    assert [after[uid]["tags"] for uid in uids] == [["x"], ["x"], []]
    assert [after[uid]["starred"] for uid in uids] == [True, False, False]
    assert _edit(any_board, {"runs": uids[:1], "starred": True}) == {"changed": 0, "undo": []}


def test_an_archived_run_is_on_no_list_until_it_is_asked_for(any_board: Board) -> None:
    first, second, third = _three(any_board)
    any_board.log("a", [scalars("only/a", [1.0])], hparams='{"lr": 1}', now=OLD)

    done = _edit(any_board, {"runs": [first], "archived": True})

    assert _runs(any_board).keys() == {second, third}
    assert _runs(any_board, "&archived=1").keys() == {first, second, third}
    tags = any_board.ask("GET", f"{PROJECT}/tags?kind=scalar").json()["tags"]
    assert [tag["name"] for tag in tags] == ["loss"]
    named = any_board.ask("GET", f"{PROJECT}/tags?kind=scalar&runs={first}").json()["tags"]
    assert [tag["name"] for tag in named] == ["loss", "only/a"]
    assert any_board.ask("GET", f"{PROJECT}/hparams").json()["runs"] == []
    with_it = any_board.ask("GET", f"{PROJECT}/hparams?archived=1").json()["runs"]
    assert [run["uid"] for run in with_it] == [first]
    (project,) = any_board.ask("GET", f"{API}/projects").json()
    assert (project["runs"], project["archived"]) == (2, 1)
    # Who has its address still sees it.
    assert any_board.ask("GET", f"{API}/r/{first}").json()["run"]["archived_at"] is not None
    _edit(any_board, *done["undo"])
    assert _runs(any_board).keys() == {first, second, third}


def test_a_renamed_run_is_found_and_sorted_by_both_names(any_board: Board) -> None:
    first, second, third = _three(any_board)

    _edit(any_board, {"runs": [first], "name": "zebra"})

    assert list(_runs(any_board)) == [second, third, first]
    assert list(_runs(any_board, "&q=zeb")) == [first]
    assert list(_runs(any_board, "&q=^a$")) == [first]


def test_a_change_is_a_commit_that_live_readers_see(any_board: Board) -> None:
    first, *_ = _three(any_board)
    before = _runs(any_board)[first]["revision"]
    listed = any_board.ask("GET", f"{PROJECT}/runs").json()["revision"]

    _edit(any_board, {"runs": [first], "starred": True})

    assert _runs(any_board)[first]["revision"] == before + 1
    assert any_board.ask("GET", f"{PROJECT}/runs").json()["revision"] > listed


def test_points_that_come_later_change_nothing_of_what_people_said(any_board: Board) -> None:
    first, *_ = _three(any_board)
    _edit(any_board, {"runs": [first], "name": "mine"}, {"runs": [first], "tag": ["keep"]})
    before = _said(_runs(any_board)[first])

    any_board.log("a", [scalars("loss", [1.0], step=[7])], hparams='{"lr": 2}')

    assert _said(_runs(any_board)[first]) == before
    assert _runs(any_board)[first]["last_step"] == 7


def test_an_ingest_at_work_meets_an_edit_and_neither_loses_anything(
    any_board: Board, tmp_path: Path
) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    file = folder / "events.out.tfevents.1.host"
    events = [scalar_event("loss", step, float(step), 100.0 + step) for step in range(60)]
    file.write_bytes(event_file(version_event(99.0), *events[:20]))
    intake = new_intake(any_board.engine, tmp_path)
    place = f"{API}/p/tests/ingest"

    for number, part in enumerate((events[20:40], events[40:])):
        drain(intake, [("run", file.name)])
        (run,) = any_board.ask("GET", f"{place}/runs").json()["runs"]
        # The intake knows the run as it was before this.
        edits = [{"runs": [run["uid"]], "tag": [f"t{number}"]}]
        answer = any_board.ask("POST", f"{place}/edits", json={"edits": edits})
        assert answer.json()["changed"] == 1
        with file.open("ab") as log:
            log.write(event_file(*part))
    drain(intake, [("run", file.name)])

    (run,) = any_board.ask("GET", f"{place}/runs").json()["runs"]
    assert (run["tags"], run["points"], run["attempts"]) == (["t0", "t1"], 60, 1)
    assert [point.step for point in stored_scalars(any_board.engine)["run", "loss"]] == [*range(60)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"edits": []},
        {"edits": [{}]},
        {"edits": [5]},
        {"edits": [{"runs": ["a"]}]},
        {"edits": [{"runs": ["a"], "starred": True, "name": "b"}]},
        {"edits": [{"runs": ["a"], "starred": 1}]},
        {"edits": [{"runs": ["a"], "points": 5}]},
        {"edits": [{"runs": "a", "starred": True}]},
        {"edits": [{"runs": ["a'b"], "starred": True}]},
        {"edits": [{"runs": ["a", "b"], "name": "both"}]},
        {"edits": [{"runs": ["a"], "name": "x" * 257}]},
        {"edits": [{"runs": ["a"], "name": "two\nlines"}]},
        {"edits": [{"runs": ["a"], "name": "\0"}]},
        {"edits": [{"runs": ["a"], "name": None}]},
        {"edits": [{"runs": ["a"], "color": "red"}]},
        {"edits": [{"runs": ["a"], "color": "#12345g"}]},
        {"edits": [{"runs": ["a"], "color": {}}]},
        {"edits": [{"runs": ["a"], "tag": "x"}]},
        {"edits": [{"runs": ["a"], "tag": []}]},
        {"edits": [{"runs": ["a"], "tag": [""]}]},
        {"edits": [{"runs": ["a"], "tag": ["a,b"]}]},
        {"edits": [{"runs": ["a"], "tag": ["x" * 65]}]},
        {"edits": [{"runs": ["a"], "tag": [7]}]},
        {"edits": [{"runs": ["a"], "tag": [f"t{n}" for n in range(MAX_TAGS + 1)]}]},
        [],
        "text",
    ],
)
def test_what_is_no_edit_is_refused_in_words(board: Board, body: Any) -> None:
    _three(board)

    answer = board.ask("POST", f"{PROJECT}/edits", json=body)

    assert answer.status_code == 400
    assert len(answer.json()["error"]) > 10


def test_the_bounds_are_inclusive(board: Board) -> None:
    first, *_ = _three(board)
    longest = ["x" * 62 + f"{n:02}" for n in range(MAX_TAGS)]

    _edit(board, {"runs": [first], "name": "\N{PILE OF POO}" * 256})
    _edit(board, {"runs": [first], "tag": longest})
    over = board.ask("POST", f"{PROJECT}/edits", json={"edits": [{"runs": [first], "tag": ["1"]}]})

    assert over.status_code == 400
    assert _runs(board)[first]["tags"] == longest
    assert len(_runs(board)[first]["display_name"]) == 256


def test_three_thousand_runs_are_changed_at_once_and_no_more(board: Board) -> None:
    uids = _three(board)
    unknown = [f"nobody{n}" for n in range(MAX_RUNS - 3)]

    done = _edit(board, {"runs": uids + unknown, "starred": True})
    many = {"edits": [{"runs": uids + unknown, "starred": False}, {"runs": uids, "tag": ["x"]}]}
    over = board.ask("POST", f"{PROJECT}/edits", json=many)

    assert done["changed"] == 3
    assert over.status_code == 413
    assert all(run["starred"] and not run["tags"] for run in _runs(board).values())


def test_what_may_not_be_seen_is_not_changed(any_board: Board) -> None:
    mine, *_ = _three(any_board)
    other = any_board.log("d", [scalars("loss", [1.0])], logdir="/secret", now=OLD)
    far = any_board.log("e", [scalars("loss", [1.0])], project="team/far", logdir="/far", now=OLD)
    shared = any_board.web(logdirs=("/logs",))

    body = {"edits": [{"runs": [mine, other, far], "tag": ["x"]}]}
    answer = any_board.ask("POST", f"{PROJECT}/edits", json=body, web=shared)
    hidden = any_board.ask("POST", f"{API}/r/{other}/note", json={"text": "x"}, web=shared)
    nowhere = any_board.ask("POST", f"{API}/p/team/far/edits", json=body, web=shared)

    assert answer.json()["changed"] == 1
    assert (hidden.status_code, nowhere.status_code) == (404, 404)
    whole = any_board.web()
    found = any_board.ask("GET", f"{API}/r/{other}", web=whole).json()
    assert (found["run"]["tags"], found["note"]["text"]) == ([], "")


def test_a_board_that_is_read_only_changes_nothing(any_board: Board) -> None:
    first, *_ = _three(any_board)
    web = any_board.web(read_only=True)
    bodies = {
        f"{PROJECT}/edits": {"edits": [{"runs": [first], "starred": True}]},
        f"{PROJECT}/deletion": {"runs": [first]},
        f"{PROJECT}/restoration": {"runs": [first]},
        f"{PROJECT}/remarks": {"text": "x"},
        f"{API}/r/{first}/note": {"text": "x"},
    }

    answers = [any_board.ask("POST", path, json=body, web=web) for path, body in bodies.items()]

    assert {answer.status_code for answer in answers} == {403}
    assert all("read-only" in answer.json()["error"] for answer in answers)
    assert any_board.ask("GET", f"{PROJECT}/me", web=web).json()["can_edit"] is False
    shown = any_board.ask("GET", f"{API}/r/{first}", web=web).json()
    assert (shown["run"]["edits"], shown["annotations"]) == (0, [])


def test_a_note_is_markdown_made_safe_and_knows_when_it_was_written(any_board: Board) -> None:
    first, *_ = _three(any_board)
    text = f"# Why\n\n{HOSTILE} <script>alert(1)</script> [x](javascript:alert(1))"

    written = any_board.ask("POST", f"{API}/r/{first}/note", json={"text": text, "read": None})
    shown = any_board.ask("GET", f"{API}/r/{first}").json()

    assert written.json() == shown["note"]
    assert shown["note"]["text"] == text
    assert "<h1>Why</h1>" in shown["note"]["html"]
    assert "<script" not in shown["note"]["html"]
    assert "javascript:" not in shown["note"]["html"].replace("[x](javascript:alert(1))", "")
    assert shown["run"]["note"].startswith("# Why")
    gone = any_board.ask(
        "POST", f"{API}/r/{first}/note", json={"text": "", "read": shown["note"]["written_at"]}
    )
    assert gone.json()["written_at"] is None
    assert any_board.ask("GET", f"{API}/r/{first}").json()["note"]["text"] == ""


def test_a_note_is_rendered_once_and_beside_what_others_ask(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, *_ = _three(board)
    threads = []

    def rendering(text: str) -> str:
        # The loop that answers everybody runs in the thread where the request began.
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        threads.append(text)
        return f"<p>{text}</p>"

    monkeypatch.setattr(runs, "to_html", rendering)
    text = "a note that no other test wrote"
    board.ask("POST", f"{API}/r/{first}/note", json={"text": text, "read": None})

    shown = [board.ask("GET", f"{API}/r/{first}").json()["note"]["html"] for _ in range(3)]

    assert shown == [f"<p>{text}</p>"] * 3
    assert threads == [text]


def test_half_a_character_in_a_note_breaks_nothing(any_board: Board) -> None:
    first, *_ = _three(any_board)
    path = f"{API}/r/{first}/note"

    body = b'{"text": "a \\ud800 b", "read": null}'
    headers = {"content-type": "application/json"}
    written = any_board.ask("POST", path, content=body, headers=headers)
    shown = any_board.ask("GET", f"{API}/r/{first}").json()["note"]
    cleared = any_board.ask("POST", path, json={"text": "", "read": shown["written_at"]})

    assert (written.status_code, cleared.status_code) == (200, 200)
    assert shown["html"] == "<p>a ? b</p>\n"


def test_of_two_who_write_a_note_the_second_is_told(any_board: Board) -> None:
    first, *_ = _three(any_board)
    path = f"{API}/r/{first}/note"
    any_board.ask("POST", path, json={"text": "one", "read": None})

    second = any_board.ask("POST", path, json={"text": "two", "read": None})

    assert second.status_code == 409
    assert "meanwhile" in second.json()["error"]
    assert any_board.ask("GET", f"{API}/r/{first}").json()["note"]["text"] == "one"


def test_a_note_has_at_most_64_kb(board: Board) -> None:
    first, *_ = _three(board)
    path = f"{API}/r/{first}/note"

    # Each takes three bytes stored, and six in JSON.
    whole = board.ask("POST", path, json={"text": "\u2028" * (MAX_NOTE_BYTES // 3)})
    over = board.ask("POST", path, json={"text": "x" * (MAX_NOTE_BYTES + 1)})
    wrong = board.ask("POST", path, json={"text": 5})

    assert (whole.status_code, over.status_code, wrong.status_code) == (200, 400, 400)


def test_tags_of_a_project_are_told_for_completion(any_board: Board) -> None:
    first, second, _ = _three(any_board)
    _edit(any_board, {"runs": [first, second], "tag": ["b", "a"]}, {"runs": [first], "tag": ["B"]})

    assert any_board.ask("GET", f"{PROJECT}/run-tags").json()["tags"] == ["B", "a", "b"]
