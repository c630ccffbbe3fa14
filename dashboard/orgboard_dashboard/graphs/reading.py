"""Stored bytes, whatever they are, as a graph with its scopes; the last few are kept."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from orgboard_dashboard.graphs.graph_def import read_graph_def, read_meta_graph, read_run_graphs
from orgboard_dashboard.graphs.kept import Kept
from orgboard_dashboard.graphs.keras import read_keras
from orgboard_dashboard.graphs.model import Graph
from orgboard_dashboard.graphs.tree import Tree, build_tree

__all__ = ["Shelf", "kind_in_words", "read_graph"]

META_GRAPH_TAG: Final = "__meta_graph__"

_WORDS: Final = {
    "graph_meta": "graph of a saved model",
    "graph_keras_model": "Keras model",
    "graph_run_metadata_graph": "graph of a traced function",
    "graph_run_metadata": "graph of a traced function",
}


def kind_in_words(plugin: str, tag: str) -> str:
    """Say what a plugin's graph is."""
    return _WORDS.get("graph_meta" if tag == META_GRAPH_TAG else plugin, "graph")


def read_graph(data: bytes | memoryview, plugin: str = "graphs", tag: str = "") -> Graph:
    """Return the graph that stored bytes say, as far as they are sound."""
    if data[:1] == b"{":
        return read_keras(bytes(data))
    if plugin == "graph_meta" or tag == META_GRAPH_TAG:
        return read_meta_graph(data)
    if plugin in ("graph_run_metadata_graph", "graph_run_metadata"):
        return read_run_graphs(data)
    return read_graph_def(data)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Look for no cycles meanwhile: a tree has none, and to look takes a fifth of the time."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


class Shelf:
    """Trees of graphs that were asked for of late, by the hash of their bytes."""

    def __init__(self, most_graphs: int = 8, most_nodes: int = 400_000) -> None:
        self._kept: Kept[tuple[str, str, str], Tree] = Kept(
            most_graphs, most_nodes, lambda tree: len(tree.graph.names)
        )

    def get(self, sha256: str, plugin: str, tag: str, load: Callable[[], bytes]) -> Tree:
        """Return the tree of a graph; its bytes are loaded only when it is not here."""

        def make() -> Tree:
            data = load()
            with _without_collecting():
                return build_tree(read_graph(data, plugin, tag))

        return self._kept.get((sha256, plugin, tag), make)
