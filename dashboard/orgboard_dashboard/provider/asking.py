"""One question to the provider: bounded in time and size, followed nowhere else."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any, Final

import httpx

from orgboard_dashboard.provider.reasons import NotSignedIn, Reason

__all__ = ["ask_json"]

_WITHIN_S: Final = 8.0
"""All of a question: people wait for it, looking at a page."""

_MOST_BYTES: Final = 512 * 1024
"""Keys with their certificates are some 20 KiB."""


async def ask_json(
    url: str,
    form: Mapping[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    *,
    within_s: float = _WITHIN_S,
) -> tuple[int, dict[str, Any]]:
    """Get an address, or send it a form; return the status, and the object that was answered.

    Raises:
        NotSignedIn: there was no answer in time, or one that is no JSON, too long, or elsewhere.
    """
    try:
        async with asyncio.timeout(within_s):
            status, body = await _asked(url, form, auth)
    except (TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        raise NotSignedIn(Reason.AWAY, f"{url}: {type(error).__name__}: {error}") from error
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise NotSignedIn(Reason.AWAY, f"{url} answered {status} and no JSON") from error
    if not isinstance(answer, dict):
        raise NotSignedIn(Reason.AWAY, f"{url} answered JSON that is no object")
    return status, answer


async def _asked(
    url: str, form: Mapping[str, str] | None, auth: tuple[str, str] | None
) -> tuple[int, bytes]:
    # As it comes: what unpacks to gigabytes is not unpacked.
    headers = {"accept": "application/json", "accept-encoding": "identity"}
    method = "GET" if form is None else "POST"
    async with (
        httpx.AsyncClient(verify=_trusted(), follow_redirects=False, timeout=_WITHIN_S) as client,
        client.stream(method, url, data=form, auth=auth, headers=headers) as response,
    ):
        if response.is_redirect or response.status_code >= 500:
            raise NotSignedIn(Reason.AWAY, f"{url} answered {response.status_code}")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise NotSignedIn(Reason.AWAY, f"{url} answered packed, and was not asked to")
        body = bytearray()
        async for part in response.aiter_raw():
            body += part
            if len(body) > _MOST_BYTES:
                raise NotSignedIn(Reason.AWAY, f"{url} answered more than {_MOST_BYTES} bytes")
        return response.status_code, bytes(body)


@cache
def _trusted() -> ssl.SSLContext:
    """Return whom to trust: this machine's own store, where an organisation puts its authority."""
    return ssl.create_default_context()
