"""How long one waits after wrong passwords: ever longer, and never for ever.

Counted twice: for the name, whoever tries it, and for the network, whatever names it tries.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import Final

__all__ = ["FORGET_AFTER_S", "OF_NAME", "OF_NETWORK", "Patience", "network_of"]

FORGET_AFTER_S: Final = 24 * 3600.0


@dataclass(frozen=True, slots=True)
class Patience:
    """How many wrong ones cost nothing, and how long a wait can become."""

    free: int
    most_s: float

    def wait_s(self, failures: int) -> float:
        """Return how many seconds after the last of so many failures the next try may come."""
        over = failures - self.free
        return 0.0 if over < 0 else min(2.0 ** min(over, 30), self.most_s)

    def failures_left(self, failures: int, last_at: float, now: float) -> int:
        """Return how many still count."""
        return 0 if now - last_at > FORGET_AFTER_S else failures


OF_NAME: Final = Patience(free=5, most_s=300.0)
"""Whoever keeps guessing a name holds up its owner at most that long, who may have sessions."""

OF_NETWORK: Final = Patience(free=12, most_s=3600.0)
"""A house of people behind one address mistype more often than one."""


def network_of(address: str) -> str:
    """Return the network of an address: who has one address of it has them all."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return str(ipaddress.ip_network((parsed, 56 if parsed.version == 6 else 24), strict=False))
