"""Runs' colours, in the order they are assigned: stable across pages and people.

Twin of `assets/ob/palette.js`. Chosen to differ for the colour-blind and to stand out on
both backgrounds. The second time round they come with a second dash pattern.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["PALETTE", "Ink", "ink"]

PALETTE: Final = (
    "#4269d0",
    "#efb118",
    "#ff725c",
    "#6cc5b0",
    "#3ca951",
    "#ff8ab7",
    "#a463f2",
    "#97bbf5",
    "#9c6b4e",
    "#9498a0",
)

_DASHES: Final = ("solid", "5px,3px", "2px,2px", "8px,3px,2px,3px")


@dataclass(frozen=True, slots=True)
class Ink:
    """How a run's lines look."""

    color: str
    dash: str


def ink(index: int | str) -> Ink:
    """Return the colour and dash of a place in the palette, or of a colour somebody chose."""
    if isinstance(index, str):
        return Ink(index, "solid")
    turn, place = divmod(index, len(PALETTE))
    return Ink(PALETTE[place], _DASHES[turn % len(_DASHES)])
