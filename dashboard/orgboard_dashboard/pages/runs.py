"""The table of runs: found and sorted by the server, a hundred rows at a time.

The grid is laid out empty. The island gives it its columns (`assets/ob/columns.js`) and its rows
(`assets/ob/runs.js`), and ties its first column to the selection, so that a box here is the box
in the run panel. It also fetches the grid's script (`assets/ob/gridscript.js`), which no other
page has to load.
"""

from __future__ import annotations

from typing import Final

import dash_ag_grid as dag  # type: ignore[import-untyped]  # it has no stubs
from dash.development.base_component import Component

from orgboard_dashboard.components.element import element
from orgboard_dashboard.pages.skeletons import island
from orgboard_dashboard.urls import Place

__all__ = ["layout"]

_BLOCK: Final = 100
"""Rows of one answer: about three screens."""


def layout(place: Place) -> Component:
    """Lay out the table for a project."""
    return island(place, _grid())


def _grid() -> Component:
    return element(
        dag.AgGrid,
        id="ob-run-grid",
        className="ob-run-grid",
        rowModelType="infinite",
        columnDefs=[{"colId": "name", "headerName": "Run"}],
        defaultColDef={"resizable": True, "suppressHeaderMenuButton": True},
        getRowId="params.data.uid",
        dashGridOptions={
            "theme": {"function": "obTheme(themeQuartz)"},
            "rowHeight": 30,
            "headerHeight": 32,
            "cacheBlockSize": _BLOCK,
            "maxBlocksInCache": 20,
            # What the grid asks before the island is there is never answered: it must not count.
            "maxConcurrentDatasourceRequests": -1,
            "animateRows": False,
            "suppressMultiSort": True,
            "suppressDragLeaveHidesColumns": True,
            "localeText": {"noRowsToShow": "No run to show."},
        },
        style={"height": "100%", "width": "100%"},
    )
