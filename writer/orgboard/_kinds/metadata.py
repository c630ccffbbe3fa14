"""What a value says of itself: the plugin that shows it, a name, a description."""

from __future__ import annotations

from typing import Final

from orgboard._encoding import protobuf as pb

__all__ = ["DT_DOUBLE", "DT_FLOAT", "DT_STRING", "metadata"]

DT_FLOAT: Final = 1
DT_DOUBLE: Final = 2
DT_STRING: Final = 7
"""TensorProto's data types; the others are in `tensor`."""


def metadata(plugin: str, content: bytes = b"", name: str = "", description: str = "") -> bytes:
    """Encode a SummaryMetadata as a field of a Value."""
    plugin_data = pb.blob(1, pb.text(1, plugin) + pb.blob(2, content)) if plugin else b""
    return pb.blob(9, plugin_data + pb.text(2, name) + pb.text(3, description), always=True)
