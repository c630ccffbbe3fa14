"""The gate: the outermost piece of the app, through which everything passes or does not.

    request ─▶ front ─▶ host ─▶ rule ─▶ origin ─▶ viewer ─▶ limits ─▶ body ─▶ callback ─▶ the app
                403      403     404      403   401/403/503   429    413/415     400

Who sends a body that was not here at once is asked for again when it is: rights are those of the
last byte, not of the first. Changes ask once more in their transaction (`services.edit`).

It is plain ASGI and denies by default, HTTP and websockets alike, because hooks inside
Dash do not cover pages and API, and Dash ignores a hook that refuses. Every response,
refusals included, leaves with the security headers.

Nothing here knows SQL, or what is behind the rules.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Collection, Coroutine, Mapping, MutableMapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from orgboard_dashboard.callbacks import CallShape, is_call_of
from orgboard_dashboard.config import LOOPBACK_NAMES
from orgboard_dashboard.embeds import ENDED
from orgboard_dashboard.front import Front
from orgboard_dashboard.headers import Header, with_defaults
from orgboard_dashboard.identity import CannotTell, Identity
from orgboard_dashboard.limits import Limits, cost_of, is_said
from orgboard_dashboard.policies import CHANGING, NAMELESS, Rule, RuleTable
from orgboard_dashboard.signin.places import sign_in_address
from orgboard_dashboard.viewer import Viewer, acting_as

__all__ = ["Gate", "Refusal"]

T = TypeVar("T")

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]
Noting = Callable[[Viewer, str, Mapping[str, str]], Awaitable[None]]
"""Takes down who was refused what, on what is named."""

_SAFE_METHODS: Final = frozenset({"GET", "HEAD"})
_CALLBACKS: Final = "/_dash-update-component"
_REFUSED: Final = frozenset({403, 404})
_PROGRAMS: Final = "/api/v1/"
"""What may be asked by a token: what is promised to programs, and nothing of the pages."""
_BODY_WITHIN_S: Final = 20.0
"""A question is small; one that takes longer holds a connection on purpose."""
_FILE_WITHIN_S: Final = 120.0
"""The largest, by the slowest line from which anybody looks at boards."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """A request that goes no further: status, and what to tell the asker."""

    status: int
    error: str
    allow: tuple[str, ...] = ()
    to: str = ""
    """Where a browser goes instead."""
    wait_s: int = 0
    """After how many seconds the same will be answered."""


NOT_FOUND: Final = Refusal(404, "There is nothing at this address.")
_IN_THE_CLEAR: Final = Refusal(
    403, "This board is reached by HTTPS, through its proxy, and from here by nobody else."
)
_READ_ONLY: Final = Refusal(403, "This board is read-only: nothing was changed.")
_FOREIGN: Final = Refusal(
    403, "This request came from another site's page, so it was not answered."
)
_SIGN_IN: Final = Refusal(401, "Sign in to see this board.")
_NO_CARD: Final = Refusal(404, ENDED)
_AWAY: Final = Refusal(503, "The database does not answer at the moment. Trying again may help.")
_NO_CALLBACK: Final = Refusal(400, "This is not a callback of this board. Reload the page.")


class Gate:
    """Let through what the rules allow, as the viewer that `identity` makes."""

    def __init__(
        self,
        app: App,
        *,
        rules: RuleTable,
        hosts: Collection[str],
        identity: Identity,
        callbacks: Mapping[str, CallShape],
        headers: tuple[Header, ...],
        front: Front,
        own_origin: str = "",
        refused: Noting,
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._refused = refused
        self._front = front
        self._own_origin = own_origin
        self._app = app
        self._rules = rules
        self._hosts = hosts
        self._identity = identity
        self._callbacks = callbacks
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one ASGI scope."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            inside = self._front.inside(scope)
            headed = self._headed(send, inside["path"] if inside else "")
            if inside and self._front.takes(scope):
                await self._http(inside, receive, headed)
            else:
                refusal = NOT_FOUND if inside is None else _IN_THE_CLEAR
                await self._refuse(refusal, _headers_of(scope), headed)
        else:
            await _close_websocket(scope, receive, send, self._headers)

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = _headers_of(scope)
        rule = self._allowed(scope, headers)
        if isinstance(rule, Refusal):
            await self._refuse(rule, headers, send)
            return
        is_nameless = rule.policy in NAMELESS or self._watches(rule, scope, headers)
        early = None if is_nameless else self._flooding(rule, scope, headers)
        viewer = early if is_nameless or early else await self._who(rule, scope, headers)
        known = viewer if isinstance(viewer, Viewer) else None
        if viewer is None or viewer is _SIGN_IN or viewer is _NO_CARD or known:
            # Whoever is not let in is counted where it comes from.
            here = self._identity.address(scope, headers)
            wait_s = self._limits.ask(known, here, cost_of(rule), says=is_said(rule))
            viewer = _too_much(wait_s) if wait_s else viewer
        if isinstance(viewer, Refusal):
            await self._refuse(viewer, headers, send, _address(scope))
            return
        if rule.policy == "watch" and viewer and (not viewer.may_everything or viewer.within):
            await self._refuse(NOT_FOUND, headers, send)
            return
        if rule.policy == "edit" and not (viewer and viewer.can_edit):
            await self._refuse(_READ_ONLY, headers, send)
            await self._note(viewer, rule, scope)
            return
        if scope["method"] not in _SAFE_METHODS:
            body, viewer = await self._read(scope, receive, headers, rule, viewer)
            if isinstance(body, Refusal):
                await self._refuse(body, headers, send)
                return
            receive = _replay(body, receive)
        told = _Told(send)
        await self._pass(scope, receive, told if rule.action else send, viewer)
        # Afterwards, so that nobody learns from the time what there is.
        if told.status in _REFUSED and not scope["state"].get("is_unproved"):
            await self._note(viewer, rule, scope)

    def _flooding(self, rule: Rule, scope: Scope, headers: dict[str, str]) -> Refusal | None:
        """Refuse who asked too much before the database is asked who that is."""
        secret = self._identity.credential(headers)
        here = self._identity.address(scope, headers)
        wait_s = self._limits.unasked(secret, here, cost_of(rule)) if secret else 0
        return _too_much(wait_s) if wait_s else None

    async def _note(self, viewer: Viewer | None, rule: Rule, scope: Scope) -> None:
        if viewer is not None and rule.action:
            await self._refused(viewer, rule.action, rule.named(scope["path"]))

    async def _who(self, rule: Rule, scope: Scope, headers: dict[str, str]) -> Viewer | Refusal:
        try:
            if rule.policy == "embed":
                card = rule.named(scope["path"])["embed_id"]
                return await self._identity.embedded(scope, headers, card) or _NO_CARD
            viewer = await self._identity.viewer_of(scope, headers)
        except CannotTell:
            return _AWAY
        self._limits.knows(self._identity.credential(headers), viewer)
        if viewer is None:
            return _SIGN_IN
        if scope["method"] not in _SAFE_METHODS and not self._identity.vouches(viewer, headers):
            return _FOREIGN
        return viewer

    async def _read(
        self,
        scope: Scope,
        receive: Receive,
        headers: dict[str, str],
        rule: Rule,
        viewer: Viewer | None,
    ) -> tuple[bytes | Refusal, Viewer | None]:
        """Return what is sent, and who sends it: whoever is slow may be let in no more by then."""
        body, came_late = await _awaited(_read_body(receive, headers, rule))
        if not isinstance(body, Refusal) and scope["path"] == _CALLBACKS:
            body = body if is_call_of(body, self._callbacks) else _NO_CALLBACK
        if came_late and viewer and not isinstance(body, Refusal):
            again = await self._who(rule, scope, headers)
            return (again, viewer) if isinstance(again, Refusal) else (body, again)
        return body, viewer

    async def _pass(
        self, scope: Scope, receive: Receive, send: Send, viewer: Viewer | None
    ) -> None:
        if viewer is None:
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})["viewer"] = viewer
        with acting_as(viewer):
            await self._app(scope, receive, send)

    def _allowed(self, scope: Scope, headers: dict[str, str]) -> Rule | Refusal:
        host = headers.get("host", "")
        if _host_name(host) not in self._hosts:
            return Refusal(403, "This board answers only to its own address, e.g. localhost.")
        if not scope["path"]:
            return Refusal(308, "The board begins with a slash.", to=self._front.base)
        method, path = scope["method"], scope["path"]
        rule = self._rules.match(method, path)
        if rule is None:
            others = self._rules.methods(path)
            return Refusal(405, f"{path} does not take {method}.", others) if others else NOT_FOUND
        if "authorization" in headers and rule.policy != "embed":
            # No page can make a browser send it, and with it no cookie is looked at.
            is_for_it = path.startswith(_PROGRAMS) or rule.policy in ("open", "watch")
            return rule if is_for_it else NOT_FOUND
        foreign = _foreign(method, headers, self._own_origin)
        if foreign is None and rule.policy in CHANGING:
            foreign = _not_from_here(headers, self._own_origin)
        return foreign or rule

    def _watches(self, rule: Rule, scope: Scope, headers: dict[str, str]) -> bool:
        """Tell whether a program of this machine looks how the board fares, by its own address."""
        is_own = _host_name(headers.get("host", "")) in LOOPBACK_NAMES
        return rule.policy == "watch" and is_own and self._front.is_from_here(scope, headers)

    async def _refuse(
        self, refusal: Refusal, headers: dict[str, str], send: Send, asked: str = ""
    ) -> None:
        base = self._front.base
        if refusal is _SIGN_IN and "text/html" in headers.get("accept", ""):
            to = sign_in_address(base[:-1] + asked, base)
            refusal = replace(refusal, status=303, to=to)
        await _refuse(refusal, headers, send, base)

    def _headed(self, send: Send, path: str) -> Send:
        is_static = path.startswith(("/assets/", "/_dash-component-suites/"))
        # What a viewer saw must not come out of a cache for the next one.
        defaults = self._headers if is_static else (*self._headers, (b"cache-control", b"no-store"))

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = with_defaults(message.get("headers", ()), defaults)
            await send(message)

        return headed


def _too_much(wait_s: int) -> Refusal:
    when = f"{wait_s} second{'s' if wait_s > 1 else ''}"
    words = "More was asked at once than this board answers one asker. Nothing was done."
    return Refusal(429, f"{words} Try again in {when}.", wait_s=wait_s)


class _Told:
    """Sends what it is given, and remembers the status."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)


