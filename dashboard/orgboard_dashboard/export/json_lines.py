"""Points of every kind, and runs, as JSON lines: strict JSON, ASCII, one object a line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import BinaryIO

from orgboard_dashboard.export.choice import Slice, What
from orgboard_dashboard.export.elements import elements
from orgboard_dashboard.export.marks import marks, run_fields
from orgboard_dashboard.export.spelling import as_json, json_list, numbers
from orgboard_dashboard.queries.exported import ExportedRun, SeriesData
from orgboard_schema.blocks import StoredMedia, StoredValue
from orgboard_schema.types import ProtoHistogram, Tensor, TensorHistogram

__all__ = ["JsonSink"]


class JsonSink:
    """Write an object a point, a blob, or a run."""

    def __init__(self, stream: BinaryIO, what: What) -> None:
        self._stream = stream
        self._what: What = what

    def points(self, part: Slice) -> None:
        """Write these points."""
        lines = _scalars(part) if part.kind == "scalar" else _values(part, self._what)
        self._stream.write("".join(lines).encode("ascii"))

    def runs(self, rows: Sequence[ExportedRun]) -> None:
        """Write these runs."""
        self._stream.write("".join(as_json(run_fields(row)) + "\n" for row in rows).encode())

    def close(self) -> None:
        """Do nothing more: the lines are written."""


def _scalars(part: Slice) -> Iterator[str]:
    values = numbers(part.data.value, quote='"')
    for key, value in zip(_keys(part), values, strict=True):
        yield f'{key},"value":{value}}}\n'


def _values(part: Slice, what: What) -> Iterator[str]:
    said = f',"kind":"{part.kind}","plugin":{json.dumps(part.plugin)}' if what == "values" else ""
    for key, value in zip(_keys(part), part.data.values, strict=True):
        for fields in _fields(value):
            yield f"{key}{said}{fields}}}\n"


def _keys(part: Slice) -> Iterator[str]:
    """Yield what the object of each point begins with: all key columns, not closed."""
    data = part.data
    names = (
        f'{{"project":{json.dumps(part.project)},"run":{json.dumps(part.run)}'
        f',"tag":{json.dumps(part.tag)}'
    )
    walls = numbers(data.wall, quote='"')
    columns = zip(_marked(names, data), data.step.tolist(), walls, strict=True)
    return (f'{head}{step},"wall_time":{wall}' for head, step, wall in columns)


def _marked(names: str, data: SeriesData) -> Sequence[str] | repeat[str]:
    each = marks(data)
    if isinstance(each, tuple):
        return repeat(f'{names},"attempt":{each[0]},"superseded":{each[1]},"step":', len(data))
    return [f'{names},"attempt":{one},"superseded":{other},"step":' for one, other in each]


def _fields(value: StoredValue) -> Iterator[str]:
    """Yield the fields of a value, each with a comma before it; of media once a blob."""
    if isinstance(value, ProtoHistogram):
        moments = ("min", "max", "num", "sum", "sum_squares")
        said = "".join(f',"{name}":{as_json(getattr(value, name))}' for name in moments)
        limits, counts = json_list(value.limits), json_list(value.counts)
        yield f',"form":"proto"{said},"limits":{limits},"counts":{counts}'
    elif isinstance(value, TensorHistogram):
        buckets = ",".join(map(json_list, value.buckets))
        yield f',"form":"tensor","dtype":{json.dumps(value.dtype)},"buckets":[{buckets}]'
    elif isinstance(value, Tensor):
        shape = json.dumps(value.shape, separators=(",", ":"))
        yield f',"dtype":{json.dumps(value.dtype)},"shape":{shape},"values":{_elements(value)}'
    else:
        yield from _media(value)


def _elements(tensor: Tensor) -> str:
    if not isinstance(tensor.data, bytes):
        # Bytes that are not UTF-8 become surrogates: what reads them back gives the bytes again.
        texts = [item.decode("utf-8", "surrogateescape") for item in tensor.data]
        return json.dumps(texts, separators=(",", ":"))
    found = elements(tensor)
    if found.dtype.kind == "f":
        return "[" + ",".join(numbers(found, quote='"')) + "]"
    if found.dtype.kind == "c":
        pairs = [json_list((number.real, number.imag)) for number in found.tolist()]
        return "[" + ",".join(pairs) + "]"
    return json.dumps(found.tolist(), separators=(",", ":"))


def _media(value: StoredMedia) -> Iterator[str]:
    size = f',"width":{as_json(value.width)},"height":{as_json(value.height)}'
    rate = as_json(value.sample_rate)
    for index, blob in enumerate(value.blobs):
        yield (
            f',"media_type":{json.dumps(blob.media_type)},"sha256":"{blob.sha256.hex()}"'
            f',"bytes":{blob.size}{size},"index":{index},"label":{json.dumps(blob.label)}'
            f',"sample_rate":{rate}'
        )
    if not value.blobs:
        # A point without a picture is a point all the same.
        nothing = ',"media_type":null,"sha256":null,"bytes":null'
        yield f'{nothing}{size},"index":null,"label":"","sample_rate":{rate}'
