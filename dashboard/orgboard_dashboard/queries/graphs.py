"""The graphs that a run logged, and each as a tree of scopes.

Where a run is named, an opened file may be (`graph_uploads`): it is looked at, and compared, alike.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, select

from orgboard_dashboard.graphs.kept import Kept
from orgboard_dashboard.graphs.measured import read_measured
from orgboard_dashboard.graphs.reading import Shelf, kind_in_words
from orgboard_dashboard.graphs.stats import Stats, join
from orgboard_dashboard.graphs.tree import Tree
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.graph_uploads import find_upload, graph_bytes, is_upload
from orgboard_dashboard.queries.values import find_blob
from orgboard_dashboard.queries.visible import find_run
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.blocks.heads import SeriesHead, decode_heads, head_rows
from orgboard_schema.blocks.series import StoredMedia
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.text import from_sql

__all__ = ["GraphRow", "LoggedGraphs", "find_stats", "find_tree", "list_graphs"]

_MAX_LISTED: Final = 200
_MEASURED: Final = frozenset({"graph_run_metadata", "graph_tagged_run_metadata"})
"""How long nodes took."""
_NO_GRAPH: Final = "graph_tagged_run_metadata"
"""As in TensorBoard: what `trace_export` wrote has graphs of functions, too, this has none."""
_SHELF: Final = Shelf()
_STATS: Final[Kept[tuple[str, str, str, str], Stats]] = Kept(
    16, 1_000_000, lambda stats: len(stats.times) + len(stats.nodes)
)


@dataclass(frozen=True, slots=True)
class GraphRow:
    """One graph of a run."""

    tag: str
    plugin: str
    words: str
    sha256: str
    size: int
    step: int


@dataclass(frozen=True, slots=True)
class LoggedGraphs:
    """The newest of every tag of a run."""

    graphs: tuple[GraphRow, ...]
    """The run's own first."""
    measured: tuple[GraphRow, ...]
    """Run metadata, the latest step first."""


def list_graphs(viewer: Viewer, conn: Connection, uid: str) -> LoggedGraphs:
    """Return the graphs that a run logged, and the run metadata that tells of their nodes.

    Raises:
        NotFound: there is no such run, or `viewer` may not see it.
    """
    if is_upload(uid):
        return LoggedGraphs((_file_row(viewer, conn, uid),), ())
    run_id = find_run(viewer, conn, uid)
    heads = _graph_heads(conn, run_id)
    plugins = _plugins(conn, heads)
    return LoggedGraphs(
        _graph_rows(conn, run_id, heads, plugins), _measured_rows(conn, run_id, heads, plugins)
    )


def _file_row(viewer: Viewer, conn: Connection, uid: str) -> GraphRow:
    file = find_upload(viewer, conn, uid)
    return GraphRow("", "graphs", file.words, file.sha256, file.file_size, 0)


def _graph_rows(
    conn: Connection, run_id: int, heads: list[SeriesHead], plugins: dict[int, str]
) -> tuple[GraphRow, ...]:
    # A profiled run has a tag for each step, which must not push its graph out.
    some = [head.tag_id for head in heads if plugins[head.tag_id] != _NO_GRAPH][:_MAX_LISTED]
    return tuple(sorted(_newest(conn, run_id, some, plugins), key=_place))


def _measured_rows(
    conn: Connection, run_id: int, heads: list[SeriesHead], plugins: dict[int, str]
) -> tuple[GraphRow, ...]:
    steps = [head for head in heads if plugins[head.tag_id] in _MEASURED]
    steps.sort(key=lambda head: -head.last_step)
    rows = _newest(conn, run_id, [head.tag_id for head in steps[:_MAX_LISTED]], plugins)
    return tuple(sorted(rows, key=lambda row: (-row.step, row.tag)))


def _place(row: GraphRow) -> tuple[bool, bool, bool, str]:
    """Put the run's own graph first, and what may have none last."""
    named = row.tag.startswith("__")
    return (row.plugin in _MEASURED, not row.tag.startswith("__run"), named, row.tag)


def _newest(
    conn: Connection, run_id: int, tag_ids: list[int], plugins: dict[int, str]
) -> list[GraphRow]:
    """Return the newest point of each tag that has bytes."""
    names = tag_names(conn, set(tag_ids))
    data = read.series(conn, run_id, [(tag_id, "graph") for tag_id in tag_ids])
    rows = []
    for tag_id in tag_ids:
        series = data[tag_id, "graph"]
        for at in reversed(range(len(series.values))):
            value = series.values[at]
            if not isinstance(value, StoredMedia) or not value.blobs:
                continue
            tag, plugin = names.get(tag_id, ""), plugins.get(tag_id, "")
            blob = value.blobs[0]
            words, step = kind_in_words(plugin, tag), int(series.step[at])
            rows.append(GraphRow(tag, plugin, words, blob.sha256.hex(), blob.size, step))
            break
    return rows


def find_tree(viewer: Viewer, conn: Connection, uid: str, sha256: str) -> Tree:
    """Return a graph of a run with its scopes.

    Raises:
        NotFound: the run has no such graph, or `viewer` may not see the run.
    """
    if is_upload(uid):
        return _tree(viewer, conn, uid, _with((_file_row(viewer, conn, uid),), sha256))
    run_id = find_run(viewer, conn, uid)
    heads = _graph_heads(conn, run_id)
    rows = _graph_rows(conn, run_id, heads, _plugins(conn, heads))
    return _tree(viewer, conn, uid, _with(rows, sha256))


def find_stats(
    viewer: Viewer, conn: Connection, uid: str, sha256: str, stats: str
) -> tuple[Tree, Stats]:
    """Return a graph of a run, and what its run metadata `stats` tells of its nodes.

    Raises:
        NotFound: the run has no such graph or metadata, or `viewer` may not see the run.
    """
    logged = list_graphs(viewer, conn, uid)
    row, told = _with(logged.graphs, sha256), _with(logged.measured, stats)
    tree = _tree(viewer, conn, uid, row)

    def make() -> Stats:
        data, _ = find_blob(viewer, conn, uid, bytes.fromhex(told.sha256))
        return join(tree, read_measured(data))

    return tree, _STATS.get((row.sha256, row.plugin, row.tag, told.sha256), make)


def _with(rows: tuple[GraphRow, ...], sha256: str) -> GraphRow:
    row = next((row for row in rows if row.sha256 == sha256), None)
    if row is None:
        raise NotFound
    return row


def _tree(viewer: Viewer, conn: Connection, uid: str, row: GraphRow) -> Tree:
    def load() -> bytes:
        if is_upload(uid):
            return graph_bytes(viewer, conn, uid)
        return find_blob(viewer, conn, uid, bytes.fromhex(row.sha256))[0]

    return _SHELF.get(row.sha256, row.plugin, row.tag, load)


def _graph_heads(conn: Connection, run_id: int) -> list[SeriesHead]:
    head = tables.run_head.c
    payload = conn.execute(select(head.payload).where(head.run_id == run_id)).scalar()
    rows = head_rows(decode_heads(payload)) if payload else []
    return [row for row in rows if row.kind == "graph"]


def _plugins(conn: Connection, heads: Sequence[SeriesHead]) -> dict[int, str]:
    """Return the plugin that wrote each tag."""
    columns = tables.metadata.c
    ids = {head.metadata_id for head in heads}
    query = select(columns.metadata_id, columns.plugin).where(columns.metadata_id.in_(ids))
    named = {number: from_sql(plugin) for number, plugin in conn.execute(query)}
    return {head.tag_id: named.get(head.metadata_id, "") for head in heads}
