"""What the provider says of a person: an ID token, believed only after all of it was checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from authlib.oidc.core.claims import CodeIDToken
from joserfc import jws, jwt
from joserfc.errors import JoseError

from orgboard_dashboard.accounts.provided import Provided
from orgboard_dashboard.provider.book import Book
from orgboard_dashboard.provider.reasons import NotSignedIn, Reason

__all__ = ["SKEW_S", "Expected", "person_of"]

SKEW_S: Final = 60.0
"""How far the provider's clock may be off."""

_MOST_TOKEN_CHARS: Final = 100_000
_MOST_SUBJECT_CHARS: Final = 255
"""As the standard has it."""
_MOST_GROUPS: Final = 2000
_MOST_TEXT_CHARS: Final = 320
"""Of an address of mail."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What a token must say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    groups_claim: str


async def person_of(token: str, expected: Expected, book: Book, now: float) -> Provided:
    """Return whom a token is about.

    Raises:
        NotSignedIn: it is not to be believed; or the provider's keys cannot be had.
    """
    if len(token) > _MOST_TOKEN_CHARS or not token.isascii():
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token is too long, or no token")
    algorithms = (await book.metadata()).algorithms
    try:
        header = jws.extract_compact(token.encode()).headers()
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in algorithms:
            raise NotSignedIn(Reason.DOUBTFUL, f"the ID token is signed by {algorithm!r}")
        if kid is not None and not isinstance(kid, str):
            raise NotSignedIn(Reason.DOUBTFUL, "the ID token names its key by no text")
        key = await book.key(kid, algorithm)
        claims = jwt.decode(token, key, algorithms=[algorithm]).claims
        _check(claims, dict(header), expected, now)
    # What is malformed shows in many ways, deep within the library.
    except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        what = f"the ID token: {type(error).__name__}: {error}"
        raise NotSignedIn(Reason.DOUBTFUL, what) from error
    return _person(claims, expected)


def _check(claims: dict[str, Any], header: dict[str, Any], expected: Expected, now: float) -> None:
    """Check what the standard says of each claim.

    Raises:
        NotSignedIn: something is of a wrong type.
        JoseError: something has a wrong value.
    """
    for name in ("exp", "iat", "auth_time", "nbf"):
        if type(claims.get(name, 0)) not in (int, float):
            raise NotSignedIn(Reason.DOUBTFUL, f"{name} is no number")
    for name in ("iss", "sub", "nonce"):
        if not isinstance(claims.get(name), str):
            raise NotSignedIn(Reason.DOUBTFUL, f"{name} is no text")
    options = {
        "iss": {"essential": True, "value": expected.issuer},
        "aud": {"essential": True, "value": expected.client_id},
    }
    params = {
        "nonce": expected.nonce,
        "client_id": expected.client_id,
        "access_token": expected.access_token,
    }
    known = CodeIDToken(claims, header, options, params)
    known.validate(now=int(now), leeway=int(SKEW_S))
    # The library lets both pass when they are 0 or "", and a token may come from tomorrow.
    if claims["exp"] <= now - SKEW_S or claims["iat"] > now + SKEW_S:
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token is of another time")
    if claims.get("nbf", 0) > now + SKEW_S:
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token is not valid yet")
    if claims["nonce"] != expected.nonce or claims["iss"] != expected.issuer:
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token is for another sign-in")
    audience = claims["aud"]
    named = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in named:
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token is for another client")
    if claims.get("azp", expected.client_id) != expected.client_id:
        raise NotSignedIn(Reason.DOUBTFUL, "the ID token was made for another client")


def _person(claims: dict[str, Any], expected: Expected) -> Provided:
    subject = claims["sub"]
    if not 0 < len(subject) <= _MOST_SUBJECT_CHARS or "\0" in subject:
        raise NotSignedIn(Reason.DOUBTFUL, "sub is empty or too long")
    asked = ("preferred_username", "nickname", "email", "name")
    texts = {name: _text(claims.get(name)) for name in asked}
    names = (texts["preferred_username"], texts["nickname"], texts["email"], texts["name"])
    return Provided(
        issuer=expected.issuer,
        subject=subject,
        email=texts["email"] or texts["preferred_username"],
        names=tuple(name for name in names if name),
        groups=_groups(claims, expected.groups_claim),
        signed_in_at=claims.get("auth_time"),
    )


def _text(value: object) -> str:
    return value[:_MOST_TEXT_CHARS] if isinstance(value, str) else ""


def _groups(claims: dict[str, Any], name: str) -> frozenset[str] | None:
    """Return somebody's groups; None when the provider is not asked for them.

    Raises:
        NotSignedIn: they are no list of names, or too many to be told.
    """
    if not name:
        return None
    elsewhere = claims.get("_claim_names")
    if isinstance(elsewhere, dict) and name in elsewhere:
        # Entra does so with more than 200: who is taken for one of no group loses what they gave.
        raise NotSignedIn(Reason.DOUBTFUL, f"the provider keeps {name} elsewhere: too many groups")
    said = claims.get(name, [])
    if not isinstance(said, list) or len(said) > _MOST_GROUPS:
        raise NotSignedIn(Reason.DOUBTFUL, f"{name} is no list of groups, or too long a one")
    if not all(isinstance(group, str) for group in said):
        raise NotSignedIn(Reason.DOUBTFUL, f"{name} lists what is no name")
    return frozenset(said)
