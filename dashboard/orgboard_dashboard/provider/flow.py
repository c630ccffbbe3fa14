"""To the provider and back: the authorization code flow, with PKCE, state and nonce.

board ──▶ its sign-in page ──▶ back with a code ──▶ the code for an ID token ──▶ a person
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from orgboard_dashboard.accounts.provided import Provided
from orgboard_dashboard.provider.asking import ask_json
from orgboard_dashboard.provider.book import Book
from orgboard_dashboard.provider.id_token import Expected, person_of
from orgboard_dashboard.provider.reasons import NotSignedIn, Reason
from orgboard_dashboard.provider.settings import ProviderSettings

__all__ = ["Flow"]

_SCOPES: Final = ("openid", "profile", "email")


class Flow:
    """One provider, and the board as its client."""

    def __init__(
        self,
        settings: ProviderSettings,
        secret: str,
        redirect_uri: str,
        clock: Callable[[], float],
    ) -> None:
        self._settings = settings
        self._secret = secret
        self._redirect_uri = redirect_uri
        self._clock = clock
        self._book = Book(settings.issuer, clock)

    async def address(self, state: str, nonce: str, verifier: str, *, anew: bool) -> str:
        """Return where the browser goes to sign in; `anew`: whoever is signed in there already.

        Raises:
            NotSignedIn: the provider does not answer.
        """
        metadata = await self._book.metadata()
        scopes = dict.fromkeys((*_SCOPES, *self._settings.scopes))
        params = [
            ("response_type", "code"),
            ("client_id", self._settings.client_id),
            ("redirect_uri", self._redirect_uri),
            ("scope", " ".join(scopes)),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", create_s256_code_challenge(verifier)),
            ("code_challenge_method", "S256"),
            *((("prompt", "login"), ("max_age", "0")) if anew else ()),
        ]
        address: str = add_params_to_uri(metadata.authorization, params)
        return address

    async def person(self, code: str, issuer: str, nonce: str, verifier: str) -> Provided:
        """Return who came back with a code; `issuer` is what the answer said it is from, if it did.

        Raises:
            NotSignedIn: nobody that can be believed in, or the provider does not answer.
        """
        metadata = await self._book.metadata()
        if (issuer or metadata.tells_issuer) and issuer != self._settings.issuer:
            raise NotSignedIn(Reason.DOUBTFUL, f"the answer is from {issuer[:200]!r}")
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._redirect_uri,
            "code_verifier": verifier,
        }
        auth = self._known_by(form, takes_basic=metadata.takes_basic)
        status, said = await ask_json(metadata.token, form, auth)
        token, access = said.get("id_token"), said.get("access_token", "")
        if status != 200:
            raise NotSignedIn(Reason.NOT_THERE, f"the code was refused: {_error_of(said)}")
        if not isinstance(token, str) or not isinstance(access, str):
            raise NotSignedIn(Reason.AWAY, "no ID token was answered: is it asked for `openid`?")
        settings = self._settings
        expected = Expected(
            settings.issuer, settings.client_id, nonce, access, settings.groups_claim
        )
        return await person_of(token, expected, self._book, self._clock())

    def _known_by(self, form: dict[str, str], *, takes_basic: bool) -> tuple[str, str] | None:
        """Say who asks: in the header that is returned, or in the form."""
        client_id = self._settings.client_id
        if self._secret and takes_basic:
            # RFC 6749 2.3.1: each part is escaped as in a form.
            return quote(client_id, safe=""), quote(self._secret, safe="")
        form["client_id"] = client_id
        if self._secret:
            form["client_secret"] = self._secret
        return None


def _error_of(said: dict[str, Any]) -> str:
    return " ".join(str(said.get(name, ""))[:200] for name in ("error", "error_description"))
