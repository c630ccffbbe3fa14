"""What a team did: counted day by day, by person and project, and only of what the viewer sees."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select, update

from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.feed import team_feed
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer, Within
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.flush import NewGap, Origin
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars
from support.people import Person, put, sign_in, two_teams

DAY = 86_400.0
MONDAY = 1_790_000_000.0
DAYS = [MONDAY + n * DAY for n in range(8)]
ASKED = "days=" + ",".join(map(str, DAYS))


def _log(
    board: Board,
    name: str,
    at: float,
    *,
    place: str = "red/one",
    who: str | None = "ana",
    tag: str = "val/loss",
    value: float = 1.0,
    **more: Any,
) -> str:
    """Log a run that began at a moment, and two points of it a minute apart."""
    points = scalars(tag, [2.0, value], wall=[at, at + 60])
    origin = Origin("host", who) if who else None
    uid = board.log(name, [points], project=place, origin=origin, now=at + 61, **more)
    run = tables.run.c
    with begin_write(board.engine) as conn:
        walls = {"started": at, "last_event": at + 60}
        conn.execute(update(tables.run).where(run.uid == uid).values(walls))
    return uid


@pytest.fixture
def ana(any_board: Board) -> Person:
    """Give who runs a board of two teams with an empty project each, signed in."""
    return two_teams(any_board)


def _feed(person: Person, team: str = "red", asked: str = ASKED) -> list[dict[str, Any]]:
    return list(person.get(f"t/{team}/feed?{asked}")["entries"])


def _told(entries: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    return [(e["day"], e["what"], e["who"], e["project"], e["count"]) for e in entries]


def test_runs_are_counted_by_day_person_and_project(ana: Person) -> None:
    board = ana.board
    for n in range(5):
        _log(board, f"a{n}", DAYS[1] + n, value=0.5 + n / 10)
    _log(board, "b", DAYS[1] + 10, who="ben")
    _log(board, "c", DAYS[2] - 30, who=None, finished="stop")
    _log(board, "d", DAYS[3], place="red/two", finished="failed")
    _log(board, "before", DAYS[0] - 90, who="ben")
    _log(board, "after", DAYS[7], who="ben")

    entries = _feed(ana)

    assert _told(entries) == [
        (3, "failed", "ana", "two", 1),
        (3, "started", "ana", "two", 1),
        # It began before midnight and ended after it.
        (2, "finished", "", "one", 1),
        (1, "started", "", "one", 1),
        (1, "started", "ben", "one", 1),
        (1, "started", "ana", "one", 5),
    ]
    of_ana = entries[-1]
    assert [item["name"] for item in of_ana["items"]] == ["a4", "a3", "a2"]
    best = {"metric": "val/loss", "value": 0.5, "unit": "", "run": board.uids["a0"]}
    assert of_ana["best"] == best
    assert entries[0]["best"] is None


def test_the_best_is_by_the_dictionary_or_by_a_name_that_tells(ana: Person) -> None:
    board = ana.board
    _log(board, "plain", DAYS[1], tag="lr", who="lou")
    _log(board, "more", DAYS[1], tag="test/acc", value=3.0, place="red/two", who="kim")
    assert [one["best"] and one["best"]["value"] for one in _feed(ana)] == [3.0, None]
    aliases = [{"tag": "lr", "scale": 100.0}]
    fields = {"unit": "%", "direction": "max", "description": "", "aliases": aliases}
    ana.post("dictionary", {"name": "rate", **fields})

    (of_lou,) = (one for one in _feed(ana) if one["who"] == "lou")

    assert (of_lou["best"]["metric"], of_lou["best"]["value"]) == ("rate", 200.0)
    assert of_lou["best"]["unit"] == "%"


def test_damage_notes_comments_and_views_are_told(ana: Person) -> None:
    board, ben = ana.board, sign_in(ana.board, "ben")
    uid = _log(board, "r", DAYS[1], gaps=[NewGap(4000, 9, "crc"), NewGap(5000, 9, "crc")])
    for text in ("first", "**second** @ben"):
        ana.post(f"r/{uid}/comments", {"text": text})
    ben.post(f"r/{uid}/note", {"text": "lr is high", "read": None})
    kept = {"page": "scalars", "state": "s=0.5"}
    ben.post("p/red/one/views", kept | {"name": "report", "for_team": True})
    ben.post("p/red/one/views", kept | {"name": "mine", "for_team": False})
    _at(board, DAYS[5])

    entries = _feed(ana)

    assert sorted(_told(entries)) == [
        (1, "damaged", "ana", "one", 1),
        (1, "started", "ana", "one", 1),
        (5, "comment", "Ana", "one", 2),
        (5, "note", "ben", "one", 1),
        (5, "view", "ben", "one", 1),
    ]
    by_sort = {one["what"]: one for one in entries}
    assert by_sort["view"]["items"][0]["name"] == "report"
    assert by_sort["comment"]["excerpt"] in ("first", "**second** @ben")
    assert [item["run"] for item in by_sort["comment"]["items"]] == [uid]


def _at(board: Board, at: float) -> None:
    """Let all that people said be said at one moment."""
    with begin_write(board.engine) as conn:
        for column in (tables.comment.c.written_at, tables.run_note.c.written_at):
            conn.execute(update(column.table).values({column.name: at}))
        conn.execute(update(tables.saved_view).values(created_at=at))


def test_only_what_the_viewer_sees_is_told(ana: Person) -> None:
    board, ben, eve = ana.board, sign_in(ana.board, "ben"), sign_in(ana.board, "eve")
    uid = _log(board, "red-run", DAYS[1])
    _log(board, "blue-run", DAYS[1], place="blue/one")
    ana.post(f"r/{uid}/comments", {"text": "of red"})
    _at(board, DAYS[2])

    assert {one["team"] for one in _feed(ana, "*")} == {"red", "blue"}
    assert {one["team"] for one in _feed(ben, "*")} == {"red"}
    assert [one["what"] for one in _feed(ben)] == ["comment", "started"]
    # A team that one sees nothing of, and one that is not there.
    hidden = eve.get(f"t/red/feed?{ASKED}")
    assert hidden == eve.get(f"t/nosuch/feed?{ASKED}")
    assert hidden == {"entries": [], "left_out": 0, "earlier": None}
    put(board, "red", "ben", None)
    assert _feed(ben, "*") == []


def test_deleted_and_archived_runs_are_told_of_no_more(ana: Person) -> None:
    board = ana.board
    kept, gone = _log(board, "kept", DAYS[1]), _log(board, "gone", DAYS[1])
    ana.post("p/red/one/edits", {"edits": [{"runs": [kept], "archived": True}]})
    ana.post("p/red/one/deletion", {"runs": [gone]})

    assert _feed(ana) == []


def test_what_was_before_is_said_so_that_one_can_go_there(ana: Person) -> None:
    board = ana.board
    assert ana.get(f"t/red/feed?{ASKED}")["earlier"] is None
    _log(board, "long-ago", DAYS[0] - 50 * DAY, finished="stop")
    uid = _log(board, "lately", DAYS[1])

    told = ana.get(f"t/red/feed?{ASKED}")

    assert told["earlier"] == DAYS[0] - 50 * DAY + 60
    ana.post(f"r/{uid}/comments", {"text": "old"})
    _at(board, DAYS[0] - DAY)
    assert ana.get(f"t/red/feed?{ASKED}")["earlier"] == DAYS[0] - DAY


@pytest.mark.parametrize(
    "days",
    [
        *("", "1", "1,x", "2,1", "1,1", "nan,1", "1,inf", "1,1e300", "0,864000"),
        ",".join(str(n * 86_400) for n in range(33)),
    ],
)
def test_days_that_are_none_are_refused(ana: Person, days: str) -> None:
    assert ana.ask("GET", f"t/red/feed?days={days}").status_code == 400


def test_who_came_by_a_share_link_is_told_nothing_of_it(board: Board) -> None:
    _log(board, "r", DAYS[1])
    with reading(board.engine, LOCAL_VIEWER) as conn:
        project = conn.scalars(select(tables.project.c.project_id)).one()
        assert len(team_feed(LOCAL_VIEWER, conn, "red", DAYS).entries) == 1
    guest = Viewer("share", "guest", within=Within(project_id=project))
    with reading(board.engine, guest) as conn, pytest.raises(NotFound):
        team_feed(guest, conn, "red", DAYS)


def test_an_editor_of_one_project_sees_that_one(ana: Person) -> None:
    board, eve = ana.board, sign_in(ana.board, "eve")
    _log(board, "one", DAYS[1])
    _log(board, "two", DAYS[1], place="red/two")
    put(board, "red/two", "eve", Role.VIEWER)

    assert [one["project"] for one in _feed(eve)] == ["two"]
