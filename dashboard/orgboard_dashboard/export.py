"""Stored points as CSV or JSON lines, streamed: `orgboard export`.

    scalars      project,run,tag,attempt,superseded,step,wall_time,value
    runs         project,run,status,attempts,started,last_event,files,points,gaps,hparams
    histograms   JSON lines only: the key columns of scalars, then the histogram as logged

Columns are fixed, because people script against them. Numbers are the shortest text
that gives the stored value again, as a double; names are raw.
"""

from __future__ import annotations

import csv
import errno
import json
import math
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final, Literal, TextIO

from sqlalchemy import Connection, Engine

from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.exported import (
    ExportedRun,
    SeriesData,
    exported_runs,
    exported_series,
)
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.errors import OrgboardError
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.types import ProtoHistogram, TensorHistogram

__all__ = ["COLUMNS", "CannotExport", "Choice", "export", "form_of"]

What = Literal["runs", "scalars", "histograms"]
Form = Literal["csv", "jsonl"]

_KEY: Final = ("project", "run", "tag", "attempt", "superseded", "step", "wall_time")

COLUMNS: Final[dict[What, tuple[str, ...]]] = {
    "runs": (
        "project",
        "run",
        "status",
        "attempts",
        "started",
        "last_event",
        "files",
        "points",
        "gaps",
        "hparams",
    ),
    "scalars": (*_KEY, "value"),
    "histograms": _KEY,
}
"""The columns of each export, in order. Histograms add the fields of their form."""


class CannotExport(OrgboardError):  # noqa: N818 - says what is, as its siblings do
    """The export that was asked for cannot be made; the message says what can."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What to write, of which runs and tags."""

    what: What
    form: Form
    project: str | None = None
    run: str = ""
    tag: str = ""


def form_of(what: What, asked: str | None) -> Form:
    """Return the form to write in.

    Raises:
        CannotExport: it is not one that `what` has.
    """
    if asked == "parquet":
        raise CannotExport("this version does not write Parquet: use --format csv or jsonl")
    if what == "histograms":
        if asked == "csv":
            raise CannotExport("a histogram does not fit a CSV row: use --format jsonl")
        return "jsonl"
    return "jsonl" if asked == "jsonl" else "csv"


def export(engine: Engine, choice: Choice, path: Path | None, now: float) -> None:
    """Write what was chosen to `path`, whole or not at all, or to standard output.

    Raises:
        CannotExport: a filter is wrong, there is no such project, the file cannot be written.
    """
    try:
        with begin_read(engine) as conn:
            rows = _rows(conn, choice, now)
            # Whatever is wrong with the choice shows with the first row: before any output.
            first = list(islice(rows, 1))
            with _output(path) as stream:
                if choice.form == "csv":
                    _write_csv(stream, COLUMNS[choice.what], chain(first, rows))
                else:
                    _write_lines(stream, chain(first, rows))
    except BadQuery as error:
        raise CannotExport(str(error)) from error
    except NotFound as error:
        raise CannotExport(f"there is no project {choice.project}") from error


def _rows(conn: Connection, choice: Choice, now: float) -> Iterator[dict[str, Any]]:
    viewer = SystemViewer()
    runs = exported_runs(viewer, conn, now, project=choice.project, matches=matcher(choice.run))
    if choice.what == "runs":
        yield from (_run_row(run) for run in runs)
        return
    tags = matcher(choice.tag)
    of: Callable[[dict[str, Any], SeriesData], Iterator[dict[str, Any]]]
    kind, of = (
        ("scalar", _scalar_rows) if choice.what == "scalars" else ("histogram", _histogram_rows)
    )
    for run in runs:
        for tag, pieces in exported_series(viewer, conn, run, kind, tags):  # type: ignore[arg-type]
            key = {"project": run.project, "run": run.row.name, "tag": tag}
            for piece in pieces:
                yield from of(key, piece)


def _run_row(run: ExportedRun) -> dict[str, Any]:
    row = run.row
    return {
        "project": run.project,
        "run": row.name,
        "status": row.status,
        "attempts": row.attempts,
        "started": row.started,
        "last_event": row.last_event,
        "files": row.files,
        "points": row.points,
        "gaps": row.gaps,
        "hparams": dict(row.hparams),
    }


def _places(key: dict[str, Any], data: SeriesData) -> Iterator[dict[str, Any]]:
    columns = (data.attempt, data.superseded, data.step, data.wall)
    for attempt, superseded, step, wall in zip(*(c.tolist() for c in columns), strict=True):
        yield {
            **key,
            "attempt": attempt,
            "superseded": int(superseded),
            "step": step,
            "wall_time": wall,
        }


def _scalar_rows(key: dict[str, Any], data: SeriesData) -> Iterator[dict[str, Any]]:
    for place, value in zip(_places(key, data), data.value.tolist(), strict=True):
        yield {**place, "value": value}


def _histogram_rows(key: dict[str, Any], data: SeriesData) -> Iterator[dict[str, Any]]:
    for place, value in zip(_places(key, data), data.values, strict=True):
        if isinstance(value, ProtoHistogram):
            yield {
                **place,
                "form": "proto",
                "min": value.min,
                "max": value.max,
                "num": value.num,
                "sum": value.sum,
                "sum_squares": value.sum_squares,
                "limits": value.limits,
                "counts": value.counts,
            }
        elif isinstance(value, TensorHistogram):
            yield {**place, "form": "tensor", "dtype": value.dtype, "buckets": value.buckets}


def _write_csv(stream: TextIO, columns: tuple[str, ...], rows: Iterable[dict[str, Any]]) -> None:
    writer = csv.writer(stream, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name]) for name in columns] for row in rows)


def _write_lines(stream: TextIO, rows: Iterable[dict[str, Any]]) -> None:
    for row in rows:
        line = json.dumps(_spelled(row), allow_nan=False, separators=(",", ":"), ensure_ascii=True)
        stream.write(line + "\n")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return repr(value) if math.isfinite(value) else str(_spelled(value))
    if isinstance(value, dict):
        return json.dumps(_spelled(value), allow_nan=False, ensure_ascii=False, sort_keys=True)
    return str(value)


def _spelled(value: Any) -> Any:
    """Return `value` with the numbers that JSON lacks as the words that everybody reads."""
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return "NaN"
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, dict):
        return {key: _spelled(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_spelled(part) for part in value]
    return value


@contextmanager
def _output(path: Path | None) -> Iterator[TextIO]:
    try:
        if path is None:
            with _written(_stdout()) as stream:
                yield stream
        elif path.exists() and not path.is_file() and not path.is_dir():
            # A pipe or a device: what stands for a place to write to must stay what it is.
            with _written(path) as stream:
                yield stream
        else:
            with _replacing(path.resolve()) as stream:
                yield stream
    except BrokenPipeError:
        # Whoever reads has enough: `orgboard export … | head`.
        raise
    except OSError as error:
        place = "to standard output" if path is None else str(path)
        raise CannotExport(f"cannot write {place}: {error.strerror or error}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """Write beside `path`, and take its place once all is written."""
    part = path.with_name(path.name + ".part")
    try:
        with _written(part) as stream:
            yield stream
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _stdout() -> int:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdout.fileno()


def _written(file: Path | int) -> TextIO:
    # What is not UTF-8 in a name shows as an escape; the file stays readable as text.
    return open(
        file,
        "w",
        encoding="utf-8",
        errors="backslashreplace",
        newline="",
        closefd=not isinstance(file, int),
    )
