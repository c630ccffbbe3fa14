"""Breadcrumb and page tabs for a place. The island carries the view from page to page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from dash import html
from dash.development.base_component import Component

from orgboard_dashboard.components.element import element
from orgboard_dashboard.urls import PAGES, Page, Place, encode_place

__all__ = ["bar", "crumb", "tabs"]

TITLES: Final[dict[Page, str]] = {
    "runs": "Runs",
    "scalars": "Scalars",
    "histograms": "Histograms",
    "text": "Text",
    "images": "Images",
    "hparams": "Settings",
    "compare": "Compare",
    "standings": "Standings",
    "graphs": "Graphs",
}


_ANY: Final = "*"
"""Stands for all teams or projects that one may see, in addresses."""

_FREQUENT: Final[tuple[Page, ...]] = ("runs", "scalars", "hparams", "compare")
"""What the bar of a phone has room for, beside the way to the others."""


_BESIDE: Final[dict[Page, Page]] = {"standings": "compare"}
"""Pages without a tab of their own: they are reached from another's, which is marked for both."""

_WITH_TAB: Final[tuple[Page, ...]] = tuple(page for page in PAGES if page not in _BESIDE)

_SHORT: Final[dict[Page, str]] = {"histograms": "Hist"}


def crumb(place: Place | None, base: str) -> list[Component]:
    """Say where one is: team / project. A run's page gets its project from the island."""
    if place is None or not place.project:
        return []
    scalars = Place("scalars", team=place.team, project=place.project)
    team = "all teams" if place.team == _ANY else place.team
    project = "all projects" if place.project == _ANY else place.project
    return [
        element(
            html.A,
            f"{team} /",
            href=encode_place(Place("feed", team=place.team), base),
            className="ob-nav ob-team",
            title=f"What {team} did",
        ),
        element(html.A, html.B(project), href=encode_place(scalars, base), className="ob-nav"),
    ]


def tabs(place: Place | None, base: str) -> list[Component]:
    """List the pages of the project that `place` is in; none outside a project."""
    return _links(place, base, _WITH_TAB)


def bar(place: Place | None, base: str) -> list[Component]:
    """List the same pages for the bar at the foot of a phone: the frequent ones, and the others."""
    if place is None or not place.project:
        return []
    others: list[Page] = [page for page in _WITH_TAB if page not in _FREQUENT]
    here = next((_SHORT.get(page, TITLES[page]) for page in others if page == place.page), None)
    more = element(
        html.Details,
        element(html.Summary, here or "More", className="ob-on" if here else ""),
        html.Div(_links(place, base, others)),
        className="ob-more",
        # Made anew on every page, and so closed.
        key=place.page,
    )
    return [*_links(place, base, _FREQUENT), more]


def _links(place: Place | None, base: str, pages: Sequence[Page]) -> list[Component]:
    if place is None or not place.project:
        return []
    here = next((tab for page, tab in _BESIDE.items() if page == place.page), place.page)
    return [
        element(
            html.A,
            TITLES[page],
            href=encode_place(Place(page, team=place.team, project=place.project), base),
            className="ob-nav ob-on" if page == here else "ob-nav",
            aria_current="page" if page == place.page else "false",
        )
        for page in pages
    ]
