"""What an imaging library makes of the bytes of a picture, as numbers."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageSequence

from orgboard_schema.wire.summary_pb2 import Summary
from support.logged_runs import summaries

__all__ = ["Pixels", "file_of", "films", "frames_of", "images", "pixels_of"]

Pixels = NDArray[np.uint8]


def pixels_of(data: bytes) -> Pixels:
    """Decode a picture: height, width, channels."""
    with Image.open(io.BytesIO(data)) as image:
        pixels = np.asarray(image)
    return pixels if pixels.ndim == 3 else pixels[..., np.newaxis]


def frames_of(data: bytes) -> tuple[Pixels, list[int]]:
    """Decode an animation: time, height, width, RGB; and each frame's time in milliseconds."""
    with Image.open(io.BytesIO(data)) as image:
        shown = [(np.asarray(each.convert("RGB")), each.info["duration"]) for each in _each(image)]
    return np.stack([frame for frame, _ in shown]), [int(time) for _, time in shown]


def file_of(image: Image.Image, form: str) -> bytes:
    """Encode a picture."""
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def images(directory: Path, tag: str) -> list[Summary.Image]:
    """Read the images of a run's tag."""
    found = (value for _, value in summaries(directory) if value.tag == tag.encode())
    return [value.image for value in found if value.HasField("image")]


def films(directory: Path, tag: str) -> list[tuple[bytes, ...]]:
    """Read the string tensors of a run's tag."""
    found = (value for _, value in summaries(directory) if value.tag == tag.encode())
    return [tuple(value.tensor.string_val) for value in found if value.HasField("tensor")]


def _each(image: Image.Image) -> Any:
    return ImageSequence.Iterator(image)
