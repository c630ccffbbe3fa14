"""What one web process is told, read once from flags and never again."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

from orgboard_dashboard.base_url import BaseUrl, bracketed, parse_base_url
from orgboard_dashboard.provider.settings import ProviderSettings

__all__ = ["DEFAULT_PORT", "LOOPBACK_NAMES", "WebConfig", "is_loopback"]

DEFAULT_PORT: Final = 7070

LOOPBACK_NAMES: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
"""Host headers that only this machine can have meant."""


@dataclass(frozen=True, slots=True)
class WebConfig:
    """Settings of one web process. `flags` writes them as arguments, and reads them from those."""

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
    tls_cert: str = ""
    """The file of the certificate, and of those that vouch for it, when this process speaks TLS."""
    tls_key: str = ""
    """The file of its key."""
    trusted_proxies: tuple[str, ...] = ()
    """Networks of the proxies whose word on who asks is believed, such as "10.0.0.0/8"."""
    provider: ProviderSettings | None = None
    """Who else tells who somebody is."""
    no_embeds: bool = False
    """Whether no page of another site shows a card in a frame, whoever made one."""
    poll_every_s: float = 0.3
    """How soon a commit of the ingest is noticed, while somebody watches."""
    heartbeat_every_s: float = 15.0
    """Proxies cut a silent connection after 30 to 60 s."""

    def allowed_hosts(self) -> frozenset[str]:
        """Return the host names that a request may be addressed to, in lower case."""
        outside = self.outside
        named = {bracketed(outside.host)} if outside else set()
        return LOOPBACK_NAMES | {bracketed(self.host).lower()} | named

    @property
    def outside(self) -> BaseUrl | None:
        """How browsers reach the board, when that is told."""
        return parse_base_url(self.base_url) if self.base_url else None

    @property
    def base(self) -> str:
        """Return the path that the board begins at, with a slash at its end."""
        return self.outside.base if self.outside else "/"

    @property
    def own_origin(self) -> str:
        """Return what browsers call the origin of our pages; "" when it is the Host they asked."""
        return self.outside.origin if self.outside else ""

    @property
    def is_tls(self) -> bool:
        """Whether this process itself speaks TLS."""
        return bool(self.tls_cert)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach the board by HTTPS alone."""
        return self.is_tls or self.base_url.startswith("https://")

    @property
    def is_exposed(self) -> bool:
        """Whether browsers of other machines reach the board, straight or through a proxy."""
        return not (is_loopback(self.host) and is_loopback(self.outside_host))

    @property
    def outside_host(self) -> str:
        """Return the name of the machine that browsers ask for."""
        return self.outside.host if self.outside else self.host

    @property
    def https_only(self) -> bool:
        """Whether browsers may be told to ask this host by HTTPS alone, whatever its port.

        Not of this machine's own names: others serve there too.
        """
        return self.is_https and not is_loopback(self.outside_host)

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
    def provider_cookie(self) -> str:
        """Return the name of the cookie of who is on the way to the provider and back."""
        return "__Host-ob_provider" if self.is_https else "ob_provider"

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
