"""Layouts as scripts log them for TensorBoard's "Custom Scalars" page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orgboard_schema.sql.flush import NewChunk
from orgboard_schema.types import Tensor
from orgboard_schema.wire.plugins_pb2 import Layout
from support.boards import values

__all__ = ["declared"]


def declared(charts: Mapping[str, Sequence[str] | tuple[tuple[str, str, str], ...]]) -> NewChunk:
    """Return a layout of one category, "mine": {title: patterns, or triples of a margin}."""
    layout = Layout()
    category = layout.category.add(title="mine")
    for title, lines in charts.items():
        chart = category.chart.add(title=title)
        for line in lines:
            if isinstance(line, str):
                chart.multiline.tag.append(line)
            else:
                value, lower, upper = line
                chart.margin.series.add(value=value, lower=lower, upper=upper)
    told = Tensor("string", (), (layout.SerializeToString(),))
    return values("custom_scalars__config__", "layout", [told])
