"""The security headers that every response carries, errors and assets included."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

__all__ = [
    "BLOB_POLICY",
    "content_security_policy",
    "embed_policy",
    "security_headers",
    "with_defaults",
]

Header = tuple[bytes, bytes]

BLOB_POLICY: Final = "sandbox; default-src 'none'; frame-ancestors 'none'"
"""For logged bytes: whatever they are, they run nothing and load nothing."""


_POLICY: Final = b"content-security-policy"
_FRAMED: Final = re.compile(rb"frame-ancestors (?!'none')")
"""In a policy that lets somebody frame what it is of."""

_LOCAL_PAGES: Final = " ".join(
    f"{scheme}://{name}:*" for scheme in ("http", "https") for name in ("localhost", "127.0.0.1")
)
"""Where a notebook on this machine is opened. The policy's grammar has no IPv6 addresses."""


def content_security_policy(script_hashes: Sequence[str], *, allow_frame: bool = False) -> str:
    """Return the policy of the pages: own scripts, and the inline ones with these hashes.

    `allow_frame` lets pages that this machine serves to itself show them in a frame.
    """
    ancestors = _LOCAL_PAGES if allow_frame else "'none'"
    return "; ".join(
        (
            "default-src 'none'",
            " ".join(("script-src 'self'", *script_hashes)),
            # Dash's renderer, dmc and plotly set style attributes.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            "font-src 'self'",
            "connect-src 'self'",
            "worker-src 'self' blob:",
            "manifest-src 'self'",
            f"frame-ancestors {ancestors}",
            "base-uri 'none'",
            "form-action 'self'",
            "object-src 'none'",
        )
    )


_HSTS: Final = "max-age=31536000"
"""A year of HTTPS only. Not for names below this one, which need not be this board's people's."""


def security_headers(
    policy: str, *, allow_frame: bool = False, https_only: bool = False
) -> tuple[Header, ...]:
    """Return the headers of every response, in lower case as ASGI wants them.

    `https_only` makes browsers never ask this host by plain HTTP again.
    """
    named = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        # For browsers that do not know frame-ancestors. It has no word for "this machine".
        **({} if allow_frame else {"x-frame-options": "DENY"}),
        "referrer-policy": "same-origin",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "permissions-policy": "camera=(), microphone=(), geolocation=()",
        **({"strict-transport-security": _HSTS} if https_only else {}),
    }
    return tuple((name.encode(), value.encode()) for name, value in named.items())


def embed_policy(ancestors: str) -> str:
    """Return the policy of a card in a frame: it draws, asks for its points, and opens one link.

    `ancestors` are the origins whose pages may frame it. What the sandbox leaves out, it cannot do
    whatever runs in it: lead the page around it elsewhere, send a form, ask something in a box.
    """
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src data:",
            "connect-src 'self'",
            f"frame-ancestors {ancestors}",
            "base-uri 'none'",
            "form-action 'none'",
            "sandbox allow-scripts allow-same-origin allow-popups allow-popups-to-escape-sandbox",
        )
    )


def with_defaults(present: Iterable[Header], defaults: Iterable[Header]) -> list[Header]:
    """Return `present` plus each default that it does not name.

    Where it says itself who may frame it, it is not said a second time that nobody may.
    """
    kept = [(bytes(name), bytes(value)) for name, value in present]
    names = {name.lower() for name, _ in kept}
    if any(name.lower() == _POLICY and _FRAMED.search(value) for name, value in kept):
        names.add(b"x-frame-options")
    return kept + [(name, value) for name, value in defaults if name not in names]
