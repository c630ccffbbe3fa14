"""The words of a project: what its runs can be asked for, and its table can show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from orgboard_dashboard.histograms.percentiles import STATISTICS, Statistic
from orgboard_dashboard.queries.dictionary import PREFIX
from orgboard_dashboard.queries.fields import FIELDS, STATUS_WORDS, FieldKind
from orgboard_dashboard.queries.language import Aggregate
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.dictionary import tag_names

__all__ = [
    "FieldWord",
    "HistogramWord",
    "HparamWord",
    "MetricWord",
    "NamedMetricWord",
    "Vocabulary",
    "vocabulary",
]

_MAX_NAMES: Final = 5000
"""Hyperparameters, metrics, and histograms, of one answer: those that most runs have."""

_MAX_CHARS: Final = 500
"""Of a name: nobody chooses a longer one from a list."""

_FEW_VALUES: Final = 12
"""A hyperparameter with more values than these is a quantity; nobody picks one from a list."""

_VALUE_CHARS: Final = 60


@dataclass(frozen=True, slots=True)
class FieldWord:
    """A field of every run, and the values it can have when they are few."""

    name: str
    kind: FieldKind
    about: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HparamWord:
    """A hyperparameter, in how many runs it is, and its values when they are few."""

    name: str
    runs: int
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MetricWord:
    """A scalar tag, in how many runs it is, and which of its values is the best one."""

    name: str
    runs: int
    best: Aggregate | None


@dataclass(frozen=True, slots=True)
class NamedMetricWord:
    """A metric of the dictionary, and in how many runs it is."""

    name: str
    runs: int
    best: Aggregate | None
    unit: str


@dataclass(frozen=True, slots=True)
class HistogramWord:
    """A tag of histograms, and in how many runs it is."""

    name: str
    runs: int


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What can be asked for. Hyperparameters, metrics and histograms by name."""

    fields: tuple[FieldWord, ...]
    hparams: tuple[HparamWord, ...]
    metrics: tuple[MetricWord, ...]
    named_metrics: tuple[NamedMetricWord, ...]
    """Those of the dictionary that runs here have; `metric:NAME` stands for one."""
    histograms: tuple[HistogramWord, ...]
    statistics: tuple[Statistic, ...]
    """Of histograms."""
    left_out: int
    """Names that are too many or too long for a list; they can be written all the same."""


def vocabulary(viewer: Viewer, conn: Connection, team: str, project: str) -> Vocabulary:
    """Return the words of a project.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    names = ProjectNames(viewer, conn, find_project(viewer, conn, team, project))
    hparams, dictionary = names.hparam_values, names.dictionary
    runs_of_hparam = Counter({name: values.total() for name, values in hparams.items()})
    of_tag, of_histogram = names.runs_of_tag("scalar"), names.runs_of_tag("histogram")
    kept_hparams = _listable(dict(runs_of_hparam.most_common(_MAX_NAMES)))
    kept_tags, kept_histograms = _named(conn, of_tag), _named(conn, of_histogram)
    left_out = len(hparams) - len(kept_hparams) + len(of_tag) - len(kept_tags)
    return Vocabulary(
        fields=tuple(
            FieldWord(field.name, field.kind, field.about, _fixed(field.kind))
            for field in FIELDS.values()
        ),
        hparams=tuple(
            HparamWord(name, runs, _few(hparams[name])) for name, runs in kept_hparams.items()
        ),
        metrics=tuple(
            MetricWord(name, runs, dictionary.better(name)) for name, runs in kept_tags.items()
        ),
        named_metrics=tuple(
            NamedMetricWord(
                name, runs, dictionary.better(PREFIX + name), dictionary.by_name[name].unit
            )
            for name, runs in names.metrics.items()
        ),
        histograms=tuple(HistogramWord(name, runs) for name, runs in kept_histograms.items()),
        statistics=STATISTICS,
        left_out=left_out + len(of_histogram) - len(kept_histograms),
    )


def _named(conn: Connection, runs_of_tag: Counter[int]) -> dict[str, int]:
    """Return in how many runs each tag is, by name: those in most."""
    most = dict(runs_of_tag.most_common(_MAX_NAMES))
    return _listable({name: most[tag_id] for tag_id, name in tag_names(conn, most).items()})


def _listable(runs_of: dict[str, int]) -> dict[str, int]:
    return {name: runs_of[name] for name in sorted(runs_of) if len(name) <= _MAX_CHARS}


def _fixed(kind: FieldKind) -> tuple[str, ...]:
    return STATUS_WORDS if kind == "status" else ()


def _few(values: Counter[str]) -> tuple[str, ...]:
    if len(values) > _FEW_VALUES:
        return ()
    return tuple(value for value, _runs in values.most_common() if len(value) <= _VALUE_CHARS)
