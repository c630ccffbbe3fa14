"""Sign-in by the organisation's provider: there, and back.

    POST /sign-in/provider   a state, bound to this browser by a cookie ─▶ the provider's address
    GET  /sign-in/back       a page of ours, which takes what the address says out of it
    POST /sign-in/back       take the state, once ─▶ ask the provider who it is ─▶ open

What the way is for stands in the cookie, which only counts as it was made: its hash is kept with
the state. All that goes wrong is told in few words here, and in more to the operator's log.
"""

from __future__ import annotations

import base64
import logging
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, cast
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request
from sqlalchemy import Connection
from starlette.responses import HTMLResponse, Response

from orgboard_dashboard.accounts.names import name_problem
from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.accounts.provided import Provided
from orgboard_dashboard.api.answers import answer, refuse
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.identity import Identity, address_of, cookie_of
from orgboard_dashboard.provider.reasons import NotSignedIn, Reason, told
from orgboard_dashboard.provider.settings import ProviderSettings, secret_of
from orgboard_dashboard.queries.errors import BadQuery, Conflict, NotFound
from orgboard_dashboard.queries.people.identities import (
    ATTEMPT_S,
    Attempt,
    Entrance,
    Guarded,
    Taken,
    accept,
    begin_attempt,
    connect,
    enter,
    freshen_by,
    refuse_identity,
    take_attempt,
)
from orgboard_dashboard.queries.people.ways_in import is_worth_noting
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.cookies import give_session
from orgboard_dashboard.signin.places import BACK, TO_PROVIDER, checked_next
from orgboard_dashboard.viewer import Viewer, acting_as

if TYPE_CHECKING:
    from orgboard_dashboard.provider.flow import Flow

__all__ = ["Guide", "Purpose", "offered", "routes"]

log = logging.getLogger(__name__)

Purpose = Literal["enter", "accept", "connect", "prove"]

_BACK_PAGE: Final = (Path(__file__).parent / "back.html").read_text("utf-8")
_MOST_QUERY_CHARS: Final = 16_000
_MOST_FIELDS: Final = 30
_SKEW_S: Final = 60.0
"""How far the provider's clock may be off; it tells whole seconds, too."""

_STATUS: Final = {Reason.AWAY: 503, Reason.OVER: 404, Reason.TAKEN: 409, Reason.NO_NAME: 409}


def routes(guide: Guide) -> APIRouter:
    """Return the routes; on a board without a provider they lead nowhere."""
    router = APIRouter()

    @router.post(TO_PROVIDER)
    async def leave(request: Request) -> Response:
        asked = read_object(await request.body())
        link, name = text_of(asked, "link", 100), text_of(asked, "name", 1000)
        return await guide.leave_unknown(text_of(asked, "next", 10_000), link, name)

    @router.get(BACK)
    async def back_page() -> Response:
        return HTMLResponse(_BACK_PAGE)

    @router.post(BACK)
    async def back(request: Request) -> Response:
        query = text_of(read_object(await request.body()), "query", _MOST_QUERY_CHARS)
        return await guide.come_back(request, query)

    return router


def offered(page: str, settings: ProviderSettings | None) -> str:
    """Return a page with the provider's name where it is offered; without one, it is not."""
    before, _, rest = page.partition("<!--provider-->\n")
    offer, _, after = rest.partition("<!--/provider-->\n")
    name = escape(settings.name) if settings else ""
    return before + (offer.replace("{provider}", name) if settings else "") + after


@dataclass(frozen=True, slots=True)
class _Way:
    """What a browser went to the provider for, as its cookie says."""

    purpose: Purpose
    link: str
    name: str