def _address(scope: Scope) -> str:
    """Return what was asked for, as it stood in the browser's line."""
    raw: bytes = scope.get("raw_path") or scope["path"].encode()
    query: bytes = scope.get("query_string", b"")
    return (raw + b"?" + query if query else raw).decode("ascii", "replace")


def _headers_of(scope: Scope) -> dict[str, str]:
    return {
        name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]
    }


def _host_name(host: str) -> str:
    """Return the name in a Host header, without its port: "[::1]:7070" is "[::1]"."""
    if host.startswith("["):
        name, bracket, port = host.partition("]")
        sound = not port or (port[0] == ":" and port[1:].isdecimal())
        return (name + bracket).lower() if sound else ""
    name, _, port = host.partition(":")
    return name.lower() if not port or port.isdecimal() else ""


def _foreign(method: str, headers: dict[str, str], own: str) -> Refusal | None:
    """Refuse what another site's page makes a browser ask here.

    `Sec-Fetch-Site` cannot be forged by a page and decides when it is there; `Origin`
    decides for browsers that do not send it. Following a link to here is no harm.
    """
    site = headers.get("sec-fetch-site")
    if method in _SAFE_METHODS:
        is_navigation = headers.get("sec-fetch-mode") == "navigate"
        return None if site in {None, "same-origin", "none"} or is_navigation else _FOREIGN
    if site is not None:
        return None if site in {"same-origin", "none"} else _FOREIGN
    return None if _is_own(headers, own) else _FOREIGN


