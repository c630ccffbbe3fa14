"""How a board shows a run's scalars: categories of charts, for TensorBoard's custom scalars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_STRING, metadata
from orgboard._values.mappings import items_of

__all__ = ["MARGIN", "Chart", "layout_body", "read_layout"]

LAYOUT_TAG: Final = "custom_scalars__config__"
MARGIN: Final = "Margin"


class Chart(NamedTuple):
    """Several tags in one chart: lines, or a value between a lower and an upper bound."""

    title: str
    tags: Sequence[str]
    is_margin: bool


def read_layout(layout: Mapping[Any, Mapping[Any, Any]]) -> dict[str, list[Chart]]:
    """Take what a caller gave: {category: {title: [type, tags]}}.

    Raises:
        TypeError, ValueError: it is of another form, or a margin chart has not three tags.
    """
    return {
        str(category): [
            _chart(str(title), *described) for title, described in items_of(charts, "a category")
        ]
        for category, charts in items_of(layout, "a layout")
    }


def layout_body(_tag: str, layout: Mapping[str, Sequence[Chart]]) -> bytes:
    """Encode the body that holds a layout; its tag is always the same."""
    encoded = b"".join(
        pb.blob(
            2,
            pb.text(1, category)
            + b"".join(pb.blob(2, _chart_bytes(each), always=True) for each in charts),
            always=True,
        )
        for category, charts in layout.items()
    )
    tensor = (
        pb.whole(1, DT_STRING) + pb.blob(2, b"", always=True) + pb.blob(8, encoded, always=True)
    )
    return summary_body(pb.text(1, LAYOUT_TAG) + pb.blob(8, tensor) + metadata("custom_scalars"))


def _chart(title: str, kind: object, tags: object) -> Chart:
    if isinstance(tags, (str, bytes)) or not isinstance(tags, Sequence):
        raise TypeError(f"the tags of chart {title!r} must be a list, got {type(tags).__name__}")
    is_margin = kind == MARGIN
    if is_margin and len(tags) != 3:
        raise ValueError(f"margin chart {title!r} needs 3 tags (value, lower, upper): {len(tags)}")
    return Chart(title, tuple(str(tag) for tag in tags), is_margin)


def _chart_bytes(chart: Chart) -> bytes:
    if chart.is_margin:
        series = b"".join(pb.text(field, tag) for field, tag in enumerate(chart.tags, 1))
        content = pb.blob(3, pb.blob(1, series, always=True), always=True)
    else:
        lines = b"".join(pb.text(1, tag, always=True) for tag in chart.tags)
        content = pb.blob(2, lines, always=True)
    return pb.text(1, chart.title) + content
