"""Standings: groups of seeds by their means, with intervals that statistics tables agree with."""

from __future__ import annotations

import json
import math
import statistics
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.queries.dictionary import Alias
from orgboard_dashboard.queries.dictionary_edits import MetricSaid, save_metric
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.people.accounts import account_id_of, make_account
from orgboard_dashboard.queries.people.members import make_project, make_team, set_member
from orgboard_dashboard.queries.ranking import StandingsAnswer, StandingsQuery, standings
from orgboard_dashboard.ranking import ranked
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars

HOST = SystemViewer()
NOW = time.time()

finite = st.floats(allow_nan=False, allow_infinity=False, width=32)


@pytest.mark.parametrize(
    ("n", "t"),
    [(2, 12.7062), (3, 4.30265), (5, 2.77645), (10, 2.26216), (31, 2.04227), (101, 1.98397)],
)
def test_the_interval_of_a_mean_is_students(n: int, t: float) -> None:
    values = [float(i * i % 7) for i in range(n)]

    (place,) = ranked({"a": values}, "min")

    half = t * statistics.stdev(values) / math.sqrt(n)
    assert place.mean == pytest.approx(statistics.mean(values))
    assert place.deviation == pytest.approx(statistics.stdev(values))
    assert place.low is not None
    assert place.high is not None
    assert (place.low + place.high) / 2 == pytest.approx(place.mean)
    assert (place.high - place.low) / 2 == pytest.approx(half, rel=1e-5)


def test_groups_stand_by_their_means_and_say_where_they_overlap() -> None:
    groups = {"b": [1.0, 1.1, 0.9], "a": [1.05, 1.15, 0.95], "c": [5.0, 5.1, 4.9], "d": [9.0]}

    less, more = ranked(groups, "min"), ranked(groups, "max")

    assert [one.group for one in less] == ["b", "a", "c", "d"]
    assert [one.overlaps for one in less] == [None, True, False, None]
    assert [one.group for one in more] == ["d", "c", "a", "b"]
    assert [(one.best, one.best_at) for one in less] == [(0.9, 2), (0.95, 2), (4.9, 2), (9.0, 0)]
    assert less[3].low is None


def test_equal_means_share_a_rank_and_what_is_not_finite_counts_for_nothing() -> None:
    groups = {"x": [2.0, math.nan], "y": [2.0], "z": [3.0], "none": [math.inf, math.nan], "0": []}

    places = ranked(groups, "min")

    assert [(one.group, one.rank, one.n) for one in places] == [
        ("x", 1, 1),
        ("y", 1, 1),
        ("z", 3, 1),
    ]


@given(st.dictionaries(st.text(max_size=3), st.lists(finite, max_size=8), max_size=6))
def test_no_values_break_it(groups: dict[str, list[float]]) -> None:
    for way in ("min", "max"):
        places = ranked(groups, way)

        assert {one.group for one in places} == {name for name, held in groups.items() if held}
        for one in places:
            held = groups[one.group]
            assert one.best == (min if way == "min" else max)(held)
            assert min(held) <= one.mean <= max(held) or one.mean == pytest.approx(min(held))
            if one.low is not None and one.high is not None:
                assert one.low <= one.mean <= one.high


@pytest.fixture
def seeds(any_board: Board) -> Board:
    """Give two teams' runs of three seeds a setting, and a third team's that ana does not see."""
    board = any_board
    with begin_write(board.engine) as conn:
        for team in ("vision", "speech", "secret"):
            make_team(HOST, conn, team, NOW)
            make_project(HOST, conn, team, "one", "team", NOW)
        make_account(HOST, conn, "ana", NOW, kind="person")
        for team in ("vision", "speech"):
            set_member(HOST, conn, team, "ana", Role.VIEWER, NOW)
        said = MetricSaid("error", "%", "min", "", (Alias("err", 1.0), Alias("err_share", 100.0)))
        save_metric(HOST, conn, said, NOW)
    for team, tag, scale in (
        ("vision", "err", 1.0),
        ("speech", "err_share", 0.01),
        ("secret", "err", 1.0),
    ):
        for lr in (0.1, 0.2):
            for seed in range(3):
                value = scale * (lr * 100 + seed)
                log(
                    board,
                    team,
                    f"{team}-{lr}-{seed}",
                    {"lr": lr, "seed": seed, "width": 8},
                    tag,
                    value,
                )
    return board


