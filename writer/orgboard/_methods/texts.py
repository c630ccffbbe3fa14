"""What is read: texts."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder

__all__ = ["Texts"]


class Texts(Recorder):
    """Texts."""

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a text (Markdown). It is stored under `<tag>/text_summary`, as by torch."""
        with self._guard:
            from orgboard._kinds.text import text_body

            content = str(text_string)
            tag = f"{tag}/text_summary"
            self._put(text_body, tag, content, global_step, walltime, size=4 * len(content))
