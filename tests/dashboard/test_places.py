"""Where points lie on the axes that are not steps or the time itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from orgboard_dashboard.places import PAUSE_S, active_time
from orgboard_schema.sql.flush import Restart
from support.boards import Board, scalars
from support.curves import Drawn

walls = st.lists(st.floats(0, 1e6), min_size=1, max_size=40).map(np.array)


def test_a_pause_is_cut_to_one_usual_gap() -> None:
    wall = np.array([100.0, 101, 102, 103, 5000, 5001])

    assert active_time(wall).tolist() == [0, 1, 2, 3, 4, 5]


def test_a_slow_series_has_no_pauses() -> None:
    wall = np.arange(0, 36_000, 3600.0)

    assert active_time(wall).tolist() == wall.tolist()


def test_a_short_wait_is_no_pause() -> None:
    wall = np.array([0, 0.01, 0.02, 0.02 + PAUSE_S])

    assert active_time(wall)[-1] == pytest.approx(0.02 + PAUSE_S)


@given(walls)
def test_active_time_keeps_the_order_and_is_never_longer(wall: NDArray[np.float64]) -> None:
    active = active_time(wall)

    order = np.argsort(wall, kind="stable")
    assert active.min() == 0
    assert (np.diff(active[order]) >= 0).all()
    assert active.max() <= wall.max() - wall.min() + 1e-6


def test_a_point_without_a_time_has_no_place() -> None:
    active = active_time(np.array([0.0, np.nan, 2.0]))

    assert np.isnan(active).tolist() == [False, True, False]
    assert np.isnan(active_time(np.array([np.inf]))).all()


def test_relative_steps_begin_at_the_least_one(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3], step=[1000, 1010, 1050])])

    drawn = Drawn(any_board, "loss", x="rstep")

    assert drawn.column("x").tolist() == [0, 10, 50]
    assert drawn.column("step").tolist() == [1000, 1010, 1050]


def test_the_index_counts_points_in_the_order_of_steps(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [3, 1, 2], step=[900, 10, 50])])

    drawn = Drawn(any_board, "loss", x="index")

    assert drawn.column("x").tolist() == [0, 1, 2]
    assert drawn.column("y").tolist() == [1, 2, 3]


def test_the_index_of_what_a_restart_replaced_goes_on_beside_the_new_points(
    any_board: Board,
) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3, 4], step=[0, 5, 6, 7])])
    any_board.log(
        "run",
        [scalars("loss", [30, 40, 50], step=[6, 7, 8], attempt=1)],
        restarts=[Restart(1, None, None, 6)],
    )

    drawn = Drawn(any_board, "loss", x="index", superseded=True)

    assert [line.get("superseded", False) for line in drawn.lines] == [False, True]
    assert drawn.column("x", 0).tolist() == [0, 1, 2, 3, 4]
    assert drawn.column("x", 1).tolist() == [2, 3]


def test_active_time_is_drawn_without_the_night(any_board: Board) -> None:
    wall = [0.0, 10, 20, 30_000, 30_010]
    any_board.log("run", [scalars("loss", [1, 2, 3, 4, 5], wall=wall)])

    drawn = Drawn(any_board, "loss", x="active")

    assert drawn.column("x").tolist() == [0, 10, 20, 30, 40]


def test_a_metric_is_an_axis_where_it_was_logged_too(any_board: Board) -> None:
    any_board.log(
        "run",
        [
            scalars("loss", [5, 4, 3, 2], step=[0, 10, 20, 30]),
            scalars("epoch", [0.5, 0.25, 9.0], step=[10, 20, 40]),
        ],
    )

    drawn = Drawn(any_board, "loss", x="m:epoch")

    assert drawn.column("x").tolist() == [0.25, 0.5]
    assert drawn.column("y").tolist() == [3, 4]
    assert drawn.column("step").tolist() == [20, 10]
    assert drawn.lines[0]["without_x"] == 2


def test_a_metric_of_another_attempt_is_not_the_axis(any_board: Board) -> None:
    any_board.log(
        "run", [scalars("loss", [1, 2], step=[0, 1]), scalars("epoch", [0, 1], step=[0, 1])]
    )
    any_board.log(
        "run",
        [
            scalars("loss", [20], step=[1], attempt=1),
            scalars("epoch", [7], step=[1], attempt=1),
        ],
        restarts=[Restart(1, None, None, 1)],
    )

    drawn = Drawn(any_board, "loss", x="m:epoch")

    assert drawn.column("x").tolist() == [0, 7]
    assert drawn.column("y").tolist() == [1, 20]


@pytest.mark.parametrize("tag", ["nobody logged it", "\0", "<b>", "x" * 10_000])
def test_a_metric_that_nobody_logged_places_nothing(any_board: Board, tag: str) -> None:
    any_board.log("run", [scalars("loss", [1, 2])])

    line = Drawn(any_board, "loss", x=f"m:{tag}").lines[0]

    assert (line["n"], line["without_x"]) == (0, 2)


def test_a_log_axis_draws_what_is_above_zero_and_counts_the_rest(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3, 4], step=[-1, 0, 1, 100])])

    drawn = Drawn(any_board, "loss", lx=True)

    assert drawn.column("x").tolist() == [1, 100]
    assert drawn.lines[0]["without_x"] == 2
