"""The names that a project has beside the fields of every run: hyperparameters and metrics.

What is not logged by a run that the viewer may see does not exist. Everything is read when it is
first asked for, and once: an object of this lives as long as one question.
"""

from __future__ import annotations

import operator
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from heapq import nlargest
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import ColumnElement, Connection, func, or_, select

from orgboard_dashboard.queries.beside import settings_beside
from orgboard_dashboard.queries.dictionary import PREFIX, Alias, Dictionary, read_dictionary
from orgboard_dashboard.queries.fields import FIELDS
from orgboard_dashboard.queries.hparam_texts import HparamTexts, decode_hparams, keys_of
from orgboard_dashboard.queries.kept_hparams import Stamp, kept_hparams, stamp_of
from orgboard_dashboard.queries.literals import spelled
from orgboard_dashboard.queries.visible import ProjectRef, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_tag_set
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, find_tag, find_tags, tag_names
from orgboard_schema.types import Kind

__all__ = ["Part", "ProjectNames"]

_COMPARED: Final = 5000
"""Names that a wrong one is compared with."""
_COMPARED_CHARS: Final = 100
_COMPARED_CLOSELY: Final = 200
_SUGGESTIONS: Final = 3

_TagIds = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Part:
    """A tag that is logged here and means a metric of the dictionary."""

    tag_id: int
    scale: float


