"""Pages that the island fills: a box that says which page it is, and of what."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from orgboard_dashboard.components.element import element
from orgboard_dashboard.urls import Place

__all__ = ["island", "missing"]


def island(place: Place, *children: Component) -> Component:
    """Lay out the box of a page. `assets/ob/boot.js` finds it by its `data-page`."""
    return element(
        html.Div,
        *children,
        # A new page is a new box to React: what the island built goes with the old one.
        key=repr(place),
        className=f"ob-island ob-on-{place.page}",
        data_page=place.page,
        data_team=place.team,
        data_project=place.project,
        data_run=place.run,
        data_section=place.section,
    )


def missing() -> Component:
    """Say that an address leads nowhere, and where to go instead."""
    return element(
        html.Div,
        html.H1("Nothing here"),
        html.P("No page has this address, or it is not shared with you."),
        html.P(html.A("All projects", href="#", className="ob-home")),
        className="ob-empty",
    )
