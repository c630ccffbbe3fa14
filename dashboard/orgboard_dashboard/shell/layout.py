"""The one layout of the app: header, run panel, page, and the bar of pages on phones.

    ┌──────────────────────────────────────────────┐
    │ mark  team / project  pages…   live theme me │  48 px
    ├───────────┬──────────────────────────────────┤
    │ run panel │ page                             │
    │ 352 px    │                                  │
    └───────────┴──────────────────────────────────┘

Dash serves the layout to whoever asks, so nothing here depends on data or viewer: the
router (`pages`) fills in the page, and the island (`assets/ob`) the run panel.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import dash_mantine_components as dmc  # type: ignore[import-untyped]  # it has no stubs
from dash import html
from dash.development.base_component import Component

from orgboard_dashboard.components.element import element
from orgboard_dashboard.shell.bundle import scripts_of, styles_of
from orgboard_dashboard.shell.theme import MANTINE_THEME

__all__ = ["SCRIPTS", "STYLES", "dash_options", "layout"]

_ASSETS: Final = Path(__file__).parents[1] / "assets"

_MARK: Final = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 20 20'>"
    "<rect width='20' height='20' rx='5' fill='#fff'/>"
    "<path d='M3 4c2 7 4 9.500 7 10.500S15.500 16 17 16' fill='none' stroke='#2f5bd7'"
    " stroke-width='2' stroke-linecap='round'/></svg>"
)

SCRIPTS: Final = scripts_of(_ASSETS)
STYLES: Final = styles_of(_ASSETS)


def _index(base: str) -> str:
    """Write the page that Dash fills; what it asks for when it has started is on its way before."""
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
{{%metas%}}
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:image/svg+xml,{quote(_MARK)}">
<title>{{%title%}}</title>
{{%css%}}
<link rel="stylesheet" href="{base}{STYLES.path[1:]}">
<link rel="preload" href="{base}_dash-layout" as="fetch" crossorigin>
<link rel="preload" href="{base}_dash-dependencies" as="fetch" crossorigin>
</head>
<body>
{{%app_entry%}}
<footer>{{%config%}}{{%scripts%}}{{%renderer%}}</footer>
</body>
</html>"""


def dash_options(base: str) -> dict[str, Any]:
    """Return what `Dash(...)` must be given for pages below `base`; the server adds its own."""
    return {
        "assets_folder": str(_ASSETS),
        # Nothing of it is laid into pages by Dash: scripts and styles are joined (`shell.bundle`),
        # the rest is fetched by the island when it is needed.
        "assets_ignore": ".",
        "index_string": _index(base),
        # After React, before Dash starts.
        "external_scripts": [base + SCRIPTS.path[1:]],
        # In browsers; the gate takes the prefix off before anything here sees a path.
        "requests_pathname_prefix": base,
        "routes_pathname_prefix": "/",
        "title": "orgboard",
        "update_title": None,
        "suppress_callback_exceptions": True,
        # Ours are routed by `orgboard_dashboard.pages`; Dash's own bring an inline script along.
        "use_pages": False,
        "enable_mcp": False,
    }


def layout() -> Component:
    """Lay out the frame. The router fills `ob-page`, `ob-crumb`, `ob-tabs` and `ob-bar`."""
    return element(
        dmc.MantineProvider,
        element(
            dmc.AppShell,
            element(dmc.AppShellHeader, _header(), withBorder=False),
            element(
                dmc.AppShellNavbar,
                element(html.Aside, id="ob-panel", className="ob-panel", aria_label="Runs"),
                className="ob-navbar",
                withBorder=False,
            ),
            element(dmc.AppShellMain, html.Div(id="ob-page", className="ob-page")),
            className="ob-shell",
            header={"height": 48},
            navbar={"width": 352, "breakpoint": 0},
            padding=0,
        ),
        element(html.Nav, id="ob-bar", className="ob-bar", aria_label="Pages"),
        theme=MANTINE_THEME,
        defaultColorScheme="auto",
    )


def _header() -> Component:
    return element(
        html.Div,
        element(
            html.A,
            html.Span(className="ob-mark"),
            html.Span("orgboard", className="ob-word"),
            # The island leads it to the app's own root, wherever that is mounted.
            href="#",
            className="ob-logo ob-home",
            aria_label="orgboard: all projects",
        ),
        html.Span(id="ob-crumb", className="ob-crumb"),
        element(html.Nav, id="ob-tabs", className="ob-tabs", aria_label="Pages"),
        html.Span(className="ob-grow"),
        html.Span(id="ob-views", className="ob-views"),
        html.Span(id="ob-talk"),
        element(
            html.Button,
            html.Span("Search runs, tags, pages"),
            html.Kbd("Ctrl K"),
            id="ob-search",
            className="ob-search",
            aria_label="Search runs, tags, pages, actions",
        ),
        element(html.Span, id="ob-live", className="ob-live", role="status"),
        element(html.Button, "?", id="ob-help", className="ob-icon", aria_label="Keyboard"),
        element(
            dmc.ColorSchemeToggle,
            lightIcon=html.Span("◑"),
            darkIcon=html.Span("◐"),
            className="ob-icon ob-theme",
            variant="transparent",
            aria_label="Light or dark",
        ),
        # Where there are accounts, the island puts the one that is signed in here.
        html.Span(id="ob-account", className="ob-account"),
        className="ob-header",
    )
