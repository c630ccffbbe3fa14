"""Write inputs for the fuzzer to begin with: records of every writer's scalars, framed by it.

`python tests/fuzz/seeds.py DIR` (with `tests` on the path).
"""

from __future__ import annotations

import sys
from pathlib import Path

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto

_SCALARS = SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=b"scalars"))


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
    ]
    payloads = [_event(value) for value in values]
    payloads.append(Event(wall_time=2, step=-1, summary=Summary(value=values)).SerializeToString())
    payloads.append(Event(wall_time=1, file_version=b"brain.Event:2").SerializeToString())
    for number, payload in enumerate(payloads):
        record = bytes([len(payload)]) + payload
        (folder / f"seed{number}").write_bytes(b"\x01" + record * 3)
    whole = b"".join(bytes([len(payload)]) + payload for payload in payloads * 2)
    (folder / "all").write_bytes(b"\x01" + whole)
    (folder / "packed").write_bytes(b"\x02" + bytes(range(256)))


def _event(value: Summary.Value) -> bytes:
    return Event(wall_time=1.5, step=300, summary=Summary(value=[value])).SerializeToString()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
