"""Figures of a benchmark as a table: ours, a peer's, and the bar that ours is held against."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = ["Bar", "Figures"]


@dataclass(frozen=True, slots=True)
class Bar:
    """What a figure must not exceed: a number, or a part of the peer's."""

    most: float | None = None
    part: float | None = None

    def limit(self, theirs: float | None) -> float | None:
        """Give the number; None when there is nothing to compare with."""
        if self.part is not None:
            return None if theirs is None else self.part * theirs
        return self.most


class Figures:
    """A table that is written line by line, and knows which bars were missed."""

    def __init__(self, peer: str, write: Callable[[str], None]) -> None:
        self._peer = peer
        self._write = write
        self.missed: list[str] = []

    def begin(self, title: str) -> None:
        """Write the head of a part, and how busy the machine is."""
        load = " ".join(f"{each:.1f}" for each in os.getloadavg())
        self._write(f"\n  {title}   (load {load})")
        self._write(f"    {'':44}{'ours':>20}{self._peer:>20}{'bar':>16}")

    def tell(
        self,
        what: str,
        ours: Sequence[float],
        unit: str,
        theirs: Sequence[float] = (),
        bar: Bar | None = None,
    ) -> None:
        """Write the medians of a figure, with the least and the most of ours."""
        median = statistics.median(ours)
        peer = statistics.median(theirs) if theirs else None
        limit = bar.limit(peer) if bar else None
        spread = f" ({_short(min(ours))}-{_short(max(ours))})" if len(ours) > 1 else ""
        verdict = ""
        if limit is not None:
            verdict = "met" if median <= limit else "MISSED"
            if median > limit:
                self.missed.append(what)
        self._write(
            f"    {what:44}{_short(median) + spread + ' ' + unit:>20}"
            f"{'' if peer is None else _short(peer) + ' ' + unit:>20}"
            f"{'' if limit is None else '<= ' + _short(limit) + ' ' + unit:>16}  {verdict}".rstrip()
        )


def _short(number: float) -> str:
    """Write three digits that count."""
    if abs(number) >= 100:
        return f"{number:.0f}"
    return f"{number:.1f}" if abs(number) >= 10 else f"{number:.2f}"
