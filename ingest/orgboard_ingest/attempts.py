"""Which life of a run a point belongs to. Pure: a function of what the files hold.

    file 0   ├── section 0 ──┤                         attempt 0
    file 1   ├── section 0 ──┤ START ├── section 1 ──┤  attempt 1, 2

A file is a row of sections, cut at each SessionLog START. Files come in order of name.
The next attempt begins

(a) at a START, once the run has points (a graph alone does not count: some writers
    log it before the START of their first life), and cuts every series at START's step;
(b) with a file whose first event is later than every event of the files before it, when
    before its first START some series goes back to a step that it already shows, or
    before. Each series is cut at its own first step in the new attempt.

Records of our own (context, remarks, counts) have no part in it: each file brings them anew.
Files that overlap in time were written side by side, so (b) does not hold for them. A
cut hides points of earlier attempts at its step and after it. Because the facts only
grow with the files, the same bytes give the same attempts whenever they were read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple, TypeAlias

from orgboard_ingest.stage import SeriesKey, Staged
from orgboard_schema.types import Kind

__all__ = ["NOTHING", "Cut", "FileFacts", "Lives", "Section", "Span", "joined", "later", "observed"]

Cut: TypeAlias = tuple[int, SeriesKey | None]
"""Attempt, and the series that is cut; None means all series of the run."""


class Span(NamedTuple):
    """The steps of one series in one section."""

    first: int
    """In file order."""
    low: int
    high: int


@dataclass(frozen=True, slots=True)
class Section:
    """The points between two STARTs of one file."""

    start: int | None
    """Step of the START that opens it; None for what comes before the first."""
    spans: Mapping[SeriesKey, Span]

    @property
    def measured(self) -> bool:
        """Tell whether it has a point that makes a later START a restart."""
        return any(kind != "graph" for _, kind in self.spans)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """All of a file that attempts depend on."""

    first_wall: float | None
    """Of the file's first event; None while there is none."""
    last_wall: float | None
    """The latest of all its events."""
    sections: tuple[Section, ...]


SCALAR: Final[Kind] = "scalar"

OWN_TAGS: Final = "orgboard/"
"""Under which our writer keeps its own records."""

NOTHING = FileFacts(None, None, (Section(None, {}),))
"""What is known of a file before its first byte was read."""


def observed(staged: Staged, first_wall: float | None, last_wall: float | None) -> FileFacts:
    """Return the facts of one batch; its first section goes on from what came before."""
    spans: list[dict[SeriesKey, Span]] = [{} for _ in range(len(staged.starts) + 1)]
    table = staged.scalars
    for section, tag, _, _, _, first, low, high, *_ in table.pieces.tolist():
        here, scalar = spans[section], (table.tags[tag], SCALAR)
        new = Span(first, low, high)
        here[scalar] = _longer(here[scalar], new) if scalar in here else new
    for piece in staged.others:
        if piece.kind == "tensor" and piece.tag.startswith(OWN_TAGS):
            continue
        here = spans[piece.section]
        key = (piece.tag, piece.kind)
        new = Span(piece.first, piece.low, piece.high)
        here[key] = _longer(here[key], new) if key in here else new
    starts = (None, *staged.starts)
    sections = tuple(Section(start, found) for start, found in zip(starts, spans, strict=True))
    return FileFacts(first_wall, last_wall, sections)


def joined(before: FileFacts, after: FileFacts) -> FileFacts:
    """Return the facts of two consecutive stretches of one file as one."""
    open_section, (goes_on, *others) = before.sections[-1], after.sections
    merged = open_section.spans
    if goes_on.spans:
        merged = {**merged}
        for key, span in goes_on.spans.items():
            merged[key] = _longer(merged[key], span) if key in merged else span
    return FileFacts(
        before.first_wall if before.first_wall is not None else after.first_wall,
        later(before.last_wall, after.last_wall),
        (*before.sections[:-1], replace(open_section, spans=merged), *others),
    )


@dataclass(slots=True)
class Lives:
    """Take a run's files one by one, in order of name, and number their sections.

    `copy` it to try what comes next without losing the way back.
    """

    attempt: int = 0
    announced: bool = True
    """Whether a START began the current attempt, or it is the first: no cuts by series."""
    measured: bool = False
    opened: bool = False
    """Whether a START came before the run had points."""
    last_wall: float | None = None
    high: dict[SeriesKey, int] = field(default_factory=dict)
    """Upper bound of the steps that each series shows."""
    cuts: dict[Cut, int] = field(default_factory=dict)
    """Step from which on each attempt supersedes the earlier ones."""

    def copy(self) -> Lives:
        """Return the same, independent of what this one takes from now on."""
        return replace(self, high=dict(self.high), cuts=dict(self.cuts))

    def take(self, facts: FileFacts) -> tuple[int, ...]:
        """Return the attempt of each section of the run's next file."""
        first, *others = facts.sections
        if self._goes_back(facts.first_wall, first):
            self.attempt += 1
            self.announced = False
        self._absorb(first)
        numbers = [self.attempt]
        for section in others:
            if self.measured and section.start is not None:
                self._restart(section.start)
            else:
                self.opened = True
            self._absorb(section)
            numbers.append(self.attempt)
        self.last_wall = later(self.last_wall, facts.last_wall)
        return tuple(numbers)

    def take_all(self, files: Iterable[FileFacts]) -> list[tuple[int, ...]]:
        """Return the attempts of each section of each of the run's next files."""
        return [self.take(facts) for facts in files]

    def _goes_back(self, first_wall: float | None, section: Section) -> bool:
        if first_wall is None or self.last_wall is None or not first_wall > self.last_wall:
            return False
        return any(
            key in self.high and span.low <= self.high[key] for key, span in section.spans.items()
        )

    def _restart(self, step: int) -> None:
        self.attempt += 1
        self.announced = True
        self.cuts[(self.attempt, None)] = step
        self.high = {key: min(high, step - 1) for key, high in self.high.items()}

    def _absorb(self, section: Section) -> None:
        self.measured = self.measured or section.measured
        for key, span in section.spans.items():
            cut = (self.attempt, key)
            if self.announced or cut in self.cuts:
                self.high[key] = max(self.high.get(key, span.high), span.high)
            else:
                # What older attempts showed from here on is hidden now.
                self.high[key] = span.high
            if not self.announced:
                # Files side by side may both begin a series: the earlier step counts,
                # so that more bytes can only lower a cut, never lift it.
                self.cuts[cut] = min(self.cuts.get(cut, span.first), span.first)


def _longer(before: Span, after: Span) -> Span:
    return Span(before.first, min(before.low, after.low), max(before.high, after.high))


def later(one: float | None, other: float | None) -> float | None:
    """Return the later of two times, the one that there is, or None."""
    if one is None or other is None:
        return one if other is None else other
    return max(one, other)
