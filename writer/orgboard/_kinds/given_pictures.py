"""Pictures as they are given: arrays and tensors of any library, or images of Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orgboard._kinds.image import Picture, check_layout
from orgboard._values.arrays import snapshot
from orgboard_schema.wire.frames import MAX_RECORD_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_picture", "snapshot_of_bounded"]


def read_picture(image: Any, dataformats: str) -> Picture:
    """Copy an image. One of Pillow's knows the order of its axes, whatever `dataformats` says.

    Raises:
        TypeError, ValueError: it is no image, too large, or does not fit `dataformats`.
    """
    if not (callable(getattr(image, "convert", None)) and hasattr(image, "mode")):
        return check_layout(snapshot_of_bounded(image), dataformats)
    import numpy as np

    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        # Palettes, CMYK, more than 8 bits: Pillow knows what they look like.
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    array = np.array(image)
    return check_layout(array, "HW" if array.ndim == 2 else "HWC")


def snapshot_of_bounded(value: Any) -> NDArray[np.generic]:
    """Copy an array of any library, unless it is larger than any record may be.

    Raises:
        ValueError: it is larger; it was not copied, where its size could be told.
    """
    said = getattr(value, "nbytes", 0)
    array = snapshot(value) if not isinstance(said, int) or said <= MAX_RECORD_BYTES else None
    size = said if array is None else array.nbytes
    if array is None or size > MAX_RECORD_BYTES:
        raise ValueError(f"{size} bytes are more than the {MAX_RECORD_BYTES} that a value may take")
    return array
