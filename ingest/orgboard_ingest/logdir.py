"""What is known of one logdir's runs: how they are found, packed, put away and read anew.

All of it is a cache of SQL (`catalog`), looked up again after any doubt. Bringing in what
files hold is `intake`'s business.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Final

from sqlalchemy import Connection, Engine

from orgboard_ingest import moves
from orgboard_ingest.catalog import KnownFile, KnownRun, load_run, load_runs, worth_packing
from orgboard_ingest.commit import note_error, read_anew
from orgboard_ingest.regaps import YoungGaps, files_with_young_gaps
from orgboard_ingest.register import RUNS_AT_ONCE, register
from orgboard_ingest.rereading import awaited, carry_facts, first_unreadable, is_read
from orgboard_ingest.roots import Root, file_path
from orgboard_ingest.tail import is_settled
from orgboard_ingest.transactions import read_once, write_once
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql.compact import compact
from orgboard_schema.sql.shadow import give_up_shadow, swap
from orgboard_schema.wire.batch import UNWRITTEN
from orgboard_schema.wire.unpacked import Marks

__all__ = ["Logdir"]

SWEEP_AFTER_S: Final = 3600.0
"""Not at every start: a daemon that is started over and over has better to do."""


class Logdir:
    """The runs of one logdir, and what SQL says of them."""

    def __init__(
        self,
        engine: Engine,
        root: Root,
        logdir_id: int,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.root = root
        self.logdir_id = logdir_id
        self.runs: dict[str, KnownRun] = {}
        self.gone: set[str] = set()
        """Runs of which the last scan found no file."""
        self.engine = engine
        self.clock = clock
        self.young_gaps = YoungGaps(clock)
        self.marks = Marks()
        self.next_sweep = clock() + SWEEP_AFTER_S
        """When blobs are next looked through for those that nothing refers to."""

    def load(self) -> None:
        """Look up all runs and files anew; what was known of them is dropped."""

        def work(conn: Connection) -> tuple[dict[str, KnownRun], set[tuple[int, str]]]:
            runs = load_runs(conn, self.logdir_id)
            damaged = [run.run_id for run in runs.values() if run.gaps]
            return runs, files_with_young_gaps(conn, damaged, now=self.clock())

        self.runs, young = read_once(self.engine, work)
        names = {run.run_id: run.name for run in self.runs.values()}
        for run_id, name in sorted(young):
            self.young_gaps.add((names[run_id], name), at_once=True)

    def is_settled(self, run: str, name: str, size: int, mtime_ns: int) -> bool:
        """Tell whether a file of this size and time has been read as far as it goes."""
        if run in self.runs and self.runs[run].deleted:
            return True
        known = self.runs[run].files.get(name) if run in self.runs else None
        if known is None:
            return False
        row = known.row
        if row.pending not in (None, *UNWRITTEN) and is_settled(mtime_ns, self.clock()):
            return False  # Damage at its end is not waited for any longer.
        return is_read(row) and (row.size, row.mtime_ns) == (size, mtime_ns)

    def note_unreadable(self, run_name: str, name: str, reason: str) -> None:
        """Store why a file cannot be read at the moment."""
        known = self.runs[run_name].files.get(name) if run_name in self.runs else None
        if known is not None:
            self.note_error(known, reason)

    def unsettled(self) -> list[str]:
        """Return the runs that were changed since they were last settled."""
        return [name for name, run in self.runs.items() if not run.settled]

    def settle(self, names: Collection[str]) -> None:
        """Pack runs that grow no more for now, and forget what can be looked up again."""
        runs = [self.runs[name] for name in names]
        ids = [run.run_id for run in runs]
        worth = read_once(self.engine, partial(worth_packing, run_ids=ids)) if ids else set()
        for run in runs:
            if run.run_id in worth:
                pack = partial(compact, run_id=run.run_id, final=True, now=self.clock())
                run.revision += 1 if write_once(self.engine, pack) else 0
            run.settled = True
            run.forget()

    def place(self, run_name: str, name: str) -> str:
        """Return the path of a run's file, as a scan finds it."""
        return file_path(self.root, run_name, name)

    def register(self, found: Iterable[tuple[str, str]]) -> bool:
        """Make runs and files known, given as (run, name), those that are not yet.

        Tell whether a rival set a run back that was known: then all of it is to be read.
        """
        wanted: dict[str, list[str]] = {}
        for run_name, name in found:
            run = self.runs.get(run_name)
            if run is None or not (run.deleted or name in run.files):
                wanted.setdefault(run_name, []).append(name)
        names = sorted(wanted)
        set_back = False
        for at in range(0, len(names), RUNS_AT_ONCE):
            some = {name: wanted[name] for name in names[at : at + RUNS_AT_ONCE]}
            set_back |= self._register(some)
        return set_back

    def _register(self, wanted: Mapping[str, Sequence[str]]) -> bool:
        new = {name: files for name, files in wanted.items() if name not in self.runs}
        gone = [self.runs[old] for old in sorted(self.gone) if old in self.runs]
        moved = moves.find_old_names(self.root, gone, new)

        def work(conn: Connection) -> list[KnownRun]:
            for name, old in moved.items():
                moves.rename(conn, self.runs[old].shown_id, name, self.logdir_id)
            return register(conn, self.logdir_id, wanted, now=self.clock())

        set_back = False
        for fresh in write_once(self.engine, work):
            if fresh.gaps:
                # It may have come from elsewhere.
                for name in fresh.files:
                    self.young_gaps.add((fresh.name, name))
            known = self.runs.get(fresh.name)
            if known is None or known.was_set_back(fresh):
                self.runs[fresh.name] = fresh
                set_back |= known is not None
                continue
            for name, file in fresh.files.items():
                known.files.setdefault(name, file)
        for old in moved.values():
            self.runs.pop(old, None)
        return set_back

    def read_anew(
        self, run: KnownRun, replaced: Mapping[str, int] | None = None, *, changed: str = ""
    ) -> str | None:
        """Begin to read all of a run anew; return a file that is needed and gone, if any.

        `replaced`: files whose name another file took, with its size. `changed`: a file that
        says something else than when it was read. A shadow that cannot be read on is given
        up, and the run is as it was.
        """
        missing = first_unreadable(self.root, run, lambda _, file: file.row.offset > 0)
        if missing is not None:
            if run.replaces is None:
                return missing
            self.give_up(run)
            return None
        # A rival that came first changes nothing: what SQL says now is looked up either way.
        with suppress(OffsetMoved):
            write_once(self.engine, lambda conn: read_anew(conn, run, replaced, now=self.clock()))
        fresh = self.look_again(run)
        if fresh is not None:
            carry_facts(run, fresh, but={changed, *(replaced or {})})
        return None

    def finish(self, run: KnownRun) -> bool:
        """Let a run's shadow take its place, if it has read far enough.

        Tell whether it did, or a rival let it.
        """
        if run.replaces is None or any(awaited(run, file) for file in run.files.values()):
            return False
        write_once(self.engine, lambda conn: swap(conn, run.run_id, now=self.clock()))
        return self.was_set_back(run)

    def give_up(self, run: KnownRun) -> None:
        """Discard a run's shadow: some file cannot be read anew, so the run stays as it is."""
        write_once(self.engine, lambda conn: give_up_shadow(conn, run.run_id))
        self.look_again(run)

    def look_again(self, run: KnownRun) -> KnownRun | None:
        """Take over what SQL says now; keep the facts of files that stand where they stood."""
        fresh = read_once(self.engine, lambda conn: load_run(conn, run.uid))
        self.runs.pop(run.name, None)
        if fresh is None:
            return None
        for name, file in fresh.files.items():
            old = run.files.get(name)
            if old is not None and old.place == file.place and old.facts is not None:
                file.facts, file.known_end = old.facts, old.known_end
                file.section, file.stored = old.section, old.stored
        self.runs[fresh.name] = fresh
        return fresh

    def was_set_back(self, run: KnownRun) -> bool:
        """Look a run up again; tell whether a rival set it back: then all of it is to be read."""
        fresh = self.look_again(run)
        return fresh is not None and run.was_set_back(fresh)

    def note_error(self, file: KnownFile, error: str) -> None:
        """Store why a file cannot be read, unless that is what is stored."""
        if file.row.error != error:
            write_once(self.engine, lambda conn: note_error(conn, file.row, error))
            file.row = replace(file.row, error=error)
