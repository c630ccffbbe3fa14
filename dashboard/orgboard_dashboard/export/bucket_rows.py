"""Histograms as CSV (RFC 4180, UTF-8): a row a bucket, exactly as it was logged."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import BinaryIO, Final

from orgboard_dashboard.export.choice import Slice
from orgboard_dashboard.export.marks import marks
from orgboard_dashboard.export.spelling import csv_quoted, number
from orgboard_dashboard.queries.exported import ExportedRun
from orgboard_schema.types import ProtoHistogram, TensorHistogram
from orgboard_schema.wire.histograms import buckets

__all__ = ["BucketSink"]

_COLUMNS: Final = (
    *("project", "run", "tag", "attempt", "superseded", "step", "wall_time"),
    *("left", "right", "count"),
)


class BucketSink:
    """Write a header, then a row a bucket. A histogram without buckets has none."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._write(",".join(_COLUMNS) + "\r\n")

    def points(self, part: Slice) -> None:
        """Write the buckets of each of these histograms."""
        data = part.data
        names = ",".join(map(csv_quoted, (part.project, part.run, part.tag)))
        each = marks(data)
        told = repeat(each) if isinstance(each, tuple) else each
        for value, step, wall, (attempt, hidden) in zip(
            data.values, data.step.tolist(), data.wall.tolist(), told, strict=False
        ):
            if isinstance(value, ProtoHistogram | TensorHistogram):
                head = f"{names},{attempt},{hidden},{step},{number(float(wall))}"
                rows = (",".join(map(number, map(float, bucket))) for bucket in buckets(value))
                self._write("".join(f"{head},{row}\r\n" for row in rows))

    def runs(self, rows: Sequence[ExportedRun]) -> None:
        """Write nothing: runs have a form of their own."""

    def close(self) -> None:
        """Do nothing more: the rows are written."""

    def _write(self, text: str) -> None:
        self._stream.write(text.encode("utf-8", "backslashreplace"))
