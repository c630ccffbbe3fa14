"""Changes of the dictionary of metrics, each noted in the audit log.

Who runs the board makes them, also by a token that is bound to no team or project: they give
nobody sight of anything, but every team's charts are read by them.
"""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, delete, func, insert, select, update

from orgboard_dashboard.queries.dictionary import (
    Alias,
    Dictionary,
    Metric,
    Preferred,
    read_dictionary,
)
from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import sha256, to_sql

__all__ = ["MetricSaid", "claim_tag", "drop_metric", "may_name", "save_metric"]

_MAX_METRICS: Final = 1000
_MAX_ALIASES: Final = 200
"""Of one metric. The dictionary is read with every page: it stays what people can look through."""
_MAX_NAME_CHARS: Final = 100
_MAX_UNIT_CHARS: Final = 16
"""A unit stands in the corner of a chart."""
_MAX_DESCRIPTION_CHARS: Final = 2000
_MAX_TAG_CHARS: Final = 2000
_SCALES: Final = (1e-12, 1e12)
"""Least and greatest size of a scale: beyond these someone mistyped."""

_metric, _alias = tables.metric.c, tables.metric_alias.c


@dataclass(frozen=True, slots=True)
class MetricSaid:
    """What somebody says of a metric."""

    name: str
    unit: str
    direction: Preferred
    description: str
    aliases: tuple[Alias, ...]


def may_name(viewer: Viewer) -> bool:
    """Tell whether `viewer` may change the dictionary."""
    return viewer.can_edit and viewer.may_everything and viewer.within is None


def save_metric(
    viewer: Viewer, conn: Connection, said: MetricSaid, now: float, *, was: str = ""
) -> Metric:
    """Add a metric, or say otherwise of the one that was called `was`; return it.

    The tag of the metric's own name always means it.

    Raises:
        Forbidden: `viewer` may not change the dictionary.
        NotFound: there is no metric `was`.
        BadQuery: a name, a unit or a scale is none.
        Conflict: another metric has the name, or one of the tags.
    """
    _require(viewer)
    _check(said)
    dictionary = _locked(conn)
    before = dictionary.by_name.get(was) if was else None
    if was and before is None:
        raise NotFound
    _refuse_taken(dictionary, said, before)
    if before is None and len(dictionary.metrics) >= _MAX_METRICS:
        raise BadQuery(f"The dictionary has {_MAX_METRICS} metrics: remove one first.")
    metric_id = _write(conn, viewer, said, before, now)
    _write_aliases(conn, metric_id, _with_own(said))
    saved = read_dictionary(conn).by_id[metric_id]
    action = "metric.add" if before is None else "metric.change"
    told = None if before is None else _told(before)
    note_down(conn, actor_of(viewer), action, said.name, now, before=told, after=_told(saved))
    return saved


def claim_tag(
    viewer: Viewer, conn: Connection, name: str, tag: str, scale: float, now: float
) -> Metric:
    """Let a tag mean a metric, too.

    Raises:
        Forbidden: `viewer` may not change the dictionary.
        NotFound: there is no such metric.
        BadQuery: the tag or the scale is none.
        Conflict: the tag means another metric.
    """
    _require(viewer)
    metric = _locked(conn).by_name.get(name)
    if metric is None:
        raise NotFound
    others = tuple(each for each in metric.aliases if each.tag != tag)
    said = MetricSaid(
        *(metric.name, metric.unit, metric.direction, metric.description),
        (*others, Alias(tag, scale)),
    )
    return save_metric(viewer, conn, said, now, was=name)


def drop_metric(viewer: Viewer, conn: Connection, name: str, now: float) -> None:
    """Take a metric out of the dictionary; what was logged stays as it is.

    Raises:
        Forbidden: `viewer` may not change the dictionary.
        NotFound: there is no such metric.
    """
    _require(viewer)
    metric = _locked(conn).by_name.get(name)
    if metric is None:
        raise NotFound
    conn.execute(delete(tables.metric_alias).where(_alias.metric_id == metric.id))
    conn.execute(delete(tables.metric).where(_metric.metric_id == metric.id))
    before = _told(metric)
    note_down(conn, actor_of(viewer), "metric.remove", name, now, before=before)


