"""Numbers: scalars, alone or several at once, and tensors."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from orgboard._log.files import MAIN
from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import to_float

__all__ = ["Numbers"]

_now = time.time


class Numbers(Recorder):
    """Scalars and tensors."""

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
        display_name: str = "",
        summary_description: str = "",
    ) -> None:
        """Log a number, or an array or tensor of one element.

        It is stored as float32; with `double_precision` as float64. `new_style` chooses
        TensorFlow 2's form. `display_name` and `summary_description` (Markdown) describe the tag.
        """
        log = self._log
        # One comparison stands for: running, not forked, not closed, not crowded.
        if (
            len(log.queue) < log.room
            and scalar_value.__class__ is float
            and global_step.__class__ is int
            and tag.__class__ is str
            and not (new_style or double_precision or display_name or summary_description)
        ):
            when = _now() if walltime is None else walltime
            log.queue.append((MAIN, None, tag, scalar_value, global_step, when, 0))
            return
        with self._guard:
            value = to_float(scalar_value)
            if not (new_style or double_precision or display_name or summary_description):
                self._put(None, tag, value, global_step, walltime)
                return
            from orgboard._kinds.scalar import DescribedScalar, described_scalar_body

            described = DescribedScalar(
                value, bool(new_style), bool(double_precision), display_name, summary_description
            )
            self._put(described_scalar_body, tag, described, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log several numbers under one tag, each in a sub-run `<main_tag>_<key>` of its own."""
        with self._guard:
            stem = main_tag.replace("/", "_")
            for key, scalar_value in tag_scalar_dict.items():
                with self._guard:
                    value = to_float(scalar_value)
                    where = f"{stem}_{key}"
                    self._put(None, main_tag, value, global_step, walltime, where=where)