def log(
    board: Board, team: str, name: str, hparams: dict[str, Any] | None, tag: str, value: float
) -> None:
    """Log a run whose last value is this, and whose least is better by one hundredth."""
    text = None if hparams is None else json.dumps(hparams)
    chunks = [scalars(tag, [value * 0.99, value], dtype="float64")]
    board.log(name, chunks, project=f"{team}/one", logdir=f"/logs/{team}", hparams=text, now=NOW)


def asked(board: Board, key: str, by: str = "", place: str = "*/*", q: str = "") -> StandingsAnswer:
    """Return the standings that ana sees."""
    team, project = place.split("/")
    with begin_read(board.engine) as conn:
        ana = Viewer("account", "ana", account_id=account_id_of(conn, "ana"), can_edit=True)
        return standings(ana, conn, team, project, StandingsQuery(key, q, by), NOW)


def told(answer: StandingsAnswer) -> dict[str, list[tuple[str, int, Any]]]:
    """Return name, runs and mean of each group, by project."""
    return {
        task.place: [
            (each.place.group, each.place.n, pytest.approx(each.place.mean)) for each in task.groups
        ]
        for task in answer.tasks
    }


def test_seeds_of_one_setting_are_a_group_in_each_project(seeds: Board) -> None:
    found = asked(seeds, "last:metric:error")

    each = [("lr 0.1", 3, 11.0), ("lr 0.2", 3, 21.0)]
    assert told(found) == {"speech/one": each, "vision/one": each}
    assert (found.matching, found.better, found.is_guess, found.unit) == (12, "min", False, "%")
    group = found.tasks[1].groups[0]
    assert (group.seeds, group.best_name, group.place.best) == (3, "vision-0.1-0", 10.0)
    assert sorted(group.values) == [10.0, 11.0, 12.0]
    assert asked(seeds, "best:metric:error").tasks[1].groups[0].place.best == pytest.approx(9.9)


def test_groups_are_those_that_the_view_has(seeds: Board) -> None:
    found = asked(seeds, "last:metric:error", by="hp:seed", place="vision/one", q="lr = 0.1")

    assert told(found) == {
        "": [("seed = 0", 1, 10.0), ("seed = 1", 1, 11.0), ("seed = 2", 1, 12.0)]
    }
    assert [group.place.low for group in found.tasks[0].groups] == [None, None, None]


def test_runs_without_settings_and_without_the_metric_are_said(seeds: Board) -> None:
    log(seeds, "vision", "bare", None, "err", 50.0)
    log(seeds, "vision", "other", {"lr": 0.1, "seed": 9, "width": 8}, "loss", 1.0)
    log(seeds, "vision", "again", {"lr": 0.1, "seed": 0, "width": 8}, "err", 10.0)
    found = asked(seeds, "last:metric:error", place="vision/one")

    (task,) = found.tasks
    assert [group.place.group for group in task.groups] == [
        "lr 0.1",
        "lr 0.2",
        "no settings logged",
    ]
    first = task.groups[0]
    assert (first.place.n, first.seeds, first.without) == (4, 3, 1)
    assert task.groups[2].seeds is None


def test_a_direction_that_nobody_knows_is_said_to_be_a_guess(seeds: Board) -> None:
    log(seeds, "vision", "speed", {"lr": 0.1}, "speed", 3.0)
    found = asked(seeds, "best:speed", place="vision/one")

    assert (found.better, found.is_guess, found.tasks[0].groups[0].place.mean) == ("max", True, 3.0)


def test_what_is_not_there_or_not_shared_has_no_standings(seeds: Board) -> None:
    with pytest.raises(NotFound):
        asked(seeds, "last:err", place="secret/one")
    for key in ("last:nosuch", "nosuch", "", "hp:lr", "last:metric:nosuch"):
        with pytest.raises(BadQuery):
            asked(seeds, key)
    with pytest.raises(BadQuery):
        asked(seeds, "last:err", by="nonsense")
