"""Sign in, sign out, and open one-time and share links.

    POST /sign-in   count a guess ─▶ compare, in a thread, outside of any transaction ─▶ open
    POST /s         look at the share link ─▶ a guest's cookie
    POST /welcome   look at the link ─▶ hash ─▶ use it, once ─▶ open

Nothing tells whether a name exists: not the words, not the status, not the time.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final

import anyio.to_thread
from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from orgboard_dashboard.accounts.names import name_problem
from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.accounts.passwords import (
    hash_of,
    is_right,
    password_problem,
)
from orgboard_dashboard.api.answers import answer, refuse
from orgboard_dashboard.api.bodies import read_object, text_of
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.identity import Identity, address_of
from orgboard_dashboard.queries.people.links import find_link, use_link
from orgboard_dashboard.queries.people.second_factors import has_second
from orgboard_dashboard.queries.people.shares import open_share
from orgboard_dashboard.queries.people.ways_in import (
    Guess,
    Outdated,
    admit_guess,
    close_session,
    guess_at,
    open_session,
    refuse_guess,
    take_second,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.by_provider import offered
from orgboard_dashboard.signin.cookies import give_session
from orgboard_dashboard.signin.places import SHARED, SIGN_IN, WELCOME, checked_next

__all__ = ["routes", "too_early"]

_MAX_SECRET_CHARS: Final = 100

_HERE: Final = Path(__file__).parent
_SIGN_IN_PAGE: Final = (_HERE / "sign-in.html").read_text("utf-8")
_WELCOME_PAGE: Final = (_HERE / "welcome.html").read_text("utf-8")
_SHARED_PAGE: Final = (_HERE / "shared.html").read_text("utf-8")
_SHARE_COOKIE_S: Final = 3600

_WRONG: Final = "That name and password do not belong together."
_WRONG_CODE: Final = "That code does not open, or was used already. Wait for the next one."
_ENDED: Final = "This link has ended, or was never whole. Ask who shared it for another one."
_OVER: Final = "This link was used already, or is too old. Ask for another one."


def routes(services: Services, config: WebConfig, identity: Identity) -> APIRouter:
    """Return the routes; who may ask which, the gate knows."""
    router = APIRouter()
    door = _Door(services, config)
    pages = {page: offered(page, config.provider) for page in (_SIGN_IN_PAGE, _WELCOME_PAGE)}

    @router.get(SIGN_IN)
    async def sign_in_page(request: Request) -> Response:
        if not await identity.needs_sign_in():
            to = checked_next(request.query_params.get("next", ""), config.base)
            return RedirectResponse(to, 303)
        return HTMLResponse(pages[_SIGN_IN_PAGE])

    @router.post(SIGN_IN)
    async def sign_in(request: Request) -> Response:
        asked = read_object(await request.body())
        name, password = text_of(asked, "name", 1000), text_of(asked, "password", 1000)
        to, code = text_of(asked, "next", 10_000), text_of(asked, "code", 100)
        return await door.sign_in(request, name, password, to, code)

    @router.post("/sign-out")
    async def sign_out() -> Response:
        await services.edit(close_session, services.now())
        gone = answer({"to": config.base[:-1] + SIGN_IN})
        for cookie in (config.session_cookie, config.csrf_cookie):
            gone.delete_cookie(cookie, secure=config.is_https)
        return gone

    @router.get(WELCOME)
    async def welcome_page() -> Response:
        return HTMLResponse(pages[_WELCOME_PAGE])

    @router.post(WELCOME + "/look")
    async def look(request: Request) -> Response:
        secret = text_of(read_object(await request.body()), "secret", _MAX_SECRET_CHARS)
        link = await services.ask_unknown(find_link, secret, services.now())
        if link is None:
            return refuse(404, _OVER)
        role = link.role.word if link.role else ""
        return answer(
            {"purpose": link.purpose, "account": link.account, "team": link.team, "role": role}
        )

    @router.get(SHARED)
    async def shared_page() -> Response:
        return HTMLResponse(_SHARED_PAGE)

    @router.post(SHARED)
    async def shared(request: Request) -> Response:
        secret = text_of(read_object(await request.body()), "secret", _MAX_SECRET_CHARS)
        return await door.shared(request, secret, identity)

    @router.post(WELCOME)
    async def welcome(request: Request) -> Response:
        asked = read_object(await request.body())
        name, password = text_of(asked, "name", 1000), text_of(asked, "password", 1000)
        secret = text_of(asked, "secret", _MAX_SECRET_CHARS)
        return await door.welcome(request, name, password, secret)

    return router


class _Door:
    """Opens sessions for who gave what it takes."""

    def __init__(self, services: Services, config: WebConfig) -> None:
        self._services = services
        self._config = config

    async def sign_in(
        self, request: Request, name: str, password: str, to: str, code: str
    ) -> Response:
        services, address = self._services, self._address(request)
        guess = await services.edit_unknown(admit_guess, name, address, services.now())
        if not isinstance(guess, Guess):
            return too_early(guess)
        if not await anyio.to_thread.run_sync(is_right, guess.kept_hash, password):
            await services.edit_unknown(refuse_guess, guess, address, services.now())
            return refuse(401, _WRONG)
        then = await services.edit_unknown(take_second, guess, code, address, services.now())
        if then == "ask":
            return answer({"second": True})
        if then == "refuse":
            return refuse(401, _WRONG_CODE)
        try:
            return await self._open(request, guess, checked_next(to, self._config.base))
        except Outdated:
            await services.edit_unknown(refuse_guess, guess, address, services.now())
            return refuse(401, _WRONG)

    async def welcome(self, request: Request, name: str, password: str, secret: str) -> Response:
        services = self._services
        link = await services.ask_unknown(find_link, secret, services.now())
        if link is None:
            return refuse(404, _OVER)
        named = link.account or name
        problem = None if link.account else name_problem(name)
        problem = problem or password_problem(password, named)
        if problem:
            return refuse(400, problem)
        kept = await anyio.to_thread.run_sync(hash_of, password)
        now, address = services.now(), self._address(request)
        owner = await services.edit_unknown(use_link, secret, named, kept, now, address)
        guess = await services.ask_unknown(guess_at, owner)
        if await services.ask_unknown(has_second, guess.account_id or 0):
            # Who has the link has not the device, as far as anybody knows.
            return answer({"to": self._config.base[:-1] + SIGN_IN})
        return await self._open(request, guess, self._config.base)

    async def shared(self, request: Request, secret: str, identity: Identity) -> Response:
        services, address = self._services, self._address(request)
        to = await services.edit_unknown(open_share, secret, address, services.now())
        if to is None:
            return refuse(404, _ENDED)
        opened = answer({"to": self._config.base[:-1] + to})
        known = await identity.viewer_of(request.scope, dict(request.headers.items()))
        if known is not None and known.kind == "account":
            # Who is known sees by what that one may, and not as a guest.
            return opened
        opened.set_cookie(
            self._config.share_cookie,
            secret,
            max_age=_SHARE_COOKIE_S,
            secure=self._config.is_https,
            httponly=True,
            samesite="lax",
        )
        return opened

    async def _open(self, request: Request, guess: Guess, to: str) -> Response:
        services, secret = self._services, new_secret()
        agent = request.headers.get("user-agent", "")
        await services.edit_unknown(
            open_session, guess, secret, services.now(), address=self._address(request), agent=agent
        )
        return give_session(answer({"to": to}), self._config, secret)

    def _address(self, request: Request) -> str:
        # Of several headers of a name the last, as at the gate: who is nearest added it.
        headers = dict(request.headers.items())
        return address_of(request.scope, headers, self._config.trusted_proxies)


def too_early(seconds: float) -> Response:
    """Return the answer to who has to wait so long before the next guess."""
    whole = math.ceil(seconds)
    told = f"{whole} seconds" if whole < 120 else f"{math.ceil(whole / 60)} minutes"
    refused = refuse(429, f"Too many wrong passwords. Try again in {told}.")
    refused.headers["retry-after"] = str(whole)
    return refused
