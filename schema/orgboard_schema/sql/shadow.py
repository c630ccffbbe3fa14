"""Read a run anew beside itself, and let the new reading take its place in one transaction.

    run 7 shown ──┬── run 7 shown, frozen ───────────────┬── run 7 discarded ── removed
                  └── run 9 shadow_of 7, from byte 0 ────┴── run 9 shown, by the uid of 7

Later bytes may change what a run's points mean: another file took a name, two files turn
out to overlap in time, a hole was filled. People go on seeing the run as it was, whole,
until the shadow has read further than it in each file, or as far as the file goes.

While there is a shadow, the original takes no points. It is not worth the trouble: the
bytes that called for the shadow have no place in it, what comes after them would be read
twice, and the shadow has caught up within the time that it takes to read the files.

A run has one shadow, whoever begins it: its name is made of the original's id, and the
original's revision goes up with it, so every rival's next commit fails and finds it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Row, and_, func, insert, or_, select, update

from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import locked_project, new_uid
from orgboard_schema.sql.standing import DISCARDED, SHADOW, SHOWN
from orgboard_schema.sql.text import sha256

__all__ = ["begin_shadow", "give_up_shadow", "shadow_key", "swap"]

_run = tables.run.c
_file = tables.source_file.c

_KEPT: Final = (
    *("name", "name_sha256", "uid", "project_id", "color", "created_at", "archived_at", "gone_at"),
    *("settings_of", "display_name", "starred", "chosen_color", "edits"),
)
"""What a run is to people: the shadow takes it over. Notes and tags go by the uid."""

_NOTHING: Final = sha256("")
"""The hash of no bytes: the head of a file that was not read yet."""


def shadow_key(run_id: int) -> bytes:
    """Return the `name_sha256` of the run's shadow: one place, so one shadow."""
    return sha256(f"shadow of {run_id}")


def begin_shadow(
    conn: Connection, run_id: int, *, revision: int, replaced: Mapping[int, int] | None = None
) -> int:
    """Put an empty shadow beside a run, all its files at offset 0, and return the shadow's id.

    `replaced`: files (by id) whose name another file took, with its size: their next
    generation begins.

    Raises:
        OffsetMoved: The run is not shown, or not at `revision`: a rival was first.
    """
    # Before the run's lock, as who moves a logdir takes them: until the end nobody does.
    logdir_id = conn.scalar(select(_run.logdir_id).where(_run.run_id == run_id))
    if logdir_id is not None:
        locked_project(conn, logdir_id)
    frozen = conn.execute(
        update(tables.run)
        .where(_run.run_id == run_id, _run.revision == revision, _run.standing == SHOWN)
        .values(revision=revision + 1)
    )
    if frozen.rowcount != 1:
        raise OffsetMoved(f"a rival changed run {run_id} first")
    original = conn.execute(select(tables.run).where(_run.run_id == run_id)).one()
    # Its own project, which need not be its logdir's: it may have been moved by itself.
    taken = ("logdir_id", "project_id", "name", "color")
    made = {name: getattr(original, name) for name in taken}
    made |= {"uid": new_uid(), "name_sha256": shadow_key(run_id), "standing": SHADOW}
    made |= {"created_at": original.created_at, "shadow_of": run_id, "files": original.files}
    # Never a revision that the original had: whoever holds one of those must look again.
    made |= {"host": original.host, "username": original.username}
    made |= {"revision": original.revision, "touched_ms": original.touched_ms}
    conn.execute(insert(tables.run), made)
    place = (_run.logdir_id == original.logdir_id) & (_run.name_sha256 == shadow_key(run_id))
    shadow_id = int(conn.execute(select(_run.run_id).where(place)).scalar_one())
    rows = conn.execute(select(tables.source_file).where(_file.run_id == run_id)).all()
    fresh = [_from_the_start(row, shadow_id, (replaced or {}).get(row.file_id)) for row in rows]
    if fresh:
        conn.execute(insert(tables.source_file), fresh)
    return shadow_id


def _from_the_start(row: Row[Any], shadow_id: int, replaced: int | None) -> dict[str, object]:
    fresh: dict[str, object] = {"run_id": shadow_id, "name": row.name}
    fresh |= {"name_sha256": bytes(row.name_sha256), "error": ""}
    if replaced is not None:
        # Its first bytes are not known yet, and whatever they are, they fit.
        head: dict[str, object] = {"head_sha256": _NOTHING, "head_bytes": 0, "mtime_ns": 0}
        return fresh | head | {"generation": row.generation + 1, "size": replaced, "encoding": ""}
    fresh |= {"head_sha256": bytes(row.head_sha256), "head_bytes": row.head_bytes}
    fresh |= {"generation": row.generation, "encoding": row.encoding}
    # Of a file of which nothing is stored, nothing is waited for.
    stored = row.offset > 0
    return fresh | {"size": row.size * stored, "mtime_ns": row.mtime_ns * stored}


