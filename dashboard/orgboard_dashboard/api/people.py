"""Accounts, teams and who sees which project, as JSON.

Who may ask, the queries know. What gives somebody a way in or a role wants a fresh password
(`proof`). A link is in the answer to who asked for it, once, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.accounts.names import MAX_NAME_CHARS
from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.api.answers import answer
from orgboard_dashboard.api.bodies import read_object, role_of, text_of
from orgboard_dashboard.api.proof import require_proof
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.errors import BadQuery, Forbidden
from orgboard_dashboard.queries.people.access import (
    Foreseen,
    foresee_grant,
    foresee_visibility,
    visibility_of,
    what_sees,
    who_sees,
)
from orgboard_dashboard.queries.people.accounts import (
    change_account,
    list_accounts,
    make_account,
)
from orgboard_dashboard.queries.people.invitations import (
    list_links,
    list_links_into,
    revoke_link,
)
from orgboard_dashboard.queries.people.links import INVITATION_S, RESET_S, invite, reset
from orgboard_dashboard.queries.people.members import (
    find_team,
    list_grants,
    list_members,
    list_places,
    list_teams,
    make_project,
    make_team,
    set_grant,
    set_member,
    set_visibility,
)
from orgboard_dashboard.queries.people.ways_in import renew_secret
from orgboard_dashboard.queries.visible import Role
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.cookies import give_session
from orgboard_dashboard.signin.places import welcome_address
from orgboard_dashboard.viewer import Viewer

__all__ = ["routes"]

_MAX_PLACE_CHARS = 500
"""Of a name that is read; what may be one, the queries know."""


def routes(services: Services, config: WebConfig) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1")
    links = _Links(services, config)
    _add_accounts(router, services, config, links)
    _add_invitations(router, services, links)
    _add_teams(router, services)
    _add_projects(router, services)
    return router


class _Change(TypedDict):
    is_admin: bool | None
    is_disabled: bool | None


class _Links:
    """Makes one-time links: each a new secret, kept as its hash, told to who asked."""

    def __init__(self, services: Services, config: WebConfig) -> None:
        self._services = services
        # Without one, it is where the browser has the board: it puts that in front.
        self._base = config.base_url.rstrip("/")

    async def to_reset(self, name: str) -> dict[str, Any]:
        secret, now = new_secret(), self._services.now()
        await self._services.edit(reset, secret, name, now)
        return self._told(secret, now + RESET_S)

    async def to_make(self, name: str, kind: str, *, is_admin: bool) -> dict[str, Any]:
        secret, now = new_secret(), self._services.now()
        await self._services.edit(_make, secret, name, kind, now, is_admin=is_admin)
        return {} if kind == "service" else self._told(secret, now + RESET_S)

    async def to_join(self, team: str, role: Role | None) -> dict[str, Any]:
        secret, now = new_secret(), self._services.now()
        await self._services.edit(invite, secret, now, team or None, role)
        return self._told(secret, now + INVITATION_S)

    def _told(self, secret: str, expires_at: float) -> dict[str, Any]:
        link = welcome_address(self._base, secret)
        return {"link": link if self._base else link.lstrip("/"), "expires_at": expires_at}

    def require_proof(self) -> None:
        require_proof(self._services.now())


def _add_accounts(router: APIRouter, services: Services, config: WebConfig, links: _Links) -> None:
    @router.get("/accounts")
    async def accounts() -> Response:
        return answer({"accounts": await services.ask(list_accounts)})

    @router.post("/accounts")
    async def make(request: Request) -> Response:
        links.require_proof()
        asked = read_object(await request.body())
        name, kind = _name(asked), text_of(asked, "kind", 16) or "person"
        if kind not in ("person", "service"):
            raise BadQuery("An account is a person's or a service's.")
        is_admin = _flag(asked, "admin") is True
        return answer({"name": name, **await links.to_make(name, kind, is_admin=is_admin)})

    @router.patch("/accounts/{name}")
    async def change(name: str, request: Request) -> Response:
        links.require_proof()
        asked = read_object(await request.body())
        given: _Change = {
            "is_admin": _flag(asked, "admin"),
            "is_disabled": _flag(asked, "disabled"),
        }
        if given["is_admin"] is None:
            await services.edit(change_account, name, services.now(), **given)
            return answer({"name": name})
        secret = new_secret()
        await services.edit(_change_role, secret, name, services.now(), given)
        return give_session(answer({"name": name}), config, secret)

    @router.post("/accounts/{name}/link")
    async def link(name: str) -> Response:
        links.require_proof()
        return answer({"name": name, **await links.to_reset(name)})

    @router.get("/accounts/{name}/access")
    async def access(name: str) -> Response:
        return answer({"projects": await services.ask(what_sees, name)})


def _add_invitations(router: APIRouter, services: Services, links: _Links) -> None:
    @router.get("/invitations")
    async def invitations() -> Response:
        return answer({"links": await services.ask(list_links, services.now())})

    @router.get("/teams/{team}/invitations")
    async def into_team(team: str) -> Response:
        return answer({"links": await services.ask(list_links_into, team, services.now())})

    @router.delete("/invitations/{key}")
    async def revoke(key: str) -> Response:
        links.require_proof()
        await services.edit(revoke_link, key, services.now())
        return answer({"id": key})

    @router.post("/invitations")
    async def invite_somebody(request: Request) -> Response:
        links.require_proof()
        asked = read_object(await request.body())
        team = text_of(asked, "team", _MAX_PLACE_CHARS)
        role = role_of(asked)
        if team and role is None:
            raise BadQuery("An invitation into a team is as viewer, editor or admin.")
        return answer(await links.to_join(team, role))


def _add_teams(router: APIRouter, services: Services) -> None:
    @router.get("/teams")
    async def teams() -> Response:
        return answer({"teams": await services.ask(list_teams)})

    @router.post("/teams")
    async def make(request: Request) -> Response:
        name = _place(read_object(await request.body()))
        await services.edit(make_team, name, services.now())
        return answer({"team": name})

    @router.get("/teams/{team}/members")
    async def members(team: str) -> Response:
        rows, may_change = await services.ask(_members, team)
        return answer({"members": rows, "may_change": may_change})

    @router.post("/teams/{team}/members")
    async def put(team: str, request: Request) -> Response:
        require_proof(services.now())
        asked = read_object(await request.body())
        await services.edit(set_member, team, _name(asked), role_of(asked), services.now())
        return answer({"team": team})

    @router.post("/teams/{team}/projects")
    async def add_project(team: str, request: Request) -> Response:
        asked = read_object(await request.body())
        name, visibility = _place(asked), text_of(asked, "visibility", 16)
        await services.edit(make_project, team, name, visibility, services.now())
        return answer({"team": team, "project": name})


def _add_projects(router: APIRouter, services: Services) -> None:
    @router.get("/places")
    async def places() -> Response:
        return answer({"places": await services.ask(list_places)})

    @router.get("/p/{team}/{project}/access")
    async def access(team: str, project: str) -> Response:
        return answer(await services.ask(_access, team, project))

    @router.post("/p/{team}/{project}/access")
    async def open_up(team: str, project: str, request: Request) -> Response:
        require_proof(services.now())
        visibility = text_of(read_object(await request.body()), "visibility", 16)
        await services.edit(set_visibility, team, project, visibility, services.now())
        return answer({"visibility": visibility})

    @router.post("/p/{team}/{project}/access/grants")
    async def grant(team: str, project: str, request: Request) -> Response:
        require_proof(services.now())
        asked = read_object(await request.body())
        name, role = _name(asked), role_of(asked)
        await services.edit(set_grant, team, project, name, role, services.now())
        return answer({"name": name, "role": role.word if role else ""})

    @router.post("/p/{team}/{project}/access/preview")
    async def preview(team: str, project: str, request: Request) -> Response:
        # It is done, looked at, and taken back: so it is asked of the database as a change is.
        asked, now = read_object(await request.body()), services.now()
        if "visibility" in asked:
            wanted = text_of(asked, "visibility", 16)
            told: Foreseen = await services.edit(foresee_visibility, team, project, wanted, now)
        else:
            name, role = _name(asked), role_of(asked)
            told = await services.edit(foresee_grant, team, project, name, role, now)
        return answer(told)


def _make(
    viewer: Viewer,
    conn: Connection,
    secret: str,
    name: str,
    kind: str,
    now: float,
    *,
    is_admin: bool,
) -> None:
    """Make an account, and for a person the link to set its password."""
    make_account(viewer, conn, name, now, kind=kind, is_admin=is_admin)
    if kind != "service":
        reset(viewer, conn, secret, name, now)


def _change_role(
    viewer: Viewer, conn: Connection, secret: str, name: str, now: float, given: _Change
) -> None:
    """Change an account, and let who does it go on by another secret."""
    change_account(viewer, conn, name, now, **given)
    renew_secret(viewer, conn, secret)


def _members(viewer: Viewer, conn: Connection, team: str) -> tuple[Any, bool]:
    rows = list_members(viewer, conn, team)
    try:
        find_team(viewer, conn, team, Role.ADMIN)
    except Forbidden:
        return rows, False
    return rows, True


def _access(viewer: Viewer, conn: Connection, team: str, project: str) -> dict[str, Any]:
    return {
        "visibility": visibility_of(viewer, conn, team, project),
        "grants": list_grants(viewer, conn, team, project),
        "people": who_sees(viewer, conn, team, project),
    }


def _name(asked: Mapping[str, Any]) -> str:
    name = text_of(asked, "name", 4 * MAX_NAME_CHARS)
    if not name:
        raise BadQuery("`name` says whose account.")
    return name


def _place(asked: Mapping[str, Any]) -> str:
    return text_of(asked, "name", _MAX_PLACE_CHARS)


def _flag(asked: Mapping[str, Any], key: str) -> bool | None:
    value = asked.get(key)
    if value is not None and not isinstance(value, bool):
        raise BadQuery(f"`{key}` is true or false.")
    return value
