"""Videos: arrays as animated GIF in an image value, as other writers do; films as they are.

TensorBoard knows no video; it shows a GIF among the images. MP4 and WebM become a record of
ours, a string tensor [media type, bytes] under the plugin name `orgboard_video`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.film import encode_mp4
from orgboard._kinds.gif import encode_gif
from orgboard._kinds.given_files import encoded_image
from orgboard._kinds.image import Encoded, encoded_body, scale
from orgboard._kinds.metadata import DT_STRING, metadata
from orgboard._values.late import Late, settle
from orgboard_schema.wire.media import media_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Frames: TypeAlias = NDArray[np.uint8]
    """Time, height, width, channels."""

__all__ = [
    "Clip",
    "check_clip",
    "check_film",
    "film_body",
    "gif_body",
    "mp4_body",
    "to_frames",
]

VIDEO_PLUGIN: Final = "orgboard_video"

_FILMS: Final = frozenset({"video/mp4", "video/webm"})


class Clip(NamedTuple):
    """A batch of clips, and how fast they play."""

    array: NDArray[np.generic] | Late
    layout: str
    """The order of the axes: N clips, T frames, C channels, H rows, W columns."""
    fps: float


def check_clip(array: NDArray[np.generic] | Late, layout: str, fps: Any) -> Clip:
    """Give the clips that `dataformats` describes.

    Raises:
        ValueError: the layout is no video's, the array does not fit it, or `fps` is no rate.
    """
    axes = str(layout).upper()
    if sorted(axes) != sorted("NTCHW"):
        raise ValueError(f"dataformats must be NTCHW in some order, got {layout!r}")
    if array.ndim != len(axes):
        raise ValueError(f"dataformats {axes} does not fit an array of shape {array.shape}")
    if not array.size:
        raise ValueError(f"a video needs at least one pixel, got shape {array.shape}")
    channels = array.shape[axes.index("C")]
    if channels not in (1, 3, 4):
        raise ValueError(f"a video has 1, 3 or 4 channels, got {channels}")
    rate = float(fps)
    if not 0 < rate < float("inf"):
        raise ValueError(f"fps must be a positive number, got {fps!r}")
    return Clip(array, axes, rate)


def gif_body(tag: str, clip: Clip) -> bytes:
    """Encode the body that holds clips side by side as an animated GIF."""
    frames = to_frames(clip)
    height, width, channels = frames.shape[1:]
    gif = encode_gif(_rgb(frames), clip.fps)
    return encoded_body(tag, Encoded(gif, width, height, channels))


def mp4_body(tag: str, clip: Clip) -> bytes:
    """Encode the body that holds clips side by side as an MP4."""
    return film_body(tag, encode_mp4(_rgb(to_frames(clip)), clip.fps))


def film_body(tag: str, film: bytes) -> bytes:
    """Encode the body that holds a film file: a GIF as an image, any other as our own record."""
    kind = media_type(film)
    if kind == "image/gif":
        return encoded_body(tag, encoded_image(film))
    shape = pb.blob(2, pb.blob(2, pb.whole(1, 2)))
    tensor = pb.whole(1, DT_STRING) + shape + pb.text(8, kind) + pb.blob(8, film)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata(VIDEO_PLUGIN))


def check_film(film: bytes) -> bytes:
    """Give back the bytes of an MP4, WebM or GIF.

    Raises:
        ValueError: they are none of them.
    """
    if media_type(film) not in {"image/gif", *_FILMS}:
        raise ValueError("a video given as a file must be an MP4, WebM or GIF")
    return film


def to_frames(clip: Clip) -> Frames:
    """Put the clips side by side, in rows: a power of two of each, black where there is none."""
    import numpy as np

    batch = settle(clip.array).transpose([clip.layout.index(axis) for axis in "NTHWC"])
    number, time, height, width, channels = batch.shape
    rows = 1 << (number.bit_length() - 1) // 2
    columns = (1 << (number - 1).bit_length()) // rows
    canvas = np.zeros((rows * columns, time, height, width, channels), np.uint8)
    for at, film in enumerate(batch):
        canvas[at] = scale(film)
    tiles = canvas.reshape(rows, columns, time, height, width, channels)
    return tiles.transpose(2, 0, 3, 1, 4, 5).reshape(time, rows * height, columns * width, channels)


def _rgb(frames: Frames) -> Frames:
    """Grey as three equal channels; what is seen through is shown as it is."""
    import numpy as np

    if frames.shape[3] == 1:
        return np.broadcast_to(frames, (*frames.shape[:3], 3))
    return frames[..., :3]