def _not_from_here(headers: dict[str, str], own: str) -> Refusal | None:
    """Refuse a change that a page of this board did not ask for: all that is said must agree."""
    site = headers.get("sec-fetch-site", "same-origin")
    is_told = "origin" in headers
    return None if site == "same-origin" and (not is_told or _is_own(headers, own)) else _FOREIGN


def _is_own(headers: dict[str, str], own: str) -> bool:
    """Tell whether a page of this board asks: of `own` origin, or of the host that it asks for."""
    host, origin = headers.get("host", "").lower(), headers.get("origin", "").lower()
    # This machine's browsers may come past the proxy that all others come by.
    is_past_proxy = _host_name(host) in LOOPBACK_NAMES and not own.endswith(f"://{host}")
    if own and (origin == own or not is_past_proxy):
        # What a proxy makes of the Host is not what browsers see.
        return origin == own
    return origin in {f"http://{host}", f"https://{host}"}


async def _read_body(receive: Receive, headers: dict[str, str], rule: Rule) -> bytes | Refusal:
    limit, is_file = rule.body_limit_bytes, rule.takes == "file"
    # A page of another site can send a form without asking first, but neither of these.
    wanted = "application/octet-stream" if is_file else "application/json"
    if headers.get("content-type", "").partition(";")[0].strip().lower() != wanted:
        what = "the file's bytes" if is_file else "JSON"
        return Refusal(415, f"Send {what}, with Content-Type: {wanted}.")
    too_long = Refusal(413, _too_long(limit, is_file=is_file))
    declared = headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 15 or int(declared) > limit:
        return too_long
    body = bytearray()
    try:
        async with asyncio.timeout(_FILE_WITHIN_S if is_file else _BODY_WITHIN_S):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return Refusal(400, "The request ended before its body did.")
                body += message.get("body", b"")
                if len(body) > limit:
                    return too_long
                if not message.get("more_body", False):
                    return bytes(body)
    except TimeoutError:
        return Refusal(408, "The body took too long to arrive.")


