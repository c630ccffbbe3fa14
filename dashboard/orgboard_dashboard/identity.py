"""Who asks: a session's cookie, a token, or the one person of a board that has no accounts.

Asked once for each request, by the gate, and never remembered: what was revoked is gone with
the next one.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from orgboard_dashboard.accounts.opaque import TOKEN_PREFIX, csrf_of
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.front import is_in, plain_ip
from orgboard_dashboard.queries.people.embeds import touch_embed, viewer_of_embed
from orgboard_dashboard.queries.people.shares import viewer_of_share
from orgboard_dashboard.queries.people.ways_in import (
    Known,
    has_accounts,
    touch,
    viewer_of_session,
    viewer_of_token,
)
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["CSRF_HEADER", "EMBED_SCHEME", "CannotTell", "Identity", "address_of", "cookie_of"]

T = TypeVar("T")

CSRF_HEADER: Final = "x-csrftoken"
"""As Dash's own requests name it."""

EMBED_SCHEME: Final = "embed"
"""Of the `Authorization` header of a card in a frame; it opens that one card, and no token does."""

_LOOK_AGAIN_S: Final = 1.0
"""How soon a board that had no accounts notices its first one."""


class CannotTell(Exception):  # noqa: N818  # says what is, as its siblings do
    """The database does not answer, so nobody knows who asks."""


@dataclass(slots=True)
class Identity:
    """Makes the viewer of a request."""

    services: Services
    config: WebConfig
    _has_accounts: bool = False
    _looked_at: float = field(default=float("-inf"))

    async def viewer_of(
        self, scope: MutableMapping[str, Any], headers: Mapping[str, str]
    ) -> Viewer | None:
        """Return who asks; None when that is nobody known.

        Raises:
            CannotTell: the database does not answer.
        """
        address = address_of(scope, headers, self.config.trusted_proxies)
        token = _token_of(headers)
        if token is not None:
            return await self._known(viewer_of_token, token, address) if token else None
        if not await self.needs_sign_in():
            return Viewer(
                kind="local",
                name=LOCAL_VIEWER.name,
                logdirs=self.config.logdirs,
                can_edit=not self.config.read_only,
                address=address,
            )
        secret = cookie_of(headers, self.config.session_cookie)
        viewer = await self._known(viewer_of_session, secret, address) if secret else None
        return viewer or await self._guest(headers, address)

    async def embedded(
        self, scope: Mapping[str, Any], headers: Mapping[str, str], embed_id: str
    ) -> Viewer | None:
        """Return who comes by the secret of a card in a frame; None when that opens nothing.

        Browsers send no cookie into another site's frame, and none is looked at: the frame reads
        the secret behind the # of its own address, and says it.

        Raises:
            CannotTell: the database does not answer.
        """
        scheme, _, secret = headers.get("authorization", "").partition(" ")
        if scheme.lower() != EMBED_SCHEME or not secret:
            return None
        now, address = self.services.now(), self.address(scope, headers)
        found = self.services.ask_unknown(viewer_of_embed, embed_id, secret, now, address=address)
        known = await _told(found)
        if known is None:
            return None
        if known.is_to_touch:
            await _told(self.services.edit_unknown(touch_embed, embed_id, now))
        return _held_to(known.viewer, self.config.logdirs)

    async def _guest(self, headers: Mapping[str, str], address: str) -> Viewer | None:
        secret = cookie_of(headers, self.config.share_cookie)
        if not secret:
            return None
        now = self.services.now()
        found = await _told(
            self.services.ask_unknown(viewer_of_share, secret, now, address=address)
        )
        return None if found is None else _held_to(found, self.config.logdirs)

    async def needs_sign_in(self) -> bool:
        """Tell whether who looks must say who that is: once there is an account, for ever.

        Raises:
            CannotTell: the database does not answer.
        """
        now = self.services.now()
        is_known = self._has_accounts or abs(now - self._looked_at) < _LOOK_AGAIN_S
        if not self.config.accounts and not is_known:
            self._has_accounts = await _told(self.services.ask_unknown(has_accounts))
            self._looked_at = now
        return self.config.accounts or self._has_accounts

    def credential(self, headers: Mapping[str, str]) -> str:
        """Return the secret that a request comes by, whoever it is of; "" without one."""
        config = self.config
        cookies = (cookie_of(headers, of) for of in (config.session_cookie, config.share_cookie))
        return _token_of(headers) or next(filter(None, cookies), "")

    def address(self, scope: Mapping[str, Any], headers: Mapping[str, str]) -> str:
        """Return where a request comes from."""
        return address_of(scope, headers, self.config.trusted_proxies)

    def vouches(self, viewer: Viewer, headers: Mapping[str, str]) -> bool:
        """Tell whether a page of this board made the request, and no other site's.

        A cookie comes along whoever asks; what is to be sent beside it only our pages can read.
        """
        if viewer.kind != "account":
            return True
        expected = csrf_of(cookie_of(headers, self.config.session_cookie))
        return hmac.compare_digest(headers.get(CSRF_HEADER, "").encode(), expected.encode())

    async def _known(
        self, find: Callable[..., Known | None], secret: str, address: str
    ) -> Viewer | None:
        now, can_edit = self.services.now(), not self.config.read_only
        known = await _told(
            self.services.ask_unknown(find, secret, now, address=address, can_edit=can_edit)
        )
        if known is None:
            return None
        if known.is_to_touch:
            await _told(self.services.edit_unknown(touch, known.viewer.via, now))
        return _held_to(known.viewer, self.config.logdirs)


def address_of(
    scope: Mapping[str, Any], headers: Mapping[str, str], proxies: tuple[str, ...]
) -> str:
    """Return where a request comes from: what a trusted proxy says, and only such a one."""
    client = scope.get("client")
    at = plain_ip(str(client[0])) if client else None
    if at is None:
        return str(client[0]) if client else ""
    # Each proxy adds whom it heard it from at the end; the last one that is no proxy of ours
    # is as far as anybody we trust has seen. What is no address a client made up, or a proxy
    # does not tell: then it is the proxy that asks.
    for said in reversed(headers.get("x-forwarded-for", "").split(",")):
        before = plain_ip(said.strip()) if is_in(at, proxies) else None
        if before is None:
            break
        at = before
    return str(at)


def cookie_of(headers: Mapping[str, str], name: str) -> str:
    """Return the value of a cookie; "" when there is none, or more than one."""
    pairs = (part.strip().partition("=") for part in headers.get("cookie", "").split(";"))
    found = [value for key, _, value in pairs if key == name]
    # Two of a name: somebody else set one, and which is whose cannot be told.
    return found[0] if len(found) == 1 else ""


def _token_of(headers: Mapping[str, str]) -> str | None:
    """Return the token that a request comes by, "" when it is none of ours; None without one."""
    said = headers.get("authorization")
    if said is None:
        return None
    scheme, _, token = said.partition(" ")
    ours = scheme.lower() == "bearer" and token.strip().startswith(TOKEN_PREFIX)
    return token.strip() if ours else ""


def _held_to(viewer: Viewer, logdirs: tuple[str, ...] | None) -> Viewer:
    return viewer if logdirs is None else replace(viewer, logdirs=logdirs)


async def _told(asked: Awaitable[T]) -> T:
    try:
        return await asked
    except (SQLAlchemyError, DatabaseUnreachable) as error:
        raise CannotTell from error
