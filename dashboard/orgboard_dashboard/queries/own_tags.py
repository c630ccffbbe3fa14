"""Which runs logged a series that is known by its name: from the sets of tags that runs share."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.visible import ProjectRef, visible_runs
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import decode_tag_set
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import sha256, to_sql
from orgboard_schema.types import Kind

__all__ = ["runs_with"]


def runs_with(
    viewer: Viewer,
    conn: Connection,
    project: ProjectRef,
    uids: Sequence[str],
    tag: str,
    kind: Kind,
) -> tuple[int, dict[str, int]]:
    """Return the tag's number, and of `uids` the visible runs that have it with their ids."""
    run, sets = tables.run.c, tables.tag_set.c
    known = select(tables.tag.c.tag_id).where(tables.tag.c.name_sha256 == sha256(tag))
    tag_id = conn.execute(known).scalar()
    if tag_id is None:
        return 0, {}
    found: dict[str, tuple[int, int]] = {}
    for some in chunked([to_sql(uid) for uid in uids]):
        asked = select(run.uid, run.run_id, run.tag_set_id).where(
            run.project_id == project.project_id,
            run.uid.in_(some),
            run.tag_set_id.is_not(None),
            visible_runs(viewer),
        )
        found |= {uid: (run_id, set_id) for uid, run_id, set_id in conn.execute(asked)}
    having: set[int] = set()
    for some_sets in chunked(sorted({set_id for _, set_id in found.values()})):
        payloads = select(sets.tag_set_id, sets.payload).where(sets.tag_set_id.in_(some_sets))
        for set_id, payload in conn.execute(payloads):
            if (tag_id, kind) in decode_tag_set(payload):
                having.add(set_id)
    return tag_id, {uid: found[uid][0] for uid in uids if uid in found and found[uid][1] in having}
