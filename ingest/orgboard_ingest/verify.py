"""Prove that the database equals the files: read them again and compare every point.

Run by run, each in one snapshot: what a daemon stores meanwhile belongs to the next look.
Only the stored part of a file is compared. What a file has beyond it counts as a
difference if it is still not stored when everything else has been compared.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final, TextIO, TypeVar

from sqlalchemy import Connection, Engine, select

from orgboard_ingest.complaints import printable
from orgboard_ingest.progress import Progress
from orgboard_ingest.proof.differences import Difference
from orgboard_ingest.proof.logdir import LogdirProof, Snapshot
from orgboard_ingest.roots import Away, root_of
from orgboard_ingest.transactions import read_once
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import check_version
from orgboard_schema.sql.registry import DEFAULT_TEAM
from orgboard_schema.sql.text import sha256, to_sql

__all__ = ["Report", "differences", "verify_logdirs"]

T = TypeVar("T")

EQUAL: Final = 0
DIFFERENT: Final = 1


@dataclass(slots=True)
class Report:
    """Where differences go, line by line as they are found."""

    out: TextIO
    progress: Progress
    as_json: bool = False
    differences: int = 0
    """Told so far."""
    known: int = 0
    """Of series that were thinned: what is missing there is told of in the database."""

    def tell(self, difference: Difference) -> None:
        """Print a difference. One that is known counts for none."""
        self.differences += not difference.known
        self.known += difference.known
        self.progress.clear()
        line = difference.as_json() if self.as_json else str(difference)
        self.out.write(f"{line}\n")
        self.out.flush()

    def sum_up(self, logdir: Path | str, found: int, known: int, runs: int, points: int) -> None:
        """Print what came of a logdir."""
        self.progress.clear()
        if self.as_json:
            said = {"logdir": str(logdir), "differences": found, "runs": runs, "points": points}
            said |= {"thinned": known} if known else {}
            self.out.write(json.dumps(said) + "\n")
            return
        what = f"{found:,} differences" if found else "the database equals the files"
        if known:
            what += f" {'beside' if found else 'but for'} what was thinned of {known:,} series"
        self.out.write(f"{printable(str(logdir))}: {what} ({points:,} points of {runs:,} runs)\n")


def verify_logdirs(
    logdirs: Sequence[Path | str],
    db: str,
    project: str | None,
    report: Report,
    *,
    run: str = "",
) -> int:
    """Report where the database differs from the files and return the exit status.

    Raises:
        OrgboardError: A logdir was never ingested, or the database cannot be used, or `run`
            is no regular expression.
    """
    try:
        wanted = re.compile(run)
    except re.error as error:
        raise OrgboardError(f"--run is not a regular expression: {error}") from error
    engine = open_engine(db, create=False)
    try:
        check_version(engine)
        for logdir in logdirs:
            ids = read_once(engine, partial(_logdir_ids, path=logdir, project=project))
            before, known, runs, points = report.differences, report.known, 0, 0
            for logdir_id in ids:
                root, show = root_of(logdir), report.progress.show
                proof = LogdirProof(_snapshots(engine), logdir_id, root, show)
                try:
                    for difference in proof.differences(lambda name: bool(wanted.search(name))):
                        report.tell(difference)
                except Away as error:
                    raise OrgboardError(f"{logdir} cannot be read: {error.strerror}") from error
                runs, points = runs + proof.runs, points + proof.done.points
            found, known = report.differences - before, report.known - known
            report.sum_up(logdir, found, known, runs, points)
    finally:
        engine.dispose()
    return DIFFERENT if report.differences else EQUAL


def differences(conn: Connection, logdir_id: int, root: Path | str) -> Iterator[str]:
    """Yield one line for each way in which a logdir differs from its files, on one connection."""
    proof = LogdirProof(lambda work: work(conn), logdir_id, root_of(root))
    return (str(each) for each in proof.differences(lambda _: True) if not each.known)


def _snapshots(engine: Engine) -> Snapshot:
    """Return what takes a snapshot for each piece of work."""

    def snapshot(work: Callable[[Connection], T]) -> T:
        return read_once(engine, work)

    return snapshot


def _logdir_ids(conn: Connection, path: Path | str, project: str | None) -> list[int]:
    logdir, owner, team = tables.logdir.c, tables.project.c, tables.team.c
    query = (
        select(logdir.logdir_id)
        .join_from(tables.logdir, tables.project, logdir.project_id == owner.project_id)
        .join(tables.team, team.team_id == owner.team_id)
        .where(logdir.path_sha256 == sha256(str(path)))
        .order_by(logdir.logdir_id)
    )
    if project is not None:
        team_name, _, name = project.rpartition("/")
        query = query.where(team.name == to_sql(team_name or DEFAULT_TEAM))
        query = query.where(owner.name == to_sql(name))
    found = [int(number) for number in conn.execute(query).scalars()]
    if not found:
        raise OrgboardError(f"{path} was never ingested into this database: `orgboard ingest` does")
    return found
