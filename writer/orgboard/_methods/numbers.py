"""Numbers: scalars, alone or several at once."""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Final

from orgboard._encoding.records import scalar_body
from orgboard._log.files import MAIN
from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import to_float, to_number
from orgboard._values.late import Late, settle
from orgboard._values.mappings import items_of

__all__ = ["Numbers"]

_PLAIN: Final[set[type]] = {float, int, bool}
"""Types whose values are numbers, on the host, and convert at once; numpy's join when met."""

_NUMPY_NUMBERS: Final = frozenset({"floating", "integer", "bool", "bool_"})
_name: Final = attrgetter("__name__")


class Numbers(Recorder):
    """Scalars."""

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool | str = False,
        double_precision: bool | str = False,
        display_name: str = "",
        summary_description: str = "",
    ) -> None:
        """Log a number, or an array or tensor of one element.

        It is stored as float32; with `double_precision` as float64. `new_style` chooses
        TensorFlow 2's form. `display_name` and `summary_description` (Markdown) describe the tag.
        One of a device is sent for, and read in the background.

            writer.add_scalar("loss/train", loss, step)
        """
        log = self._quick
        try:
            # One comparison stands for: running, not forked, not closed, not crowded.
            if (
                len(log.queue) < log.room
                and global_step.__class__ is int
                and tag.__class__ is str
                and not (new_style or double_precision or display_name or summary_description)
            ):
                kind = scalar_value.__class__
                if kind is not float:
                    if kind not in _PLAIN:
                        self._put_number(tag, scalar_value, global_step, walltime)
                        return
                    scalar_value = float(scalar_value)
                when = self._now() if walltime is None else float(walltime)
                log.queue.append((MAIN, None, tag, scalar_value, global_step, when, 0))
                return
        except Exception:
            # The guard knows which errors may go on to the caller.
            with self._guard:
                raise
            return
        with self._guard:
            if self._muted:
                return
            # tensorboardX's fifth and sixth are the name and the description.
            if isinstance(new_style, str):
                display_name, new_style = new_style, False
            if isinstance(double_precision, str):
                summary_description, double_precision = double_precision, False
            if not (new_style or double_precision or display_name or summary_description):
                self._put_number(tag, scalar_value, global_step, walltime)
                return
            value = to_number(scalar_value)
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
        """Log several numbers under one tag, each in a sub-run `<main_tag>_<key>` of its own.

        They are what `add_scalar` takes. Where one cannot be logged, the others are.

            writer.add_scalars("loss", {"train": 0.25, "eval": 0.5}, step)
        """
        with self._guard:
            if self._muted:
                return
            stem = main_tag.replace("/", "_")
            for key, scalar_value in items_of(tag_scalar_dict, "tag_scalar_dict"):
                with self._guard:
                    where = f"{stem}_{key}"
                    self._put_number(main_tag, scalar_value, global_step, walltime, where)

    def _put_number(
        self, tag: str, value: Any, step: Any, walltime: float | None, where: str = MAIN
    ) -> None:
        number = to_number(value)
        if isinstance(number, Late):
            size = number.nbytes
            self._put(_late_body, tag, number, step, walltime, size=size, where=where)
            return
        kind = type(value)
        if kind.__module__ == "numpy" and not _NUMPY_NUMBERS.isdisjoint(map(_name, kind.__mro__)):
            _PLAIN.add(kind)
        self._put(None, tag, number, step, walltime, where=where)


def _late_body(tag: str, number: Late) -> bytes:
    return scalar_body(tag, to_float(settle(number)))
