"""A small typeface of our own, for labels where no other is at hand: capitals, digits, marks."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["set_line"]

_WIDTH, _HEIGHT = 5, 7

_UNKNOWN: Final = "vhhhhhv"
"""An empty box."""

_SIGNS: Final = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`{|}~"

_ROWS: Final = (
    "00000004444404aa00000aavavaa4fke5u4pp248jjciiclid4400000248884284222480level0044v440"
    "0000cc8000v00000000cc11248ggehjlphe4ck444vu11eggvu11611uiiiv222vggu11uegguhhev122444"
    "ehhehheehhf11e0cc0cc00cc0cc8248g84200v0v008421248eh16404ehnlngfehhvhhhuhhuhhufgggggf"
    "uhhhhhuvgguggvvggugggfggjhhfhhhvhhhv44444v72222ichikokihggggggvhrllhhhhppljjhehhhhhe"
    "uhhugggehhhliduhhukihfgge11uv444444hhhhhhehhhaa44hhhllrhhaa4aahhha4444v1248gve88888e"
    "gg84211e22222e4ah0000000000v840000064484464444444c44244c008l200"
)
"""Of each sign seven rows from the top, each a base-32 digit, its highest bit leftmost."""


def set_line(text: str) -> NDArray[np.bool_]:
    """Give the ink of a line of text: 7 rows, 6 columns a letter. Small letters are set large."""
    import numpy as np

    letters = [_ink(letter) for letter in text.upper()]
    return np.concatenate(letters, axis=1) if letters else np.zeros((_HEIGHT, 0), bool)


@lru_cache(256)
def _ink(letter: str) -> NDArray[np.bool_]:
    import numpy as np

    at = _SIGNS.find(letter) * _HEIGHT
    rows = _ROWS[at : at + _HEIGHT] if at >= 0 else _UNKNOWN
    columns = np.arange(_WIDTH, -1, -1)
    # Shifted by one: a column of nothing keeps the letters apart.
    ink = np.array([int(row, 32) << 1 for row in rows])[:, np.newaxis] >> columns & 1
    return ink.astype(bool)
