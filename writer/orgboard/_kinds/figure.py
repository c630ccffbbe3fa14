"""Figures: a matplotlib figure as its pixels, a plotly figure as its own JSON.

A figure changes after it was logged, and so it is drawn, or written down, in the call; the
rest waits for the background. No plotting library is imported that the caller has not.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.image import Picture
from orgboard._kinds.metadata import DT_STRING, metadata

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["FIGURE_PLUGIN", "close_figures", "draw_figures", "plotly_body", "plotly_texts"]

FIGURE_PLUGIN: Final = "orgboard_figure"
PLOTLY_TYPE: Final = "application/vnd.plotly.v1+json"


def plotly_texts(tag: str, figures: Any) -> dict[str, str]:
    """Give the JSON of a plotly figure, or of each in a list of them, by tag; else nothing."""
    if _is_plotly(figures):
        return {tag: str(figures.to_json())}
    if isinstance(figures, (list, tuple)) and all(map(_is_plotly, figures)):
        return {f"{tag}/{at}": str(each.to_json()) for at, each in enumerate(figures)}
    return {}


def plotly_body(tag: str, json_text: str) -> bytes:
    """Encode a plotly figure as a string tensor [media type, JSON], a record of ours."""
    shape = pb.blob(2, pb.blob(2, pb.whole(1, 2)))
    strings = pb.text(8, PLOTLY_TYPE) + pb.text(8, json_text, always=True)
    tensor = pb.whole(1, DT_STRING) + shape + strings
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata(FIGURE_PLUGIN))


def draw_figures(figures: Any, *, close: bool) -> Picture:
    """Draw a matplotlib figure, or several of one size as a batch.

    What holds a figure, such as axes or a seaborn grid, stands for it. With `close` they are
    closed, drawn or not.

    Raises:
        TypeError: it is no figure.
        ValueError: there is none, or they differ in size.
    """
    import numpy as np

    if not isinstance(figures, (list, tuple)):
        return Picture(_draw_and_close([figures], close=close)[0], "HWC")
    if not figures:
        raise ValueError("add_figure needs at least one figure")
    drawn = _draw_and_close(figures, close=close)
    if len({each.shape for each in drawn}) > 1:
        sizes = sorted({f"{each.shape[1]} x {each.shape[0]}" for each in drawn})
        raise ValueError(f"figures of one image must be of one size, got {', '.join(sizes)}")
    return Picture(np.stack(drawn), "NHWC")


def close_figures(figures: Any) -> None:
    """Close a matplotlib figure, or each in a list of them. Others have nothing to close."""
    # Only pyplot keeps figures alive; who has not imported it has nothing to close.
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is None:
        return
    for each in figures if isinstance(figures, (list, tuple)) else [figures]:
        if not _is_plotly(each):
            pyplot.close(_owner(each))


def _is_plotly(figure: Any) -> bool:
    # It writes itself down; no figure of another library does.
    return callable(getattr(figure, "to_plotly_json", None)) and hasattr(figure, "to_json")


def _draw_and_close(figures: Sequence[Any], *, close: bool) -> list[NDArray[np.uint8]]:
    try:
        return [_draw(_owner(each)) for each in figures]
    finally:
        if close:
            close_figures(figures)


def _owner(figure: Any) -> Any:
    # Axes and grids name their figure; a figure of matplotlib names itself.
    return getattr(figure, "figure", figure)


def _draw(figure: Any) -> NDArray[np.uint8]:
    import numpy as np

    if not callable(getattr(figure, "set_canvas", None)):
        kind = type(figure).__name__
        raise TypeError(f"add_figure takes figures of matplotlib or plotly, got {kind}")
    # By name: where the SDK is checked there is no matplotlib.
    make_canvas = import_module("matplotlib.backends.backend_agg").FigureCanvasAgg

    # A canvas attaches itself; the caller's, perhaps a window, is put back.
    shown_on = figure.canvas
    try:
        canvas = make_canvas(figure)
        canvas.draw()
        return np.array(np.asarray(canvas.buffer_rgba())[..., :3])
    finally:
        figure.set_canvas(shown_on)
