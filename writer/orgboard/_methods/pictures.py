"""What is looked at: images and figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import take

__all__ = ["Pictures"]


class Pictures(Recorder):
    """Images and figures."""

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Log a picture of 1 to 4 channels: uint8 as it is, other types from 0..1.

        `img_tensor` is an array or tensor of 2 or 3 axes (4: a batch, see `add_images`), whose
        order `dataformats` names: "CHW", "HWC", "HW"; grey becomes RGB, a NaN black. Or it is a
        PIL image, or a PNG, JPEG or GIF file: its bytes, or a path to it. It is copied now and
        compressed in the background.

            writer.add_image("input", images[0], step)  # (3, 224, 224), 0..1
        """
        with self._guard:
            if self._muted:
                return
            self._put_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Log a batch of pictures as one, eight to a row.

        Types and ranges are those of `add_image`; a list of pictures of one size is a batch too.

            writer.add_images("inputs", images, step)  # (16, 3, 224, 224), 0..1
        """
        with self._guard:
            if self._muted:
                return
            self._put_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_image_with_boxes(
        self,
        tag: str,
        img_tensor: Any,
        box_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        rescale: float | str = 1,
        dataformats: str = "CHW",
        labels: str | Sequence[str] | None = None,
        **kwargs: Any,
    ) -> None:
        """Log a picture with red boxes drawn into it, and a label at each if there are any.

        `box_tensor` has shape (N, 4): left, top, right, bottom, in pixels from the upper left
        corner. `labels` has one text a box. `rescale` is applied last; 0.5 halves both sides.

            writer.add_image_with_boxes("found", image, boxes, step, labels=["cat", "dog"])
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.drawing import BoxedPicture, boxed_image_body, count_boxes
            from orgboard._kinds.given_pictures import read_picture

            if isinstance(rescale, str):
                # tensorboardX has no `rescale` between: what follows was given in its order.
                if dataformats != "CHW":
                    labels = dataformats
                dataformats, rescale = rescale, 1
            if kwargs:
                self._guard.tell_once("arguments", f"ignored unknown arguments: {sorted(kwargs)}")
            picture = read_picture(img_tensor, dataformats)
            boxes = take(box_tensor)
            number = count_boxes(boxes)
            texts = (labels,) if isinstance(labels, str) else tuple(map(str, labels or ()))
            if texts and len(texts) != number:
                self._guard.tell_once(
                    "labels", f"{len(texts)} labels for {number} boxes: drawn without labels"
                )
                texts = ()
            value = BoxedPicture(picture, boxes, texts, float(rescale))
            size = picture.array.nbytes + boxes.nbytes + sum(map(len, texts))
            self._put(boxed_image_body, tag, value, global_step, walltime, size=size)

    def add_figure(
        self,
        tag: str,
        figure: Any,
        global_step: Any = None,
        close: bool = True,
        walltime: float | None = None,
    ) -> None:
        """Log a matplotlib figure as an image, or a list of one size as one, eight to a row.

        It is drawn now, whatever backend is in use and without a display, and closed unless
        `close` is false. A plotly figure is kept as its JSON, to be drawn by orgboard (of a list
        each by itself, as `tag/0`, `tag/1`, …); for TensorBoard, which cannot draw it, log
        `add_image(f"{tag}/image", figure.to_image("png"))` beside it.
        """
        with self._guard:
            from orgboard._kinds.figure import (
                close_figures,
                draw_figures,
                plotly_body,
                plotly_texts,
            )
            from orgboard._kinds.image import image_body

            if self._muted:
                if close:
                    close_figures(figure)
                return

            texts = plotly_texts(tag, figure)
            for name, text in texts.items():
                self._put(plotly_body, name, text, global_step, walltime, size=4 * len(text))
            if texts:
                return
            picture = draw_figures(figure, close=close)
            self._put(image_body, tag, picture, global_step, walltime, size=picture.array.nbytes)

    def _put_image(
        self, tag: str, image: Any, step: Any, walltime: float | None, dataformats: str
    ) -> None:
        from orgboard._kinds.given_files import encoded_image, file_bytes
        from orgboard._kinds.given_pictures import read_picture
        from orgboard._kinds.image import encoded_body, image_body

        data = file_bytes(image)
        if data is not None:
            encoded = encoded_image(data)
            self._put(encoded_body, tag, encoded, step, walltime, size=len(data))
            return
        picture = read_picture(image, dataformats)
        self._put(image_body, tag, picture, step, walltime, size=picture.array.nbytes)
