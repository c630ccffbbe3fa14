"""The words of a project: what its runs can be asked for, and its table can show."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from orgboard_dashboard.queries.fields import FIELDS, STATUS_WORDS, FieldKind
from orgboard_dashboard.queries.language import Aggregate
from orgboard_dashboard.queries.metrics import better
from orgboard_dashboard.queries.names import ProjectNames
from orgboard_dashboard.queries.visible import find_project
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql.dictionary import tag_names

__all__ = ["FieldWord", "HparamWord", "MetricWord", "Vocabulary", "vocabulary"]

_MAX_NAMES: Final = 5000
"""Hyperparameters, and metrics, of one answer: those that most runs have."""

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
class Vocabulary:
    """What can be asked for. Hyperparameters and metrics by name."""

    fields: tuple[FieldWord, ...]
    hparams: tuple[HparamWord, ...]
    metrics: tuple[MetricWord, ...]
    left_out: int
    """Names that are too many or too long for a list; they can be written all the same."""


def vocabulary(viewer: Viewer, conn: Connection, team: str, project: str) -> Vocabulary:
    """Return the words of a project.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    names = ProjectNames(viewer, conn, find_project(viewer, conn, team, project))
    hparams = names.hparam_values
    runs_of_hparam = Counter({name: values.total() for name, values in hparams.items()})
    of_tag = names.runs_of_tag("scalar")
    most = dict(of_tag.most_common(_MAX_NAMES))
    runs_of_tag = {name: most[tag_id] for tag_id, name in tag_names(conn, most).items()}
    kept_hparams = _listable(dict(runs_of_hparam.most_common(_MAX_NAMES)))
    kept_tags = _listable(runs_of_tag)
    return Vocabulary(
        fields=tuple(
            FieldWord(field.name, field.kind, field.about, _fixed(field.kind))
            for field in FIELDS.values()
        ),
        hparams=tuple(
            HparamWord(name, runs, _few(hparams[name])) for name, runs in kept_hparams.items()
        ),
        metrics=tuple(MetricWord(name, runs, better(name)) for name, runs in kept_tags.items()),
        left_out=len(hparams) - len(kept_hparams) + len(of_tag) - len(kept_tags),
    )


def _listable(runs_of: dict[str, int]) -> dict[str, int]:
    return {name: runs_of[name] for name in sorted(runs_of) if len(name) <= _MAX_CHARS}


def _fixed(kind: FieldKind) -> tuple[str, ...]:
    return STATUS_WORDS if kind == "status" else ()


def _few(values: Counter[str]) -> tuple[str, ...]:
    if len(values) > _FEW_VALUES:
        return ()
    return tuple(value for value, _runs in values.most_common() if len(value) <= _VALUE_CHARS)
