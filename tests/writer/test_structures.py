"""Meshes: byte for byte what protobuf writes, and read again by the product's own reader."""

from __future__ import annotations

import json
import math
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard import SummaryWriter
from orgboard._encoding.records import event
from orgboard._kinds.mesh import Mesh, mesh_body
from orgboard_schema.types import Tensor
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.plugins_pb2 import MeshPluginData
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.logged_runs import event_files, summaries

names = st.text(st.characters(codec="utf-8"), max_size=50)
numbers = st.floats(width=32, allow_nan=False)
points = st.integers(0, 3).flatmap(
    lambda number: st.lists(numbers, min_size=number * 6, max_size=number * 6).map(
        lambda values: np.array(values, np.float32).reshape(2, -1, 3)
    )
)


@given(names, points, st.none() | points, st.none() | points, st.text(max_size=20))
def test_a_mesh_is_the_bytes_that_protobuf_writes(
    tag: str,
    vertices: np.ndarray[Any, Any],
    faces: np.ndarray[Any, Any] | None,
    colors: np.ndarray[Any, Any] | None,
    config: str,
) -> None:
    config = json.dumps(config)
    parts = [(1, "VERTEX", vertices), (2, "FACE", faces), (3, "COLOR", colors)]
    present = sum(1 << kind for kind, _, part in parts if part is not None)
    values = [
        _value(tag, kind, name, part, config, present)
        for kind, name, part in parts
        if part is not None
    ]

    body = mesh_body(tag, Mesh(vertices, faces, colors, config))

    expected = Event(wall_time=1.5, step=3, summary=Summary(value=values))
    assert event(body, 3, 1.5) == expected.SerializeToString()


def _value(
    tag: str, kind: int, name: str, part: np.ndarray[Any, Any], config: str, present: int
) -> Summary.Value:
    content = MeshPluginData(
        name=tag,
        content_type=MeshPluginData.ContentType.Name(kind),
        json_config=config,
        shape=part.shape,
        components=present,
    )
    plugin = SummaryMetadata.PluginData(plugin_name=b"mesh", content=content.SerializeToString())
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in part.shape])
    return Summary.Value(
        tag=f"{tag}_{name}".encode(),
        metadata=SummaryMetadata(plugin_data=plugin),
        tensor=TensorProto(
            dtype="DT_FLOAT", float_val=part.reshape(-1).tolist(), tensor_shape=shape
        ),
    )


def test_the_reader_takes_the_parts_of_a_mesh_as_meshes(tmp_path: Path) -> None:
    vertices = np.arange(12.0).reshape(1, 4, 3)
    with SummaryWriter(tmp_path) as writer:
        writer.add_mesh(
            "m", vertices, vertices * 10, [[[0, 1, 2]]], {"b": 1, "a": 2}, 7, walltime=2.5
        )

    with event_files(tmp_path)[0].open("rb") as file:
        found = {point.tag: point for _, point in read_file(file, 0, {}).points}
    assert found["m_VERTEX"].kind == found["m_FACE"].kind == found["m_COLOR"].kind == "mesh"
    assert (found["m_VERTEX"].step, found["m_VERTEX"].wall_time) == (7, 2.5)
    assert found["m_VERTEX"].value == Tensor("float32", (1, 4, 3), vertices.astype("<f4").tobytes())
    assert found["m_FACE"].value == Tensor("float32", (1, 1, 3), struct.pack("<3f", 0, 1, 2))
    about = found["m_COLOR"].metadata
    assert about is not None
    content = MeshPluginData.FromString(about.content)
    assert (content.name, content.components, content.json_config) == (
        "m",
        14,
        '{"a": 2, "b": 1}',
    )


def test_the_parts_of_a_mesh_are_one_event(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_mesh("m", np.zeros((1, 2, 3)), np.zeros((1, 2, 3)), np.zeros((1, 1, 3)), {}, 3)

    found = [(event, value.tag) for event, value in summaries(tmp_path) if event.step == 3]
    assert [tag for _, tag in found] == [b"m_VERTEX", b"m_FACE", b"m_COLOR"]
    assert len({id(event) for event, _ in found}) == 1


def test_what_is_larger_than_a_float32_is_infinite(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_mesh("m", np.full((1, 1, 3), 1e300), global_step=3)
        assert writer.dropped == 0

    ((_, value),) = [found for found in summaries(tmp_path) if found[0].step == 3]
    assert list(value.tensor.float_val) == [math.inf] * 3


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"vertices": np.zeros((4, 3))}, "vertices must have the shape"),
        ({"vertices": np.zeros((1, 4, 2))}, "vertices must have the shape"),
        ({"vertices": np.zeros((1, 4, 3)), "colors": np.zeros((1, 3, 3))}, "one a vertex"),
        ({"vertices": np.zeros((2, 4, 3)), "faces": np.zeros((1, 4, 3))}, "the same batch"),
        ({"vertices": np.zeros((1, 4, 3)), "faces": np.zeros((1, 4))}, "faces must have the shape"),
        ({"vertices": np.zeros((1, 4, 3)), "config_dict": {"a": object()}}, "JSON"),
    ],
)
def test_a_mesh_that_nobody_could_draw_is_dropped_with_the_reason(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, arguments: dict[str, Any], reason: str
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_mesh("m", **arguments)
        assert writer.dropped == 1
    with (
        pytest.raises((ValueError, TypeError), match=reason),
        SummaryWriter(tmp_path, strict=True) as strict,
    ):
        strict.add_mesh("m", **arguments)

    assert reason in caplog.text
