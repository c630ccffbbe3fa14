"""OpenVINO's XML as the graph that tensorboardX makes of it: a node for each edge."""

from __future__ import annotations

from os import PathLike, fspath
from pathlib import Path
from typing import BinaryIO
from xml.parsers import expat

from orgboard._graphs.graph_def import Node, text

__all__ = ["read_openvino"]


def read_openvino(path: str | PathLike[str]) -> list[Node]:
    """Read the layers and edges of a model's XML file.

    Raises:
        OSError, ValueError: it cannot be read, or is no such file.
    """
    with Path(fspath(path)).open("rb") as file:
        return _read(file)


def _read(file: BinaryIO) -> list[Node]:
    layers: dict[str, str] = {}
    edges: list[tuple[str, str]] = []
    inside: list[str] = []

    def start(element: str, attributes: dict[str, str]) -> None:
        inside.append(element)
        # Not those of a layer that has layers itself, such as a loop.
        if inside[1:] == ["layers", "layer"]:
            layers[attributes["id"]] = attributes["name"]
        elif inside[1:] == ["edges", "edge"]:
            edges.append((attributes["from-layer"], attributes["to-layer"]))

    def end(_element: str) -> None:
        inside.pop()

    def refuse(*_: object) -> None:
        # A document type may define entities that grow without bound, or read other files.
        raise ValueError("an OpenVINO model has no document type")

    parser = expat.ParserCreate()
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.StartDoctypeDeclHandler = refuse
    try:
        parser.ParseFile(file)
        found = [(layers[to], layers[source]) for source, to in edges]
    except (expat.ExpatError, KeyError) as error:
        raise ValueError(f"not an OpenVINO model: {error}") from error
    return [Node(name, "op", (source,), (("parameters", text("")),)) for name, source in found]
