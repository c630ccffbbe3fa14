"""Runs that one watches: each event is told once, to who may see it, and seen when it was seen."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from sqlalchemy import Engine, func, select, update

from orgboard_dashboard.app import create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.people.accounts import change_account
from orgboard_dashboard.queries.watches import MAX_WATCHED
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.registry import ensure_project
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.shadow import begin_shadow, swap
from support.boards import Board, scalars
from support.people import HOST, Person, add_person, put, sign_in, two_teams
from support.web_role import web_engine

RUN = "of-red"


@dataclass(slots=True)
class Clock:
    """What the board takes for now; the real time in the beginning, for sessions."""

    at: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.at


@dataclass(slots=True)
class Scene:
    """Ana, who runs the board, and ben, an editor of red; a run of each team, live."""

    board: Board
    clock: Clock
    engine: Engine
    """Of the web process."""
    ana: Person
    ben: Person

    @property
    def uid(self) -> str:
        """The run of red."""
        return self.board.uids[RUN]

    def log(self, n: int = 1, **more: Any) -> None:
        """Let the run of red grow now; its events are as old as the clock says."""
        walls = [self.clock.at + at for at in range(n)]
        points = scalars("loss", [1.0] * n, wall=walls)
        self.board.log(RUN, [points], project="red/one", now=self.clock.at, **more)

    def say(self, person: Person, text: str) -> str:
        """Let somebody comment on it, a moment later."""
        self.clock.at += 1
        return str(person.post(f"r/{self.uid}/comments", {"text": text})["id"])


@pytest.fixture
def scene(any_board: Board) -> Iterator[Scene]:
    clock = Clock()
    for team in ("red", "blue"):
        any_board.log(f"of-{team}", [scalars("loss", [1.0])], project=f"{team}/one", now=clock.at)
    ana = two_teams(any_board)
    engine = web_engine(any_board.engine)
    web = create_app(WebConfig(), engine, clock=clock)
    ana.web = web
    yield Scene(any_board, clock, engine, ana, sign_in(any_board, "ben", web=web))
    engine.dispose()


def _news(person: Person) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = person.get("news")["news"]
    unseen = sum(one["seen_at"] is None for one in found)
    mentions = person.get("mentions")["mentions"]
    unseen += sum(one["seen_at"] is None for one in mentions)
    assert person.get("mentions/unseen")["unseen"] == unseen
    return found


def _fresh(person: Person) -> list[str]:
    return [one["what"] for one in _news(person) if one["seen_at"] is None]


def _see(person: Person) -> None:
    person.post("news/seen", {"news": [one["id"] for one in _news(person)]})


def _watch(person: Person, uid: str) -> None:
    path = f"r/{uid}/watch"
    assert person.get(path) == {"watched": False}
    assert person.post(path) == {"watched": True}
    assert person.post(path) == {"watched": True}
    assert person.get(path) == {"watched": True}


def test_a_run_is_watched_listed_and_left(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)

    (row,) = scene.ben.get("watches")["watches"]

    assert (row["uid"], row["name"], row["team"], row["status"]) == (scene.uid, RUN, "red", "live")
    assert scene.ana.get("watches") == {"watches": []}
    assert scene.ben.post(f"r/{scene.uid}/watch", method="DELETE") == {"watched": False}
    assert scene.ben.get("watches") == {"watches": []}


def test_that_it_went_stale_and_that_it_finished_are_told_once_each(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)
    assert _news(scene.ben) == []

    scene.clock.at += 200
    (stale,) = _news(scene.ben)

    assert (stale["what"], stale["about"], stale["team"]) == ("stale", RUN, "red")
    _see(scene.ben)
    scene.clock.at += 5000
    assert [(one["id"], one["what"]) for one in _news(scene.ben)] == [(stale["id"], "stale")]
    assert _fresh(scene.ben) == []

    # It goes on, which is no news; stale anew is another event, as is each end.
    scene.log()
    assert _news(scene.ben) == []
    scene.clock.at += 200
    assert _fresh(scene.ben) == ["stale"]
    scene.log(finished="stop")
    assert _fresh(scene.ben) == ["finished"]
    _see(scene.ben)
    scene.clock.at += 200
    assert _fresh(scene.ben) == []
    scene.log(finished="running")
    assert _news(scene.ben) == []
    scene.clock.at += 10
    scene.log(finished="failed")
    assert _fresh(scene.ben) == ["failed"]
    assert _news(scene.ana) == []


def test_how_it_stood_when_the_watching_began_is_no_news(scene: Scene) -> None:
    scene.log(finished="stop", gaps=[NewGap(4000, 12, "payload crc")])
    scene.say(scene.ana, "before")

    _watch(scene.ben, scene.uid)

    assert _news(scene.ben) == []
    _see(scene.ben)
    assert _news(scene.ben) == []


def test_damage_is_told_when_there_is_more_of_it(scene: Scene) -> None:
    scene.log(gaps=[NewGap(4000, 12, "payload crc")])
    _watch(scene.ben, scene.uid)
    scene.clock.at += 1
    scene.log(gaps=[NewGap(5000, 300, "length crc")])

    (told,) = _news(scene.ben)

    assert (told["what"], told["gaps"], told["lost_bytes"]) == ("damaged", 2, 312)
    _see(scene.ben)
    assert [one["what"] for one in _news(scene.ben)] == ["damaged"]
    assert _fresh(scene.ben) == []
    scene.clock.at += 1
    scene.log(gaps=[NewGap(6000, 1, "length crc")])
    assert _fresh(scene.ben) == ["damaged"]


def test_what_comes_between_looking_and_seeing_is_not_taken_for_seen(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)
    scene.clock.at += 200
    looked = [one["id"] for one in _news(scene.ben)]
    scene.log(finished="failed")
    scene.say(scene.ana, "why?")

    scene.ben.post("news/seen", {"news": looked})

    assert sorted(_fresh(scene.ben)) == ["comment", "failed"]


def test_a_comment_is_told_once_and_what_names_one_is_a_mention_alone(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)
    key = scene.say(scene.ana, "look **here**")
    scene.say(scene.ben, "I do")
    scene.say(scene.ana, "@ben and here")

    (told,) = _news(scene.ben)

    assert (told["what"], told["comment"], told["author"]) == ("comment", key, "Ana")
    assert told["excerpt"] == "look **here**"
    assert len(scene.ben.get("mentions")["mentions"]) == 1
    _see(scene.ben)
    assert _fresh(scene.ben) == []
    assert len(_news(scene.ben)) == 1
    # Who takes it back need not know who saw it, and takes that along.
    scene.ana.post(f"comments/{key}", method="DELETE")
    assert _news(scene.ben) == []


def test_who_may_not_see_the_run_any_more_is_told_nothing_of_it(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)
    scene.say(scene.ana, "secret")
    scene.log(finished="failed")
    ids = [one["id"] for one in _news(scene.ben)]
    assert len(ids) == 2

    put(scene.board, "red", "ben", None)

    assert _news(scene.ben) == []
    assert scene.ben.get("watches") == {"watches": []}
    assert scene.ben.ask("GET", f"r/{scene.uid}/watch").status_code == 404
    assert scene.ben.ask("DELETE", f"r/{scene.uid}/watch").status_code == 404
    # To name what was seen before marks nothing, and does not tell that it is there.
    nothing = scene.ben.post("news/seen", {"news": ["nosuch:finished@1.0", "x:comment@nosuch"]})
    assert scene.ben.post("news/seen", {"news": ids}) == nothing
    put(scene.board, "red", "ben", Role.VIEWER)
    assert sorted(_fresh(scene.ben)) == ["comment", "failed"]


def test_nobody_watches_what_is_not_theirs_to_see(scene: Scene) -> None:
    blue = scene.board.uids["of-blue"]
    for method in ("GET", "POST", "DELETE"):
        assert scene.ben.ask(method, f"r/{blue}/watch").status_code == 404
        assert scene.ben.ask(method, "r/nosuchrun000/watch").status_code == 404
    assert _rows(scene.board) == 0


@pytest.mark.parametrize(
    "ids", [None, "all", [1], ["x"], ["x:live@1.0"], ["x:damaged@1"], ["a:finished@1.0"] * 201]
)
def test_what_names_no_news_is_refused(scene: Scene, ids: Any) -> None:
    assert scene.ben.ask("POST", "news/seen", {"news": ids}).status_code == 400


def test_a_run_that_is_read_anew_or_moved_keeps_its_watchers(scene: Scene) -> None:
    scene.log(finished="stop")
    _watch(scene.ben, scene.uid)
    run = tables.run.c
    with begin_write(scene.board.engine) as conn:
        row = conn.execute(select(run.run_id, run.revision).where(run.uid == scene.uid)).one()
        shadow = begin_shadow(conn, row.run_id, revision=row.revision)
        # As if its files held no more than that.
        values = {"finished": "failed", "last_event": scene.clock.at}
        conn.execute(update(tables.run).where(run.run_id == shadow).values(values))
        files = tables.source_file.c
        read = update(tables.source_file).where(files.run_id == shadow)
        conn.execute(read.values(offset=10_000, size=10_000))
        assert swap(conn, shadow, now=scene.clock.at)
        moved = ensure_project(conn, "red/two", now=scene.clock.at)
        conn.execute(update(tables.run).where(run.run_id == shadow).values(project_id=moved))

    (told,) = _news(scene.ben)

    assert (told["run"], told["what"], told["project"]) == (scene.uid, "failed", "two")
    assert [row["project"] for row in scene.ben.get("watches")["watches"]] == ["two"]


def test_an_account_that_is_put_to_sleep_watches_nothing(scene: Scene) -> None:
    _watch(scene.ben, scene.uid)
    _watch(scene.ana, scene.uid)
    scene.say(scene.ana, "seen")
    _see(scene.ben)
    assert _rows(scene.board) == 3

    scene.ana.post("accounts/ben", {"disabled": True}, "PATCH")

    assert _rows(scene.board) == 1
    with begin_write(scene.board.engine) as conn:
        change_account(HOST, conn, "ben", scene.clock.at, is_disabled=False)
    again = sign_in(scene.board, "ben", web=scene.ben.web)
    assert again.get("watches") == {"watches": []}


def test_so_many_and_no_more(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgboard_dashboard.queries.watches.MAX_WATCHED", 1)
    other = scene.board.log("other", [scalars("loss", [1.0])], project="red/one")
    _watch(scene.ben, scene.uid)
    assert scene.ben.post(f"r/{scene.uid}/watch") == {"watched": True}

    refused = scene.ben.ask("POST", f"r/{other}/watch")

    assert refused.status_code == 413
    assert MAX_WATCHED == 500


def test_a_viewer_of_a_read_only_board_watches_too(scene: Scene) -> None:
    add_person(scene.board, "vic")
    put(scene.board, "red", "vic", Role.VIEWER)
    web = create_app(WebConfig(read_only=True), scene.engine, clock=scene.clock)
    vic = sign_in(scene.board, "vic", web=web)

    _watch(vic, scene.uid)

    assert [row["uid"] for row in vic.get("watches")["watches"]] == [scene.uid]


def _rows(board: Board) -> int:
    with begin_read(board.engine) as conn:
        counted = (
            select(func.count()).select_from(table) for table in (tables.watch, tables.watch_seen)
        )
        return sum(conn.execute(each).scalar_one() for each in counted)
