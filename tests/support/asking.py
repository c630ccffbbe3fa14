"""What people ask of a board, as its API asks: medians of CPU time, in this process."""

from __future__ import annotations

import json
import random
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, Engine, bindparam, select, update

from orgboard_dashboard.api.scalars import answer_question, parse_question
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.read import heads
from orgboard_schema.sql.text import from_sql

__all__ = [
    "Board",
    "board_of",
    "curves_ms",
    "found_ms",
    "heads_ms",
    "log_hparams",
    "questions_of_runs",
    "runs_ms",
    "tags_ms",
]

TIMES = 9
"""An odd number has a median of its own; more would be long where an answer takes seconds."""

WIDTH = 1000
"""Pixels of a card."""


@dataclass(frozen=True, slots=True)
class Board:
    """The one project of a database, and some of its runs and tags."""

    engine: Engine
    team: str
    project: str
    uids: tuple[str, ...]
    run_ids: tuple[int, ...]
    tag_ids: tuple[int, ...]


def board_of(engine: Engine, *, most: int = 1000) -> Board:
    """Look up what can be asked for: the first runs and tags."""
    run, tag = tables.run.c, tables.tag.c
    with begin_read(engine) as conn:
        team, project = conn.execute(
            select(tables.team.c.name, tables.project.c.name).join(tables.team)
        ).one()
        runs = conn.execute(select(run.uid, run.run_id).order_by(run.run_id).limit(most)).all()
        tags = conn.scalars(select(tag.tag_id).order_by(tag.tag_id).limit(most)).all()
    uids, run_ids = zip(*runs, strict=True)
    return Board(engine, from_sql(team), from_sql(project), uids, run_ids, tuple(tags))


def log_hparams(board: Board) -> None:
    """Give each run two dozen hyperparameters, as its first event would have."""
    run, rng = tables.run.c, random.Random(1)
    rows = [
        {
            "id": run_id,
            "said": json.dumps(
                {
                    "lr": rng.random() / 50,
                    "optimizer": rng.choice(["adam", "sgd", "lamb"]),
                    **{f"setting_{n}": rng.random() for n in range(22)},
                }
            ),
        }
        for run_id in board.run_ids
    ]
    with begin_write(board.engine) as conn:
        change = update(tables.run).where(run.run_id == bindparam("id"))
        conn.execute(change.values(hparams=bindparam("said")), rows)


def questions_of_runs(board: Board) -> list[tuple[str, str, str]]:
    """Give what is asked of many runs: in words, as a query, and the order."""
    with begin_read(board.engine) as conn:
        first, second = tag_names(conn, board.tag_ids[:2]).values()
    return [
        ("a pattern on names", "run.*1$", "-started"),
        ("what SQL answers", "last_step >= 0 and gaps = 0 and status != failed", "name"),
        ("two hyperparameters", "lr < 0.01 and optimizer = adam", "-started"),
        ("a metric", f'"{first}" < 1', "-started"),
        ("all of these", f'lr < 0.01 and min("{second}") < 1 and name ~ "1" or gaps > 0', "hp:lr"),
        ("in order of a hyperparameter", "", "-hp:lr"),
        ("in order of a metric", "", f"min:{second}"),
    ]


def curves_ms(
    board: Board, runs: int, tags: int = 1, steps: tuple[int, int] | None = None
) -> float:
    """Ask for the curves of some runs as the cards on a screen do: read, reduced and packed."""
    asked = {
        "runs": board.uids[:runs],
        "cards": [{"tag": tag_id} for tag_id in board.tag_ids[:tags]],
        "width": WIDTH,
        **({} if steps is None else {"from": steps[0], "to": steps[1]}),
    }
    question = parse_question(json.dumps(asked).encode())
    viewer = SystemViewer()
    return _median_ms(
        board.engine,
        lambda conn: answer_question(viewer, conn, board.team, board.project, question),
    )


def runs_ms(board: Board) -> float:
    """Ask for a page of the table of runs, the newest first."""
    query, viewer = RunQuery(), SystemViewer()
    return _median_ms(
        board.engine,
        lambda conn: list_runs(viewer, conn, board.team, board.project, query, time.time()),
    )


def found_ms(board: Board, q: str = "", sort: str = "-started") -> tuple[float, float]:
    """Ask for a page of the runs that a query lets through, in some order.

    Return the time of the first question of its kind, and of those after it.
    """
    query, viewer = RunQuery(q, sort), SystemViewer()

    def ask(conn: Connection) -> object:
        return list_runs(viewer, conn, board.team, board.project, query, time.time())

    with begin_read(board.engine) as conn:
        # What is bought once a process is not asked for here.
        list_runs(viewer, conn, board.team, board.project, RunQuery("name ~ x"), time.time())
        began = time.process_time()
        ask(conn)
        first = (time.process_time() - began) * 1e3
    return first, _median_ms(board.engine, ask)


def tags_ms(board: Board) -> float:
    """Ask which scalars there are."""
    viewer = SystemViewer()
    return _median_ms(
        board.engine, lambda conn: list_tags(viewer, conn, board.team, board.project, "scalar")
    )


def heads_ms(board: Board, run_ids: Sequence[int]) -> float:
    """Ask for the last value, and more, of every tag of these runs."""
    return _median_ms(board.engine, lambda conn: heads(conn, run_ids))


def _median_ms(engine: Engine, ask: Callable[[Connection], object]) -> float:
    taken = []
    with begin_read(engine) as conn:
        # What is bought once a process is not asked for here: statements, the pages of the file.
        ask(conn)
        for _ in range(TIMES):
            began = time.process_time()
            ask(conn)
            taken.append(time.process_time() - began)
    return statistics.median(taken) * 1e3
