"""Graphs that people opened from their disks: kept in a project, for all who see it.

    a file's bytes ─▶ graphs.files ─▶ add_upload ─▶ a row ─▶ looked at as a run's graph is

What is kept is the graph, as a run would have logged it, and not the file: weights never get here.
It is packed into its row. The store of blobs holds what runs refer to, and is written by ingest;
that the web pages write none of it stays so.
"""

from __future__ import annotations

import hashlib
import logging
import re
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, false, func, insert, select

from orgboard_dashboard.graphs.files.kinds import KINDS, FileKind
from orgboard_dashboard.graphs.files.reading import GraphFile
from orgboard_dashboard.queries.edits import author_of
from orgboard_dashboard.queries.errors import Forbidden, NotFound, TooMuch
from orgboard_dashboard.queries.people.audit import actor_of, note_down
from orgboard_dashboard.queries.visible import (
    ANY,
    ProjectRef,
    find_project,
    role_in,
    visible_projects,
)
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.frame import pack, unpack
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.registry import new_uid
from orgboard_schema.sql.roles import Role
from orgboard_schema.sql.text import from_sql, to_sql

__all__ = [
    "MAX_FILES",
    "MAX_NAME_CHARS",
    "MAX_TOTAL_BYTES",
    "UPLOAD",
    "NewGraph",
    "UploadRow",
    "Uploads",
    "add_upload",
    "find_upload",
    "graph_bytes",
    "is_upload",
    "list_uploads",
    "packed",
    "remove_upload",
    "require_room",
]

UPLOAD: Final = "file."
"""How the id of an opened file begins where a run's may stand: no run's has a dot."""

