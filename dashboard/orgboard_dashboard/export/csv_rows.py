"""Scalars and runs as CSV (RFC 4180, UTF-8)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import BinaryIO

from orgboard_dashboard.export.choice import COLUMNS, Slice, What
from orgboard_dashboard.export.marks import marks, run_fields
from orgboard_dashboard.export.spelling import cell, csv_quoted, guarded, numbers
from orgboard_dashboard.queries.exported import ExportedRun

__all__ = ["CsvSink"]


class CsvSink:
    """Write a header, then a row a point or a run.

    `guards`: names that a table program would take for formulas are marked as text.
    """

    def __init__(self, stream: BinaryIO, what: What, *, guards: bool = False) -> None:
        self._stream = stream
        self._named = guarded if guards else str
        self._write(",".join(COLUMNS[what]) + "\r\n")

    def points(self, part: Slice) -> None:
        """Write a row for each of these scalars."""
        data = part.data
        named = map(self._named, (part.project, part.run, part.tag))
        names = ",".join(map(csv_quoted, named))
        each = marks(data)
        heads: Sequence[str] | repeat[str]
        if isinstance(each, tuple):
            heads = repeat(f"{names},{each[0]},{each[1]},", len(data))
        else:
            heads = [f"{names},{attempt},{hidden}," for attempt, hidden in each]
        columns = zip(
            heads, data.step.tolist(), numbers(data.wall), numbers(data.value), strict=True
        )
        rows = [f"{head}{step},{wall},{value}\r\n" for head, step, wall, value in columns]
        self._write("".join(rows))

    def runs(self, rows: Sequence[ExportedRun]) -> None:
        """Write a row for each of these runs."""
        lines = (",".join(map(cell, run_fields(row).values())) for row in rows)
        self._write("".join(f"{line}\r\n" for line in lines))

    def close(self) -> None:
        """Do nothing more: the rows are written."""

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "backslashreplace"))
