"""Computation graphs as JSON: one opened scope at a time, and what is asked of nodes."""

from __future__ import annotations

import re
from typing import Any, Final

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.graphs.asked import card_of, find, layers, trace
from orgboard_dashboard.graphs.difference import compare, states_of
from orgboard_dashboard.graphs.opened import open_scope
from orgboard_dashboard.graphs.tree import Item, Tree
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.graphs import find_tree, list_graphs
from orgboard_dashboard.queries.patterns import matcher
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer

__all__ = ["routes"]

_SHA256: Final = re.compile("[0-9a-f]{64}")


def routes(services: Services) -> APIRouter:
    """Return the routes, answering through `services`."""
    router = APIRouter(prefix="/api/ui/v1/r/{uid}/graphs")

    @router.get("")
    async def graphs(uid: str) -> Response:
        return answer({"graphs": await services.ask(list_graphs, uid)})

    @router.get("/{sha256}/scope")
    async def scope(
        uid: str, sha256: str, path: str = "", to: str = "", base: str = ""
    ) -> Response:
        return answer(await services.ask(_scope, uid, sha256, path, to, base))

    @router.get("/{sha256}/node")
    async def node(uid: str, sha256: str, path: str) -> Response:
        return answer(await services.ask(_card, uid, sha256, path))

    @router.get("/{sha256}/search")
    async def search(uid: str, sha256: str, q: str) -> Response:
        return answer(await services.ask(_search, uid, sha256, q))

    @router.get("/{sha256}/trace")
    async def traced(uid: str, sha256: str, path: str, way: str = "inputs") -> Response:
        return answer(await services.ask(_trace, uid, sha256, path, way))

    @router.get("/{sha256}/layers")
    async def layered(uid: str, sha256: str) -> Response:
        return answer(await services.ask(_layers, uid, sha256))

    @router.get("/{sha256}/difference")
    async def difference(uid: str, sha256: str, to: str, base: str) -> Response:
        return answer(await services.ask(_difference, uid, sha256, to, base))

    return router


def _tree(viewer: Viewer, conn: Connection, uid: str, sha256: str) -> Tree:
    if not _SHA256.fullmatch(sha256):
        raise NotFound
    return find_tree(viewer, conn, uid, sha256)


def _item(tree: Tree, path: str) -> Item:
    item = tree.find(path)
    if item is None:
        raise NotFound
    return item


def _scope(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, path: str, to: str, base: str
) -> dict[str, Any]:
    """Open a scope; beside another graph its children say what changed in them."""
    tree = _tree(viewer, conn, uid, sha256)
    item = _item(tree, path)
    if item.kind == "node":
        raise BadQuery("That is a node: it has nothing inside.")
    opened = plain(open_scope(tree, item))
    if to:
        found = compare(_tree(viewer, conn, to, base), tree)
        for child in opened["children"]:
            child["changes"] = states_of(found, _item(tree, child["path"]))
    if not path:
        opened["problems"] = tree.problems
        opened["graph"] = tree.graph.kind
        opened["parameters"] = int(tree.parameters[-1])
        opened["edges_in_all"] = len(tree.graph.source)
        opened["uncounted"] = tree.graph.uncounted
        opened["has_clusters"] = any(tree.graph.clusters)
    return dict(opened)


def _card(viewer: Viewer, conn: Connection, uid: str, sha256: str, path: str) -> Any:
    tree = _tree(viewer, conn, uid, sha256)
    return card_of(tree, _item(tree, path))


def _search(viewer: Viewer, conn: Connection, uid: str, sha256: str, q: str) -> dict[str, Any]:
    found, total = find(_tree(viewer, conn, uid, sha256), matcher(q))
    return {"found": found, "total": total}


def _trace(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, path: str, way: str
) -> dict[str, Any]:
    if way not in ("inputs", "outputs"):
        raise BadQuery("`way` is inputs or outputs.")
    tree = _tree(viewer, conn, uid, sha256)
    paths, total = trace(tree, _item(tree, path), forward=way == "outputs")
    return {"paths": paths, "total": total}


def _layers(viewer: Viewer, conn: Connection, uid: str, sha256: str) -> dict[str, Any]:
    tree = _tree(viewer, conn, uid, sha256)
    listed, total, parameters = layers(tree)
    told = {"parameters": parameters, "uncounted": tree.graph.uncounted}
    return {"layers": listed, "total": total, **told}


def _difference(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, to: str, base: str
) -> dict[str, Any]:
    """Compare with the graph `base` of the run `to`, which is what it was before."""
    found = compare(_tree(viewer, conn, to, base), _tree(viewer, conn, uid, sha256))
    return {
        "changes": found.changes,
        "counts": found.counts,
        "parameters": found.parameters,
        "scopes": found.scopes,
    }
