"""Our scripts and styles, each kind as one answer: a page that asks for a hundred waits for them.

The files under `assets/` stay what people read and change; they are joined at start, in the order
of their names, and served under a name that changes with what is in them.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import dash_ag_grid  # type: ignore[import-untyped]  # it has no stubs
from dash import _dash_renderer, dash_table, dcc

__all__ = [
    "Bundle",
    "card_scripts_of",
    "card_styles_of",
    "leave_out_unused",
    "scripts_of",
    "styles_of",
]

_POLYFILL: Final = "polyfill@"
_GRID: Final = "dash_ag_grid.min.js"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Files of one kind, joined."""

    path: str
    """Of its address: never the same for other bytes, so that it may be kept for ever."""
    media_type: str
    body: bytes
    packed: bytes
    """The same by gzip, for those who are not on this machine."""


def scripts_of(assets: Path) -> Bundle:
    """Join the scripts of the island."""
    return _joined(sorted((assets / "ob").glob("*.js")), "js", "text/javascript; charset=utf-8")


def styles_of(assets: Path) -> Bundle:
    """Join the styles."""
    return _joined(sorted(assets.glob("*.css")), "css", "text/css; charset=utf-8")


_OF_A_CARD: Final = (
    *("dom", "format", "axes", "axesview", "ranges", "ticks", "palette", "smooth", "curves"),
    *("draw", "figure", "words", "describe", "codec", "state", "embedcard", "embedtip"),
)
"""What draws one card and says it in words, without a page around it."""


def card_scripts_of(assets: Path) -> Bundle:
    """Join the scripts of a card in another site's frame: as few as draw it."""
    files = [*(assets / "ob" / f"{name}.js" for name in _OF_A_CARD), assets / "embed" / "frame.js"]
    return _joined(files, "js", "text/javascript; charset=utf-8", "card")


def card_styles_of(assets: Path) -> Bundle:
    """Join the styles of a card in another site's frame."""
    names = ("tokens.css", "charts.css", "embedcard.css", "embed/frame.css")
    files = [assets / name for name in names]
    return _joined(files, "css", "text/css; charset=utf-8", "card")


def _joined(files: list[Path], ending: str, media_type: str, name: str = "all") -> Bundle:
    parts = [f"/* {file.name} */\n".encode() + file.read_bytes() for file in files]
    body = b"\n".join(parts)
    version = hashlib.sha256(body).hexdigest()[:16]
    return Bundle(f"/assets/{name}.{version}.{ending}", media_type, body, gzip.compress(body, 6))


def leave_out_unused() -> None:
    """Let Dash not lay into every page what ours do not need.

    Its polyfill is for browsers without promises: it takes a third of a second to start, and puts
    slower strings and patterns in place of the browser's own. Of its tables and core components
    none is here. The grid's script is fetched with the first grid (`assets/ob/gridscript.js`).
    """
    for needed in _dash_renderer._js_dist_dependencies:
        for mode, paths in needed["relative_package_path"].items():
            kept = [path for path in paths if _POLYFILL not in path]
            needed["relative_package_path"][mode] = kept
    unused: list[dict[str, Any]] = [
        *dash_table._js_dist,  # type: ignore[attr-defined]  # it is there
        *dcc._js_dist,
        *(each for each in dash_ag_grid._js_dist if each["relative_package_path"] == _GRID),
    ]
    for script in unused:
        if "async" not in script:
            script["dynamic"] = True  # Dash serves it to who asks for it.
