"""The table of runs: found and sorted by the server, a hundred rows at a time.

The grid asks for the rows it shows (`getRowsRequest`) and one callback answers. The island gives
it its columns (`assets/ob/columns.js`), hands it the run filter of the view as its filter model,
and ties its first column to the selection, so that a box here is the box in the run panel.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import dash_ag_grid as dag  # type: ignore[import-untyped]  # it has no stubs
from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from orgboard_dashboard.api.answers import spelled
from orgboard_dashboard.components.element import element
from orgboard_dashboard.pages.skeletons import island
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.language import AGGREGATES
from orgboard_dashboard.queries.runs import MAX_METRICS, RunPage, RunQuery, RunRow, list_runs
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
        State("ob-run-grid", "columnDefs"),
    )
    async def answer_rows(
        request: Mapping[str, Any] | None, pathname: str | None, columns: Any
    ) -> Any:
        # Whoever calls by hand may send anything.
        place = decode_place(str(pathname or base), base)
        if not request or place is None or not place.project:
            return no_update
        try:
            query = query_of(request, columns)
            page = await services.ask(list_runs, place.team, place.project, query, services.now())
        except (NotFound, BadQuery):
            # The run panel beside the table says what is wrong.
            return {"rowData": [], "rowCount": 0}
        return rows_json(page)


def query_of(request: Mapping[str, Any], columns: Any = ()) -> RunQuery:
    """Read what the grid asks for: rows, order, the filter, and what its columns show of metrics.

    Raises:
        BadQuery: the request is none that our grid sends.
    """
    try:
        start, end = int(request["startRow"]), int(request["endRow"])
        order = (request.get("sortModel") or [{"colId": "started", "sort": "desc"}])[0]
        sign = "-" if order["sort"] == "desc" else ""
        model = request.get("filterModel") or {}
        # A column that nobody sees: the island says by its filter what else is listed.
        archived = (model.get("put_aside") or {}).get("filter") == "shown"
        name = model.get("name") or {}
        keys = [str(column["colId"]) for column in columns or ()]
        return RunQuery(
            q=str(name.get("filter", "")),
            sort=f"{sign}{order['colId']}",
            offset=start,
            limit=end - start,
            metrics=tuple(key for key in keys if key.startswith(_METRIC_KEYS))[:MAX_METRICS],
            archived=archived,
        )
    except (LookupError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        raise BadQuery("The table asked for rows in a way that is not known here.") from error


_METRIC_KEYS: Final = tuple(f"{aggregate}:" for aggregate in AGGREGATES)


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
        "files": row.files,
        "hparams": dict(row.hparams),
        # JSON has no NaN; the browser makes numbers of these words again.
        "metrics": {key: spelled(value) for key, value in row.metrics.items()},
    }


def _grid() -> Component:
    return element(
        dag.AgGrid,
        id="ob-run-grid",
        className="ob-run-grid",
        rowModelType="infinite",
        # The island gives it the columns of the view; to filter, this one must be there before.
        columnDefs=[{"colId": "name", "headerName": "Run", "filter": "agTextColumnFilter"}],
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
            "localeText": {
                "noMatchingRows": "No run matches the filter.",
                "noRowsToShow": "No runs yet.",
            },
        },
        style={"height": "100%", "width": "100%"},
    )
