"""The table of runs: sorted and filtered by SQL, a hundred rows at a time.

The grid asks for the rows it shows (`getRowsRequest`) and one callback answers. The
island (`assets/ob/runs.js`) hands it the run filter of the view as its filter model, and
ties its first column to the selection, so that a box here is the box in the run panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dash_ag_grid as dag  # type: ignore[import-untyped]  # it has no stubs
from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from orgboard_dashboard.components.element import element
from orgboard_dashboard.pages.skeletons import island
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.runs import RunPage, RunQuery, RunRow, list_runs
from orgboard_dashboard.services import Services
from orgboard_dashboard.urls import Place, decode_place

__all__ = ["BLOCK", "layout", "query_of", "register", "rows_json"]

BLOCK: Final = 100
"""Rows of one answer: about three screens."""


def layout(place: Place) -> Component:
    """Lay out the table for a project."""
    return island(place, _grid())


def register(app: Dash, services: Services) -> None:
    """Declare the callback that answers for rows."""
    base: str = app.config.requests_pathname_prefix

    @app.callback(
        Output("ob-run-grid", "getRowsResponse"),
        Input("ob-run-grid", "getRowsRequest"),
        State("ob-location", "pathname"),
    )
    async def answer_rows(request: Mapping[str, Any] | None, pathname: str | None) -> Any:
        # Whoever calls by hand may send anything.
        place = decode_place(str(pathname or base), base)
        if not request or place is None or not place.project:
            return no_update
        try:
            query = query_of(request)
            page = await services.ask(list_runs, place.team, place.project, query, services.now())
        except (NotFound, BadQuery):
            # The run panel beside the table says what is wrong.
            return {"rowData": [], "rowCount": 0}
        return rows_json(page)


def query_of(request: Mapping[str, Any]) -> RunQuery:
    """Read what the grid asks for: rows, order, and the filter on the name.

    Raises:
        BadQuery: the request is none that our grid sends.
    """
    try:
        start, end = int(request["startRow"]), int(request["endRow"])
        order = (request.get("sortModel") or [{"colId": "started", "sort": "desc"}])[0]
        sign = "-" if order["sort"] == "desc" else ""
        model = request.get("filterModel") or {}
        name = str((model.get("name") or {}).get("filter", ""))
        # A column that nobody sees: the island says by its filter what else is listed.
        archived = (model.get("archived_at") or {}).get("filter") == "shown"
        return RunQuery(name, f"{sign}{order['colId']}", start, end - start, archived)
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise BadQuery("The table asked for rows in a way that is not known here.") from error


def rows_json(page: RunPage) -> dict[str, Any]:
    """Give the grid its rows, and how many there are in all."""
    return {"rowData": [_row(row) for row in page.runs], "rowCount": page.matching}


def _row(row: RunRow) -> dict[str, Any]:
    return {
        "uid": row.uid,
        "name": row.name,
        "display_name": row.display_name,
        "color": row.chosen_color or row.color,
        "starred": row.starred,
        "archived_at": row.archived_at,
        "tags": list(row.tags),
        "note": row.note,
        "status": row.status,
        "damaged": row.damaged,
        "started": row.started,
        "last_event": row.last_event,
        "last_step": row.last_step,
        "points": row.points,
        "gaps": row.gaps,
        "attempts": row.attempts,
        "hparams": dict(row.hparams),
    }


def _grid() -> Component:
    return element(
        dag.AgGrid,
        id="ob-run-grid",
        className="ob-run-grid",
        rowModelType="infinite",
        columnDefs=_columns(),
        defaultColDef={"resizable": True, "suppressHeaderMenuButton": True},
        getRowId="params.data.uid",
        dashGridOptions={
            "theme": {"function": "obTheme(themeQuartz)"},
            "rowHeight": 30,
            "headerHeight": 32,
            "cacheBlockSize": BLOCK,
            "maxBlocksInCache": 20,
            "animateRows": False,
            "suppressMultiSort": True,
            "suppressDragLeaveHidesColumns": True,
        },
        style={"height": "100%", "width": "100%"},
    )


def _columns() -> list[dict[str, Any]]:
    """Describe the columns. Formatting is the browser's: numbers and times as it writes them."""
    return [
        {
            "colId": "shown",
            "headerName": "",
            "width": 40,
            "pinned": "left",
            "resizable": False,
            "valueFormatter": {"function": "obShown(params)"},
            "cellClass": {"function": "obShownClass(params)"},
        },
        {
            **_column("name", "Run", 220, "obRunName"),
            "pinned": "left",
            "filter": "agTextColumnFilter",
            "suppressHeaderFilterButton": True,
            "cellClass": "ob-cell-name",
            "cellStyle": {"function": "obRunStyle(params)"},
            "tooltipField": "name",
        },
        {
            **_column("status", "Status", 105, "obStatus"),
            "cellClass": {"function": "obStatusClass(params)"},
        },
        # Never shown: its filter says whether what was put aside is listed.
        {
            **_column("archived_at", "Archived", 115, "obAgo"),
            "hide": True,
            "filter": "agTextColumnFilter",
            "sortable": False,
        },
        _column("started", "Started", 115, "obAgo"),
        {**_column("duration", "Duration", 90, "obDuration"), "sortable": False},
        _column("last_step", "Last step", 95, "obCount", right=True),
        _column("points", "Points", 90, "obCount", right=True),
        _column("gaps", "Gaps", 65, "obSome", right=True),
        _column("attempts", "Attempts", 85, "obCount", right=True),
        {
            **_column("hparams", "Hyperparameters", 420, "obHparams"),
            "sortable": False,
            "flex": 1,
            "minWidth": 220,
        },
    ]


def _column(
    field: str, title: str, width: int, formatter: str, *, right: bool = False
) -> dict[str, Any]:
    return {
        "field": field,
        "headerName": title,
        "width": width,
        "sortable": True,
        "valueFormatter": {"function": f"{formatter}(params)"},
        **({"type": "rightAligned"} if right else {}),
    }
