"""Write inputs for the fuzzer to begin with: records of every writer's values, framed by it.

`python tests/fuzz/seeds.py DIR` (with `tests` on the path).
"""

from __future__ import annotations

import sys
from pathlib import Path

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.graph_pb2 import AttrValue, GraphDef, NameAttrList, NodeDef
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto


def _plugin(name: bytes) -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name))


_SCALARS = _plugin(b"scalars")


def main(folder: Path) -> None:
    """Write the seeds into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    simple = Summary.Value(tag=b"loss", simple_value=1.5)
    tensor = TensorProto(
        dtype=1,  # type: ignore[arg-type] # an enum's number
        tensor_shape=TensorShapeProto(),
        tensor_content=b"\0\0\xc0?",
    )
    listed = TensorProto(dtype=2, double_val=[1.5])  # type: ignore[arg-type] # an enum's number
    values = [
        simple,
        Summary.Value(tag=b"acc", tensor=tensor, metadata=_SCALARS),
        Summary.Value(tag=b"acc", tensor=tensor),
        Summary.Value(tag=b"d", tensor=listed, metadata=_SCALARS),
        *_others(),
    ]
    payloads = [_event(value) for value in values]
    payloads.append(Event(wall_time=2, step=-1, summary=Summary(value=values)).SerializeToString())
    payloads.append(Event(wall_time=1, file_version=b"brain.Event:2").SerializeToString())
    # Records of up to 255 octets: each stands behind one octet of its length.
    payloads = [payload for payload in payloads if len(payload) < 256]
    for number, payload in enumerate(payloads):
        record = bytes([len(payload)]) + payload
        (folder / f"seed{number}").write_bytes(b"\x01" + record * 3)
    whole = b"".join(bytes([len(payload)]) + payload for payload in payloads * 2)
    (folder / "all").write_bytes(b"\x01" + whole)
    (folder / "packed").write_bytes(b"\x02" + bytes(range(256)))
    for number, graph in enumerate(_graphs()):
        (folder / f"graph{number}").write_bytes(b"\x08" + graph.SerializeToString())
        (folder / f"graph{number}-some").write_bytes(b"\x18" + graph.SerializeToString())


def _others() -> list[Summary.Value]:
    """Values that are no scalars, of every form that the core takes in."""
    histogram = HistogramProto(min=-1.0, num=3.0, bucket_limit=[0.0, 1.0], bucket=[1.0, 2.0])
    image = Summary.Image(height=2, width=3, encoded_image_string=b"GIF89a")
    values = [Summary.Value(tag=b"h", histo=histogram), Summary.Value(tag=b"i", image=image)]
    for tag, shape, strings in ((b"t", 1, [b"said"]), (b"p", 3, [b"3", b"2", b"GIF89a"])):
        tensor = TensorProto(dtype=7, string_val=strings)  # type: ignore[arg-type] # an enum's number
        tensor.tensor_shape.dim.add(size=shape)
        values.append(Summary.Value(tag=tag, tensor=tensor, metadata=_plugin(b"text")))
    buckets = TensorProto(dtype=1, tensor_content=bytes(24))  # type: ignore[arg-type] # an enum's number
    for size in (2, 3):
        buckets.tensor_shape.dim.add(size=size)
    return [*values, Summary.Value(tag=b"b", tensor=buckets, metadata=_plugin(b"histograms"))]


def _graphs() -> list[GraphDef]:
    """Graphs whose nodes have attributes of every kind, among them what the core asks for."""
    tensor = TensorProto(
        dtype=1,  # type: ignore[arg-type] # an enum's number
        tensor_content=b"\0\0\xc0?",
        int_val=[1, 300],
        float_val=[1.5],
        double_val=[2.5],
        uint32_val=[7],
    )
    shape = TensorShapeProto(dim=[TensorShapeProto.Dim(size=2), TensorShapeProto.Dim(size=-1)])
    tensor.tensor_shape.CopyFrom(shape)
    listed = AttrValue.ListValue(s=[b"x"], i=[1, 300], f=[1.5], b=[True], shape=[shape])
    inner = NameAttrList(name="f", attr={"b": AttrValue(b=True)})
    attributes = {
        "_output_shapes": AttrValue(list=listed),
        "value": AttrValue(tensor=tensor),
        "shape": AttrValue(shape=shape),
        "parameters": AttrValue(i=-5),
        "_XlaCluster": AttrValue(s=b"cluster"),
        "f": AttrValue(f=1.5),
        "p": AttrValue(placeholder="p"),
        "func": AttrValue(func=inner),
    }
    nodes = [NodeDef(name="a", op="Const", device="/cpu:0")]
    nodes += [NodeDef(name=f"a/{name}", op="A", input=["a", "^a"]) for name in attributes]
    for node, (name, attribute) in zip(nodes, attributes.items(), strict=False):
        node.attr[name].CopyFrom(attribute)
    whole = GraphDef(node=nodes, version=3)
    whole.library.function.add().node_def.extend(nodes)
    return [whole, *(GraphDef(node=[node]) for node in nodes)]


def _event(value: Summary.Value) -> bytes:
    return Event(wall_time=1.5, step=300, summary=Summary(value=[value])).SerializeToString()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
