"""Mantine's theme, made from the tokens of `assets/ob.css`: no colour is written twice.

Every colour of Mantine that the app shows points at one of our CSS variables, and those
know both themes.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["MANTINE_THEME"]

# Ten shades are Mantine's rule. The accent is one colour in each theme, so all are it.
_ACCENT: Final = ["var(--ob-accent)"] * 10

MANTINE_THEME: Final[dict[str, Any]] = {
    "colors": {"accent": _ACCENT},
    "primaryColor": "accent",
    "fontFamily": "var(--ob-font)",
    "fontFamilyMonospace": "var(--ob-mono)",
    "fontSizes": {"xs": "11px", "sm": "12px", "md": "13px", "lg": "16px", "xl": "20px"},
    "spacing": {"xs": "4px", "sm": "8px", "md": "12px", "lg": "16px", "xl": "24px"},
    "radius": {"sm": "6px", "md": "8px"},
    "defaultRadius": "sm",
    "cursorType": "pointer",
    "respectReducedMotion": True,
}
