"""Computation graphs made by hand, and how they are logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.tree import Tree, build_tree
from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.types import Blob, Media
from orgboard_schema.wire.graph_pb2 import GraphDef
from support.boards import values

__all__ = ["CHAIN", "RUN_GRAPH", "Row", "graph_def", "logged", "model", "tree_of"]

RUN_GRAPH = "__run_graph__"

Row: TypeAlias = tuple[str, str, Sequence[str]] | tuple[str, str, Sequence[str], Sequence[int]]

CHAIN: list[Row] = [
    ("input", "Placeholder", (), (2, 8)),
    ("net/dense/kernel", "VariableV2", (), (8, 4)),
    ("net/dense/MatMul", "MatMul", ("input", "net/dense/kernel"), (2, 4)),
    ("net/relu", "Relu", ("net/dense/MatMul",), (2, 4)),
    ("loss", "Mean", ("net/relu", "^input"), ()),
]
"""A network of one layer."""


def graph_def(rows: Iterable[Row]) -> bytes:
    """Return a graph of (name, op, inputs) or (name, op, inputs, shape of the output)."""
    graph = GraphDef()
    for name, op, inputs, *shape in rows:
        node = graph.node.add(name=name, op=op, input=inputs)
        for sizes in shape:
            dims = node.attr["_output_shapes"].list.shape.add().dim
            for size in sizes:
                dims.add(size=size)
    return graph.SerializeToString()


def tree_of(rows: Iterable[Row]) -> Tree:
    """Return the tree of a graph."""
    return build_tree(read_graph(graph_def(rows)))


def model(blocks: int, layers: int) -> bytes:
    """Return a model of alike blocks, one after the other, as people log them."""
    rows: list[Row] = [("input", "Placeholder", (), (8, 16))]
    last = "input"
    for block in range(blocks):
        for layer in range(layers):
            scope = f"encoder/block_{block}/layer_{layer}"
            rows += [
                (f"{scope}/kernel", "VariableV2", (), (16, 16)),
                (f"{scope}/MatMul", "MatMul", (last, f"{scope}/kernel"), (8, 16)),
                (f"{scope}/Relu", "Relu", (f"{scope}/MatMul",), (8, 16)),
            ]
            last = f"{scope}/Relu"
    return graph_def([*rows, ("output", "Identity", (last,), (8, 16))])


def logged(data: bytes, tag: str = RUN_GRAPH) -> NewChunk:
    """Return a graph as a point of a series."""
    kind = "application/json" if data[:1] == b"{" else "application/x-protobuf"
    return values(tag, "graph", [Media((Blob(data, kind),))])