async def _awaited(coming: Coroutine[Any, Any, T]) -> tuple[T, bool]:
    """Return what comes, and whether it was not here at once."""
    waited = asyncio.Event()
    noting = asyncio.get_running_loop().call_soon(waited.set)
    try:
        return await coming, waited.is_set()
    finally:
        noting.cancel()


def _too_long(limit: int, *, is_file: bool) -> str:
    if is_file:
        return f"The file has more than {limit >> 20} MB, the most that is taken here."
    return f"The body is longer than {limit} bytes."


def _replay(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that first hands over the body that was already read."""
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def replayed() -> Message:
        return waiting.pop() if waiting else await receive()

    return replayed


async def _refuse(refusal: Refusal, headers: dict[str, str], send: Send, base: str) -> None:
    if refusal.to:
        location = [(b"location", refusal.to.encode("ascii")), (b"content-length", b"0")]
        start = {"type": "http.response.start", "status": refusal.status, "headers": location}
        await send(start)
        await send({"type": "http.response.body", "body": b""})
        return
    as_page = "text/html" in headers.get("accept", "")
    body = _page(refusal, base) if as_page else json.dumps({"error": refusal.error}).encode()
    kind = b"text/html; charset=utf-8" if as_page else b"application/json"
    # In the order of every other answer, so that none tells by that who refuses.
    answer = [(b"content-length", str(len(body)).encode()), (b"content-type", kind)]
    if refusal.allow:
        answer.append((b"allow", ", ".join(refusal.allow).encode()))
    if refusal.wait_s:
        answer.append((b"retry-after", str(refusal.wait_s).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": answer})
    await send({"type": "http.response.body", "body": body})


def _page(refusal: Refusal, base: str) -> bytes:
    # The words are ours; what was asked is not repeated, so nothing needs escaping.
    words = refusal.error if refusal.status != 405 else "This address is not a page."
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>orgboard</title>'
        # Said, because who measures the contrast does not know what is behind a bare page.
        "<style>html{color-scheme:light dark;background:Canvas;color:CanvasText}"
        "body{font:15px system-ui;margin:20vh auto;max-width:32em;padding:0 16px}</style>"
        # The base is of letters and digits: `base_url` takes no other.
        f'<main><p>{words}</p><p><a href="{base}">To the board</a></p></main></html>'
    ).encode()


async def _close_websocket(
    scope: Scope, receive: Receive, send: Send, headers: tuple[Header, ...]
) -> None:
    await receive()
    if "websocket.http.response" in scope.get("extensions", {}):
        start = {"type": "websocket.http.response.start", "status": 403, "headers": list(headers)}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": b""})
    else:
        await send({"type": "websocket.close", "code": 4403})