class Guide:
    """Leads people to the provider, and in when they come back."""

    def __init__(self, services: Services, config: WebConfig, identity: Identity) -> None:
        self._services = services
        self._config = config
        self._identity = identity
        self.settings = config.provider
        self._flow: Flow | None = None
        if self.settings is not None:
            # Loads what checks signatures, which a board without a provider does not need.
            from orgboard_dashboard.provider.flow import Flow

            secret = secret_of(self.settings, os.environ)
            redirect_uri = f"{config.outside}{BACK}"
            self._flow = Flow(self.settings, secret, redirect_uri, services.now)

    async def leave_unknown(self, to: str, link: str, name: str) -> Response:
        """Send somebody to the provider: to sign in, or, with a link, to use it under a name.

        Raises:
            NotFound: the board has no provider.
        """
        if self._flow is None:
            raise NotFound
        problem = name_problem(name) if link and name else None
        if problem:
            return refuse(400, problem)
        page = checked_next(to, self._config.base)
        return await self.leave(_Way("accept" if link else "enter", link, name), page)

    async def leave_known(self, viewer: Viewer, purpose: Purpose, to: str) -> Response:
        """Send who is signed in to the provider: to be known by it, or to prove who it is.

        Raises:
            NotFound: the board has no provider, or nobody is signed in.
        """
        if viewer.kind != "account":
            raise NotFound
        page = checked_next(to, self._config.base)
        return await self.leave(_Way(purpose, "", ""), page, viewer.account_id)

    async def leave(self, way: _Way, page: str, account_id: int | None = None) -> Response:
        """Tell the browser the provider's address, and have it keep what binds it to the way.

        Raises:
            NotFound: the board has no provider.
        """
        flow, settings = self._known_provider()
        state, nonce, verifier = new_secret(), new_secret(), new_secret()
        try:
            address = await flow.address(state, nonce, verifier, anew=way.purpose == "prove")
        except NotSignedIn as error:
            log.warning("nobody can be sent to the provider: %s", error)
            return refuse(503, told(Reason.AWAY, settings.name))
        browser = _browser_of(way)
        attempt = Attempt(nonce, verifier, page, account_id, self._services.now())
        await self._services.edit_unknown(begin_attempt, state, browser, attempt)
        sent = answer({"to": address})
        sent.set_cookie(
            self._config.provider_cookie,
            browser,
            max_age=int(ATTEMPT_S),
            secure=self._config.is_https,
            httponly=True,
            samesite="lax",
        )
        return sent

    async def come_back(self, request: Request, query: str) -> Response:
        """Let in who the provider says it is, or say why not.

        Raises:
            NotFound: the board has no provider.
        """
        flow, settings = self._known_provider()
        headers = dict(request.headers.items())
        address = address_of(request.scope, headers, self._config.trusted_proxies)
        browser = cookie_of(headers, self._config.provider_cookie)
        said, now = _fields(query), self._services.now()
        attempt = await self._services.edit_unknown(
            _take, said.get("state", ""), browser, address, now
        )
        viewer = None
        try:
            if attempt is None:
                raise NotSignedIn(Reason.AGAIN)
            if attempt.account_id is not None:
                viewer = await self._identity.viewer_of(request.scope, headers)
            if said.get("error") or not said.get("code"):
                raise NotSignedIn(Reason.NOT_THERE, repr(said.get("error", "no code")[:200]))
            person = await flow.person(
                said["code"], said.get("iss", ""), attempt.nonce, attempt.verifier
            )
            if settings.only_groups and not (person.groups or set()) & set(settings.only_groups):
                raise NotSignedIn(Reason.OUTSIDE)
            entrance = Entrance(new_secret(), address, headers.get("user-agent", ""))
            reply = await self._let_in(_way_of(browser), attempt, person, entrance, viewer)
        except NotSignedIn as error:
            reply = await self._turn_away(error, viewer, address, is_noted=attempt is None)
        reply.delete_cookie(self._config.provider_cookie, secure=self._config.is_https)
        return reply

    async def _let_in(
        self,
        way: _Way,
        attempt: Attempt,
        person: Provided,
        entrance: Entrance,
        viewer: Viewer | None,
    ) -> Response:
        services, now = self._services, self._services.now()
        reply = answer({"to": checked_next(attempt.next, self._config.base)})
        if way.purpose == "enter":
            sign_up = self.settings is not None and self.settings.sign_up
            if not await services.edit_unknown(enter, person, entrance, now, sign_up=sign_up):
                raise NotSignedIn(Reason.UNKNOWN)
            give_session(reply, self._config, entrance.secret)
        elif way.purpose == "accept":
            await self._accept(way, person, entrance, now)
            give_session(reply, self._config, entrance.secret)
        else:
            if viewer is None or viewer.account_id != attempt.account_id:
                raise NotSignedIn(Reason.AGAIN, "another account is signed in now")
            with acting_as(viewer):
                await self._for_viewer(way.purpose, attempt, person, now)
        return reply

    async def _accept(self, way: _Way, person: Provided, entrance: Entrance, now: float) -> None:
        try:
            await self._services.edit_unknown(accept, person, way.link, way.name, entrance, now)
        except NotFound as error:
            raise NotSignedIn(Reason.OVER) from error
        except Taken as error:
            raise NotSignedIn(Reason.TAKEN) from error
        except Guarded as error:
            raise NotSignedIn(Reason.GUARDED) from error
        except (BadQuery, Conflict) as error:
            raise NotSignedIn(Reason.NO_NAME) from error

    async def _for_viewer(
        self, purpose: Purpose, attempt: Attempt, person: Provided, now: float
    ) -> None:
        if purpose == "connect":
            try:
                await self._services.edit(connect, person, now)
            except Taken as error:
                raise NotSignedIn(Reason.TAKEN) from error
            return
        if person.signed_in_at is None or person.signed_in_at < attempt.created_at - _SKEW_S:
            raise NotSignedIn(Reason.STALE, f"auth_time is {person.signed_in_at}")
        try:
            await self._services.edit(freshen_by, person, now)
        except NotFound as error:
            raise NotSignedIn(Reason.SOMEBODY_ELSE) from error

    async def _turn_away(
        self, error: NotSignedIn, viewer: Viewer | None, address: str, *, is_noted: bool
    ) -> Response:
        log.warning("the provider brought nobody in: %s", error)
        if not is_noted:
            await self._services.edit_unknown(
                refuse_identity, viewer, error.reason.value, address, self._services.now()
            )
        _, settings = self._known_provider()
        return refuse(_STATUS.get(error.reason, 403), told(error.reason, settings.name))

    def _known_provider(self) -> tuple[Flow, ProviderSettings]:
        if self._flow is None or self.settings is None:
            raise NotFound
        return self._flow, self.settings


def _take(conn: Connection, state: str, browser: str, address: str, now: float) -> Attempt | None:
    """Take an attempt; write down that there was none, unless a network tells us all the time."""
    attempt = take_attempt(conn, state, browser, now)
    if attempt is None and is_worth_noting(conn, address, now):
        refuse_identity(conn, None, Reason.AGAIN.value, address, now)
    return attempt


def _browser_of(way: _Way) -> str:
    name = base64.urlsafe_b64encode(way.name.encode("utf-8", "replace")).decode().rstrip("=")
    return ".".join((way.purpose, new_secret(), way.link, name))


def _way_of(browser: str) -> _Way:
    """Read a cookie that is known to be as it was made."""
    purpose, _, link, name = browser.split(".")
    padded = name + "=" * (-len(name) % 4)
    return _Way(cast("Purpose", purpose), link, base64.urlsafe_b64decode(padded).decode())


def _fields(query: str) -> dict[str, str]:
    """Read what the provider put into the address; what it says twice, it does not say."""
    try:
        pairs = parse_qsl(query.removeprefix("?"), max_num_fields=_MOST_FIELDS)
    except ValueError:
        return {}
    names = [name for name, _ in pairs]
    return {name: value for name, value in pairs if names.count(name) == 1}
