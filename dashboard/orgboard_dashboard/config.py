"""What one web process is told, read once from flags and never again."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

__all__ = ["DEFAULT_PORT", "LOOPBACK_NAMES", "WebConfig", "is_loopback"]

DEFAULT_PORT: Final = 7070

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Host headers that only this machine can have meant."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of one web process."""

    host: str = "127.0.0.1"
    logdirs: tuple[str, ...] | None = None
    """Resolved directories to show; None shows the whole database."""
    allow_frame: bool = False
    """Whether pages of this machine, such as a notebook's, may show the board in a frame."""
    read_only: bool = False
    """Whether nobody may change anything: names, notes, what is archived or deleted."""
    accounts: bool = False
    """Whether who looks must sign in even while there is no account yet."""
    base_url: str = ""
    """How browsers reach the board, such as "https://board.example", when that is not `host`."""
    is_tls: bool = False
    """Whether this process itself speaks TLS."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies whose word on who asks is believed, such as "10.0.0.0/8"."""
    poll_every_s: float = 0.3
    """How soon a commit of the ingest is noticed, while somebody watches."""
    heartbeat_every_s: float = 15.0
    """Proxies cut a silent connection after 30 to 60 s."""

    def allowed_hosts(self) -> frozenset[str]:
        """Return the host names that a request may be addressed to, in lower case."""
        bound = f"[{self.host}]" if ":" in self.host else self.host
        outside = urlsplit(self.base_url).hostname or bound
        named = f"[{outside}]" if ":" in outside else outside
        return LOOPBACK_NAMES | {bound.lower(), named.lower()}

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the board by HTTPS alone."""
        return self.is_tls or self.base_url.startswith("https://")

    @property
    def session_cookie(self) -> str:
        """Return the name of the cookie of sessions.

        Browsers take one that begins with `__Host-` by HTTPS only, for this host alone, from no
        neighbour's page: so where there is HTTPS, no other will do.
        """
        return "__Host-ob_session" if self.is_https else "ob_session"

    @property
    def share_cookie(self) -> str:
        """Return the name of the cookie of who came by a share link."""
        return "__Host-ob_share" if self.is_https else "ob_share"

    @property
    def csrf_cookie(self) -> str:
        """Return the name of the cookie that pages read, to send it beside the other."""
        return "__Host-ob_csrf" if self.is_https else "ob_csrf"


def is_loopback(host: str) -> bool:
    """Tell whether an address to listen on can be reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
