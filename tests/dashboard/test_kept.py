"""Series that many ask for are read once for each revision of their run, and seen by no other."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event

from orgboard_dashboard.queries.kept_series import Kept, Of
from orgboard_dashboard.queries.series import Picture, ScalarsFound, find_scalars
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.dictionary import find_tag
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import Restart
from orgboard_schema.sql.read import SeriesData
from support.boards import Board, opened, scalars

PICTURE = Picture("step", 500)


def found(board: Board, viewer: Viewer = LOCAL_VIEWER) -> ScalarsFound:
    with begin_read(board.engine) as conn:
        tag = find_tag(conn, "loss")
        assert tag is not None
        uids = list(board.uids.values())
        return find_scalars(
            viewer, conn, "default", "board", uids=uids, tag_ids=[tag], picture=PICTURE
        )


def losses(board: Board, viewer: Viewer = LOCAL_VIEWER) -> dict[str, list[float]]:
    """Give what is not superseded, by the name of the run."""
    names = {uid: name for name, uid in board.uids.items()}
    return {
        names[uid]: data.value[~data.superseded].tolist()
        for (uid, _), data in found(board, viewer).series.items()
    }


@contextmanager
def payloads_read(engine: Engine) -> Iterator[list[str]]:
    """Note the statements that fetch points."""
    statements: list[str] = []

    def note(*arguments: Any) -> None:
        if "segment" in arguments[2]:
            statements.append(arguments[2])

    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def test_who_asks_for_the_same_series_next_reads_no_points(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2])])
    any_board.log("b", [scalars("loss", [3])])
    first = losses(any_board)

    with payloads_read(any_board.engine) as statements:
        again = losses(any_board)

    assert first == again == {"a": [1, 2], "b": [3]}
    assert statements == []


def test_a_run_that_grew_is_read_anew_and_alone(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1])], now=1000.0)
    any_board.log("b", [scalars("loss", [3])], now=1000.0)
    losses(any_board)

    # In the same millisecond: a clock tells nothing of how often something was committed.
    any_board.log("a", [scalars("loss", [2], step=[1])], now=1000.0)

    assert losses(any_board) == {"a": [1, 2], "b": [3]}


def test_points_that_a_restart_replaced_are_told_of_at_once(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1, 2, 3])])
    losses(any_board)

    any_board.log(
        "a",
        [scalars("loss", [9], step=[1], attempt=1)],
        restarts=[Restart(1, None, None, 1)],
    )

    assert losses(any_board) == {"a": [1, 9]}


def test_a_run_that_was_compacted_is_the_same(any_board: Board) -> None:
    for step in range(3):
        any_board.log("a", [scalars("loss", [step], step=[step])])
    before = losses(any_board)

    with begin_read(any_board.engine) as conn:
        run_id = int(conn.exec_driver_sql("SELECT run_id FROM run").scalar() or 0)
    with begin_write(any_board.engine) as conn:
        assert compact(conn, run_id, final=True, now=2000.0)

    assert losses(any_board) == before == {"a": [0, 1, 2]}


def test_what_one_viewer_read_is_kept_from_who_may_not_see_it(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1])], logdir="/mine")
    any_board.log("b", [scalars("loss", [2])], logdir="/theirs")
    assert losses(any_board) == {"a": [1], "b": [2]}

    assert losses(any_board, Viewer("local", "you", logdirs=("/mine",))) == {"a": [1]}
    assert losses(any_board, Viewer("local", "you", logdirs=("/theirs",))) == {"b": [2]}


def test_series_of_another_database_are_not_taken_for_these(
    any_board: Board, tmp_path: Path
) -> None:
    with opened(str(tmp_path / "other.db")) as other:
        for each, value in ((other, 1), (any_board, 2)):
            each.log("a", [scalars("loss", [value])], now=1000.0)

        assert losses(other) == {"a": [1]}
        assert losses(any_board) == {"a": [2]}


def test_nobody_can_write_into_what_is_kept(board: Board) -> None:
    board.log("a", [scalars("loss", [1])])
    (data,) = found(board).series.values()

    with pytest.raises(ValueError, match="read-only"):
        data.value[0] = 5


def test_what_is_kept_is_bounded_and_the_oldest_goes_first() -> None:
    kept = Kept(most_bytes=100_000)
    points = 100
    for revision in range(50):
        kept.put(_of(revision), {1: _series(points)})

    assert kept.get(_of(0)) is None
    assert kept.get(_of(49)) is not None
    there = sum(kept.get(_of(revision)) is not None for revision in range(50))
    assert 1 < there * points * 29 <= 100_000


def test_what_is_too_large_is_not_kept_at_all() -> None:
    kept = Kept(most_bytes=100_000)

    kept.put(_of(1), {1: _series(10_000)})

    assert kept.get(_of(1)) is None


def _of(revision: int) -> Of:
    return Of(1, revision, 1000, frozenset({1}))


def _series(points: int) -> SeriesData:
    return SeriesData(
        np.arange(points),
        np.zeros(points),
        np.zeros(points),
        (),
        np.zeros(points, np.int32),
        np.zeros(points, np.bool_),
    )
