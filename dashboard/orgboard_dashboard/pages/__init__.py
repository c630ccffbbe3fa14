"""The pages, and the one callback that chooses between them by the address.

Every page is a skeleton: plain elements with `data-` attributes, which the island
(`assets/ob`) finds and fills from the API.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from dash import Dash, Input, Output
from dash.development.base_component import Component

from orgboard_dashboard.pages import runs, skeletons
from orgboard_dashboard.shell.nav import bar, crumb, tabs
from orgboard_dashboard.urls import Place, decode_place

__all__ = ["CALLBACK_POLICIES", "register"]

CALLBACK_POLICIES: Final[Mapping[str, str]] = {
    "..ob-page.children...ob-crumb.children...ob-tabs.children...ob-bar.children..": "view",
}
"""Who may call each callback, by Dash's name of its output. One without a policy is refused."""


def register(app: Dash) -> None:
    """Declare every callback of the app on `app`."""
    base: str = app.config.requests_pathname_prefix
    # Else every browser opens a socket for callbacks that we do not have, again and again.
    app.backend.websocket_capability = False

    @app.callback(
        Output("ob-page", "children"),
        Output("ob-crumb", "children"),
        Output("ob-tabs", "children"),
        Output("ob-bar", "children"),
        # The island says where one is (`assets/ob/nav.js`).
        Input("ob-page", "data-path"),
        prevent_initial_call=True,
    )
    async def show_page(
        path: str | None,
    ) -> tuple[Component, list[Component], list[Component], list[Component]]:
        # Whoever calls by hand may send anything.
        place = decode_place(str(path or base), base)
        return page_of(place), crumb(place, base), tabs(place, base), bar(place, base)


def page_of(place: Place | None) -> Component:
    """Lay out the page that an address names."""
    if place is None:
        return skeletons.missing()
    if place.page == "runs":
        return runs.layout(place)
    return skeletons.island(place)
