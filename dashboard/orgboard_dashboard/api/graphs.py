"""Computation graphs as JSON: one opened scope at a time, and what is asked of nodes."""

from __future__ import annotations

import re
from typing import Any, Final, get_args

from fastapi import APIRouter
from sqlalchemy import Connection
from starlette.responses import Response

from orgboard_dashboard.api.answers import answer, plain
from orgboard_dashboard.graphs.asked import card_of, find, layers, trace
from orgboard_dashboard.graphs.difference import compare, states_of
from orgboard_dashboard.graphs.opened import open_scope
from orgboard_dashboard.graphs.stats import By, Of, Stats, ranked
from orgboard_dashboard.graphs.tree import Item, Tree
from orgboard_dashboard.queries.errors import BadQuery, NotFound
from orgboard_dashboard.queries.graphs import find_stats, find_tree, list_graphs
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
        return answer(await services.ask(list_graphs, uid))

    @router.get("/{sha256}/scope")
    async def scope(
        uid: str, sha256: str, path: str = "", to: str = "", base: str = "", stats: str = ""
    ) -> Response:
        return answer(await services.ask(_scope, uid, sha256, path, to, base, stats))

    @router.get("/{sha256}/node")
    async def node(uid: str, sha256: str, path: str, stats: str = "") -> Response:
        return answer(await services.ask(_card, uid, sha256, path, stats))

    @router.get("/{sha256}/search")
    async def search(uid: str, sha256: str, q: str) -> Response:
        return answer(await services.ask(_search, uid, sha256, q))

    @router.get("/{sha256}/trace")
    async def traced(uid: str, sha256: str, path: str, way: str = "inputs") -> Response:
        return answer(await services.ask(_trace, uid, sha256, path, way))

    @router.get("/{sha256}/layers")
    async def layered(uid: str, sha256: str) -> Response:
        return answer(await services.ask(_layers, uid, sha256))

    @router.get("/{sha256}/measured")
    async def measured(
        uid: str, sha256: str, stats: str, of: str = "nodes", by: str = "time"
    ) -> Response:
        return answer(await services.ask(_measured, uid, sha256, stats, of, by))

    @router.get("/{sha256}/difference")
    async def difference(uid: str, sha256: str, to: str, base: str) -> Response:
        return answer(await services.ask(_difference, uid, sha256, to, base))

    return router


def _tree(viewer: Viewer, conn: Connection, uid: str, sha256: str) -> Tree:
    if not _SHA256.fullmatch(sha256):
        raise NotFound
    return find_tree(viewer, conn, uid, sha256)


def _stats(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, stats: str
) -> tuple[Tree, Stats | None]:
    """Return a graph, and what `stats` measured of its nodes when it is named."""
    if not stats:
        return _tree(viewer, conn, uid, sha256), None
    if not _SHA256.fullmatch(sha256) or not _SHA256.fullmatch(stats):
        raise NotFound
    return find_stats(viewer, conn, uid, sha256, stats)


def _item(tree: Tree, path: str) -> Item:
    item = tree.find(path)
    if item is None:
        raise NotFound
    return item


def _scope(
    viewer: Viewer,
    conn: Connection,
    uid: str,
    sha256: str,
    path: str,
    to: str,
    base: str,
    stats: str,
) -> dict[str, Any]:
    """Open a scope; beside another graph its children say what changed in them, and with run
    metadata what they took."""
    tree, told = _stats(viewer, conn, uid, sha256, stats)
    item = _item(tree, path)
    if item.kind == "node":
        raise BadQuery("That is a node: it has nothing inside.")
    opened = plain(open_scope(tree, item))
    if to:
        found = compare(_tree(viewer, conn, to, base), tree)
        for child in opened["children"]:
            child["changes"] = states_of(found, _item(tree, child["path"]))
    if told:
        for child, at in zip(opened["children"], item.children.tolist(), strict=False):
            child["took"] = told.figures(tree.items[at])
    if not path:
        opened |= _of_the_whole(tree)
        if told:
            opened["measured"] = told.summary()
    return dict(opened)


def _of_the_whole(tree: Tree) -> dict[str, Any]:
    return {
        "problems": tree.problems,
        "graph": tree.graph.kind,
        "parameters": int(tree.parameters[-1]),
        "edges_in_all": len(tree.graph.source),
        "uncounted": tree.graph.uncounted,
        "has_clusters": any(tree.graph.clusters),
    }


def _card(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, path: str, stats: str
) -> dict[str, Any]:
    tree, told = _stats(viewer, conn, uid, sha256, stats)
    item = _item(tree, path)
    card = dict(plain(card_of(tree, item)))
    return card | ({"took": told.detail(tree, item)} if told else {})


def _measured(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, stats: str, of: str, by: str
) -> dict[str, Any]:
    """Return what of a graph took most, nodes or scopes."""
    ofs: dict[str, Of] = {one: one for one in get_args(Of)}
    bys: dict[str, By] = {one: one for one in get_args(By)}
    if of not in ofs or by not in bys:
        raise BadQuery("`of` is nodes or scopes, `by` is time or memory.")
    tree, told = _stats(viewer, conn, uid, sha256, stats)
    if told is None:
        raise NotFound
    return {"rows": ranked(tree, told, ofs[of], bys[by])}


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
