"""Meshes and point clouds, as torch's writer stores them: up to three values under one step.

    <tag>_VERTEX   where the points are
    <tag>_FACE     which three points make a triangle
    <tag>_COLOR    what colour each point has

Each is a float32 tensor [batch, number, 3]; each says which of the three there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_FLOAT, metadata
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Points: TypeAlias = NDArray[np.generic] | Late

__all__ = ["Mesh", "check_mesh", "mesh_body"]

_VERTEX, _FACE, _COLOR = 1, 2, 3
"""MeshPluginData's content types."""

_NAMES: Final = {_VERTEX: "VERTEX", _FACE: "FACE", _COLOR: "COLOR"}


class Mesh(NamedTuple):
    """A batch of meshes: arrays of [batch, number, 3]; how to show them, as JSON."""

    vertices: Points
    faces: Points | None
    colors: Points | None
    json_config: str


def check_mesh(
    vertices: Points, colors: Points | None, faces: Points | None, config: Any | None
) -> Mesh:
    """Give the mesh that `add_mesh`'s arguments describe.

    Raises:
        ValueError: a shape is not [batch, number, 3], or the parts do not belong together.
        TypeError: the configuration is not JSON.
    """
    for name, part in (("vertices", vertices), ("colors", colors), ("faces", faces)):
        if part is not None and (part.ndim != 3 or part.shape[2] != 3):
            raise ValueError(f"{name} must have the shape (batch, number, 3), got {part.shape}")
    if colors is not None and colors.shape != vertices.shape:
        raise ValueError(f"colors {colors.shape} must be one a vertex, as {vertices.shape}")
    if faces is not None and faces.shape[0] != vertices.shape[0]:
        raise ValueError(f"faces {faces.shape} must be of the same batch as {vertices.shape}")
    if config is None:
        return Mesh(vertices, faces, colors, "{}")
    import json

    return Mesh(vertices, faces, colors, json.dumps(config, sort_keys=True))


def mesh_body(tag: str, mesh: Mesh) -> bytes:
    """Encode the body that holds the parts of a batch of meshes."""
    parts = [
        (kind, part)
        for kind, part in ((_VERTEX, mesh.vertices), (_FACE, mesh.faces), (_COLOR, mesh.colors))
        if part is not None
    ]
    present = sum(1 << kind for kind, _ in parts)
    return summary_body(
        *(_part(tag, kind, part, present, mesh.json_config) for kind, part in parts)
    )


def _part(tag: str, kind: int, points: Points, present: int, json_config: str) -> bytes:
    content = (
        pb.text(2, tag)
        + pb.whole(3, kind)
        + pb.text(5, json_config)
        + pb.blob(6, b"".join(map(pb.varint, points.shape)))
        + pb.whole(7, present)
    )
    dimensions = b"".join(pb.blob(2, pb.whole(1, size), always=True) for size in points.shape)
    tensor = pb.whole(1, DT_FLOAT) + pb.blob(2, dimensions) + pb.blob(5, _float32(points))
    return pb.text(1, f"{tag}_{_NAMES[kind]}") + pb.blob(8, tensor) + metadata("mesh", content)


def _float32(points: Points) -> bytes:
    import numpy as np

    with np.errstate(over="ignore"):
        return settle(points).astype("<f4").tobytes()
