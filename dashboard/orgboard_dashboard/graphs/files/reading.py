"""Tell what a file is, by what is in it, and read it as the graph that is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import PurePath
from typing import Final

from orgboard_dashboard.graphs.files.binary import (
    kind_of,
    thinned_graph,
    thinned_meta_graph,
    thinned_saved_model,
)
from orgboard_dashboard.graphs.files.kinds import EXPECTED, EXPECTED_ANY, FileKind
from orgboard_dashboard.graphs.files.onnx import graph_of_onnx
from orgboard_dashboard.graphs.files.refused import MAX_NODES, NotAGraph, too_many
from orgboard_dashboard.graphs.files.text import read_text
from orgboard_dashboard.graphs.model import shown
from orgboard_dashboard.graphs.reading import read_graph

__all__ = ["GraphFile", "read_file"]

_OTHERS: Final = (
    (0, b"PK\x03\x04", "a zip archive, as .keras and .pt files are: save the model as ONNX"),
    (0, b"\x89HDF", "an HDF5 file: save the model's model.to_json() as a .json file"),
    (0, b"\x1f\x8b", "packed with gzip: unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
    (4, b"TFL3", "a TensorFlow Lite model, which is not read here"),
    (0, b"\x89PNG", "a picture"),
    (0, b"\xff\xd8\xff", "a picture"),
    (0, b"%PDF", "a PDF document"),
)  # fmt: skip
"""What people have beside their graphs: where in it which bytes tell, and what to do."""

_SNIFFED_BYTES: Final = 4096
_MOST_JSON_BYTES: Final = 8 << 20
"""Larger than any model's description; as objects it takes ten times as much."""


@dataclass(frozen=True, slots=True)
class GraphFile:
    """A graph as it is kept, and what the file was."""

    kind: FileKind
    graph: bytes


def read_file(name: str, data: bytes) -> GraphFile:
    """Read a file that is called `name`.

    Raises:
        NotAGraph: it is none, or a broken or too large one; the message is for whoever opened it.
    """
    try:
        found = _read(data)
        read = read_graph(found.graph)
        if not read.names:
            what = (
                "layers: what model.to_json() gives has some" if found.kind == "keras" else "node"
            )
            raise NotAGraph(read.problems[0].rstrip(".") if read.problems else f"it has no {what}")
        if len(read.names) > MAX_NODES:
            raise too_many()
    except NotAGraph as error:
        expected = EXPECTED.get(PurePath(name).suffix.lower(), EXPECTED_ANY)
        raise NotAGraph(f"{shown(name)} cannot be opened as {expected}: {error}.") from error
    return found


def _read(data: bytes) -> GraphFile:
    if not data.strip():
        raise NotAGraph("it is empty")
    for at, magic, words in _OTHERS:
        if data.startswith(magic, at):
            raise NotAGraph(f"it is {words}")
    if _is_text(data):
        if data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
            return _keras(data.lstrip(b"\xef\xbb\xbf \t\r\n"))
        kind, message = read_text(data.removeprefix(b"\xef\xbb\xbf"))
        return GraphFile("graph_text", _thinned(kind, memoryview(message)))
    kind = kind_of(memoryview(data))
    if kind == "onnx":
        return GraphFile(kind, graph_of_onnx(data))
    return GraphFile(kind, _thinned(kind, memoryview(data)))


def _thinned(kind: FileKind, data: memoryview) -> bytes:
    if kind == "meta_graph":
        return thinned_meta_graph(data)
    return thinned_saved_model(data) if kind == "saved_model" else thinned_graph(data)


def _keras(data: bytes) -> GraphFile:
    if len(data) > _MOST_JSON_BYTES:
        raise NotAGraph(f"it is JSON of more than {_MOST_JSON_BYTES >> 20} MB")
    return GraphFile("keras", data)


def _is_text(data: bytes) -> bool:
    """Whether its beginning is text: no character that no text has."""
    head = data[:_SNIFFED_BYTES]
    if any(byte < 32 and byte not in b"\t\n\r\f" for byte in head):
        return False
    # The last character may be cut.
    return len(head.decode("utf-8", "ignore").encode()) >= len(head) - 3
