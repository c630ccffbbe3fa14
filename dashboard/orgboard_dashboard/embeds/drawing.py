"""How a card is drawn in a frame: what of a view is about one card. Pure.

    the page's view ─▶ kept_state ─▶ kept with the card ─▶ shown_state ─▶ the browser
                                       └─▶ which runs, where they are not named

What a frame is told says nothing of the rest of the page: no other card's range, no filter, in
which a name may stand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from orgboard_dashboard.urls import Place, decode_view, encode_place, encode_view
from orgboard_dashboard.view_state import ViewState

__all__ = ["kept_state", "page_of", "shown_state"]


def kept_state(query: str, tag: str) -> str:
    """Return what a card of `tag` keeps of a view: how it is drawn, and what finds its runs."""
    view = decode_view(query)
    return encode_view(replace(_drawn(view, tag), run_filter=view.run_filter, sort=view.sort))


def shown_state(kept: str, tag: str) -> str:
    """Return what of that the browser needs to draw the card."""
    return encode_view(_drawn(decode_view(kept), tag))


def page_of(team: str, project: str, kept: str, tag: str, uids: Sequence[str]) -> str:
    """Return the address below the board of a page that shows the same card, for who may see it."""
    view = replace(_drawn(decode_view(kept), tag), selected=tuple(uids), pinned=(tag,))
    return f"{encode_place(Place('scalars', team, project))}?{encode_view(view)}"


def _drawn(view: ViewState, tag: str) -> ViewState:
    section = tag.rpartition("/")[0]
    return ViewState(
        smoothing=view.smoothing,
        smoothing_kind=view.smoothing_kind,
        x_axis=view.x_axis,
        y_axis=view.y_axis,
        zoom=view.zoom,
        superseded=view.superseded,
        log_x=view.log_x,
        y_range=view.y_range,
        section_ranges=tuple(each for each in view.section_ranges if each[0] == section),
        card_ranges=tuple(each for each in view.card_ranges if each[0] == tag),
        outliers_clipped=view.outliers_clipped,
    )
