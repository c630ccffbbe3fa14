"""Run after run into a sink: few points in memory at any time, no snapshot longer than a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from orgboard_dashboard.export.blobs import BlobFolder
from orgboard_dashboard.export.choice import CannotExport, Choice, Slice
from orgboard_dashboard.export.marks import Sink
from orgboard_dashboard.export.output import is_file, opened
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.exported import (
    ExportedSeries,
    RunPlace,
    exported_blob,
    exported_rows,
    exported_runs,
    exported_series,
)
from orgboard_dashboard.queries.guard import reading
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql.engine import unreachable
from orgboard_schema.types import Kind

__all__ = ["export"]

RUNS_AT_ONCE: Final = 500
"""Rows of the run table read in one snapshot."""

REDRAW_EVERY_S: Final = 0.1
"""Smooth to the eye, nothing beside the reading."""

_VIEWER: Final = SystemViewer()
_Match = Callable[[str], bool]


def export(
    engine: Engine, choice: Choice, path: Path | None, now: float, told: TextIO | None = None
) -> int:
    """Write what was chosen to `path`, whole or not at all, or to standard output.

    Return how many blobs could not be written because the store lacks them or has them
    damaged. `told` is where progress shows, when it is a terminal and the output a file, and
    what was thinned is told of.

    Raises:
        CannotExport: a filter is wrong, there is no such project, the file cannot be written.
        DatabaseUnreachable: the database went away.
    """
    make = _sink_of(choice)
    try:
        # Whatever is wrong with the choice shows here: before any output.
        tags = matcher(choice.tag)
        with reading(engine, _VIEWER) as conn:
            places = exported_runs(
                _VIEWER,
                conn,
                project=choice.project,
                matches=matcher(choice.run),
                where=choice.where,
                now=now,
            )
        folder = BlobFolder(choice.blobs) if choice.blobs is not None else None
        progress = _Progress(told if is_file(path) else None, len(places))
        with opened(path) as stream:
            sink = make(stream)
            if choice.what == "runs":
                _write_runs(engine, sink, places, now)
            else:
                for number, place in enumerate(places):
                    _write_run(engine, sink, _Wanted(place, _kinds(choice), tags), folder, progress)
                    progress.show(number + 1)
            sink.close()
        progress.clear()
        if told is not None and progress.missed:
            told.write(f"orgboard: not in it: {progress.missed:,} points that were thinned\n")
    except BadQuery as error:
        raise CannotExport(str(error)) from error
    except NotFound as error:
        raise CannotExport(f"there is no project {choice.project}") from error
    except DBAPIError as error:
        raise unreachable(engine.url, error) from error
    return folder.lost if folder is not None else 0


class _Wanted:
    """What to write of one run."""

    __slots__ = ("kinds", "place", "tags")

    def __init__(self, place: RunPlace, kinds: tuple[Kind, ...], tags: _Match) -> None:
        self.place = place
        self.kinds = kinds
        self.tags = tags

    def series(self, conn: Connection) -> Iterator[ExportedSeries]:
        """Yield its series."""
        return exported_series(_VIEWER, conn, self.place.run_id, self.kinds, self.tags)


def _kinds(choice: Choice) -> tuple[Kind, ...]:
    if choice.what == "values":
        return choice.kinds
    return ("scalar",) if choice.what == "scalars" else ("histogram",)


def _sink_of(choice: Choice) -> Callable[[BinaryIO], Sink]:
    # Only what is asked for is imported: pyarrow is large, and an extra.
    if choice.form == "parquet":
        from orgboard_dashboard.export.parquet import ParquetSink

        return lambda stream: ParquetSink(stream, choice.what)
    if choice.form == "csv":
        from orgboard_dashboard.export.csv_rows import CsvSink

        return lambda stream: CsvSink(stream, choice.what)
    from orgboard_dashboard.export.json_lines import JsonSink

    return lambda stream: JsonSink(stream, choice.what)


def _write_runs(engine: Engine, sink: Sink, places: list[RunPlace], now: float) -> None:
    for at in range(0, len(places), RUNS_AT_ONCE):
        with reading(engine, _VIEWER) as conn:
            rows = exported_rows(_VIEWER, conn, places[at : at + RUNS_AT_ONCE], now)
        sink.runs(rows)


def _write_run(
    engine: Engine, sink: Sink, wanted: _Wanted, folder: BlobFolder | None, progress: _Progress
) -> None:
    place = wanted.place
    with reading(engine, _VIEWER) as conn:
        for series in wanted.series(conn):
            progress.miss(series.taken)
            for data in series.pieces:
                sink.points(
                    Slice(place.project, place.name, series.tag, series.kind, series.plugin, data)
                )
                progress.count(len(data))
                if folder is not None:
                    folder.keep(
                        data.values, lambda key: exported_blob(_VIEWER, conn, place.run_id, key)
                    )


class _Progress:
    """One line, drawn over itself, on a terminal only."""

    def __init__(
        self, stream: TextIO | None, runs: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._stream = stream if stream is not None and stream.isatty() else None
        self._runs, self._done, self._points = runs, 0, 0
        self.missed = 0
        """Points that there were, and that an operator took away."""
        self._clock = clock
        self._drawn = float("-inf")
        self._width = 0

    def count(self, points: int) -> None:
        """Count these points as written."""
        self._points += points
        self.show(self._done)

    def miss(self, points: int) -> None:
        """Count these points as thinned."""
        self.missed += points

    def show(self, done: int) -> None:
        """Draw how many runs are done, unless it was drawn a moment ago."""
        self._done = done
        if self._stream is None or self._clock() - self._drawn < REDRAW_EVERY_S:
            return
        line = f"{done:,} of {self._runs:,} runs  {self._points:,} points"
        self._stream.write("\r" + line.ljust(self._width))
        self._stream.flush()
        self._drawn, self._width = self._clock(), len(line)

    def clear(self) -> None:
        """Wipe the line."""
        if self._stream is not None and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
