"""Points of every kind, and runs, as Parquet. The only module that needs pyarrow.

Names are dictionary columns, numbers have their types, and a row group holds few enough
rows that neither the writer nor a reader of one group needs more than some megabytes.

    scalars     value: double
    histograms  form; of `proto` min … sum_squares, limits, counts; of `tensor` dtype, buckets
    values      dtype, shape; `values` where every element is a double exactly, else `data`,
                the C-order little-endian bytes (complex numbers, integers beyond 2^53);
                `strings` of tensors of strings, as bytes because not all are UTF-8;
                of media the columns that JSON lines have, one row a blob
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, BinaryIO, Final

import numpy as np
import pyarrow as pa  # type: ignore[import-untyped]  # its stubs are not published
import pyarrow.parquet as pq  # type: ignore[import-untyped]

from orgboard_dashboard.export.choice import COLUMNS, Slice, What
from orgboard_dashboard.export.elements import doubles
from orgboard_dashboard.export.marks import run_fields
from orgboard_dashboard.export.spelling import as_json
from orgboard_dashboard.queries.exported import ExportedRun
from orgboard_schema.blocks import StoredMedia, StoredValue
from orgboard_schema.blocks.series import weight
from orgboard_schema.types import ProtoHistogram, Tensor, TensorHistogram

__all__ = ["ParquetSink"]

GROUP_ROWS: Final = 64 * 1024
"""Rows of a group: enough for the columns to compress well, some megabytes to hold."""

GROUP_BYTES: Final = 4 * 1024 * 1024
"""Octets of names and values after which a group ends before it has that many rows."""

PART_BYTES: Final = 512
"""Of a slice, whatever it holds: its columns are objects. Without it, a group of one-point
series took 100 MiB more."""

_NAME: Final = pa.dictionary(pa.int32(), pa.string())
_DOUBLES: Final = pa.list_(pa.float64())

_KEY_TYPES: Final[tuple[tuple[str, Any], ...]] = (
    ("project", _NAME),
    ("run", _NAME),
    ("tag", _NAME),
    ("attempt", pa.int32()),
    ("superseded", pa.int8()),
    ("step", pa.int64()),
    ("wall_time", pa.float64()),
)
_HISTOGRAM_TYPES: Final[tuple[tuple[str, Any], ...]] = (
    ("form", pa.string()),
    *((name, pa.float64()) for name in ("min", "max", "num", "sum", "sum_squares")),
    ("limits", _DOUBLES),
    ("counts", _DOUBLES),
    ("dtype", pa.string()),
    ("buckets", pa.list_(_DOUBLES)),
)
_VALUE_TYPES: Final[tuple[tuple[str, Any], ...]] = (
    ("dtype", pa.string()),
    ("shape", pa.list_(pa.int64())),
    ("values", _DOUBLES),
    ("strings", pa.list_(pa.binary())),
    ("data", pa.binary()),
    ("media_type", pa.string()),
    ("sha256", pa.string()),
    ("bytes", pa.int64()),
    ("width", pa.int64()),
    ("height", pa.int64()),
    ("index", pa.int32()),
    ("label", pa.string()),
    ("sample_rate", pa.float64()),
)
_RUN_TYPES: Final[tuple[Any, ...]] = (
    *(pa.string(),) * 3,
    pa.int32(),
    pa.float64(),
    pa.float64(),
    pa.int64(),
    pa.int64(),
    pa.int64(),
    pa.string(),
)

SCHEMAS: Final[dict[What, Any]] = {
    "runs": pa.schema(list(zip(COLUMNS["runs"], _RUN_TYPES, strict=True))),
    "scalars": pa.schema([*_KEY_TYPES, ("value", pa.float64())]),
    "histograms": pa.schema([*_KEY_TYPES, *_HISTOGRAM_TYPES]),
    "values": pa.schema([*_KEY_TYPES, ("kind", _NAME), ("plugin", _NAME), *_VALUE_TYPES]),
}


class ParquetSink:
    """Gather slices to row groups and write those."""

    def __init__(self, stream: BinaryIO, what: What) -> None:
        self._what = what
        # What a group took is given back: Arrow's own pools keep it.
        pa.set_memory_pool(pa.system_memory_pool())
        self._schema = SCHEMAS[what]
        self._writer = pq.ParquetWriter(
            pa.PythonFile(stream, mode="w"), self._schema, compression="zstd"
        )
        self._held: list[Slice] = []
        self._rows = self._bytes = 0
        self._names: tuple[str, ...] = ()

    def points(self, part: Slice) -> None:
        """Write these points, or hold them for the next group."""
        self._held.append(part)
        self._rows += len(part.data)
        self._bytes += PART_BYTES + sum(map(weight, part.data.values))
        names = (part.project, part.run, part.tag)
        if names != self._names:
            self._bytes += sum(map(len, names))
            self._names = names
        if self._rows >= GROUP_ROWS or self._bytes >= GROUP_BYTES:
            self._flush()

    def runs(self, rows: Sequence[ExportedRun]) -> None:
        """Write these runs as a group."""
        fields = [run_fields(row) for row in rows]
        for row in fields:
            row["hparams"] = as_json(row["hparams"])
            row["project"], row["run"] = _text(row["project"]), _text(row["run"])
        self._writer.write_table(pa.Table.from_pylist(fields, schema=self._schema))

    def close(self) -> None:
        """Write the last group and what ends the file."""
        if self._held:
            self._flush()
        self._writer.close()

    def _flush(self) -> None:
        counts = [_rows_a_point(part) for part in self._held]
        columns = _keys(self._held, counts)
        if self._what == "scalars":
            with np.errstate(invalid="ignore"):
                wide = [part.data.value.astype(np.float64) for part in self._held]
            columns.append(pa.array(np.concatenate(wide)))
        elif self._what == "histograms":
            columns += _columns(self._held, _HISTOGRAM_TYPES, _histogram)
        else:
            rows = [int(count.sum()) for count in counts]
            columns.append(_names([part.kind for part in self._held], rows))
            columns.append(_names([part.plugin for part in self._held], rows))
            columns += _columns(self._held, _VALUE_TYPES, _value)
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._held, self._rows, self._bytes, self._names = [], 0, 0, ()


def _rows_a_point(part: Slice) -> Any:
    """Return how many rows each point takes: media one a blob, at least one."""
    if not any(isinstance(value, StoredMedia) for value in part.data.values):
        return np.ones(len(part.data), np.int64)
    return np.array(
        [
            max(len(value.blobs), 1) if isinstance(value, StoredMedia) else 1
            for value in part.data.values
        ]
    )


def _keys(parts: Sequence[Slice], counts: Sequence[Any]) -> list[Any]:
    rows = [int(count.sum()) for count in counts]
    each = np.concatenate(counts)

    def joined(name: str) -> Any:
        return np.repeat(np.concatenate([getattr(part.data, name) for part in parts]), each)

    return [
        _names([part.project for part in parts], rows),
        _names([part.run for part in parts], rows),
        _names([part.tag for part in parts], rows),
        pa.array(joined("attempt")),
        pa.array(joined("superseded").astype(np.int8)),
        pa.array(joined("step")),
        pa.array(joined("wall")),
    ]


def _names(texts: Sequence[str], counts: Sequence[int]) -> Any:
    places: dict[str, int] = {}
    numbers = [places.setdefault(text, len(places)) for text in texts]
    indices = np.repeat(np.array(numbers, np.int32), counts)
    dictionary = pa.array([_text(text) for text in places], pa.string())
    return pa.DictionaryArray.from_arrays(pa.array(indices), dictionary)


def _text(text: str) -> str:
    # Parquet's text is UTF-8: what is not shows as an escape, as in CSV.
    return text.encode("utf-8", "backslashreplace").decode()


def _columns(
    parts: Sequence[Slice],
    types: Sequence[tuple[str, Any]],
    rows_of: Callable[[StoredValue], list[dict[str, Any]]],
) -> list[Any]:
    rows = [row for part in parts for value in part.data.values for row in rows_of(value)]
    return [pa.array([row.get(name) for row in rows], kind) for name, kind in types]


def _histogram(value: StoredValue) -> list[dict[str, Any]]:
    if isinstance(value, ProtoHistogram):
        names = ("min", "max", "num", "sum", "sum_squares", "limits", "counts")
        return [{"form": "proto", **{name: getattr(value, name) for name in names}}]
    if isinstance(value, TensorHistogram):
        return [{"form": "tensor", "dtype": value.dtype, "buckets": value.buckets}]
    return [{}]


def _value(value: StoredValue) -> list[dict[str, Any]]:
    if isinstance(value, StoredMedia):
        return _media(value)
    if not isinstance(value, Tensor):
        return [{}]
    row: dict[str, Any] = {"dtype": value.dtype, "shape": value.shape}
    if not isinstance(value.data, bytes):
        return [{**row, "strings": value.data}]
    exact = doubles(value)
    return [{**row, "data": value.data} if exact is None else {**row, "values": exact}]


def _media(value: StoredMedia) -> list[dict[str, Any]]:
    own = {"width": value.width, "height": value.height, "sample_rate": value.sample_rate}
    return [
        {
            **own,
            "media_type": blob.media_type,
            "sha256": blob.sha256.hex(),
            "bytes": blob.size,
            "index": index,
            "label": _text(blob.label),
        }
        for index, blob in enumerate(value.blobs)
    ] or [{**own, "label": ""}]
