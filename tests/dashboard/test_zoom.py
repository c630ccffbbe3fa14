"""A long series at every zoom: each pixel column shows what all raw points in it would."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from support.boards import Board, opened, scalars
from support.columns import unlike_columns
from support.curves import Drawn

Floats = NDArray[np.float64]

POINTS = 300_000
"""Long enough for a pyramid, and for zooms in which it has no say."""

MANY_POINTS = 5_000_000
"""As long as series get: what is read of it at once is bounded, and reduced in stages."""

WIDTH = 200

ZOOMS = [
    (None, None),
    (0, POINTS),
    (1000, 250_000),
    (123_456, 223_456),
    (99_990, 130_000),
    (150_000, 151_000),
    (200_000, 200_050),
]


MANY_ZOOMS = [
    (None, None),
    (1_234_567, 4_321_098),
    (3_000_001, 3_654_321),
    (4_999_000, 4_999_999),
]


@pytest.fixture(scope="module")
def long_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Give a board with one noisy run that has spikes of one point."""
    with opened(str(tmp_path_factory.mktemp("zoom") / "board.db")) as board:
        log_in_parts(board, raw_values(POINTS), 50_000)
        yield board


@pytest.fixture(scope="module")
def longest_board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """Give a board with one run of millions of points."""
    with opened(str(tmp_path_factory.mktemp("longest") / "board.db")) as board:
        log_in_parts(board, raw_values(MANY_POINTS), 500_000)
        yield board


def log_in_parts(board: Board, value: Floats, part: int) -> None:
    for start in range(0, value.size, part):
        steps = range(start, start + part)
        wall = (1.7e9 + np.arange(start, start + part) * 0.5).tolist()
        board.log("long", [scalars("loss", value[steps], step=steps, wall=wall)])


def raw_values(points: int) -> Floats:
    random = np.random.default_rng(7)
    value = np.exp(-np.arange(points) / 50_000) + random.normal(0, 0.05, points)
    value[random.integers(0, points, 200)] *= 40
    value[random.integers(0, points, 50)] = np.nan
    return value.astype(np.float32).astype(np.float64)


@pytest.mark.parametrize("axis", ["step", "rstep", "index", "relative", "active"])
@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("zoom", ZOOMS)
def test_every_pixel_column_shows_its_least_and_greatest_value(
    long_board: Board, axis: str, log_x: bool, zoom: tuple[float | None, float | None]
) -> None:
    scale = 0.5 if axis in ("relative", "active") else 1.0
    low, high = (None if end is None else end * scale for end in zoom)
    x = np.arange(POINTS, dtype=np.float64) * np.float64(scale)
    y = raw_values(POINTS)

    drawn = Drawn(long_board, "loss", x=axis, lx=log_x, width=WIDTH, **{"from": low, "to": high})

    inside = (x >= (-math.inf if low is None else low)) & (x <= (high or math.inf))
    if log_x:
        inside &= x > 0
    assert drawn.lines[0]["n"] == np.count_nonzero(inside)
    some = inside & np.isfinite(y)
    raw_x, line_x = x[some], drawn.at("x")
    raw_y, line_y = y[some], drawn.at("y")
    assert len(line_x) <= 4 * WIDTH
    if log_x:
        raw_x, line_x = log10(raw_x), log10(line_x)
    assert unlike_columns((raw_x, raw_y), (line_x, line_y), WIDTH) == []


@pytest.mark.parametrize("zoom", MANY_ZOOMS)
def test_so_it_does_of_five_million_points(
    longest_board: Board, zoom: tuple[int | None, int | None]
) -> None:
    y = raw_values(MANY_POINTS)
    low, high = zoom
    steps = np.arange(low or 0, (high or MANY_POINTS - 1) + 1)

    drawn = Drawn(longest_board, "loss", width=WIDTH, **{"from": low, "to": high})

    assert drawn.lines[0]["n"] == steps.size
    assert len(drawn.at("x")) <= 4 * WIDTH
    some = np.isfinite(y[steps])
    raw = steps[some].astype(np.float64), y[steps][some]
    assert unlike_columns(raw, (drawn.at("x"), drawn.at("y")), WIDTH) == []


def log10(x: Floats) -> Floats:
    level: Floats = np.log10(x)
    return level


def test_the_closest_zoom_gives_every_point(long_board: Board) -> None:
    drawn = Drawn(long_board, "loss", width=WIDTH, **{"from": 200_000, "to": 200_200})

    value = raw_values(POINTS)[200_000:200_201]
    assert drawn.at("y").tolist() == value[np.isfinite(value)].tolist()


def test_what_lies_beyond_a_log_axis_is_refused(long_board: Board) -> None:
    asked = {"cards": [{"tag": 1}], "runs": ["a"], "lx": True, "from": -5, "to": 0}

    answer = long_board.ask("POST", "/api/ui/v1/p/default/board/scalars", json=asked)

    assert answer.status_code == 400
