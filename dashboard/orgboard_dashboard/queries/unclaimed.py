"""Tags that runs have logged and no metric of the dictionary claims, with a guess at each.

Only what the asker may see counts: a tag of others' runs alone is not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_dashboard.queries.dictionary import Dictionary, read_dictionary
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.likeness import likeness_of, together
from orgboard_dashboard.queries.tags import count_tags
from orgboard_dashboard.queries.visible import visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import tag_names

__all__ = ["Unclaimed", "UnclaimedTag", "unclaimed_tags"]

_MAX_TAGS: Final = 500
"""Of one answer: those that most runs have."""
_MAX_NAMED: Final = 5000
"""Tags whose names are looked at: those that most runs have."""
_MAX_CHARS: Final = 500
"""Of a tag in the list: nobody gives a longer one a name by hand."""


@dataclass(frozen=True, slots=True)
class UnclaimedTag:
    """A tag that no metric claims."""

    tag: str
    runs: int
    like: str
    """The metric that it is likely to mean; "" where none is like it."""
    scale: float
    """A guess at what its values are multiplied by then."""
    alike: tuple[str, ...]
    """Other tags of the list that are like it."""


@dataclass(frozen=True, slots=True)
class Unclaimed:
    """The list, and how much of it was left out."""

    tags: tuple[UnclaimedTag, ...]
    left_out: int


def unclaimed_tags(viewer: Viewer, conn: Connection) -> Unclaimed:
    """Return the tags of runs that `viewer` may see and no metric claims, the most frequent first.

    Raises:
        NotFound: `viewer` is a guest of the organisation.
    """
    if viewer.kind == "share":
        raise NotFound
    run = tables.run.c
    seen = select(run.tag_set_id, func.count()).where(
        visible_runs(viewer), run.tag_set_id.is_not(None), run.archived_at.is_(None)
    )
    rows = conn.execute(seen.group_by(run.tag_set_id))
    runs_of_set = {row[0]: row[1] for row in rows}
    counts = count_tags(conn, runs_of_set, "scalar")
    dictionary = read_dictionary(conn)
    most = sorted(counts, key=lambda tag_id: (-counts[tag_id], tag_id))[:_MAX_NAMED]
    names = tag_names(conn, most)
    runs = {names[tag_id]: counts[tag_id] for tag_id in most if tag_id in names}
    free = sorted(
        (tag for tag in runs if tag not in dictionary.by_tag), key=lambda tag: (-runs[tag], tag)
    )
    listed = [tag for tag in free if len(tag) <= _MAX_CHARS][:_MAX_TAGS]
    left_out = len(counts) - len(most) + len(free) - len(listed)
    return Unclaimed(_guessed(listed, runs, dictionary), left_out)


def _guessed(
    tags: list[str], runs: Mapping[str, int], dictionary: Dictionary
) -> tuple[UnclaimedTag, ...]:
    of_words = _known(dictionary)
    groups = together(tags)
    rows = []
    for tag in tags:
        mine = likeness_of(tag)
        like, in_percent = of_words.get(mine.words, ("", mine.in_percent))
        scale = _scale(from_percent=mine.in_percent, to_percent=in_percent)
        alike = tuple(other for other in groups.get(mine.words, ()) if other != tag)
        rows.append(UnclaimedTag(tag, runs[tag], like, scale, alike))
    return tuple(rows)


def _known(dictionary: Dictionary) -> dict[tuple[str, ...], tuple[str, bool]]:
    """Return the metric of each likeness, and whether it is in percent: of names, then of tags."""
    found: dict[tuple[str, ...], tuple[str, bool]] = {}
    named = [(metric, metric.name) for metric in dictionary.metrics]
    tags = [(metric, each.tag) for metric in dictionary.metrics for each in metric.aliases]
    for metric, text in (*named, *tags):
        if words := likeness_of(text).words:
            found.setdefault(words, (metric.name, "%" in metric.unit))
    return found


def _scale(*, from_percent: bool, to_percent: bool) -> float:
    if from_percent == to_percent:
        return 1.0
    return 0.01 if from_percent else 1.0
