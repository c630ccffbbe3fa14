"""Pictures as they are given: arrays and tensors of any library, or images of Pillow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orgboard._kinds.image import Picture, check_layout
from orgboard._values.arrays import take
from orgboard._values.late import Late
from orgboard_schema.wire.frames import MAX_RECORD_BYTES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["read_picture", "take_bounded"]


def read_picture(image: Any, dataformats: str) -> Picture:
    """Keep an image as it is now. One of Pillow's knows its own axes, whatever `dataformats` says.

    Raises:
        TypeError, ValueError: it is no image, too large, or does not fit `dataformats`.
    """
    if not (callable(getattr(image, "convert", None)) and hasattr(image, "mode")):
        return check_layout(take_bounded(image), dataformats)
    import numpy as np

    if image.mode not in ("L", "LA", "RGB", "RGBA"):
        # Palettes, CMYK, more than 8 bits: Pillow knows what they look like.
        image = image.convert("RGBA" if getattr(image, "has_transparency_data", False) else "RGB")
    array = np.array(image)
    return check_layout(array, "HW" if array.ndim == 2 else "HWC")


def take_bounded(value: Any) -> NDArray[np.generic] | Late:
    """Keep an array of any library as it is now, unless it is larger than any record may be.

    Raises:
        ValueError: it is larger; it was not copied, where its size could be told.
    """
    said = getattr(value, "nbytes", 0)
    taken = take(value) if not isinstance(said, int) or said <= MAX_RECORD_BYTES else None
    size = said if taken is None else taken.nbytes
    if taken is None or size > MAX_RECORD_BYTES:
        raise ValueError(f"{size} bytes are more than the {MAX_RECORD_BYTES} that a value may take")
    return taken
