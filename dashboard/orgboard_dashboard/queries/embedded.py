"""What a card in another site's page shows: its runs and what they are called, and no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection

from orgboard_dashboard.queries.by_metric import series_number
from orgboard_dashboard.queries.dictionary import read_dictionary
from orgboard_dashboard.queries.directions import Direction
from orgboard_dashboard.queries.errors import BadQuery
from orgboard_dashboard.queries.people.embeds import Embed, find_embed
from orgboard_dashboard.queries.runs import RunQuery, RunRow, list_runs, rows_of
from orgboard_dashboard.queries.visible import find_project, find_runs
from orgboard_dashboard.urls import decode_view
from orgboard_dashboard.viewer import Viewer

__all__ = ["NEWEST", "Card", "find_card"]

NEWEST: Final = 10
"""Runs of a card that names none: as many as the page shows when nobody has chosen any."""

_OVER: Final = "The filter that finds the runs of this card is not understood any more."


@dataclass(frozen=True, slots=True)
class Card:
    """A card, its runs in the order in which they are drawn, and what its tag is."""

    embed: Embed
    runs: tuple[RunRow, ...]
    tag_id: int | None
    """Below 0 a metric's; None: nothing is called so any more."""
    unit: str
    best: Direction | None


def find_card(viewer: Viewer, conn: Connection, now: float) -> Card:
    """Return the card that `viewer` came by, with those of its runs that its maker may see.

    Raises:
        NotFound: who made it may not see the project any more.
        BadQuery: the filter that is to find its runs is none.
    """
    embed = find_embed(viewer, conn)
    dictionary = read_dictionary(conn)
    return Card(
        embed,
        _named(viewer, conn, embed, now)
        if embed.uids is not None
        else _newest(viewer, conn, embed, now),
        series_number(conn, embed.tag),
        dictionary.unit(embed.tag),
        dictionary.better(embed.tag),
    )


def _named(viewer: Viewer, conn: Connection, embed: Embed, now: float) -> tuple[RunRow, ...]:
    project = find_project(viewer, conn, embed.team, embed.project)
    ids = find_runs(viewer, conn, project, embed.uids or ())
    rows = rows_of(viewer, conn, list(ids.values()), now)
    return tuple(rows[ids[uid]] for uid in embed.uids or () if ids.get(uid) in rows)


def _newest(viewer: Viewer, conn: Connection, embed: Embed, now: float) -> tuple[RunRow, ...]:
    view = decode_view(embed.state)
    asked = RunQuery(q=view.run_filter, sort=view.sort, limit=NEWEST)
    try:
        return list_runs(viewer, conn, embed.team, embed.project, asked, now).runs
    except BadQuery as error:
        # Its own words say what there is in the project to filter by.
        raise BadQuery(_OVER) from error
