"""Change what people say of runs: names, stars, colours, tags, what is put aside, notes.

    edits ──▶ lock the runs ──▶ change those that differ ──▶ the edits that undo it

Ingest writes none of this and never undoes it. Who asks may see the runs and edit in their
project: both are asked here, whatever stands before. A run that is not there is passed over, as
one that may not be seen is.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, cast, get_args

from sqlalchemy import Connection, case, delete, select, tuple_, update

from orgboard_dashboard.queries.errors import BadQuery, Conflict, TooMuch
from orgboard_dashboard.queries.note_history import count_versions, keep_version
from orgboard_dashboard.queries.visible import ProjectRef, find_project, find_run, runs_of
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new, insert_or_replace

__all__ = [
    "MAX_NAME_CHARS",
    "MAX_NOTE_BYTES",
    "MAX_RUNS",
    "MAX_TAGS",
    "MAX_TAG_CHARS",
    "Edit",
    "Edited",
    "Note",
    "What",
    "apply_edits",
    "author_of",
    "checked_edit",
    "count_edits",
    "find_note",
    "project_tags",
    "write_note",
]

What = Literal["name", "starred", "archived", "color", "tag", "untag"]

MAX_RUNS: Final = 3000
"""Of all edits of one request together: some tens of milliseconds of the one write lock."""
MAX_TAG_CHARS: Final = 64
MAX_TAGS: Final = 50
"""Of one run: more would fill its row in every list."""
MAX_NAME_CHARS: Final = 256
MAX_NOTE_BYTES: Final = 64 * 1024

_COLOR: Final = re.compile("#[0-9a-f]{6}")

_run, _tag, _note = tables.run.c, tables.run_tag.c, tables.run_note.c


@dataclass(frozen=True, slots=True)
class Edit:
    """One change of some runs."""

    uids: tuple[str, ...]
    what: What
    to: str | bool | tuple[str, ...]
    """A name or colour ("" gives the own one back), a state, or tags."""


@dataclass(frozen=True, slots=True)
class Edited:
    """How many runs changed, and what takes it back."""

    changed: int
    undo: tuple[Edit, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """What is written of a run; nothing when `written_at` is None."""

    text: str
    author: str
    written_at: float | None
    earlier: int = 0
    """How many versions of it there were before."""


@dataclass(frozen=True, slots=True)
class _Locked:
    """What an edit may change of a run's row, under its lock."""

    run_id: int
    uid: str
    display_name: str | None
    starred: int
    archived_at: float | None
    chosen_color: str | None


def author_of(viewer: Viewer) -> str:
    """Return the name that is kept with what `viewer` writes; who is alone has none."""
    return viewer.name if viewer.kind != "local" else ""


def checked_edit(uids: Sequence[str], what: str, to: Any) -> Edit:
    """Return an edit within its bounds.

    Raises:
        BadQuery: there is no such change, or it is out of bounds.
    """
    if what not in get_args(What):
        raise BadQuery(f"A run can be given {', '.join(get_args(What))}.")
    if what in ("starred", "archived"):
        if not isinstance(to, bool):
            raise BadQuery(f"`{what}` is true or false.")
    elif what in ("tag", "untag"):
        to = _checked_tags(to)
    elif what == "color":
        to = str(to).lower()
        if to and not _COLOR.fullmatch(to):
            raise BadQuery('A colour is written "#rrggbb".')
    else:
        to = checked_line(to, "A name", MAX_NAME_CHARS)
        if to and len(uids) > 1:
            raise BadQuery("Only one run at a time can be given a name.")
    return Edit(tuple(dict.fromkeys(uids)), cast("What", what), to)


def checked_line(value: Any, kind: str, most: int) -> str:
    """Return text of one line, without blanks at its ends.

    Raises:
        BadQuery: it is no text, too long, or has control characters.
    """
    if not isinstance(value, str):
        raise BadQuery(f"{kind} is text.")
    line = value.strip()
    if len(line) > most:
        raise BadQuery(f"{kind} has at most {most} characters; this one has {len(line)}.")
    if any(unicodedata.category(char) in ("Cc", "Zl", "Zp") for char in line):
        raise BadQuery(f"{kind} is one line, without control characters.")
    return line


