"""Take back what was stored of a run, because its files now say something else."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, delete, insert, select, update

from orgboard_schema.blocks.heads import empty_heads
from orgboard_schema.sql import tables
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.recount import recount
from orgboard_schema.sql.runs import lock_run, save_run
from orgboard_schema.sql.supersede import Cut, load_cuts, restart_row

__all__ = ["renumber_attempts", "reset_run"]


def reset_run(conn: Connection, run_id: int, *, now: float) -> None:
    """Delete all points of a run and set its files back to offset 0, to be read again.

    Blobs stay until they are swept: other runs may refer to them, and reading again will.
    """
    _lock_files(conn, run_id)
    state = lock_run(conn, run_id)
    for table in (tables.segment, tables.block, tables.restart, tables.gap, tables.blob_ref):
        conn.execute(delete(table).where(table.c.run_id == run_id))
    conn.execute(
        update(tables.source_file)
        .where(tables.source_file.c.run_id == run_id)
        .values(
            offset=0,
            records=0,
            pending=None,
            first_wall=None,
            last_wall=None,
            first_attempt=0,
            last_attempt=0,
        )
    )
    state.heads = empty_heads()
    # Not the stored number of series: an empty set replaces theirs, whatever it was.
    state.known_series = -1
    state.points = state.gaps = state.segments = 0
    state.attempts = 1
    state.started = state.last_event = None
    save_run(conn, state, now=now, changes={"finished": None, "hparams": None})


def renumber_attempts(
    conn: Connection, run_id: int, mapping: Mapping[int, int], *, now: float
) -> None:
    """Give attempts new numbers; several may become one, which takes their restart back.

    Attempts that `mapping` does not name keep theirs. Points stay where they are.
    """
    _lock_files(conn, run_id)
    # In blocks each attempt's points are one after the other; in segments they would mix.
    compact(conn, run_id, final=True, now=now)
    state = lock_run(conn, run_id)
    new = {old: mapping.get(old, old) for old in range(state.attempts)}
    _renumber_rows(conn, run_id, new)
    cuts = _renumber_cuts(load_cuts(conn, [run_id])[run_id], new)
    conn.execute(delete(tables.restart).where(tables.restart.c.run_id == run_id))
    if cuts:
        conn.execute(insert(tables.restart), [restart_row(run_id, cut) for cut in cuts])
    state.attempts = max(new.values(), default=0) + 1
    recount(conn, state, cuts, None)
    save_run(conn, state, now=now)


def _lock_files(conn: Connection, run_id: int) -> None:
    """Take the files' locks before the run's, as every writer does, in order of id."""
    columns = tables.source_file.c
    conn.execute(
        select(columns.file_id)
        .where(columns.run_id == run_id)
        .order_by(columns.file_id)
        .with_for_update()
    ).all()


def _renumber_rows(conn: Connection, run_id: int, new: Mapping[int, int]) -> None:
    changed = {old: number for old, number in new.items() if old != number}
    for table, name in (
        (tables.block, "attempt"),
        (tables.source_file, "first_attempt"),
        (tables.source_file, "last_attempt"),
    ):
        column = table.c[name]
        # By way of numbers below zero, which are free: 2 to 1 must not then go 1 to 0.
        for old, number in changed.items():
            here = (table.c.run_id == run_id) & (column == old)
            conn.execute(update(table).where(here).values({name: -1 - number}))
        parked = (table.c.run_id == run_id) & (column < 0)
        conn.execute(update(table).where(parked).values({name: -1 - column}))


def _renumber_cuts(cuts: list[Cut], new: Mapping[int, int]) -> list[Cut]:
    """Keep the restart of the first attempt of those that become one."""
    first: dict[int, int] = {}
    for old, number in sorted(new.items()):
        first.setdefault(number, old)
    return [
        Cut(new[cut.attempt], cut.tag_id, cut.kind, cut.step)
        for cut in cuts
        if first[new[cut.attempt]] == cut.attempt
    ]
