"""What is read: texts, and remarks about the run."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder, check_tag

__all__ = ["Texts"]


class Texts(Recorder):
    """Texts and annotations."""

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a text (Markdown). It is stored under `<tag>/text_summary`, as by torch.

        What is no string is logged as `str` of it.

            writer.add_text("sample", "a *generated* sentence", step)
        """
        with self._guard:
            from orgboard._kinds.text import text_body

            check_tag(tag)
            content = str(text_string)
            tag = f"{tag}/text_summary"
            self._put(text_body, tag, content, global_step, walltime, size=4 * len(content))

    def annotate(self, text: str, step: Any = None, walltime: float | None = None) -> None:
        """Remark on the run as a whole, at a step: a mark over all its curves.

            writer.annotate("learning rate halved", step)

        Without a `step`, readers place it by its time. TensorBoard shows nothing of it.
        """
        with self._guard:
            from orgboard._kinds.own import ANNOTATION_TAG, annotation_body

            step = self._default_step if step is None else step
            remark = (str(text), step is not None)
            size = 4 * len(remark[0])
            self._put(annotation_body, ANNOTATION_TAG, remark, step, walltime, size=size)
