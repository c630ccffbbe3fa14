"""Images: arrays of any layout as PNG, without an imaging library.

An array of uint8 is taken as it is; any other is taken to be 0..1 and scaled to 0..255, as
torch's and tensorboardX's writers do. A batch becomes one picture, eight to a row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.png import encode_png
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pixels: TypeAlias = NDArray[np.uint8]
    """Height, width, channels."""

__all__ = [
    "Encoded",
    "Picture",
    "check_layout",
    "encoded_body",
    "image_body",
    "pixels_body",
    "scale",
    "to_pixels",
]

GRID_COLUMNS: Final = 8


class Picture(NamedTuple):
    """An array, and the order of its axes: letters of N, C, H, W."""

    array: NDArray[np.generic] | Late
    layout: str


class Encoded(NamedTuple):
    """The bytes of an image file, and what they show."""

    data: bytes
    width: int
    height: int
    channels: int


def image_body(tag: str, picture: Picture) -> bytes:
    """Encode the body that holds one image, as PNG."""
    return pixels_body(tag, to_pixels(picture))


def pixels_body(tag: str, pixels: Pixels) -> bytes:
    """Encode the body that holds these pixels, as PNG."""
    height, width, channels = pixels.shape
    return encoded_body(tag, Encoded(encode_png(pixels), width, height, channels))


def encoded_body(tag: str, image: Encoded) -> bytes:
    """Encode the body that holds an image file."""
    size = pb.whole(1, image.height) + pb.whole(2, image.width) + pb.whole(3, image.channels)
    return summary_body(pb.text(1, tag) + pb.blob(4, size + pb.blob(4, image.data)))


def check_layout(array: NDArray[np.generic] | Late, layout: str) -> Picture:
    """Give the picture that `dataformats` describes.

    Raises:
        ValueError: the layout is none of an image's, or the array has other dimensions.
    """
    axes = str(layout).upper()
    if sorted(axes) not in (sorted("HW"), sorted("CHW"), sorted("NCHW")):
        raise ValueError(f"dataformats must be HW, CHW or NCHW in some order, got {layout!r}")
    if array.ndim != len(axes):
        raise ValueError(f"dataformats {axes} does not fit an array of shape {array.shape}")
    if not array.size:
        raise ValueError(f"an image needs at least one pixel, got shape {array.shape}")
    return Picture(array, axes)


def to_pixels(picture: Picture) -> Pixels:
    """Scale to 0..255 and arrange as height, width, channels; one grey channel becomes three."""
    import numpy as np

    array, axes = settle(picture.array), picture.layout
    if "C" not in axes:
        array, axes = array[..., np.newaxis], axes + "C"
    if "N" not in axes:
        array, axes = array[np.newaxis], "N" + axes
    batch = array.transpose([axes.index(axis) for axis in "NHWC"])
    if batch.shape[3] == 1:
        batch = np.repeat(batch, 3, axis=3)
    if batch.shape[3] not in range(1, 5):
        raise ValueError(f"an image has 1 to 4 channels, got {batch.shape[3]}")
    return _grid(scale(batch))


def scale(array: NDArray[Any]) -> NDArray[np.uint8]:
    """Give 0..255: uint8 as it is, any other type from 0..1, what is beyond clipped."""
    import numpy as np

    if array.dtype == np.uint8:
        return array
    # float32 before scaling: results then equal torch's in every pixel. NaN is drawn black, and
    # what is too large white, which is no reason to warn. In place: a batch may be large.
    with np.errstate(all="ignore"):
        scaled = array.astype(np.float32)
        scaled *= 255
    np.nan_to_num(scaled, copy=False, nan=0.0)
    np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def _grid(batch: Pixels) -> Pixels:
    import numpy as np

    number, height, width, channels = batch.shape
    columns = min(number, GRID_COLUMNS)
    rows = -(-number // columns)
    canvas = np.zeros((rows * columns, height, width, channels), dtype=np.uint8)
    canvas[:number] = batch
    tiles = canvas.reshape(rows, columns, height, width, channels)
    return tiles.transpose(0, 2, 1, 3, 4).reshape(rows * height, columns * width, channels)
