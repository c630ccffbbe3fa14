"""A dictionary of metrics, and teams that log the same ones by other names."""

from __future__ import annotations

import time
from typing import Any, Final

from sqlalchemy import Connection

from orgboard_dashboard.queries.dictionary import Alias, Metric
from orgboard_dashboard.queries.dictionary_edits import MetricSaid, save_metric
from orgboard_dashboard.queries.people.accounts import account_id_of, make_account
from orgboard_dashboard.queries.people.members import make_project, make_team, set_member
from orgboard_dashboard.viewer import SystemViewer, Viewer
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, scalars

__all__ = ["HOST", "NOW", "ana", "log_teams", "name_both", "said", "save"]

HOST: Final = SystemViewer()
NOW: Final = time.time()


def said(name: str, *aliases: tuple[str, float], **more: Any) -> MetricSaid:
    """Return what somebody says of a metric."""
    plain: dict[str, Any] = {"unit": "", "direction": "", "description": ""}
    return MetricSaid(name=name, aliases=tuple(Alias(*each) for each in aliases), **(plain | more))


def save(board: Board, *metrics: MetricSaid) -> list[Metric]:
    """Write metrics into the dictionary."""
    with begin_write(board.engine) as conn:
        return [save_metric(HOST, conn, each, NOW) for each in metrics]


def log_teams(board: Board) -> None:
    """Let three teams log the same two metrics by other names; ana is in two of them."""
    with begin_write(board.engine) as conn:
        for team in ("vision", "speech", "secret"):
            make_team(HOST, conn, team, NOW)
            make_project(HOST, conn, team, "one", "team", NOW)
        make_account(HOST, conn, "ana", NOW, kind="person")
        for team in ("vision", "speech"):
            set_member(HOST, conn, team, "ana", Role.EDITOR, NOW)
    logged = {
        "vision": [scalars("val/loss", [3.0, 1.0, 2.0]), scalars("acc", [0.2, 0.5])],
        "speech": [scalars("eval_loss", [4.0, 1.5]), scalars("acc_percent", [30.0, 75.0])],
        "secret": [scalars("validation_loss", [9.0]), scalars("hidden", [1.0])],
    }
    for team, chunks in logged.items():
        board.log(f"run of {team}", chunks, project=f"{team}/one", logdir=f"/logs/{team}", now=NOW)


def name_both(board: Board) -> None:
    """Write both metrics into the dictionary."""
    tags = [("val/loss", 1.0), ("eval_loss", 1.0), ("validation_loss", 1.0)]
    save(
        board,
        said("validation loss", *tags, unit="nats", direction="min"),
        said("accuracy", ("acc", 1.0), ("acc_percent", 0.01), direction="max", unit="share"),
    )


def ana(conn: Connection) -> Viewer:
    """Return ana, who is in two of the teams."""
    return Viewer("account", "ana", account_id=account_id_of(conn, "ana"), can_edit=True)
