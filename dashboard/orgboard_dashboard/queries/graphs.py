"""The graphs that a run logged, and each as a tree of scopes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.graphs.reading import Shelf, kind_in_words
from orgboard_dashboard.graphs.tree import Tree
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.values import find_blob
from orgboard_dashboard.queries.visible import find_run
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import SeriesHead, decode_heads, head_rows
from orgboard_schema.blocks.series import StoredMedia
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.text import from_sql

__all__ = ["GraphRow", "find_tree", "list_graphs"]

_MAX_LISTED: Final = 200
_MEASURED: Final = frozenset({"graph_run_metadata", "graph_tagged_run_metadata"})
"""How long nodes took, which is no graph."""
_SHELF: Final = Shelf()


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One graph of a run."""

    tag: str
    plugin: str
    words: str
    sha256: str
    size: int
    step: int


def list_graphs(viewer: Viewer, conn: Connection, uid: str) -> tuple[GraphRow, ...]:
    """Return the newest graph of every tag, the run's own first.

    Raises:
        NotFound: there is no such run, or `viewer` may not see it.
    """
    run_id = find_run(viewer, conn, uid)
    heads = _graph_heads(conn, run_id)
    tag_ids = [head.tag_id for head in heads]
    names = tag_names(conn, set(tag_ids))
    data = read.series(conn, run_id, [(tag_id, "graph") for tag_id in tag_ids])
    plugins = _plugins(conn, heads)
    rows = []
    for tag_id in tag_ids:
        if plugins[tag_id] in _MEASURED:
            continue
        series = data[tag_id, "graph"]
        for at in reversed(range(len(series.values))):
            value = series.values[at]
            if not isinstance(value, StoredMedia) or not value.blobs:
                continue
            tag, plugin = names.get(tag_id, ""), plugins.get(tag_id, "")
            blob = value.blobs[0]
            words = kind_in_words(plugin, tag)
            rows.append(
                GraphRow(tag, plugin, words, blob.sha256.hex(), blob.size, int(series.step[at]))
            )
            break
    rows.sort(key=lambda row: (not row.tag.startswith("__run"), row.tag.startswith("__"), row.tag))
    return tuple(rows)


def find_tree(viewer: Viewer, conn: Connection, uid: str, sha256: str) -> Tree:
    """Return a graph of a run with its scopes.

    Raises:
        NotFound: the run has no such graph, or `viewer` may not see the run.
    """
    row = next((row for row in list_graphs(viewer, conn, uid) if row.sha256 == sha256), None)
    if row is None:
        raise NotFound
    return _SHELF.get(
        sha256,
        row.plugin,
        row.tag,
        lambda: find_blob(viewer, conn, uid, bytes.fromhex(sha256))[0],
    )


def _graph_heads(conn: Connection, run_id: int) -> list[SeriesHead]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar()
    rows = head_rows(decode_heads(payload)) if payload else []
    return [row for row in rows if row.kind == "graph"][:_MAX_LISTED]


def _plugins(conn: Connection, heads: Sequence[SeriesHead]) -> dict[int, str]:
    """Return the plugin that wrote each tag."""
    columns = tables.metadata.c
    ids = {head.metadata_id for head in heads}
    query = select(columns.metadata_id, columns.plugin).where(columns.metadata_id.in_(ids))
    named = {number: from_sql(plugin) for number, plugin in conn.execute(query)}
    return {head.tag_id: named.get(head.metadata_id, "") for head in heads}
