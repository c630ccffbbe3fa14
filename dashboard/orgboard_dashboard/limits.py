"""How much one may ask of the board, so that nobody's program is everybody's outage. Pure.

Each who asks has a bucket of tokens that fills at a rate; a request takes some out, and one for
which there are not enough is answered 429, with how long to wait. What is charged:

    signed in       the session, and the account with all its sessions
    by a token      the token, and the account it asks for
    by a share      the link, from one network: many people may hold it
    in a frame      the card, from one network, likewise
    nobody known    the network: at the door, and what asks to be let in
    what is said    the account once more: everybody else reads it

Who is on the machine alone, on a board without accounts, is not limited. Each web process counts
for itself: several together let through as many times as much, which is as much more as they bear.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from orgboard_dashboard.accounts.delays import network_of
from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.policies import Rule
from orgboard_dashboard.viewer import Viewer

__all__ = [
    "COSTS",
    "OF_ACCOUNT",
    "OF_NETWORK",
    "OF_SESSION",
    "OF_SHARE",
    "OF_TOKEN",
    "OF_WORDS",
    "POINTS_A_TOKEN",
    "SAYING",
    "Allowance",
    "Limits",
    "cost_of",
    "is_said",
]


@dataclass(frozen=True, slots=True)
class Allowance:
    """How many requests at once, when nothing was asked for a while, and how many a second."""

    burst: float
    per_s: float


OF_SESSION: Final = Allowance(burst=1200, per_s=60)
"""A page at its worst, 200 cards opened and live, asks some ten times a second; ten such tabs of
one browser may do so side by side."""
OF_ACCOUNT: Final = Allowance(burst=12_000, per_s=600)
"""Ten such browsers: a wall of screens signs in as one account."""
OF_TOKEN: Final = Allowance(burst=600, per_s=30)
"""A script that walks through a thousand runs is not held up for long; one that asks in a loop
leaves the board to others."""
OF_SHARE: Final = Allowance(burst=1200, per_s=60)
"""A link that was sent to a room of people, who sit in one network; a card in a page of theirs."""
OF_NETWORK: Final = Allowance(burst=2000, per_s=40)
"""A hundred people behind one address sign in within a minute, in the morning; wrong passwords
have waits of their own (`accounts.delays`)."""

OF_WORDS: Final = Allowance(burst=60, per_s=1)
"""Comments: more in a minute than anybody types, and what a script goes wild with."""

_API: Final = "/api/ui/v1"
SAYING: Final = frozenset(
    {
        ("POST", _API + "/r/{uid}/comments"),
        ("POST", _API + "/p/{team}/{project}/views/{key}/comments"),
        ("POST", "/api/v1/runs/{uid}/comments"),
    }
)
"""What is counted as said, by method and path of its rule."""
COSTS: Final[dict[tuple[str, str], float]] = {
    # Reads every point of what is asked for, for as long as the browser takes it.
    ("GET", _API + "/p/{team}/{project}/export"): 20.0,
    ("GET", "/api/v1/projects/{team}/{project}/points"): 5.0,
    # A text of the largest size takes some seconds to read, and twice its room meanwhile.
    ("POST", _API + "/p/{team}/{project}/graphs"): 100.0,
    # The whole log, five hundred records at a time.
    ("GET", _API + "/audit.csv"): 20.0,
    # Measures for a tenth of a second.
    ("GET", _API + "/admin/storage"): 5.0,
    # A password's hash is slow on purpose: a twentieth of a second of a core, and 64 MB.
    ("POST", "/sign-in"): 10.0,
    ("POST", "/welcome"): 10.0,
    ("POST", _API + "/prove"): 10.0,
    ("POST", _API + "/password"): 20.0,
    # Served from memory, or asked by what watches the board.
    ("GET", "/assets/{path:path}"): 0.0,
    ("GET", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}"): 0.0,
    ("GET", "/_favicon.ico"): 0.0,
    ("GET", "/healthz"): 0.0,
}
"""What a request takes, by method and path of its rule; any other takes one."""

POINTS_A_TOKEN: Final = 100_000
"""Of a large question (`queries.points_at_once`), known once it is answered: such a one of eight
million points costs as much as eighty others, and takes as long."""

_MOST_KEPT: Final = 50_000
"""Buckets, 10 MB: whoever asks from ever other networks gains no more than the burst of each."""

_MOST_KNOWN: Final = 10_000


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Limits:
    """The buckets of one web process; `clock` tells seconds that only go on."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()
        self._known: OrderedDict[bytes, Viewer] = OrderedDict()

    def knows(self, secret: str, viewer: Viewer | None) -> None:
        """Remember whom a secret let in, if anybody: as whom a flood of it is refused unasked."""
        key = digest(secret)
        if viewer is None:
            self._known.pop(key, None)
            return
        self._known[key] = viewer
        self._known.move_to_end(key)
        if len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def unasked(self, secret: str, address: str, cost: float) -> int:
        """Tell how long who comes by a secret is to wait, before anybody looks whose it is.

        Nothing is taken. A secret that has let nobody in lately counts where it comes from.
        """
        viewer = self._known.get(digest(secret))
        return 0 if cost <= 0 else self._wait(_keys(viewer, address, says=False), cost)

    def ask(self, viewer: Viewer | None, address: str, cost: float, *, says: bool = False) -> int:
        """Take a request's cost out of the buckets of who asks; None: nobody known, from there.

        `says`: out of the bucket of what is said, too.

        Returns 0, or the seconds to wait when one of them does not have it: then nothing is taken.
        """
        if cost <= 0:
            return 0
        keys = tuple(_keys(viewer, address, says=says))
        wait_s = self._wait(keys, cost)
        if not wait_s:
            for key, of in keys:
                self._filled(key, of).left -= cost
        return wait_s

    def _wait(self, keys: Iterable[tuple[tuple[str, str], Allowance]], cost: float) -> int:
        filled = [(self._filled(key, of), of) for key, of in keys]
        short = [(cost - one.left) / of.per_s for one, of in filled if one.left < cost]
        return max(1, math.ceil(max(short))) if short else 0

    def charge(self, viewer: Viewer, address: str, cost: float) -> None:
        """Take out what an answer turned out to cost; what is not there, is owed."""
        for key, of in _keys(viewer, address, says=False):
            bucket = self._filled(key, of)
            bucket.left = max(-of.burst, bucket.left - cost)

    def _filled(self, key: tuple[str, str], of: Allowance) -> _Bucket:
        now = self._clock()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(of.burst, now)
            if len(self._buckets) > _MOST_KEPT:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        bucket.left = min(of.burst, bucket.left + max(0.0, now - bucket.at) * of.per_s)
        bucket.at = now
        return bucket


def cost_of(rule: Rule) -> float:
    """Return what a request that a rule allows takes out of a bucket."""
    return COSTS.get((rule.method, rule.path), 1.0)


def is_said(rule: Rule) -> bool:
    """Tell whether what a rule allows is something that others read."""
    return (rule.method, rule.path) in SAYING


def _keys(
    viewer: Viewer | None, address: str, *, says: bool
) -> Iterator[tuple[tuple[str, str], Allowance]]:
    if viewer is None:
        yield ("network", network_of(address)), OF_NETWORK
    elif viewer.kind in ("share", "embed"):
        yield (viewer.kind, f"{viewer.via} {network_of(address)}"), OF_SHARE
    elif viewer.kind in ("account", "token"):
        yield (viewer.kind, viewer.via), OF_TOKEN if viewer.kind == "token" else OF_SESSION
        yield ("all of", str(viewer.account_id)), OF_ACCOUNT
        if says:
            yield ("words of", str(viewer.account_id)), OF_WORDS