class ProjectNames:
    """What runs of a project, as far as `viewer` may see them, have logged by name."""

    def __init__(self, viewer: Viewer, conn: Connection, project: ProjectRef) -> None:
        self._viewer, self._conn, self._project = viewer, conn, project
        self._hparams: dict[str, Mapping[int, Any]] = {}
        self._tag_ids: dict[tuple[str, Kind], int | None] = {}
        self._parts: dict[int, tuple[Part, ...]] = {}
        self._tags_of_set: dict[Kind, Mapping[int, tuple[int, _TagIds]]] = {}
        self._here = runs_of(viewer, project)

    def hparam(self, name: str) -> Mapping[int, Any]:
        """Return the value of a hyperparameter in each run that has it."""
        if name not in self._hparams:
            kept, key = kept_hparams(self._conn.engine), (self._viewer.like, self._project, name)
            held = kept.get(key, self._stamp)
            if held is None:
                held = self._read_hparam(name)
                kept.put(key, self._stamp, held)
            self._hparams[name] = held
        return self._hparams[name]

    def _read_hparam(self, name: str) -> Mapping[int, Any]:
        stored, texts = self._texts_with(name)
        return {stored[at][0]: held for at, held in texts.values(name).items()}

    @cached_property
    def _stamp(self) -> Stamp:
        return stamp_of(self._conn, self._here)

    def _texts_with(self, name: str) -> tuple[list[tuple[int, str]], HparamTexts]:
        """Return the hyperparameters of runs, those in which `name` may be among them."""
        if "_stored" in self.__dict__ or self.scalar_id(name) is None:
            return self._stored, self._texts
        # A metric's name, which hardly ever is a hyperparameter's too: SQL looks that through
        # in less time than it takes to hand the texts over.
        keys = keys_of(name)
        forms = [tables.run.c.hparams.contains(key, autoescape=True) for key in keys]
        beside = [(at, text) for at, text in self._beside if any(key in text for key in keys)]
        some = [*self._read_stored(or_(*forms)), *beside]
        return some, HparamTexts([stored for _run_id, stored in some])

    @cached_property
    def having_hparams(self) -> frozenset[int]:
        """Give the runs that logged any hyperparameter, or have them beside."""
        return frozenset(run_id for run_id, _stored in self._stored)

    @cached_property
    def hparam_values(self) -> Mapping[str, Counter[str]]:
        """Give every hyperparameter, and in how many runs it has which value, as it is written."""
        found: defaultdict[str, Counter[str]] = defaultdict(Counter)
        for _run_id, stored in self._stored:
            for name, held in decode_hparams(stored).items():
                found[name][spelled(held)] += 1
        return found

    @cached_property
    def _stored(self) -> list[tuple[int, str]]:
        return [*self._read_stored(tables.run.c.hparams.is_not(None)), *self._beside]

    @cached_property
    def _beside(self) -> list[tuple[int, str]]:
        found = settings_beside(self._viewer, self._conn, self._here)
        return [(run_id, beside.stored) for run_id, beside in found.items()]

    @cached_property
    def _texts(self) -> HparamTexts:
        return HparamTexts([stored for _run_id, stored in self._stored])

    def _read_stored(self, condition: ColumnElement[bool]) -> list[tuple[int, str]]:
        run = tables.run.c
        asked = select(run.run_id, run.hparams).where(self._here, condition)
        return [(run_id, stored) for run_id, stored in self._conn.execute(asked).all()]

    @cached_property
    def runs_of_set(self) -> Mapping[int, int]:
        """Give how many runs have each set of tags."""
        run = tables.run.c
        asked = (
            select(run.tag_set_id, func.count())
            .where(self._here, run.tag_set_id.is_not(None))
            .group_by(run.tag_set_id)
        )
        return {row[0]: row[1] for row in self._conn.execute(asked)}

    def tags_of_set(self, kind: Kind) -> Mapping[int, tuple[int, _TagIds]]:
        """Give of each set its tags of a kind, and the place of the first in its runs' heads."""
        if kind not in self._tags_of_set:
            sets = self._sets.items()
            self._tags_of_set[kind] = {number: _tags_in(each, kind) for number, each in sets}
        return self._tags_of_set[kind]

    @cached_property
    def _sets(self) -> Mapping[int, bytes]:
        columns = tables.tag_set.c
        found: dict[int, bytes] = {}
        for some in chunked(sorted(self.runs_of_set)):
            asked = select(columns.tag_set_id, columns.payload).where(columns.tag_set_id.in_(some))
            found |= {number: bytes(payload) for number, payload in self._conn.execute(asked)}
        return found

    def places_of(self, tag_id: int, kind: Kind = "scalar") -> Mapping[int, int]:
        """Return where the heads of runs have this series, by their set of tags."""
        places: dict[int, int] = {}
        for tag_set_id, (first, tags) in self.tags_of_set(kind).items():
            at = int(np.searchsorted(tags, tag_id))
            if at < len(tags) and tags[at] == tag_id:
                places[tag_set_id] = first + at
        return places

    def scalar_id(self, name: str) -> int | None:
        """Return the number of a scalar's tag; None when no run has such a scalar."""
        return self._tag_id(name, "scalar")

    @cached_property
    def dictionary(self) -> Dictionary:
        """Give what the organisation calls its metrics."""
        return read_dictionary(self._conn)

    def series_id(self, name: str) -> int | None:
        """Return the number of a scalar's tag or, below 0, of the metric that `metric:NAME` means.

        None when no run has such a one.
        """
        found = self.scalar_id(name)
        if found is None and name.startswith(PREFIX):
            return self.metric_id(name.removeprefix(PREFIX))
        return found

    def metric_id(self, name: str) -> int | None:
        """Return the number below 0 of a metric of the dictionary; None when no run here has it."""
        metric = self.dictionary.by_name.get(name)
        return -metric.id if metric is not None and self.parts_of(-metric.id) else None

    def parts_of(self, metric_id: int) -> tuple[Part, ...]:
        """Return those of a metric's tags that are logged here, the first to be taken first."""
        if metric_id not in self._parts:
            known = ((self.scalar_id(each.tag), each.scale) for each in self._aliases(metric_id))
            parts = (Part(tag_id, scale) for tag_id, scale in known if tag_id is not None)
            self._parts[metric_id] = tuple(parts)
        return self._parts[metric_id]

    def _aliases(self, metric_id: int) -> tuple[Alias, ...]:
        metric = self.dictionary.by_id.get(-metric_id)
        return () if metric is None else metric.aliases

    @cached_property
    def metrics(self) -> Mapping[str, int]:
        """Give the metrics of the dictionary that runs here have, and how many do, by name."""
        known = find_tags(self._conn, self.dictionary.by_tag)
        found: dict[str, int] = {}
        for metric in self.dictionary.metrics:
            ids = [known[each.tag] for each in metric.aliases if each.tag in known]
            sets = {each for tag_id in ids for each in self.places_of(tag_id)}
            if sets:
                found[metric.name] = sum(self.runs_of_set[each] for each in sets)
        return found

    def histogram_id(self, name: str) -> int | None:
        """Return the number of a tag of histograms; None when no run has such."""
        return self._tag_id(name, "histogram")

    def _tag_id(self, name: str, kind: Kind) -> int | None:
        if (name, kind) not in self._tag_ids:
            tag_id = find_tag(self._conn, name)
            is_here = tag_id is not None and self.places_of(tag_id, kind)
            self._tag_ids[name, kind] = tag_id if is_here else None
        return self._tag_ids[name, kind]

    def runs_of_tag(self, kind: Kind) -> Counter[int]:
        """Return in how many runs each tag of a kind is."""
        runs: Counter[int] = Counter()
        for tag_set_id, (_first, tags) in self.tags_of_set(kind).items():
            runs.update(dict.fromkeys(tags.tolist(), self.runs_of_set[tag_set_id]))
        return runs

    def like(self, name: str) -> tuple[str, ...]:
        """Return the names nearest to one that does not exist."""
        return _nearest(
            name,
            (
                *(*FIELDS, *sorted(self.hparam_values)[:_COMPARED]),
                *(*self._most_common("scalar"), *self.metrics),
            ),
        )

    def histograms_like(self, name: str) -> tuple[str, ...]:
        """Return the tags of histograms nearest to one that does not exist."""
        return _nearest(name, self._most_common("histogram"))

    def _most_common(self, kind: Kind) -> Iterable[str]:
        tags = [tag_id for tag_id, _runs in self.runs_of_tag(kind).most_common(_COMPARED)]
        return tag_names(self._conn, tags).values()


def _nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    short = [one for one in dict.fromkeys(known) if len(one) <= _COMPARED_CHARS]
    inside = [one for one in short if len(name) > 2 and name.lower() in one.lower()]
    # What is slow, a letter by letter comparison, is of those that share the most with it.
    pairs = _pairs(name[:_COMPARED_CHARS])
    likely = nlargest(_COMPARED_CLOSELY, short, key=lambda one: _share(pairs, _pairs(one)))
    close = get_close_matches(name[:_COMPARED_CHARS], likely, _SUGGESTIONS)
    return tuple(dict.fromkeys([*close, *inside]))[:_SUGGESTIONS]


def _pairs(name: str) -> frozenset[str]:
    """Return which letters follow each other in a name, its ends among them."""
    marked = f" {name} "
    return frozenset(map(operator.add, marked, marked[1:]))


def _share(some: frozenset[str], others: frozenset[str]) -> float:
    return len(some & others) / len(some | others)


def _tags_in(payload: bytes, kind: Kind) -> tuple[int, _TagIds]:
    series = decode_tag_set(payload)
    found = [(at, tag_id) for at, (tag_id, own) in enumerate(series) if own == kind]
    first = found[0][0] if found else 0
    return first, np.array([tag_id for _at, tag_id in found], np.int64)