MAX_FILES: Final = 200
"""Of a project, whoever opened them."""
MAX_TOTAL_BYTES: Final = 256 << 20
"""Of a project, as they are packed: hundreds of graphs as people have them."""
MAX_NAME_CHARS: Final = 200

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_of, _project = tables.graph_upload.c, tables.project.c
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An opened file, as lists name it."""

    id: str
    name: str
    words: str
    """What it was: "ONNX model"."""
    sha256: str
    """Of the graph that is kept of it."""
    file_size: int
    author: str
    uploaded_at: float
    can_remove: bool


@dataclass(frozen=True, slots=True)
class Uploads:
    """The opened files of a project, the newest first, and whether the viewer may add one."""

    files: tuple[UploadRow, ...]
    can_add: bool


@dataclass(frozen=True, slots=True)
class NewGraph:
    """A file that was read."""

    name: str
    file_size: int
    kind: FileKind
    sha256: bytes
    size: int
    payload: bytes


def packed(name: str, file_size: int, file: GraphFile) -> NewGraph:
    """Return what is kept of a file that is called `name`, and has so many bytes on its disk."""
    # Browsers say a bare name; what else comes is somebody's path.
    bare = _CONTROL.sub(" ", re.split(r"[/\\]", name)[-1]).strip()[:MAX_NAME_CHARS]
    sha256 = hashlib.sha256(file.graph).digest()
    size, payload = len(file.graph), pack(file.graph)
    return NewGraph(bare or "graph", file_size, file.kind, sha256, size, payload)


def is_upload(uid: str) -> bool:
    """Tell whether what stands for a run is an opened file."""
    return uid.startswith(UPLOAD)


def list_uploads(viewer: Viewer, conn: Connection, team: str, project: str) -> Uploads:
    """Return the opened files of a project, or of all that are looked at together.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
    """
    found = find_project(viewer, conn, team, project)
    edits = role_in(viewer, conn, found) >= Role.EDITOR
    ids = (found.project_id,) if found.several is None else found.several
    query = _listed().where(_visible(viewer), _of.project_id.in_(ids))
    newest = query.order_by(_of.uploaded_at.desc(), _of.upload_id).limit(MAX_FILES)
    rows = tuple(_row(viewer, row, edits=edits) for row in conn.execute(newest))
    return Uploads(rows, viewer.can_edit and edits)


def find_upload(viewer: Viewer, conn: Connection, uid: str) -> UploadRow:
    """Return one opened file.

    Raises:
        NotFound: there is none, or `viewer` may not see its project.
    """
    row = conn.execute(_listed().where(_visible(viewer), _is(uid))).one_or_none()
    if row is None:
        raise NotFound
    return _row(viewer, row, edits=False)


def graph_bytes(viewer: Viewer, conn: Connection, uid: str) -> bytes:
    """Return the graph that is kept of a file.

    Raises:
        NotFound: there is none, or `viewer` may not see its project.
    """
    payload = conn.scalar(select(_of.payload).where(_visible(viewer), _is(uid)))
    try:
        if payload is not None:
            return unpack(bytes(payload))
    except CorruptBlock as error:
        _log.warning("the graph %s cannot be read: %s", uid, error)
    raise NotFound


def require_room(viewer: Viewer, conn: Connection, team: str, project: str) -> None:
    """See that `viewer` may open one more file here: asked before a file is read.

    Raises:
        Forbidden: `viewer` may see the project, and not change it.
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: it has too many.
    """
    _refuse_too_many(conn, _editable(viewer, conn, team, project), 0)


def add_upload(
    viewer: Viewer, conn: Connection, team: str, project: str, new: NewGraph, now: float
) -> UploadRow:
    """Keep the graph of a file. The same graph under the same name is kept once.

    Raises:
        Forbidden: `viewer` may see the project, and not change it.
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: the project has too many.
    """
    found = _editable(viewer, conn, team, project)
    _lock(conn, found)
    name = to_sql(new.name)
    here = (_of.project_id == found.project_id) & (_of.sha256 == new.sha256) & (_of.name == name)
    key = conn.scalar(select(_of.upload_id).where(here).limit(1))
    if key is None:
        _refuse_too_many(conn, found, len(new.payload))
        key = new_uid()
        row: dict[str, object] = {"upload_id": key, "project_id": found.project_id, "name": name}
        row |= {"kind": new.kind, "file_size": new.file_size, "sha256": new.sha256}
        row |= {"size": new.size, "payload": new.payload, "account_id": viewer.account_id}
        row |= {"author": to_sql(author_of(viewer)), "uploaded_at": now}
        conn.execute(insert(tables.graph_upload), row)
        told = {"file": new.name, "kind": new.kind, "bytes": new.file_size}
        subject = f"{team}/{project}: {key}"
        note_down(conn, actor_of(viewer), "graph.added", subject, now, after=told)
    return _with_rights(viewer, conn, found, key)


def remove_upload(
    viewer: Viewer, conn: Connection, team: str, project: str, key: str, now: float
) -> UploadRow:
    """Remove an opened file, and return what it was. Links to it say that it is gone.

    Raises:
        Forbidden: `viewer` may see it, did not open it, and is no editor.
        NotFound: there is no such file in the project, or `viewer` may not see it.
    """
    found = _one_project(viewer, conn, team, project, Role.VIEWER)
    _lock(conn, found)
    before = _with_rights(viewer, conn, found, key)
    if not before.can_remove:
        raise Forbidden("Who opened a file, or edits in the project, removes it.")
    conn.execute(delete(tables.graph_upload).where(_of.upload_id == before.id))
    subject = f"{team}/{project}: {before.id}"
    note_down(conn, actor_of(viewer), "graph.removed", subject, now, before={"file": before.name})
    return before


def _visible(viewer: Viewer) -> ColumnElement[bool]:
    if viewer.within is not None and viewer.within.uids is not None:
        # Who was shown some runs alone was shown nothing beside them; the guard is told all the
        # same that whom it was asked for.
        return false() & visible_projects(viewer)
    return _of.project_id.in_(select(_project.project_id).where(visible_projects(viewer)))


def _is(uid: str) -> ColumnElement[bool]:
    return _of.upload_id == to_sql(uid.removeprefix(UPLOAD))


def _listed() -> Any:
    columns = [column for column in _of if column.name not in ("payload", "project_id")]
    return select(*columns, tables.account.c.name.label("called")).outerjoin(
        tables.account, tables.account.c.account_id == _of.account_id
    )


def _row(viewer: Viewer, row: Any, *, edits: bool) -> UploadRow:
    is_mine = viewer.account_id is not None and row.account_id == viewer.account_id
    kind: FileKind = row.kind
    return UploadRow(
        id=row.upload_id,
        name=from_sql(row.name),
        words=KINDS.get(kind, "graph"),
        sha256=bytes(row.sha256).hex(),
        file_size=row.file_size,
        author=from_sql(row.called or row.author),
        uploaded_at=row.uploaded_at,
        can_remove=viewer.can_edit and (edits or is_mine),
    )


def _with_rights(viewer: Viewer, conn: Connection, found: ProjectRef, key: str) -> UploadRow:
    here = _of.project_id == found.project_id
    row = conn.execute(
        _listed().where(_visible(viewer), here, _of.upload_id == to_sql(key))
    ).one_or_none()
    if row is None:
        raise NotFound
    return _row(viewer, row, edits=role_in(viewer, conn, found) >= Role.EDITOR)


def _editable(viewer: Viewer, conn: Connection, team: str, project: str) -> ProjectRef:
    return _one_project(viewer, conn, team, project, Role.EDITOR)


def _one_project(
    viewer: Viewer, conn: Connection, team: str, project: str, least: Role
) -> ProjectRef:
    if ANY in (team, project):
        raise Forbidden("A file is opened in one project.")
    if not viewer.can_edit:
        raise Forbidden
    return find_project(viewer, conn, team, project, least)


def _lock(conn: Connection, project: ProjectRef) -> None:
    """Let one file come or go after the other; ingest may add runs meanwhile."""
    here = _project.project_id == project.project_id
    conn.execute(select(_project.project_id).where(here).with_for_update(key_share=True))


def _refuse_too_many(conn: Connection, project: ProjectRef, more: int) -> None:
    counted = select(func.count(), func.coalesce(func.sum(func.length(_of.payload)), 0))
    files, size = conn.execute(counted.where(_of.project_id == project.project_id)).one()
    if files >= MAX_FILES:
        raise TooMuch(
            f"The project has {MAX_FILES} opened files, the most there can be. Remove some."
        )
    if size + more > MAX_TOTAL_BYTES:
        most = MAX_TOTAL_BYTES >> 20
        raise TooMuch(f"The project's opened files would take more than {most} MB. Remove some.")
