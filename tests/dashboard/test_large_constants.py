"""Constants of gigabytes in a graph: never copied, never stored twice, never sent."""

from __future__ import annotations

import mmap
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import select

from orgboard_dashboard.graphs.attributes import read_attributes
from orgboard_dashboard.graphs.model import Graph
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.thinned import thinned
from orgboard_dashboard.graphs.tree import build_tree
from orgboard_schema.sql import tables
from orgboard_schema.wire.graph_pb2 import FunctionDef, GraphDef, NodeDef
from orgboard_schema.wire.tensor_pb2 import DT_FLOAT, DT_STRING
from support.boards import Board
from support.graph_defs import logged

GIGABYTE = 1 << 30
MEGABYTE = 1 << 20


def number(value: int) -> bytes:
    """Write a number of variable length."""
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


def field(key: int, body: bytes, more: int = 0) -> bytes:
    """Write a field with a length, of which the last `more` bytes follow later."""
    return number(key << 3 | 2) + number(len(body) + more) + body


def constant(size: int) -> bytes:
    """Return a node with a constant of so many bytes, but for these, which are its end."""
    shape = field(2, field(2, b"\x08" + number(size // 4)))
    value = field(8, b"\x08\x01" + shape + field(4, b"", size), size)
    attribute = field(5, field(1, b"value") + field(2, value, size), size)
    return field(1, field(1, b"big") + field(2, b"Const") + attribute, size)


@contextmanager
def mapped(path: Path, size: int) -> Iterator[memoryview]:
    """Give a graph of a constant of so many bytes, and one node more, from a file with a hole."""
    after = NodeDef(name="after", op="Relu", input=["big"])
    with path.open("wb") as made:
        made.write(constant(size))
        made.seek(size, 1)
        made.write(GraphDef(node=[after]).SerializeToString())
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as found:
        view = memoryview(found)
        try:
            yield view
        finally:
            view.release()


def peak_of(data: bytes | memoryview) -> tuple[Graph, int]:
    """Read a graph, and tell the most that was held for it at a time."""
    tracemalloc.start()
    graph = read_graph(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return graph, peak


def test_a_constant_of_a_gigabyte_is_stepped_over(tmp_path: Path) -> None:
    with mapped(tmp_path / "graph.pb", GIGABYTE) as data:
        assert len(data) > GIGABYTE
        graph, peak = peak_of(data)

    assert graph.names == ("big", "after")
    assert read_attributes(graph.packed[0]) == (("value", "float32 [268435456], 1.1 GB"),)
    assert graph.problems == ()
    assert graph.source.tolist() == [0]
    assert peak < MEGABYTE


def test_what_is_written_by_hand_here_is_what_protobuf_writes() -> None:
    node = NodeDef(name="big", op="Const")
    tensor = node.attr["value"].tensor
    tensor.dtype = DT_FLOAT
    tensor.tensor_shape.dim.add(size=1000)
    tensor.tensor_content = bytes(4000)

    assert constant(4000) + bytes(4000) == GraphDef(node=[node]).SerializeToString()


@pytest.mark.parametrize("form", ["packed", "strings", "listed", "text", "in a function"])
def test_numbers_in_any_form_are_left_out_and_the_rest_is_read(form: str) -> None:
    node = NodeDef(name="n", op="Const", input=["x"])
    node.attr["kept"].i = 7
    tensor = node.attr["value"].tensor
    tensor.dtype = DT_FLOAT
    if form in ("packed", "in a function"):
        tensor.float_val.extend([1.5] * MEGABYTE)
    elif form == "strings":
        tensor.dtype = DT_STRING
        tensor.string_val.extend([b"text"] * MEGABYTE)
    elif form == "listed":
        node.attr["value"].list.tensor.add(dtype=DT_FLOAT, tensor_content=bytes(4 * MEGABYTE))
    else:
        node.attr["value"].s = b"x" * (4 * MEGABYTE)
    graph = GraphDef(node=[] if form == "in a function" else [node])
    if form == "in a function":
        graph.library.function.append(FunctionDef(node_def=[node]))
    data = graph.SerializeToString()

    found, peak = peak_of(data)

    assert len(data) > 4 * MEGABYTE
    assert found.ops[-1] == "Const"
    assert dict(read_attributes(found.packed[-1]))["kept"] == "7"
    assert peak < MEGABYTE


def test_a_text_that_is_cut_says_how_long_it_was() -> None:
    node = NodeDef(name="n", op="Op")
    node.attr["code"].s = "é".encode() * 50_000

    told = NodeDef.FromString(thinned(memoryview(node.SerializeToString())))

    text = told.attr["code"].s.decode()
    assert text.startswith("ééé")
    assert text.endswith("… 100000 bytes in all")
    assert len(text) < 5000


@pytest.mark.parametrize("cut", [1, 100, 70_000])
def test_a_large_node_that_ends_early_costs_itself(cut: int) -> None:
    node = NodeDef(name="n", op="Const")
    node.attr["value"].tensor.tensor_content = bytes(100_000)
    inner = node.SerializeToString()[:-cut]
    data = field(1, inner) + GraphDef(node=[NodeDef(name="after", op="Relu")]).SerializeToString()

    graph = read_graph(data)

    assert graph.names == ("after",)
    assert "cannot be read" in graph.problems[0]


def test_a_graph_with_a_large_constant_is_stored_once_and_not_sent(any_board: Board) -> None:
    size = 32 * MEGABYTE
    data = constant(size) + bytes(size)
    uids = [any_board.log(name, [logged(data)]) for name in ("a", "b")]

    with any_board.engine.connect() as conn:
        stored = conn.execute(select(tables.blob.c.sha256)).all()
    (row,) = any_board.ask("GET", f"/api/ui/v1/r/{uids[0]}/graphs").json()["graphs"]
    at = f"/api/ui/v1/r/{uids[0]}/graphs/{row['sha256']}"
    answers = [any_board.ask("GET", f"{at}/{ask}") for ask in ("scope", "node?path=big", "layers")]

    assert len(stored) == 1
    assert row["size"] == len(data)
    assert [answer.status_code for answer in answers] == [200] * 3
    assert sum(len(answer.content) for answer in answers) < 4000
    assert "float32 [8388608], 33.6 MB" in answers[1].text


def test_the_tree_keeps_nothing_of_it() -> None:
    data = constant(8 * MEGABYTE) + bytes(8 * MEGABYTE)

    tracemalloc.start()
    tree = build_tree(read_graph(data))
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert len(tree.graph.names) == 1
    assert kept < MEGABYTE
