"""Boxes drawn into a picture, as torch's and tensorboardX's writers draw them with Pillow.

A frame is red and two pixels wide; a label is black on red, at the box's lower left corner. The
frames need no library. A label is set in Pillow's own typeface where Pillow is installed, so
that the pixels equal those of the other writers; elsewhere in a small one of ours.
"""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._kinds.image import Picture, pixels_body, to_pixels
from orgboard._kinds.resampling import resize
from orgboard._kinds.typeface import set_line
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """Height, width, channels."""

__all__ = ["BoxedPicture", "boxed_image_body", "count_boxes", "draw_boxes"]

_FARTHEST: Final = 1 << 30
"""Coordinates beyond it are drawn as if they were there; no picture is."""

_LUMINANCE_OF_RED: Final = 76


class BoxedPicture(NamedTuple):
    """A picture, and what to draw into it."""

    picture: Picture
    boxes: NDArray[Any] | Late
    """Rows of left, top, right, bottom, in pixels."""
    labels: tuple[str, ...]
    """One a box, or none at all."""
    rescale: float
    """Applied after drawing."""


def boxed_image_body(tag: str, boxed: BoxedPicture) -> bytes:
    """Draw the boxes, rescale, and encode the body that holds the image, as PNG."""
    boxes = settle(boxed.boxes).reshape(-1, 4)
    pixels = draw_boxes(to_pixels(boxed.picture), boxes, boxed.labels)
    height, width = (int(side * boxed.rescale) for side in pixels.shape[:2])
    return pixels_body(tag, resize(pixels, width, height))


def count_boxes(boxes: NDArray[Any] | Late) -> int:
    """Tell how many boxes there are, rows of four numbers; one may come without being in a list.

    Raises:
        ValueError: they have another shape.
    """
    if boxes.size and (boxes.ndim not in (1, 2) or boxes.shape[-1] != 4):
        raise ValueError(f"boxes are rows of [left, top, right, bottom], got shape {boxes.shape}")
    return boxes.size // 4


def draw_boxes(pixels: Pixels, boxes: NDArray[Any], labels: tuple[str, ...] = ()) -> Pixels:
    """Draw the boxes into a copy, one over the other. One with a NaN is left out."""
    import numpy as np

    drawn = pixels.copy()
    write = _write_with_pillow if labels and find_spec("PIL") else _write
    places = np.nan_to_num(boxes.astype(float), posinf=_FARTHEST, neginf=-_FARTHEST)
    for row in np.flatnonzero(~np.isnan(boxes.astype(float)).any(axis=1)).tolist():
        left, top, right, bottom = places[row].clip(-_FARTHEST, _FARTHEST).tolist()
        _draw_frame(drawn, int(left), int(top), int(right), int(bottom))
        if labels and labels[row]:
            drawn = write(drawn, labels[row], left, bottom)
    return drawn


def _draw_frame(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> None:
    """Go round as a pen of two pixels does: its second pixel lies to the left of its way."""
    if (left, top) == (right, bottom):
        _fill(pixels, left, top, left + 1, top + 1)
        return
    # Down along the left side, to the right, up, and back; the pen turns where a box is reversed.
    ways = ((left, top, bottom), (right, bottom, top))
    for x, start, end in ways:
        if start != end:
            at = x if end > start else x - 1
            _fill(pixels, at, min(start, end), at + 2, max(start, end) + 1)
    for y, start, end in ((bottom, left, right), (top, right, left)):
        if start != end:
            at = y if end > start else y - 1
            _fill(pixels, min(start, end), at, max(start, end) + 1, at + 2)


def _fill(pixels: Pixels, left: int, top: int, right: int, bottom: int) -> None:
    rows, columns = slice(max(top, 0), max(bottom, 0)), slice(max(left, 0), max(right, 0))
    pixels[rows, columns] = _red(pixels.shape[2])


def _red(channels: int) -> tuple[int, ...]:
    grey = channels < 3
    return (_LUMINANCE_OF_RED, 255)[:channels] if grey else (255, 0, 0, 255)[:channels]


def _write(pixels: Pixels, label: str, left: float, bottom: float) -> Pixels:
    letters = set_line(label)
    height, width = letters.shape
    x, y = int(left), int(bottom) - height - 2
    _fill(pixels, x, y, x + width + 2, y + height + 3)
    top, start = max(-y - 1, 0), max(-x - 1, 0)
    spot = pixels[max(y + 1, 0) : max(y + 1 + height, 0), max(x + 1, 0) : max(x + 1 + width, 0)]
    shown = letters[top : top + spot.shape[0], start : start + spot.shape[1]]
    # Black: no colour, and as visible as the red was.
    spot[shown, : 1 if pixels.shape[2] < 3 else 3] = 0
    return pixels


def _write_with_pillow(pixels: Pixels, label: str, left: float, bottom: float) -> Pixels:
    import math

    import numpy as np
    from PIL import Image, ImageDraw, ImageFont

    picture = Image.fromarray(pixels)
    pen = ImageDraw.Draw(picture)
    font = ImageFont.load_default()
    x_from, y_from, x_to, y_to = font.getbbox(label)
    width, height = x_to - x_from, y_to - y_from
    margin = math.ceil(0.05 * height)
    top = bottom - height - 2 * margin
    pen.rectangle([(left, top), (left + width, bottom)], fill="red")
    pen.text((left + margin, top + margin), label, fill="black", font=font)
    return np.array(picture)
