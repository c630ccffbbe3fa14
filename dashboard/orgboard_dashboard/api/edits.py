"""What people change, as JSON: edits of runs, notes, annotations, deletion and return.

Each route that changes something has the policy "edit" (`policies`), so the gate lets in
only a page of this board, asking in JSON for a viewer who may edit.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, get_args

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import is_uid, number_of, read_object, uids_of
from orgboard_dashboard.api.runs import note_json, split_uids
from orgboard_dashboard.queries.deletions import (
    delete_runs,
    list_deleted,
    preview,
    restore_runs,
)
from orgboard_dashboard.queries.edits import (
    MAX_RUNS,
    Edit,
    What,
    apply_edits,
    checked_edit,
    project_tags,
    write_note,
)
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.note_history import find_version, versions
from orgboard_dashboard.queries.remarks import (
    Moment,
    add_remark,
    change_remark,
    list_remarks,
)
from orgboard_dashboard.queries.visible import Role, find_project, role_in
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["edit_json", "parse_edits", "routes"]

_DELETED_TOGETHER: Final = 100
"""In one transaction: a hundred runs hold ingest up for some milliseconds."""

_INT32: Final = 2**31
_INT64: Final = 2**63


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")
    _add_runs(router, services)
    _add_deletion(router, services)
    _add_words(router, services)
    return router


def _add_runs(router: APIRouter, services: Services) -> None:
    @router.get("/p/{team}/{project}/me")
    async def me(team: str, project: str) -> Response:
        viewer = current_viewer()
        role = await services.ask(_role, team, project)
        may = {"can_edit": role >= Role.EDITOR, "can_delete": role >= Role.ADMIN}
        # Who may only see a project still keeps views of it, unless nothing is written at all.
        may["can_keep"] = viewer.can_edit
        # On a board for one there is nobody to share with: no other machine reaches it.
        may["can_share"] = viewer.kind == "account" and role >= Role.ADMIN
        return answer({"name": viewer.name, "role": role.word, **may})

    @router.get("/p/{team}/{project}/run-tags")
    async def run_tags(team: str, project: str) -> Response:
        return answer({"tags": await services.ask(project_tags, team, project)})

    @router.post("/p/{team}/{project}/edits")
    async def edit_runs(team: str, project: str, request: Request) -> Response:
        edits = parse_edits(read_object(await request.body()))
        done = await services.edit(apply_edits, team, project, edits, services.now())
        return answer({"changed": done.changed, "undo": list(map(edit_json, done.undo))})


def _add_deletion(router: APIRouter, services: Services) -> None:
    @router.post("/p/{team}/{project}/deletion/preview")
    async def tell(team: str, project: str, request: Request) -> Response:
        uids = uids_of(read_object(await request.body()), MAX_RUNS)
        return answer(await services.ask(preview, team, project, uids, services.now()))

    @router.post("/p/{team}/{project}/deletion")
    async def delete(team: str, project: str, request: Request) -> Response:
        uids = uids_of(read_object(await request.body()), MAX_RUNS)
        deleted: list[str] = []
        live = 0
        for start in range(0, max(1, len(uids)), _DELETED_TOGETHER):
            some = uids[start : start + _DELETED_TOGETHER]
            done = await services.edit(delete_runs, team, project, some, services.now())
            deleted += done.uids
            live += done.live
        return answer({"deleted": deleted, "live": live})

    @router.get("/p/{team}/{project}/deleted")
    async def deleted(team: str, project: str) -> Response:
        return answer({"runs": await services.ask(list_deleted, team, project)})

    @router.post("/p/{team}/{project}/restoration")
    async def restore(team: str, project: str, request: Request) -> Response:
        uids = uids_of(read_object(await request.body()), MAX_RUNS)
        restored = 0
        for start in range(0, max(1, len(uids)), _DELETED_TOGETHER):
            some = uids[start : start + _DELETED_TOGETHER]
            restored += await services.edit(restore_runs, team, project, some, services.now())
        return answer({"restored": restored})


def _add_words(router: APIRouter, services: Services) -> None:
    @router.get("/p/{team}/{project}/remarks")
    async def remarks(team: str, project: str, runs: str = "") -> Response:
        found = await services.ask(list_remarks, team, project, split_uids(runs))
        return answer({"remarks": found})

    @router.post("/p/{team}/{project}/remarks")
    async def annotate(team: str, project: str, request: Request) -> Response:
        asked = read_object(await request.body())
        moment, text = _moment(asked), _text(asked)
        key = await services.edit(add_remark, team, project, moment, text, services.now())
        return answer({"id": key})

    @router.patch("/p/{team}/{project}/remarks/{key}")
    async def reword(team: str, project: str, key: str, request: Request) -> Response:
        text = _text(read_object(await request.body()))
        await services.edit(change_remark, team, project, key, text, services.now())
        return answer({"id": key})

    @router.get("/r/{uid}/note/versions")
    async def earlier(uid: str) -> Response:
        return answer({"versions": await services.ask(versions, uid)})

    @router.get("/r/{uid}/note/versions/{version}")
    async def earlier_one(uid: str, version: int) -> Response:
        if not 0 < version < _INT32:
            raise NotFound
        return answer({"text": await services.ask(find_version, uid, version)})

    @router.post("/r/{uid}/note")
    async def note(uid: str, request: Request) -> Response:
        asked = read_object(await request.body())
        read = number_of(asked, "read")
        written = await services.edit(write_note, uid, _text(asked), read, services.now())
        return answer(await note_json(written))


def _role(viewer: Viewer, conn: Connection, team: str, project: str) -> Role:
    return role_in(viewer, conn, find_project(viewer, conn, team, project))


def edit_json(edit: Edit) -> dict[str, Any]:
    """Return an edit as `parse_edits` reads it."""
    to = list(edit.to) if isinstance(edit.to, tuple) else edit.to
    return {"runs": list(edit.uids), edit.what: to}


def parse_edits(asked: Mapping[str, Any]) -> tuple[Edit, ...]:
    """Read `{"edits": [{"runs": [uid, …], "starred": true}, …]}`; each edit changes one thing.

    Raises:
        BadQuery: it is none, or out of bounds.
    """
    edits = asked.get("edits")
    if not isinstance(edits, list) or not 0 < len(edits) <= MAX_RUNS:
        raise BadQuery(f"`edits` is a list of 1 to {MAX_RUNS} edits.")
    return tuple(map(_edit, edits))


def _edit(asked: Any) -> Edit:
    changes = [key for key in asked if key != "runs"] if isinstance(asked, dict) else []
    if len(changes) != 1:
        raise BadQuery(f"An edit names its `runs` and one of {', '.join(get_args(What))}.")
    return checked_edit(uids_of(asked, MAX_RUNS), changes[0], asked[changes[0]])


def _moment(asked: Mapping[str, Any]) -> Moment:
    uid, step = asked.get("run"), asked.get("step")
    if uid is not None and not is_uid(uid):
        raise BadQuery("`run` is the id of a run, or null.")
    if step is not None and (type(step) is not int or not -_INT64 <= step < _INT64):
        raise BadQuery("`step` is a whole number or null.")
    return Moment(uid, step, number_of(asked, "wall"))


def _text(asked: Mapping[str, Any]) -> str:
    text = asked.get("text")
    if not isinstance(text, str):
        raise BadQuery("`text` is text.")
    return text
