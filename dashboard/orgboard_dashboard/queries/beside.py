"""Settings that a writer put beside the run: they are the run's, if it has none of its own.

`orgboard_schema.sql.beside` tells which runs hold such. Where several do, as of a training that
was started again, the newest counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from orgboard_dashboard.queries.hparam_texts import decode_hparams
from orgboard_dashboard.queries.visible import visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql

__all__ = ["Beside", "settings_beside", "settings_beside_rows"]


@dataclass(frozen=True, slots=True)
class Beside:
    """What a run was set to, as it stands in another run."""

    uid: str
    """Of that other one."""
    name: str
    stored: str
    """JSON, as in `run.hparams`."""

    @property
    def hparams(self) -> Mapping[str, Any]:
        """Return all hyperparameters by name."""
        return decode_hparams(self.stored)


def settings_beside(
    viewer: Viewer, conn: Connection, here: ColumnElement[bool]
) -> Mapping[int, Beside]:
    """Return what stands beside runs for which `here` holds and that logged no settings, by id.

    `here` is a condition on `tables.run`. What `viewer` may not see lends nothing.
    """
    run = tables.run.c
    held = (run.uid, run.name, run.hparams, run.logdir_id, run.project_id, run.settings_of)
    lenders = (
        select(*held)
        .where(run.settings_of.is_not(None), run.hparams.is_not(None), visible_runs(viewer))
        .subquery()
    )
    of = lenders.c
    asked = (
        select(run.run_id, of.uid, of.name, of.hparams)
        .join_from(
            tables.run,
            lenders,
            (of.logdir_id == run.logdir_id)
            & (of.settings_of == run.name_sha256)
            & (of.project_id == run.project_id),
        )
        .where(here, run.hparams.is_(None))
    )
    found: dict[int, Beside] = {}
    for run_id, uid, name, stored in conn.execute(asked):
        one = Beside(uid, from_sql(name), stored)
        if run_id not in found or _age(found[run_id]) < _age(one):
            found[run_id] = one
    return found


def settings_beside_rows(
    viewer: Viewer, conn: Connection, rows: Iterable[Any]
) -> Mapping[int, Beside]:
    """Do as `settings_beside` for rows of `tables.run`, of which `run_id` and `hparams` count.

    For a page of them: of a whole project's it is quicker to ask by the project.
    """
    found: dict[int, Beside] = {}
    for some in chunked([row.run_id for row in rows if row.hparams is None]):
        found |= settings_beside(viewer, conn, tables.run.c.run_id.in_(some))
    return found


def _age(beside: Beside) -> tuple[int, str]:
    """Return what orders them: times of more digits are later, then by their digits."""
    seconds, _, rest = beside.name.rpartition("/")[2].partition(".")
    return int(seconds), rest
