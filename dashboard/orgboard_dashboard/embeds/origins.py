"""The origins whose pages may show a card in a frame. Pure.

What is written here ends in a header, in which a blank parts two origins and a semicolon two
policies. So nothing is mended: an origin is letter by letter one that a browser has, or none. It
is looked at when it is given, and again when the header is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import AddressValueError, IPv4Address
from typing import Final

from orgboard_dashboard.queries.errors import BadQuery

__all__ = ["MAX_ORIGINS", "ancestors", "checked_origins", "origin_of"]

MAX_ORIGINS: Final = 10
"""Of one card; each makes every answer longer."""

_LONGEST: Final = 300
_LONGEST_HOST: Final = 253
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ORIGIN: Final = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?"
)
_USUAL: Final = {"http": 80, "https": 443}
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""Where a host ends in one, browsers read all of it as an address, in whatever spelling."""

_FORM: Final = (
    "Write an origin as https://wiki.example.org, or with a port as https://wiki.example.org:8443:"
    " no path, no wildcard, no name and password, and letters of other scripts as xn--…"
)


def checked_origins(asked: object) -> tuple[str, ...]:
    """Return the origins of a list of texts, each once, as browsers write them.

    Raises:
        BadQuery: it is no list, too long or empty, or one of them is no origin that may be named.
    """
    if not isinstance(asked, list) or not 0 < len(asked) <= MAX_ORIGINS:
        raise BadQuery(f"A card is shown by the pages of 1 to {MAX_ORIGINS} origins.")
    return tuple(dict.fromkeys(map(_checked, asked)))


def origin_of(text: str) -> str | None:
    """Return an origin as browsers write it; None: it is none, or none that may be named.

    Plain HTTP is this machine's own alone: on the way from any other, anybody may put a page of
    one's own in its place.
    """
    # Before it is made lower: letters of other scripts become plain ones by that.
    if len(text) > _LONGEST or not text.isascii():
        return None
    found = _ORIGIN.fullmatch(text.lower())
    if found is None or len(found["host"]) > _LONGEST_HOST:
        return None
    scheme, host, port = found["scheme"], found["host"], int(found["port"] or 0)
    if port > 0xFFFF or not _is_host(host) or (scheme == "http" and not _is_this_machine(host)):
        return None
    return f"{scheme}://{host}" + (f":{port}" if port not in (0, _USUAL[scheme]) else "")


def ancestors(origins: Iterable[str]) -> str:
    """Return what `frame-ancestors` is followed by: these origins, as far as they are some."""
    kept = [origin for origin in origins if origin_of(origin) == origin]
    return " ".join(kept) or "'none'"


def _checked(text: object) -> str:
    origin = origin_of(text) if isinstance(text, str) else None
    if origin is not None:
        return origin
    if isinstance(text, str) and text.lower().startswith("http:") and len(text) <= _LONGEST:
        raise BadQuery(f"{_FORM} By plain http only pages of this machine, http://localhost:8000.")
    raise BadQuery(_FORM + ".")


def _is_host(host: str) -> bool:
    if not _NUMBER.fullmatch(host.rpartition(".")[2]):
        return True
    try:
        return str(IPv4Address(host)) == host
    except AddressValueError:
        return False


def _is_this_machine(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    return bool(_NUMBER.fullmatch(host.rpartition(".")[2])) and IPv4Address(host).is_loopback
