"""What can be exported, in which forms, with which columns.

Columns are fixed, because people script against them; new ones come last. Numbers are the
shortest text that gives the stored value again, as a double. Names are raw; what in them is
not UTF-8 stands as the escape `\\udc80`…`\\udcff` of its byte: JSON's own, which reads back to
the byte, and the same six characters in CSV and Parquet, which have no other.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, TypeAlias

from orgboard_dashboard.queries.exported import SeriesData
from orgboard_schema.errors import OrgboardError
from orgboard_schema.types import KINDS, Kind

__all__ = [
    "COLUMNS",
    "KEY",
    "VALUE_KINDS",
    "CannotExport",
    "Choice",
    "Form",
    "Slice",
    "What",
    "form_of",
    "kinds_of",
]

What: TypeAlias = Literal["runs", "scalars", "histograms", "values"]
Form: TypeAlias = Literal["csv", "jsonl", "parquet"]

VALUE_KINDS: Final[tuple[Kind, ...]] = tuple(
    kind for kind in KINDS if kind not in ("scalar", "histogram")
)
"""What `export values` writes: every kind that has no export of its own."""

KEY: Final = ("project", "run", "tag", "attempt", "superseded", "step", "wall_time")

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
    "scalars": (*KEY, "value"),
    "histograms": KEY,
    "values": (*KEY, "kind", "plugin"),
}
"""The columns of each export, in order. Histograms and values add the fields of their form:

form `proto`     min, max, num, sum, sum_squares, limits, counts
form `tensor`    dtype, buckets
a tensor         dtype, shape, values
media            media_type, sha256, bytes, width, height, index, label, sample_rate
"""


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
    where: str = ""
    """A query on runs, as the run panel takes it."""
    kinds: tuple[Kind, ...] = VALUE_KINDS
    """Of values, which."""
    blobs: Path | None = None
    """Where the bytes of media go, each file named by its hash; None: nowhere."""


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """Consecutive points of one series, and where they belong."""

    project: str
    run: str
    tag: str
    kind: Kind
    plugin: str
    data: SeriesData


def form_of(what: What, asked: str | None) -> Form:
    """Return the form to write in.

    Raises:
        CannotExport: it is not one that `what` has.
    """
    if what in ("histograms", "values"):
        if asked == "csv":
            thing = "a histogram" if what == "histograms" else "such a value"
            raise CannotExport(f"{thing} does not fit a CSV row: use --format jsonl or parquet")
        return "parquet" if asked == "parquet" else "jsonl"
    return "parquet" if asked == "parquet" else "jsonl" if asked == "jsonl" else "csv"


def kinds_of(text: str) -> tuple[Kind, ...]:
    """Return the kinds named in `text`, parted by commas.

    Raises:
        CannotExport: One is none of `VALUE_KINDS`.
    """
    named = {word.strip() for word in text.split(",")}
    unknown = sorted(named - set(VALUE_KINDS))
    if unknown:
        raise CannotExport(f"no kind of value is named {unknown[0]!r}: {', '.join(VALUE_KINDS)}")
    return tuple(kind for kind in VALUE_KINDS if kind in named)
