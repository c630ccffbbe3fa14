"""Columns of points as bytes: blocks, segments and heads. Pure; knows nothing of SQL."""

from __future__ import annotations

from orgboard_schema.blocks.heads import (
    HEAD,
    HeadTable,
    SeriesHead,
    decode_heads,
    decode_tag_set,
    encode_heads,
    encode_tag_set,
    head_rows,
)
from orgboard_schema.blocks.scalars import decode_scalars, encode_scalars
from orgboard_schema.blocks.segments import (
    ScalarColumns,
    decode_segment,
    encode_segment,
    pick_series,
    scalar_columns,
)
from orgboard_schema.blocks.series import (
    BlobRef,
    Chunk,
    ScalarSeries,
    Series,
    StoredMedia,
    StoredValue,
    ValueSeries,
    kind_number,
)
from orgboard_schema.blocks.values import decode_values, encode_values

__all__ = [
    "HEAD",
    "BlobRef",
    "Chunk",
    "HeadTable",
    "ScalarColumns",
    "ScalarSeries",
    "Series",
    "SeriesHead",
    "StoredMedia",
    "StoredValue",
    "ValueSeries",
    "decode_heads",
    "decode_scalars",
    "decode_segment",
    "decode_tag_set",
    "decode_values",
    "encode_heads",
    "encode_scalars",
    "encode_segment",
    "encode_tag_set",
    "encode_values",
    "head_rows",
    "kind_number",
    "pick_series",
    "scalar_columns",
]
