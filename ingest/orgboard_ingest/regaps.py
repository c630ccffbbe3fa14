"""Gaps are looked into again for a day: where a network file system holds the logs, what
one host has written may reach another later, and out of order.

A file with young gaps is looked at after ten seconds, then ever more rarely. Bytes that
would be read otherwise now mean that the run is read anew.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sqlalchemy import Connection, and_, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql
from orgboard_schema.wire.batch import Gap

__all__ = ["YOUNG_S", "YoungGaps", "files_with_young_gaps", "young_gaps"]

YOUNG_S: Final = 86_400.0
"""No network file system holds back what was written for longer."""

FIRST_PAUSE_S: Final = 10.0
LONGEST_PAUSE_S: Final = 3600.0

MOST_GAPS: Final = 64
"""Of one file looked into: one with more is damaged rather than unfinished."""

FileName: TypeAlias = tuple[str, str]
"""Run and file."""


@dataclass(slots=True)
class YoungGaps:
    """When to look again at which file."""

    clock: Callable[[], float]
    _due: dict[FileName, float] = field(default_factory=dict)
    _pauses: dict[FileName, float] = field(default_factory=dict)

    def add(self, file: FileName, *, at_once: bool = False) -> None:
        """Look at a file soon, because it has a new gap; `at_once` when it was found earlier."""
        self._pauses[file] = FIRST_PAUSE_S
        self._due[file] = self.clock() + (0.0 if at_once else FIRST_PAUSE_S)

    def due(self) -> list[FileName]:
        """Return the files to look at now; each comes again, after a pause twice as long."""
        now = self.clock()
        found = sorted(file for file, at in self._due.items() if at <= now)
        for file in found:
            self._pauses[file] = min(self._pauses[file] * 2, LONGEST_PAUSE_S)
            self._due[file] = now + self._pauses[file]
        return found

    def discard(self, file: FileName) -> None:
        """Look at a file no more: its gaps are old, or gone."""
        self._due.pop(file, None)
        self._pauses.pop(file, None)


def files_with_young_gaps(
    conn: Connection, run_ids: Collection[int], *, now: float
) -> set[tuple[int, str]]:
    """Return the files, by run id and name, that have a gap found within the last day."""
    gap, file = tables.gap.c, tables.source_file.c
    same = and_(gap.file_id == file.file_id, gap.generation == file.generation)
    query = select(gap.run_id, file.name).join_from(tables.gap, tables.source_file, same).distinct()
    found: set[tuple[int, str]] = set()
    for some in chunked(sorted(run_ids)):
        rows = conn.execute(query.where(gap.run_id.in_(some), gap.found_at > now - YOUNG_S))
        found |= {(run_id, from_sql(name)) for run_id, name in rows}
    return found


def young_gaps(
    conn: Connection, run_id: int, file_id: int, generation: int, *, now: float
) -> list[Gap]:
    """Return the newest gaps of a file that were found within the last day."""
    gap = tables.gap.c
    query = (
        select(gap.offset, gap.length, gap.reason)
        .where(gap.run_id == run_id, gap.file_id == file_id, gap.generation == generation)
        .where(gap.found_at > now - YOUNG_S)
        .order_by(gap.found_at.desc(), gap.offset.desc())
        .limit(MOST_GAPS)
    )
    return [Gap(*row) for row in conn.execute(query)]