def _require(viewer: Viewer) -> None:
    if not may_name(viewer):
        raise Forbidden("Who runs the board writes the dictionary of metrics.")


def _locked(conn: Connection) -> Dictionary:
    """Return the dictionary as nobody else changes it meanwhile."""
    if conn.dialect.name == "postgresql":
        # Ends with the transaction; SQLite has one writer anyway.
        conn.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    return read_dictionary(conn)


_LOCK: Final = int.from_bytes(sha256("orgboard dictionary of metrics")[:7], "big")


def _check(said: MetricSaid) -> None:
    if not _is_line(said.name, _MAX_NAME_CHARS) or not said.name:
        raise BadQuery(f"A metric's name is one line of 1 to {_MAX_NAME_CHARS} characters.")
    if not _is_line(said.unit, _MAX_UNIT_CHARS):
        raise BadQuery(f"A unit is one line of at most {_MAX_UNIT_CHARS} characters.")
    if said.direction not in ("min", "max", ""):
        raise BadQuery('`direction` is "min", "max" or "".')
    if len(said.description) > _MAX_DESCRIPTION_CHARS:
        raise BadQuery(f"A description has at most {_MAX_DESCRIPTION_CHARS} characters.")
    if len(said.aliases) > _MAX_ALIASES:
        raise BadQuery(f"A metric has at most {_MAX_ALIASES} tags.")
    tags = [each.tag for each in said.aliases]
    if len(set(tags)) < len(tags):
        raise BadQuery("A tag means a metric once.")
    for each in said.aliases:
        _check_alias(each)


def _check_alias(alias: Alias) -> None:
    if not 0 < len(alias.tag) <= _MAX_TAG_CHARS:
        raise BadQuery(f"A tag has 1 to {_MAX_TAG_CHARS} characters.")
    least, most = _SCALES
    if not (math.isfinite(alias.scale) and least <= abs(alias.scale) <= most):
        raise BadQuery("A scale is a number other than 0, such as 0.01 for percent.")


def _is_line(text: str, most: int) -> bool:
    """Tell whether text is short, and characters that are seen, with single blanks between."""
    is_seen = all(unicodedata.category(char) not in ("Cc", "Cf", "Cs") for char in text)
    return len(text) <= most and is_seen and text == " ".join(text.split())


def _refuse_taken(dictionary: Dictionary, said: MetricSaid, before: Metric | None) -> None:
    mine = None if before is None else before.id
    namesake = dictionary.by_name.get(said.name)
    if namesake is not None and namesake.id != mine:
        raise Conflict("There is a metric of this name already.")
    for each in _with_own(said):
        other, _ = dictionary.by_tag.get(each.tag, (None, 1.0))
        if other is not None and other.id != mine:
            raise Conflict(
                f"The tag {each.tag[:100]} means {other.name} already: take it there first."
            )


def _with_own(said: MetricSaid) -> Sequence[Alias]:
    has_own = any(each.tag == said.name for each in said.aliases)
    return said.aliases if has_own else (Alias(said.name, 1.0), *said.aliases)


def _write(
    conn: Connection, viewer: Viewer, said: MetricSaid, before: Metric | None, now: float
) -> int:
    row: dict[str, Any] = {
        "name": to_sql(said.name),
        "unit": to_sql(said.unit),
        "direction": said.direction,
        "description": to_sql(said.description),
        "author": to_sql(viewer.name),
        "changed_at": now,
    }
    if before is None:
        return int(conn.scalars(insert(tables.metric).returning(_metric.metric_id), row).one())
    conn.execute(update(tables.metric).where(_metric.metric_id == before.id).values(row))
    return before.id


def _write_aliases(conn: Connection, metric_id: int, aliases: Sequence[Alias]) -> None:
    conn.execute(delete(tables.metric_alias).where(_alias.metric_id == metric_id))
    rows = [
        {
            "tag": to_sql(each.tag),
            "tag_sha256": sha256(each.tag),
            "metric_id": metric_id,
            "scale": each.scale,
        }
        for each in aliases
    ]
    conn.execute(insert(tables.metric_alias), rows)


def _told(metric: Metric) -> Mapping[str, Any]:
    return {
        "name": metric.name,
        "unit": metric.unit,
        "direction": metric.direction,
        "description": metric.description,
        "tags": {each.tag: each.scale for each in metric.aliases},
    }
