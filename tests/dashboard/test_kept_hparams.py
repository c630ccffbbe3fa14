"""Hyperparameters are read once for a state of the project, and seen by no other viewer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from orgboard_dashboard.queries.kept_hparams import KeptHparams
from orgboard_dashboard.queries.matching import matching_runs
from orgboard_dashboard.queries.visible import ProjectRef, find_project
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.engine import begin_read
from support.boards import Board, scalars


def count(board: Board, q: str, viewer: Viewer = LOCAL_VIEWER) -> int:
    with begin_read(board.engine) as conn:
        project = find_project(viewer, conn, "default", "board")
        return matching_runs(viewer, conn, project, q=q, now=1.8e9).matching


@contextmanager
def reading(board: Board) -> Iterator[list[str]]:
    """Note the statements that fetch hyperparameters."""
    fetched: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_rest: object) -> None:
        if "run.hparams" in statement.partition("FROM")[0]:
            fetched.append(statement)

    event.listen(board.engine, "before_cursor_execute", note)
    yield fetched
    event.remove(board.engine, "before_cursor_execute", note)


def test_they_are_read_once_until_a_run_changes(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1.0])], hparams='{"lr": 1}')
    any_board.log("b", [scalars("loss", [1.0])], hparams='{"lr": 2}')
    assert count(any_board, "lr < 2 and loss < 2") == 1

    with reading(any_board) as again:
        assert count(any_board, "lr > 0 and loss < 2 and lr < 3") == 2
        assert count(any_board, "not has:lr") == 0
    any_board.log("b", [scalars("loss", [0.5], step=[1])], hparams='{"lr": 0.5}')
    with reading(any_board) as changed:
        assert count(any_board, "lr < 2") == 2
        assert count(any_board, "loss = 0.5") == 1
    any_board.log("c", [scalars("loss", [1.0])], hparams='{"loss": 9, "lr": 3}')

    assert count(any_board, "lr = 3") == 1
    assert count(any_board, "loss = 9") == 1
    assert again == []
    assert len(changed) == 2


def test_another_viewer_is_told_of_no_more_than_before(any_board: Board) -> None:
    any_board.log("a", [scalars("loss", [1.0])], hparams='{"lr": 1}', logdir="/mine")
    any_board.log("b", [scalars("loss", [1.0])], hparams='{"lr": 2}', logdir="/theirs")
    mine = Viewer(kind="local", name="you", logdirs=("/mine",))

    assert count(any_board, "has:lr") == 2
    assert count(any_board, "has:lr", mine) == 1
    assert count(any_board, "has:lr") == 2


def test_the_longest_unused_are_given_up_first() -> None:
    kept = KeptHparams(most=330)
    project = ProjectRef(1, "default", "board")
    keys = [(LOCAL_VIEWER, project, name) for name in "abc"]
    for key in keys[:2]:
        kept.put(key, (1,), dict.fromkeys(range(10), 0.5))
    assert kept.get(keys[0], (1,)) is not None

    kept.put(keys[2], (1,), dict.fromkeys(range(20), 0.5))

    assert kept.get(keys[1], (1,)) is None
    assert kept.get(keys[0], (1,)) == dict.fromkeys(range(10), 0.5)
    assert kept.get(keys[2], (2,)) is None
    kept.put(keys[2], (2,), {})
    assert kept.get(keys[2], (2,)) == {}
