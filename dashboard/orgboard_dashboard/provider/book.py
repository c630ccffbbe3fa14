"""What the provider says of itself, and the keys it signs with: fetched once, kept for a while.

Its keys change whenever it likes, so a key that is not known is looked for anew, and not more
often than once in a while: who sends made-up tokens makes nobody ask the provider all the time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey, import_key

from orgboard_dashboard.provider.asking import ask_json
from orgboard_dashboard.provider.reasons import NotSignedIn, Reason
from orgboard_dashboard.provider.settings import is_sound_address

__all__ = ["ALGORITHMS", "Book", "Metadata"]

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""What is believed: signatures that only who has a private key can make. No `none`, no HMAC."""

_KEPT_S: Final = 3600.0
"""How long what it says of itself is not asked for again."""
_KEYS_AGAIN_S: Final = 30.0
"""How soon after the last time its keys may be asked for."""
_FAILED_S: Final = 3.0
"""How soon after it did not answer it is asked again: many who wait ask once."""

_MOST_KEYS: Final = 100
_LEAST_RSA_BITS: Final = 2048


@dataclass(frozen=True, slots=True)
class Metadata:
    """What of the discovery document matters here."""

    authorization: str
    token: str
    keys: str
    takes_basic: bool
    """Whether the client's secret goes into a header, and not into the form."""
    algorithms: tuple[str, ...]
    tells_issuer: bool
    """Whether each answer says from whom it is (RFC 9207)."""


class Book:
    """What is known of one provider."""

    def __init__(self, issuer: str, clock: Callable[[], float]) -> None:
        self._issuer = issuer
        self._clock = clock
        self._at_home = issuer.startswith("http://")
        self._one_asks = asyncio.Lock()
        self._metadata: Metadata | None = None
        self._read_at = float("-inf")
        self._failed: NotSignedIn | None = None
        self._failed_at = float("-inf")
        self._keys: dict[str, dict[str, Any]] = {}
        self._keys_at = float("-inf")

    async def metadata(self) -> Metadata:
        """Return what the provider says of itself.

        Raises:
            NotSignedIn: it does not answer, or answers what cannot be.
        """
        async with self._one_asks:
            now = self._clock()
            if self._metadata is not None and abs(now - self._read_at) < _KEPT_S:
                return self._metadata
            if self._failed is not None and abs(now - self._failed_at) < _FAILED_S:
                raise NotSignedIn(self._failed.reason, self._failed.detail)
            try:
                self._metadata, self._read_at = await self._discover(), now
            except NotSignedIn as error:
                self._failed, self._failed_at = error, now
                if self._metadata is None:
                    raise
            return self._metadata

    async def key(self, kid: str | None, algorithm: str) -> Key:
        """Return the key of a token.

        Raises:
            NotSignedIn: there is none that could have signed it, or it cannot be asked for.
        """
        metadata = await self.metadata()
        async with self._one_asks:
            found = self._find(kid, algorithm)
            # A clock that was put back asks again, too. Known ones may have been withdrawn.
            age = abs(self._clock() - self._keys_at)
            if age >= _KEPT_S or (found is None and age >= _KEYS_AGAIN_S):
                self._keys_at = self._clock()
                self._keys = await _keys_at(metadata.keys)
                found = self._find(kid, algorithm)
        if found is None:
            raise NotSignedIn(Reason.DOUBTFUL, f"no key {kid!r} for {algorithm}")
        return _imported(found, algorithm)

    def _find(self, kid: str | None, algorithm: str) -> dict[str, Any] | None:
        fit = [key for key in self._keys.values() if _may_sign(key, algorithm)]
        if kid is None:
            # Unnamed, it is the one key of its kind, or it cannot be told which.
            return fit[0] if len(fit) == 1 else None
        return next((key for key in fit if key.get("kid") == kid), None)

    async def _discover(self) -> Metadata:
        address = self._issuer.rstrip("/") + "/.well-known/openid-configuration"
        status, said = await ask_json(address)
        if status != 200:
            raise NotSignedIn(Reason.AWAY, f"{address} answered {status}")
        if said.get("issuer") != self._issuer:
            raise NotSignedIn(Reason.DOUBTFUL, f"{address} is of another issuer")
        methods = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        signed = said.get("id_token_signing_alg_values_supported", ["RS256"])
        if not isinstance(methods, list) or not isinstance(signed, list):
            raise NotSignedIn(Reason.DOUBTFUL, f"{address} is malformed")
        return Metadata(
            authorization=self._address(said, "authorization_endpoint"),
            token=self._address(said, "token_endpoint"),
            keys=self._address(said, "jwks_uri"),
            takes_basic="client_secret_basic" in methods,
            algorithms=tuple(one for one in ALGORITHMS if one in signed),
            tells_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        )

    def _address(self, said: dict[str, Any], name: str) -> str:
        address = said.get(name)
        plain = address.partition("?")[0] if isinstance(address, str) else ""
        if not isinstance(address, str) or not is_sound_address(plain, at_home=self._at_home):
            raise NotSignedIn(Reason.DOUBTFUL, f"{name} is no HTTPS address")
        return address


async def _keys_at(address: str) -> dict[str, dict[str, Any]]:
    status, said = await ask_json(address)
    keys = said.get("keys")
    if status != 200 or not isinstance(keys, list):
        raise NotSignedIn(Reason.AWAY, f"{address} answered {status} and no keys")
    sound = [key for key in keys[:_MOST_KEYS] if isinstance(key, dict)]
    return {f"{at} {key.get('kid')}": key for at, key in enumerate(sound)}


_KINDS: Final = {"R": "RSA", "P": "RSA", "E": "EC"}


def _kind(algorithm: str) -> str:
    return "OKP" if algorithm == "EdDSA" else _KINDS[algorithm[0]]


def _may_sign(key: dict[str, Any], algorithm: str) -> bool:
    is_for_it = key.get("use", "sig") == "sig" and key.get("alg", algorithm) == algorithm
    return is_for_it and key.get("kty") == _kind(algorithm)


def _imported(key: dict[str, Any], algorithm: str) -> Key:
    try:
        imported = import_key(key)
        if not isinstance(imported, RSAKey | ECKey | OKPKey):
            raise NotSignedIn(Reason.DOUBTFUL, "a key that is no public one")
        if isinstance(imported, RSAKey) and imported.public_key.key_size < _LEAST_RSA_BITS:
            raise NotSignedIn(Reason.DOUBTFUL, "a key that is too short")
    except (JoseError, ValueError, TypeError) as error:
        raise NotSignedIn(Reason.DOUBTFUL, f"a malformed key for {algorithm}") from error
    return imported
