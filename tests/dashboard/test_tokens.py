"""The colours of the app, against WCAG: what is read, and what is only seen."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import orgboard_dashboard

TOKENS = Path(orgboard_dashboard.__file__).parent / "assets" / "tokens.css"
GROUNDS = ("bg", "surface", "raised", "accent-bg")
READ = ("ink", "mute", "accent", "value", "better", "damaged")
SEEN = ("live", "stale", "damaged", "finished", "accent")
TEXT, GRAPHIC = 4.5, 3.0
"""What level AA asks for: 1.4.3 of words, 1.4.11 of dots and outlines."""


def _themes() -> list[dict[str, str]]:
    blocks = re.findall(r"{([^}]*)}", TOKENS.read_text(encoding="utf-8"))
    light, dark = (dict(re.findall(r"--ob-([\w-]+): (#\w{6});", block)) for block in blocks[:2])
    return [light, {**light, **dark}]


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_words_are_readable_on_every_ground(theme: dict[str, str]) -> None:
    assert _too_near(theme, READ, GROUNDS, TEXT) == {}
    assert _too_near(theme, ("on-accent",), ("accent",), TEXT) == {}


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_dots_and_outlines_are_seen_on_every_ground(theme: dict[str, str]) -> None:
    assert _too_near(theme, SEEN, GROUNDS, GRAPHIC) == {}


def test_contrast_is_counted_as_wcag_does() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


def _too_near(
    theme: dict[str, str], inks: tuple[str, ...], grounds: tuple[str, ...], least: float
) -> dict[str, float]:
    contrasts = {
        f"{ink} on {ground}": _contrast(theme[ink], theme[ground])
        for ink in inks
        for ground in grounds
    }
    return {pair: round(contrast, 2) for pair, contrast in contrasts.items() if contrast < least}


def _contrast(one: str, other: str) -> float:
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def _luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
