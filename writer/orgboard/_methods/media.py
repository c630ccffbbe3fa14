"""What is looked at or listened to: images, figures, video, audio."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import snapshot

__all__ = ["Media"]


class Media(Recorder):
    """Images, figures, video, audio."""

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Log a picture of 1 to 4 channels: uint8 as it is, other types from 0..1.

        `dataformats` names the order of the axes: "CHW", "HWC", "HW".
        """
        with self._guard:
            from orgboard._kinds.image import check_layout, image_body

            picture = check_layout(snapshot(img_tensor), dataformats)
            self._put(image_body, tag, picture, global_step, walltime, size=picture.array.nbytes)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Log a batch of pictures as one, eight to a row."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)
