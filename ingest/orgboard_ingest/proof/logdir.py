"""All runs of one logdir, one after another, each in a snapshot of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, select

from orgboard_ingest.discover import FoundFile, Scan
from orgboard_ingest.progress import Done
from orgboard_ingest.proof.compare import Behind, RunProof, prove_run
from orgboard_ingest.proof.differences import Difference
from orgboard_ingest.proof.files import Place
from orgboard_ingest.roots import Away, Root, file_path
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.standing import DELETED, SHOWN
from orgboard_schema.sql.text import from_sql, sha256

__all__ = ["LogdirProof", "Snapshot"]

T = TypeVar("T")


class Snapshot(Protocol):
    """Runs work on one snapshot of the database and returns its answer."""

    def __call__(self, work: Callable[[Connection], T], /) -> T:
        """Run `work`."""
        ...


class LogdirProof:
    """The runs of a logdir in one project, against its files."""

    def __init__(
        self,
        snapshot: Snapshot,
        logdir_id: int,
        root: Root,
        show: Callable[[Done], object] = lambda _: None,
    ) -> None:
        self.done = Done(0, 0, 0, 0, 0)
        self.runs = 0
        """That were compared."""
        self._snapshot = snapshot
        self._logdir_id = logdir_id
        self._root = root
        self._show = show
        self._sound: set[bytes] = set()

    def differences(self, wanted: Callable[[str], bool]) -> Iterator[Difference]:
        """Yield what differs in the runs whose name is wanted, as it is found.

        Raises:
            OrgboardError: The files cannot be looked at.
            Away: Nor can they be read.
        """
        found = self._root.scan()
        if found.failed:
            raise OrgboardError(f"{self._root} cannot be listed: {found.failed}")
        for problem in found.problems:
            yield Difference(problem.path, f"cannot be looked at: {problem.reason}")
        on_disk = self._by_run(found, wanted)
        # After the scan: a run that was new to it is stored by now, or told of.
        known = self._snapshot(self._known)
        behind: list[Behind] = []
        for name in sorted(on_disk.keys() | set(filter(wanted, known))):
            run_id = known.get(name)
            if name not in known:
                yield Difference(name, "not stored")
            elif run_id is not None:
                proof = self._prove(run_id, name, on_disk.pop(name, []))
                behind += proof.behind
                yield from proof.differences
        yield from self._still(behind)

    def _by_run(self, found: Scan, wanted: Callable[[str], bool]) -> dict[str, list[FoundFile]]:
        on_disk: dict[str, list[FoundFile]] = {}
        files = [file for file in found.files if wanted(file.run)]
        for file in files:
            on_disk.setdefault(file.run, []).append(file)
        size = sum(file.size for file in files)
        self.done = replace(self.done, all_bytes=size, all_files=len(files))
        return on_disk

    def _known(self, conn: Connection) -> dict[str, int | None]:
        """Return the id of each run by name; None for those that somebody deleted."""
        columns = tables.run.c
        rows = conn.execute(
            select(columns.run_id, columns.name, columns.standing).where(
                columns.logdir_id == self._logdir_id, columns.standing.in_((SHOWN, DELETED))
            )
        )
        return {
            from_sql(name): run_id if standing == SHOWN else None for run_id, name, standing in rows
        }

    def _prove(self, run_id: int, name: str, files: Sequence[FoundFile]) -> RunProof:
        paths = {file.name: file.path for file in files}

        def work(conn: Connection) -> RunProof:
            there = self._with_new(conn, run_id, name, paths)
            places = {name: Place(self._root, path) for name, path in there.items()}
            return prove_run(conn, run_id, name, places, self._read, self._sound)

        proof = self._snapshot(work)
        self.runs += 1
        points, seen = self.done.points + proof.points, self.done.files + len(files)
        self.done = replace(self.done, points=points, files=seen)
        self._show(self.done)
        return proof

    def _with_new(
        self, conn: Connection, run_id: int, run: str, paths: Mapping[str, str]
    ) -> dict[str, str]:
        """Return the files of a run with those that came since the scan."""
        columns = tables.source_file.c
        rows = conn.execute(select(columns.name).where(columns.run_id == run_id))
        names = [from_sql(name) for (name,) in rows]
        new = {name: file_path(self._root, run, name) for name in names if name not in paths}
        return {**paths, **{name: path for name, path in new.items() if self._holds(path)}}

    def _holds(self, path: str) -> bool:
        try:
            return self._root.holds(path)
        except Away:
            raise
        except OSError:
            return True  # Why it cannot be looked at, whoever reads it is told.

    def _read(self, count: int) -> None:
        self.done = replace(self.done, bytes=self.done.bytes + count)
        self._show(self.done)

    def _still(self, behind: Sequence[Behind]) -> Iterator[Difference]:
        """Yield what was not stored when it was looked at, and is not now."""
        for file in behind:
            offset = self._snapshot(partial(_offset, file=file))
            if offset is None or offset < file.end:
                what = f"not stored from byte {file.offset} on"
                yield Difference(file.run, what, file=file.file)


def _offset(conn: Connection, file: Behind) -> int | None:
    columns = tables.source_file.c
    query = select(columns.offset).where(
        columns.run_id == file.run_id, columns.name_sha256 == sha256(file.file)
    )
    return conn.execute(query).scalar()
