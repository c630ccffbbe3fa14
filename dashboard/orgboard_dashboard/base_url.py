"""`--base-url`: how browsers reach the board when a proxy stands before it, or it has a name.

What a proxy says about host and scheme is not believed: this is, because who runs the board
said it. So it is read strictly.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

__all__ = ["BaseUrl", "bracketed", "parse_base_url"]

_DEFAULT_PORTS: Final = {"http": 80, "https": 443}

_NAME: Final = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*")

_PREFIX: Final = re.compile(r"(/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*/?")
"""Only what means the same escaped and not, and no `..`: proxies differ on all else."""


@dataclass(frozen=True, slots=True)
class BaseUrl:
    """An address, in parts."""

    scheme: str
    host: str
    """In lower case; an IPv6 address without its brackets."""
    port: int | None
    base: str
    """The path that the board begins at, with a slash at its end."""

    @property
    def origin(self) -> str:
        """Return it as browsers write an origin: without the port that goes without saying."""
        port = "" if self.port in (None, _DEFAULT_PORTS[self.scheme]) else f":{self.port}"
        return f"{self.scheme}://{bracketed(self.host)}{port}"

    def __str__(self) -> str:
        return self.origin + self.base.removesuffix("/")


def parse_base_url(text: str) -> BaseUrl:
    """Read an address.

    Raises:
        ValueError: it is none that a board can have; the message says why.
    """
    parts = urlsplit(text if text.isascii() and text.isprintable() else "")
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("it is no address, such as https://board.example or https://host/board")
    if parts.query or parts.fragment or "?" in text or "#" in text or parts.username is not None:
        raise ValueError("it may have a host, a port and a path, and nothing more")
    if not _is_host(parts.hostname):
        raise ValueError("its host is not as browsers send it: letters, digits, dots and hyphens")
    if not _PREFIX.fullmatch(parts.path):
        raise ValueError("its path may have letters, digits and - . _ ~ between the slashes")
    path = parts.path.rstrip("/") + "/"
    return BaseUrl(parts.scheme, parts.hostname, _port(parts), path)


def bracketed(host: str) -> str:
    """Return a host as it stands in an address: an IPv6 one in brackets."""
    return f"[{host}]" if ":" in host else host


def _port(parts: SplitResult) -> int | None:
    try:
        return parts.port
    except ValueError:
        raise ValueError("its port is none: 1 to 65535") from None


def _is_host(host: str) -> bool:
    if ":" not in host:
        return _NAME.fullmatch(host) is not None
    try:
        return ipaddress.ip_address(host).version == 6
    except ValueError:
        return False