def swap(conn: Connection, shadow_id: int, *, now: float) -> bool:
    """Show a shadow in place of its original, if it has read further in each of its files.

    It counts as further when there was nothing more to read. Returns False, and changes
    nothing, when it has not, or is no shadow any more, or the original is not shown.
    """
    pair = _locked_pair(conn, shadow_id)
    if pair is None or not _is_ahead(conn, pair[0].run_id, shadow_id):
        return False
    original, shadow = pair
    revision = max(original.revision, shadow.revision) + 1
    touched_ms = max(int(now * 1000), original.touched_ms, shadow.touched_ms)
    both = {"revision": revision, "touched_ms": touched_ms}
    conn.execute(
        update(tables.run)
        .where(_run.run_id == original.run_id)
        .values(both | _out_of_the_way() | {"uid": new_uid(), "standing": DISCARDED})
    )
    kept = {name: getattr(original, name) for name in _KEPT}
    files = select(func.count()).where(_file.run_id == shadow_id).scalar_subquery()
    conn.execute(
        update(tables.run)
        .where(_run.run_id == shadow_id)
        .values(kept | both | {"standing": SHOWN, "shadow_of": None, "files": files})
    )
    _keep_gap_ages(conn, original.run_id, shadow_id)
    return True


def give_up_shadow(conn: Connection, shadow_id: int) -> None:
    """Discard a shadow: the original goes on as it was. Nothing happens when it is none."""
    conn.execute(
        update(tables.run)
        .where(_run.run_id == shadow_id, _run.standing == SHADOW)
        # The revision stops whoever still reads on in it.
        .values(_out_of_the_way() | {"standing": DISCARDED, "revision": _run.revision + 1})
    )


def _out_of_the_way() -> dict[str, object]:
    """Return what leaves a run's place among the names of its logdir to another."""
    return {"name_sha256": secrets.token_bytes(32)}


@dataclass(frozen=True, slots=True)
class _Locked:
    run_id: int
    uid: str
    project_id: int
    name: str
    name_sha256: bytes
    settings_of: bytes | None
    color: int
    created_at: float
    archived_at: float | None
    gone_at: float | None
    display_name: str | None
    starred: int
    chosen_color: str | None
    edits: int
    revision: int
    touched_ms: int


def _locked_pair(conn: Connection, shadow_id: int) -> tuple[_Locked, _Locked] | None:
    """Lock the original, then the shadow; None when they are not what the caller takes them for."""
    original_id = conn.execute(
        select(_run.shadow_of).where(_run.run_id == shadow_id, _run.standing == SHADOW)
    ).scalar_one_or_none()
    if original_id is None:
        return None
    locked: list[_Locked] = []
    wanted = [_run[name] for name in _Locked.__dataclass_fields__]
    for run_id, standing in ((original_id, SHOWN), (shadow_id, SHADOW)):
        query = select(*wanted).where(_run.run_id == run_id, _run.standing == standing)
        row = conn.execute(query.with_for_update()).one_or_none()
        if row is None:
            return None
        locked.append(_Locked(*row))
    return locked[0], locked[1]


def _is_ahead(conn: Connection, original_id: int, shadow_id: int) -> bool:
    """Tell whether each file was read further than the original, or once as far as it went."""
    old = tables.source_file.alias().c
    unread = and_(_file.offset != _file.size, _file.pending.is_(None))
    behind = (
        select(old.file_id)
        .where(old.run_id == original_id, old.name_sha256 == _file.name_sha256, old.offset > 0)
        .where(or_(old.generation != _file.generation, old.offset >= _file.offset))
    )
    query = select(_file.file_id).where(_file.run_id == shadow_id, unread, behind.exists())
    return conn.execute(query.limit(1)).first() is None


def _keep_gap_ages(conn: Connection, original_id: int, shadow_id: int) -> None:
    """Let gaps that are still there be as old as they were: they are not read again for ever."""
    old, new = tables.source_file.alias(), tables.source_file.alias()
    with_gaps = select(tables.gap.c.file_id).where(tables.gap.c.run_id == shadow_id)
    pairs = (
        select(old.c.file_id, new.c.file_id)
        .join_from(old, new, old.c.name_sha256 == new.c.name_sha256)
        .where(old.c.run_id == original_id, new.c.run_id == shadow_id)
        .where(new.c.file_id.in_(with_gaps))
    )
    gap, before = tables.gap.c, tables.gap.alias().c
    for old_id, new_id in conn.execute(pairs).all():
        since = select(before.found_at).where(
            *(before.run_id == original_id, before.file_id == old_id),
            *(before.generation == gap.generation, before.offset == gap.offset),
            *(before.length == gap.length, before.found_at < gap.found_at),
        )
        conn.execute(
            update(tables.gap)
            .where(gap.run_id == shadow_id, gap.file_id == new_id, since.exists())
            .values(found_at=since.scalar_subquery())
        )
