"""What a logdir's runs need besides new points, whenever the loop has a moment.

Shadows are brought to an end, discarded runs removed a little at a time, deleted ones
looked at again in case somebody took them back, runs without files told from others, and
young gaps looked into (`orgboard_ingest.regaps`).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import BinaryIO, Final, cast

from sqlalchemy import Connection, update

from orgboard_ingest.catalog import KnownRun, still_deleted
from orgboard_ingest.intake import Intake
from orgboard_ingest.regaps import young_gaps
from orgboard_ingest.rereading import awaited, first_unreadable
from orgboard_ingest.roots import Away
from orgboard_ingest.transactions import read_once, write_once
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import sweep_blobs, sweep_files
from orgboard_schema.sql.delete import remove_deleted
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.discard import discard_some
from orgboard_schema.wire.recheck import gap_changed
from orgboard_schema.wire.unpacked import Unpacked, encoding_of

__all__ = ["tend"]

ROWS_AT_ONCE: Final = 200
"""Removed in one transaction: at most some megabytes, and no rival waits for long."""

SWEEP_EVERY_S: Final = 3600.0
"""To find what nothing refers to, all blobs are looked through."""

TRANSACTIONS: Final = 20
"""Of such transactions in a row: new points wait for tenths of a second at most."""


def tend(intake: Intake) -> bool:
    """Do what waits; tell whether there is more to remove, so that it is worth calling again.

    Raises:
        DatabaseUnreachable: The database is away.
    """
    # What needs the files waits for them, where they are away.
    with suppress(Away):
        _look_into_gaps(intake)
        _end_shadows(intake)
    _take_back(intake)
    _note_gone(intake)
    _sweep(intake)
    return all(_remove_some(intake) for _ in range(TRANSACTIONS))


def _remove_some(intake: Intake) -> bool:
    """Remove rows that no one may see any more; tell whether there are more."""

    def work(conn: Connection) -> bool:
        return discard_some(conn, ROWS_AT_ONCE) or remove_deleted(conn, ROWS_AT_ONCE)

    return write_once(intake.engine, work)


def _sweep(intake: Intake) -> None:
    """Remove, now and then, the blobs that nothing refers to any more."""
    now = intake.clock()
    if now < intake.next_sweep:
        return
    intake.next_sweep = now + SWEEP_EVERY_S
    for _ in range(TRANSACTIONS):
        if not write_once(intake.engine, partial(sweep_blobs, limit=ROWS_AT_ONCE)):
            break
    write_once(intake.engine, partial(sweep_files, now=now, limit=ROWS_AT_ONCE))


def _end_shadows(intake: Intake) -> None:
    """Swap in the shadows that have read all there is; give up those that never will."""
    for run in [run for run in intake.runs.values() if run.replaces is not None]:
        if first_unreadable(intake.root, run, awaited) is not None:
            intake.give_up(run)
        else:
            intake.finish(run)


def _look_into_gaps(intake: Intake) -> None:
    """Read the runs anew in which bytes that could not be read have changed since."""
    for run_name, name in intake.young_gaps.due():
        run = intake.runs.get(run_name)
        if run is None or run.deleted or name not in run.files:
            intake.young_gaps.discard((run_name, name))
        elif run.replaces is None and _is_filled(intake, run, name):
            intake.read_anew(run, changed=name)


def _is_filled(intake: Intake, run: KnownRun, name: str) -> bool:
    row, now = run.files[name].row, intake.clock()
    found = read_once(
        intake.engine,
        lambda conn: young_gaps(conn, run.run_id, row.file_id, row.generation, now=now),
    )
    if not found:
        intake.young_gaps.discard((run.name, name))
    try:
        with intake.root.open(intake.place(run.name, name)) as file:
            encoding = encoding_of(file)
            view = cast(BinaryIO, Unpacked(file, encoding)) if encoding else file
            return any(gap_changed(view, gap, run.remembered or {}) for gap in found)
    except OSError:
        return False


def _take_back(intake: Intake) -> None:
    """Look again at deleted runs that are not deleted any more."""
    deleted = {run.uid: run for run in intake.runs.values() if run.deleted}
    if deleted:
        still = read_once(intake.engine, lambda conn: still_deleted(conn, deleted))
        for uid in deleted.keys() - still:
            intake.look_again(deleted[uid])


def _note_gone(intake: Intake) -> None:
    """Store since when runs have no file any more, and that they have one again."""
    gone = [intake.runs[name] for name in intake.gone if name in intake.runs]
    newly = [run for run in gone if run.gone_at is None and not _has_file(intake, run)]
    back = [
        run
        for run in intake.runs.values()
        if run.gone_at is not None and run.name not in intake.gone
    ]
    for runs, since in ((newly, intake.clock()), (back, None)):
        for some in chunked(runs):
            _store_gone(intake, some, since)


def _has_file(intake: Intake, run: KnownRun) -> bool:
    # A directory that may not be looked into still has its files, as far as anybody knows.
    try:
        return any(intake.root.holds(intake.place(run.name, name)) for name in run.files)
    except OSError:
        return True


def _store_gone(intake: Intake, runs: Sequence[KnownRun], since: float | None) -> None:
    columns = tables.run.c
    wanted = update(tables.run).where(columns.run_id.in_(sorted(run.shown_id for run in runs)))

    def work(conn: Connection) -> None:
        conn.execute(wanted.values(gone_at=since))

    write_once(intake.engine, work)
    for run in runs:
        run.gone_at = since
