"""What stands before the gate: the prefix that the board is mounted below, and the proxy.

    request ─▶ is it from who may speak plain HTTP here? ─▶ below the prefix? ─▶ the gate's rules

A proxy passes paths on as they are; the prefix is taken off here, once, and put before what
leads a browser somewhere. Pure.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, TypeAlias

__all__ = ["Front", "is_in", "plain_ip"]

Scope = MutableMapping[str, Any]
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_FORWARDED: Final = ("forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip")
"""What no program says of itself: a proxy put it there."""


@dataclass(frozen=True, slots=True)
class Front:
    """Where the board begins, and from whom it takes plain HTTP."""

    base: str = "/"
    """With a slash at its end."""
    is_behind_proxy: bool = False
    """Whether it is the proxies that speak HTTPS: then nobody else may come from elsewhere."""
    proxies: tuple[str, ...] = ()

    def inside(self, scope: Scope) -> Scope | None:
        """Return what is asked as if the board were at the root; None for what is not below it.

        Its path is "" for the prefix alone, without the slash.
        """
        if self.base == "/":
            return scope
        cut = len(self.base) - 1
        if scope["path"] == self.base[:-1]:
            return {**scope, "path": "", "raw_path": b""}
        raw: bytes = scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")
        # Both: what is written otherwise and means the same is not what our pages link to.
        if scope["path"].startswith(self.base) and raw.startswith(self.base.encode()):
            return {**scope, "path": scope["path"][cut:], "raw_path": raw[cut:]}
        return None

    def takes(self, scope: Scope) -> bool:
        """Tell whether a request may come as it does: in the clear only from here and a proxy."""
        if not self.is_behind_proxy:
            return True
        client = _client(scope)
        return _is_here(scope) or (client is not None and is_in(client, self.proxies))

    def is_from_here(self, scope: Scope, headers: Mapping[str, str]) -> bool:
        """Tell whether a program of this machine asks, and no proxy on it for somebody else."""
        return _is_here(scope) and not any(name in headers for name in _FORWARDED)


def is_in(address: Address, networks: tuple[str, ...]) -> bool:
    """Tell whether an address is in one of these networks."""
    return any(address in network for network in _networks(networks))


def plain_ip(text: str) -> Address | None:
    """Read an address; one of IPv4 that a socket of IPv6 shows is one of IPv4. None: it is none."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _client(scope: Mapping[str, Any]) -> Address | None:
    client = scope.get("client")
    return plain_ip(str(client[0])) if client else None


def _is_here(scope: Mapping[str, Any]) -> bool:
    client, server = _client(scope), scope.get("server") or ("",)
    # A machine that asks itself by its outer address comes from that address.
    return client is not None and (client.is_loopback or client == plain_ip(str(server[0])))


@lru_cache(maxsize=64)
def _networks(
    texts: tuple[str, ...],
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    return tuple(ipaddress.ip_network(text, strict=False) for text in texts)
