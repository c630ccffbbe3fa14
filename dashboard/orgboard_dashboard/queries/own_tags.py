"""Which runs logged a series that is known by its name: from the sets of tags that runs share."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.visible import ProjectRef, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_tag_set
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import sha256, to_sql
from orgboard_schema.types import Kind

__all__ = ["runs_with", "series_of_kind"]


def runs_with(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    uids: Sequence[str],
    tag: str,
    kind: Kind,
) -> tuple[int, dict[str, int]]:
    """Return the tag's number, and of `uids` the visible runs that have it with their ids."""
    known = select(tables.tag.c.tag_id).where(tables.tag.c.name_sha256 == sha256(tag))
    tag_id = conn.execute(known).scalar()
    if tag_id is None:
        return 0, {}
    sets = _tag_sets(viewer, conn, project, uids)
    runs = {uid: run_id for uid, run_id, tags in sets if (tag_id, kind) in tags}
    return tag_id, {uid: runs[uid] for uid in uids if uid in runs}


def series_of_kind(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: Sequence[str], kind: Kind
) -> list[tuple[int, int]]:
    """Return run and tag of each series of a kind in the visible ones of these runs."""
    return [
        (run_id, tag_id)
        for _, run_id, tags in _tag_sets(viewer, conn, project, uids)
        for tag_id, of in tags
        if of == kind
    ]


def _tag_sets(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: Sequence[str]
) -> list[tuple[str, int, Collection[tuple[int, Kind]]]]:
    """Return of each visible run its uid, its id and its series; each shared set is read once."""
    run, sets = tables.run.c, tables.tag_set.c
    found: list[tuple[str, int, int]] = []
    for some in chunked([to_sql(uid) for uid in uids]):
        asked = select(run.uid, run.run_id, run.tag_set_id).where(
            runs_of(viewer, project), run.uid.in_(some), run.tag_set_id.is_not(None)
        )
        found += [(uid, run_id, set_id) for uid, run_id, set_id in conn.execute(asked)]
    tags: dict[int, Collection[tuple[int, Kind]]] = {}
    for some_sets in chunked(sorted({set_id for _, _, set_id in found})):
        payloads = select(sets.tag_set_id, sets.payload).where(sets.tag_set_id.in_(some_sets))
        tags |= {set_id: set(decode_tag_set(payload)) for set_id, payload in conn.execute(payloads)}
    place = {uid: at for at, uid in enumerate(uids)}
    ordered = sorted(found, key=lambda row: place.get(row[0], 0))
    return [(uid, run_id, tags[set_id]) for uid, run_id, set_id in ordered if set_id in tags]
