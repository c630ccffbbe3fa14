"""What the organisation calls its metrics: names, units, directions, and the tags that mean them.

    metric "validation loss", nats, less is better
        ├─ tag  val/loss
        ├─ tag  eval_loss
        └─ tag  loss_bits    × 0.693

`metric:NAME` stands for a metric wherever a tag may stand, unless a tag is called that. In a run
it is the first of the metric's tags that the run has logged: the one that is called as the metric
itself, then by name, code point by code point. Its values are that tag's times the tag's scale.
Points stay as they were logged.

The dictionary says nothing of runs: whoever may see any reads all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.directions import Direction, guessed
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql

__all__ = [
    "PREFIX",
    "Alias",
    "Dictionary",
    "Metric",
    "Preferred",
    "list_names",
    "read_dictionary",
]

PREFIX: Final = "metric:"

Preferred: TypeAlias = Literal["min", "max", ""]
"""Which of a metric's values are the best ones; "": neither the least nor the greatest."""


@dataclass(frozen=True, slots=True)
class Alias:
    """A tag that means a metric."""

    tag: str
    scale: float
    """What its values are multiplied by to be in the metric's unit."""


@dataclass(frozen=True, slots=True)
class Metric:
    """What the organisation says of a metric."""

    id: int
    name: str
    unit: str
    direction: Preferred
    description: str
    author: str
    changed_at: float
    aliases: tuple[Alias, ...]
    """In the order in which a run's tag is chosen."""

    @property
    def key(self) -> str:
        """The name that stands for it where a tag may stand."""
        return PREFIX + self.name


@dataclass(frozen=True)
class Dictionary:
    """All metrics, by name."""

    metrics: tuple[Metric, ...]

    @cached_property
    def by_name(self) -> Mapping[str, Metric]:
        """Give the metric of each name."""
        return {metric.name: metric for metric in self.metrics}

    @cached_property
    def by_id(self) -> Mapping[int, Metric]:
        """Give the metric of each number."""
        return {metric.id: metric for metric in self.metrics}

    @cached_property
    def by_tag(self) -> Mapping[str, tuple[Metric, float]]:
        """Give the metric that a tag means, and the tag's scale."""
        return {each.tag: (one, each.scale) for one in self.metrics for each in one.aliases}

    def of_key(self, key: str) -> Metric | None:
        """Return the metric that `metric:NAME` means; None: it means none."""
        return self.by_name.get(key.removeprefix(PREFIX)) if key.startswith(PREFIX) else None

    def better(self, name: str) -> Direction | None:
        """Tell which values of a tag, or of `metric:NAME`, are the best ones; None: nobody can.

        The one place that knows: what the dictionary says, and else what the name says.
        """
        metric, scale = self._meant(name)
        if metric is None:
            return guessed(name)
        if not metric.direction:
            return None
        # Of a tag that counts the other way round, the best values lie at its other end.
        is_less = (metric.direction == "min") == (scale > 0)
        return "min" if is_less else "max"

    def unit(self, name: str) -> str:
        """Return the unit of what a tag logs, or of `metric:NAME`; "" where nobody said it."""
        metric, scale = self._meant(name)
        return metric.unit if metric is not None and scale == 1 else ""

    def _meant(self, name: str) -> tuple[Metric | None, float]:
        if name in self.by_tag:
            return self.by_tag[name]
        return self.of_key(name), 1.0


def list_names(viewer: Viewer, conn: Connection) -> tuple[Metric, ...]:
    """Return the dictionary, by name.

    Raises:
        NotFound: `viewer` is a guest of the organisation, who has what was shared and no more.
    """
    if viewer.kind == "share":
        raise NotFound
    return read_dictionary(conn).metrics


def read_dictionary(conn: Connection) -> Dictionary:
    """Return the dictionary, for a question whose asker may see some run of its answer."""
    alias, metric = tables.metric_alias.c, tables.metric.c
    of_metric: dict[int, list[Alias]] = {}
    for metric_id, tag, scale in conn.execute(select(alias.metric_id, alias.tag, alias.scale)):
        of_metric.setdefault(metric_id, []).append(Alias(from_sql(tag), scale))
    rows = conn.execute(select(tables.metric).order_by(metric.name)) if of_metric else ()
    return Dictionary(
        tuple(
            Metric(
                id=row.metric_id,
                name=from_sql(row.name),
                unit=from_sql(row.unit),
                direction=row.direction,
                description=from_sql(row.description),
                author=from_sql(row.author),
                changed_at=row.changed_at,
                aliases=_in_order(from_sql(row.name), of_metric.get(row.metric_id, ())),
            )
            for row in rows
        )
    )


def _in_order(name: str, aliases: Iterable[Alias]) -> tuple[Alias, ...]:
    return tuple(sorted(aliases, key=lambda each: (each.tag != name, each.tag)))
