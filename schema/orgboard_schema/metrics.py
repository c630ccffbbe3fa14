"""Health as Prometheus text: one sample a logdir, however many runs and files it has.

The text exposition format, version 0.0.4. What is a total counts up since the ingest
processes began, and starts again with them, as a counter may.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from orgboard_schema.sql.health import LogdirHealth

__all__ = ["CONTENT_TYPE", "Metric", "exposition", "logdir_metrics"]

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

Labels: TypeAlias = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Metric:
    """A family of samples."""

    name: str
    kind: str
    """ "gauge" or "counter"."""
    help: str
    samples: tuple[tuple[Labels, float], ...]


def exposition(metrics: Sequence[Metric]) -> str:
    """Return the text that a scrape gets."""
    lines: list[str] = []
    for metric in metrics:
        lines.append(f"# HELP {metric.name} {_escaped_help(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        lines += (
            f"{metric.name}{_braced(labels)} {_number(value)}" for labels, value in metric.samples
        )
    return "".join(f"{line}\n" for line in lines)


def logdir_metrics(logdirs: Sequence[LogdirHealth]) -> list[Metric]:
    """Return what the processes that read these logdirs tell, added up by logdir."""
    return [
        Metric(
            name,
            kind,
            says,
            tuple(
                ((("project", logdir.project), ("logdir", logdir.path)), float(value(logdir)))
                for logdir in logdirs
            ),
        )
        for name, kind, says, value in _FAMILIES
    ]


_Family: TypeAlias = tuple[str, str, str, Callable[[LogdirHealth], float]]

_FAMILIES: Final[tuple[_Family, ...]] = (
    (
        "orgboard_ingest_processes",
        "gauge",
        "Ingest processes at work on the logdir.",
        lambda logdir: len(logdir.alive),
    ),
    (
        "orgboard_ingest_watching",
        "gauge",
        "1 while changes of files are heard of, 0 while they are polled or nobody looks.",
        lambda logdir: (
            bool(logdir.alive) and all(ingest.work.watch == "watching" for ingest in logdir.alive)
        ),
    ),
    (
        "orgboard_ingest_runs",
        "gauge",
        "Runs that are read.",
        lambda logdir: sum(ingest.work.runs for ingest in logdir.alive),
    ),
    (
        "orgboard_ingest_files",
        "gauge",
        "Event files that are read.",
        lambda logdir: sum(ingest.work.files for ingest in logdir.alive),
    ),
    (
        "orgboard_ingest_unreadable_files",
        "gauge",
        "Event files that cannot be read at the moment.",
        lambda logdir: sum(ingest.work.unreadable_files for ingest in logdir.alive),
    ),
    (
        "orgboard_ingest_gaps",
        "gauge",
        "Damaged places in the files stored, each read around.",
        lambda logdir: logdir.gaps,
    ),
    (
        "orgboard_ingest_pending_bytes",
        "gauge",
        "Bytes seen in files and not stored yet.",
        lambda logdir: sum(ingest.work.pending_bytes for ingest in logdir.alive),
    ),
    (
        "orgboard_ingest_lag_seconds",
        "gauge",
        "For how long the oldest of the pending bytes have waited.",
        lambda logdir: max((ingest.work.lag_s for ingest in logdir.alive), default=0.0),
    ),
    (
        "orgboard_ingest_points_total",
        "counter",
        "Points stored since the processes began.",
        lambda logdir: sum(ingest.work.points for ingest in logdir.alive),
    ),
    (
        "orgboard_ingest_read_bytes_total",
        "counter",
        "Bytes of event files stored since the processes began.",
        lambda logdir: sum(ingest.work.bytes for ingest in logdir.alive),
    ),
)


def _braced(labels: Labels) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped_label(value)}"' for name, value in labels) + "}"


def _escaped_label(value: str) -> str:
    # A path may hold what is no text at all; the format is UTF-8.
    text = value.encode("utf-8", "backslashreplace").decode()
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _escaped_help(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
