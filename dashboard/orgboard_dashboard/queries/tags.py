"""The tags of a project, from the sets that its runs share: no series is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, cast, get_args

from sqlalchemy import Connection, func, select

from orgboard_dashboard.queries.by_metric import sets_of
from orgboard_dashboard.queries.dictionary import Dictionary, read_dictionary
from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.visible import ProjectRef, find_project, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_heads, decode_tag_set
from orgboard_schema.blocks.series import kind_number
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked, load_metadata, tag_names
from orgboard_schema.sql.text import to_sql
from orgboard_schema.types import Kind

__all__ = ["PartRow", "TagRow", "count_tags", "kind_of", "list_tags"]

_MAX_TAGS: Final = 20_000
"""Tags of one answer; more than a page can list."""

_HEADS_READ: Final = 100
"""Runs whose metadata stand for all: the newest one of each of the largest tag sets."""


@dataclass(frozen=True, slots=True)
class PartRow:
    """A tag that means a metric."""

    id: int
    name: str
    scale: float


@dataclass(frozen=True, slots=True)
class TagRow:
    """A tag of one kind, or a metric of several, and in how many of the asked runs it is."""

    id: int
    name: str
    display_name: str
    description: str
    runs: int
    best: Direction | None = None
    """Which of its values are the best ones; None: nobody says."""
    unit: str = ""
    metric: str = ""
    """The metric of the dictionary that it means; "" where it means none, or is one itself."""
    of: tuple[PartRow, ...] = ()
    """Of a metric: its tags that are here, in the order in which a run's is chosen."""


def list_tags(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    kind: str,
    uids: tuple[str, ...] = (),
    *,
    archived: bool = False,
    by_metric: bool = False,
) -> tuple[TagRow, ...]:
    """Return the tags of a kind, by name; of all runs of the project when `uids` is empty.

    By metric, one of the dictionary stands in the place of its tags, called `metric:NAME`.

    Of those that were put aside only when they are named, or `archived` says so.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: there is no such kind.
    """
    wanted = kind_of(kind)
    found = find_project(viewer, conn, team, project)
    sets = _tag_sets(viewer, conn, found, uids, archived=archived)
    counts = count_tags(conn, {key: runs for key, (runs, _) in sets.items()}, wanted)
    kept = sorted(counts)[:_MAX_TAGS]
    names = tag_names(conn, kept)
    newest = sorted((run_id for _, run_id in sets.values()), reverse=True)[:_HEADS_READ]
    said = _metadata(conn, newest, wanted)
    rows = [
        TagRow(tag_id, names[tag_id], *said.get(tag_id, ("", "")), counts[tag_id])
        for tag_id in kept
        if tag_id in names
    ]
    if wanted == "scalar":
        dictionary = read_dictionary(conn)
        rows = [_told(row, dictionary) for row in rows]
        if by_metric:
            rows = _by_metric(conn, rows, dictionary, {key: n for key, (n, _) in sets.items()})
    return tuple(sorted(rows, key=lambda row: row.name))


def _told(row: TagRow, dictionary: Dictionary) -> TagRow:
    """Add what the dictionary says of a tag."""
    metric, _ = dictionary.by_tag.get(row.name, (None, 1.0))
    best, unit = dictionary.better(row.name), dictionary.unit(row.name)
    return replace(row, best=best, unit=unit, metric=metric.name if metric else "")


def _by_metric(
    conn: Connection,
    rows: Sequence[TagRow],
    dictionary: Dictionary,
    runs_of_set: Mapping[int, int],
) -> list[TagRow]:
    """Put metrics in the place of their tags."""
    called = {row.name: row for row in rows}
    found: list[TagRow] = [row for row in rows if not row.metric]
    logged = sets_of(conn, runs_of_set, [row.id for row in rows if row.metric])
    for metric in dictionary.metrics:
        # A tag that is called as the metric's key is what the key means.
        here = [each for each in metric.aliases if each.tag in called]
        if not here or metric.key in called:
            found += [called[each.tag] for each in here]
            continue
        of = tuple(PartRow(called[each.tag].id, each.tag, each.scale) for each in here)
        ids = {part.id for part in of}
        runs = sum(n for key, n in runs_of_set.items() if ids & logged.get(key, frozenset()))
        found.append(
            TagRow(
                *(-metric.id, metric.key, metric.name, metric.description, runs),
                best=dictionary.better(metric.key),
                unit=metric.unit,
                of=of,
            )
        )
    return found


def kind_of(text: str) -> Kind:
    """Return the kind of that name.

    Raises:
        BadQuery: there is none.
    """
    if text not in get_args(Kind):
        raise BadQuery(f"There is no kind {text[:40]!r}; there are {', '.join(get_args(Kind))}.")
    return cast("Kind", text)


def count_tags(conn: Connection, runs_of_set: dict[int, int], kind: Kind) -> Counter[int]:
    """Return in how many runs each tag of `kind` is, given how many runs have each tag set."""
    counts: Counter[int] = Counter()
    columns = tables.tag_set.c
    for some in chunked(sorted(runs_of_set)):
        asked = select(columns.tag_set_id, columns.payload).where(columns.tag_set_id.in_(some))
        for tag_set_id, payload in conn.execute(asked):
            for tag_id, of in decode_tag_set(payload):
                if of == kind:
                    counts[tag_id] += runs_of_set[tag_set_id]
    return counts


def _tag_sets(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    uids: tuple[str, ...],
    *,
    archived: bool,
) -> dict[int, tuple[int, int]]:
    """Return, of each tag set, how many of the asked runs have it and the newest of those."""
    run = tables.run.c
    asked = (
        select(run.tag_set_id, func.count(), func.max(run.run_id))
        .where(
            runs_of(viewer, project),
            run.tag_set_id.is_not(None),
        )
        .group_by(run.tag_set_id)
    )
    if uids:
        asked = asked.where(run.uid.in_([to_sql(uid) for uid in uids]))
    elif not archived:
        asked = asked.where(run.archived_at.is_(None))
    return {tag_set_id: (runs, newest) for tag_set_id, runs, newest in conn.execute(asked)}


def _metadata(conn: Connection, run_ids: Iterable[int], kind: Kind) -> dict[int, tuple[str, str]]:
    """Return display name and description of the tags that have one, as the newest run says."""
    head, number = tables.run_head.c, kind_number(kind)
    asked = select(head.payload).where(head.run_id.in_(list(run_ids))).order_by(head.run_id)
    of_tag: dict[int, int] = {}
    for (payload,) in conn.execute(asked):
        heads = decode_heads(payload)
        said = heads[(heads["kind"] == number) & (heads["metadata_id"] > 0)]
        of_tag |= dict(zip(said["tag_id"].tolist(), said["metadata_id"].tolist(), strict=True))
    loaded = load_metadata(conn, set(of_tag.values()))
    return {
        tag_id: (loaded[metadata_id].display_name, loaded[metadata_id].description)
        for tag_id, metadata_id in of_tag.items()
        if metadata_id in loaded
    }
