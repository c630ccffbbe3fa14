"""What a file with a graph may be."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

__all__ = ["EXPECTED", "EXPECTED_ANY", "KINDS", "FileKind"]

FileKind: TypeAlias = Literal[
    "graph_def", "graph_text", "meta_graph", "saved_model", "onnx", "keras"
]

KINDS: Final[dict[FileKind, str]] = {
    "graph_def": "GraphDef",
    "graph_text": "GraphDef, as text",
    "meta_graph": "MetaGraphDef",
    "saved_model": "SavedModel",
    "onnx": "ONNX model",
    "keras": "Keras model",
}
"""In words."""

EXPECTED: Final = {
    **dict.fromkeys((".pbtxt", ".prototxt", ".textproto"), "a GraphDef as text"),
    **dict.fromkeys((".pb", ".meta"), "a GraphDef, a MetaGraphDef or a SavedModel"),
    ".onnx": "an ONNX model",
    ".json": "a Keras model",
}
"""By the end of a file's name: what it promises to be. What it is, its bytes tell."""

EXPECTED_ANY: Final = "a GraphDef, a SavedModel, an ONNX model or a Keras model"