def _checked_tags(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MAX_TAGS:
        raise BadQuery(f"Give a list of 1 to {MAX_TAGS} tags.")
    tags = tuple(sorted({checked_line(tag, "A tag", MAX_TAG_CHARS) for tag in value}))
    if any(not tag or "," in tag for tag in tags):
        raise BadQuery("A tag has at least one character, and no comma.")
    return tags


def apply_edits(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    edits: Sequence[Edit],
    now: float,
) -> Edited:
    """Make the changes in their order, all or none; runs that are so already stay untouched.

    Raises:
        Forbidden: `viewer` may see it, and not change it.
        NotFound: there is no such project, or `viewer` may not see it.
        BadQuery: a run would have too many tags.
        TooMuch: these are too many runs.
    """
    found = find_project(viewer, conn, team, project, Role.EDITOR)
    asked = sum(len(edit.uids) for edit in edits)
    if asked > MAX_RUNS:
        raise TooMuch(f"That changes {asked} runs; {MAX_RUNS} can be changed at once.")
    changed: set[int] = set()
    undo: list[Edit] = []
    for edit in edits:
        rows = _locked(viewer, conn, found, edit.uids)
        make = _edit_tags if edit.what in ("tag", "untag") else _edit_rows
        ids, back = make(conn, rows, edit, now)
        changed |= ids
        undo = [*back, *undo]
    count_edits(conn, changed, now)
    return Edited(len(changed), tuple(undo))


def _locked(
    viewer: Viewer, conn: Connection, project: ProjectRef, uids: Collection[str]
) -> list[_Locked]:
    """Take the runs' locks in the order in which everybody does, and read them."""
    wanted = [_run[name] for name in _Locked.__dataclass_fields__]
    query = (
        select(*wanted)
        .where(runs_of(viewer, project), _run.uid.in_([to_sql(uid) for uid in uids]))
        .order_by(_run.run_id)
        .with_for_update(key_share=True, of=tables.run)
    )
    return [_Locked(*row) for row in conn.execute(query)]


def _edit_rows(
    conn: Connection, rows: Sequence[_Locked], edit: Edit, now: float
) -> tuple[set[int], list[Edit]]:
    before: dict[str | bool, list[_Locked]] = {}
    for row in rows:
        was = _state(row, edit.what)
        if was != edit.to:
            before.setdefault(was, []).append(row)
    ids = {row.run_id for some in before.values() for row in some}
    for some in chunked(sorted(ids)):
        conn.execute(update(tables.run).where(_run.run_id.in_(some)).values(_stored(edit, now)))
    return ids, [
        Edit(tuple(row.uid for row in some), edit.what, was) for was, some in before.items()
    ]


def _state(row: _Locked, what: What) -> str | bool:
    if what == "starred":
        return row.starred > 0
    if what == "archived":
        return row.archived_at is not None
    stored = row.display_name if what == "name" else row.chosen_color
    return from_sql(stored or "")


def _stored(edit: Edit, now: float) -> dict[str, object]:
    if edit.what == "starred":
        return {"starred": int(bool(edit.to))}
    if edit.what == "archived":
        return {"archived_at": now if edit.to else None}
    column = "display_name" if edit.what == "name" else "chosen_color"
    return {column: to_sql(str(edit.to)) or None}


def _edit_tags(
    conn: Connection, rows: Sequence[_Locked], edit: Edit, _now: float
) -> tuple[set[int], list[Edit]]:
    wanted = edit.to if isinstance(edit.to, tuple) else ()
    known = _tags_of(conn, [row.uid for row in rows])
    differ: dict[str, frozenset[str]] = {}
    for row in rows:
        has = known.get(row.uid, frozenset())
        moved = frozenset(wanted) - has if edit.what == "tag" else frozenset(wanted) & has
        if moved:
            differ[row.uid] = moved
        if edit.what == "tag" and len(has | moved) > MAX_TAGS:
            raise BadQuery(f"A run has at most {MAX_TAGS} tags; nothing was changed.")
    pairs = [(uid, to_sql(tag)) for uid in sorted(differ) for tag in sorted(differ[uid])]
    if edit.what == "tag":
        insert_new(conn, tables.run_tag, [{"uid": uid, "name": name} for uid, name in pairs])
    else:
        for some in chunked(pairs):
            conn.execute(delete(tables.run_tag).where(tuple_(_tag.uid, _tag.name).in_(some)))
    groups: dict[frozenset[str], list[str]] = {}
    for uid, moved in differ.items():
        groups.setdefault(moved, []).append(uid)
    back: What = "untag" if edit.what == "tag" else "tag"
    undo = [Edit(tuple(uids), back, tuple(sorted(moved))) for moved, uids in groups.items()]
    return {row.run_id for row in rows if row.uid in differ}, undo


def _tags_of(conn: Connection, uids: Sequence[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for some in chunked(uids):
        for uid, name in conn.execute(select(_tag.uid, _tag.name).where(_tag.uid.in_(some))):
            found.setdefault(uid, set()).add(from_sql(name))
    return {uid: frozenset(names) for uid, names in found.items()}


def count_edits(conn: Connection, run_ids: Iterable[int], now: float) -> None:
    """Let live readers see that these runs changed."""
    at = int(now * 1000)
    for some in chunked(sorted(run_ids)):
        conn.execute(
            update(tables.run)
            .where(_run.run_id.in_(some))
            .values(
                edits=_run.edits + 1,
                revision=_run.revision + 1,
                # Never before a change that live readers have seen.
                touched_ms=case((_run.touched_ms > at, _run.touched_ms), else_=at),
            )
        )


def project_tags(viewer: Viewer, conn: Connection, team: str, project: str) -> tuple[str, ...]:
    """Return the tags that visible runs of a project have, by name.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    query = (
        select(_tag.name)
        .join(tables.run, _run.uid == _tag.uid)
        .where(runs_of(viewer, found))
        .distinct()
        .order_by(_tag.name)
        .limit(1000)
    )
    return tuple(map(from_sql, conn.scalars(query)))


def find_note(conn: Connection, uid: str) -> Note:
    """Return the note of a run that the caller may see."""
    row = conn.execute(
        select(_note.text, _note.author, _note.written_at).where(_note.uid == uid)
    ).one_or_none()
    earlier = count_versions(conn, uid)
    if row is None:
        return Note("", "", None, earlier)
    return Note(from_sql(row.text), from_sql(row.author), row.written_at, earlier)


def write_note(
    viewer: Viewer, conn: Connection, uid: str, text: str, read: float | None, now: float
) -> Note:
    """Put `text` in place of the note that was written at `read`; an empty one takes it away.

    What it said before is kept.

    Raises:
        Forbidden: `viewer` may see it, and not change it.
        NotFound: there is no such run, or `viewer` may not see it.
        BadQuery: the text is too long.
        Conflict: somebody wrote another one meanwhile.
    """
    size = len(text.encode("utf-8", "surrogatepass"))
    if size > MAX_NOTE_BYTES:
        raise BadQuery(f"A note has at most {MAX_NOTE_BYTES} bytes; this one has {size}.")
    run_id = find_run(viewer, conn, uid, Role.EDITOR)
    lock = select(_run.uid).where(_run.run_id == run_id).with_for_update(key_share=True)
    known = conn.execute(lock).scalar_one()
    before = find_note(conn, known)
    if before.written_at != read:
        raise Conflict("Somebody changed this note meanwhile. Copy your text, and load it again.")
    if before.written_at is not None and before.text != text:
        keep_version(conn, known, before.text, before.author, before.written_at)
    if not text.strip():
        conn.execute(delete(tables.run_note).where(_note.uid == known))
    else:
        row: dict[str, object] = {"uid": known, "text": to_sql(text), "written_at": now}
        row["author"] = to_sql(author_of(viewer))
        insert_or_replace(conn, tables.run_note, [row], replace=["text", "author", "written_at"])
    count_edits(conn, [run_id], now)
    return find_note(conn, known)
