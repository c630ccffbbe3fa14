"""`log`: everything that is known at one step, in one call and one event."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import count
from math import prod
from typing import Any, Final

from orgboard._kinds.logged import FEW, Logged, logged_body, packed_body, packer
from orgboard._log.files import MAIN
from orgboard._methods.distributions import Distributions
from orgboard._methods.media import Media
from orgboard._methods.numbers import Numbers
from orgboard._values.arrays import to_number, to_step
from orgboard._values.mappings import items_of

__all__ = ["Dictionaries"]

_NUMBERS: Final = frozenset({float, int, bool})

DEEPEST: Final = 32
"""A dictionary within itself would have no end."""

VALUE_BYTES: Final = 160
"""What a tag and its number take in memory, about."""


class Dictionaries(Numbers, Distributions, Media):
    """Whole dictionaries of values."""

    _names: tuple[str, ...] = ()
    """The tags of the last call, which are mostly those of the next."""

    _pack: Callable[..., bytes] = packer(())
    """Packs as many numbers as there are of those tags."""

    def log(
        self, values: Mapping[str, Any], step: Any = None, walltime: float | None = None
    ) -> None:
        """Log a dictionary of values at one step.

            writer.log({"loss": 0.25, "eval": {"accuracy": 0.9, "note": "warm"}}, step)

        Dictionaries inside are flattened: the accuracy above is tag "eval/accuracy". By their
        values' types the entries become

        - numbers, bools, arrays and tensors of one element: scalars, float32;
        - texts: texts (Markdown), under `<tag>/text_summary`;
        - arrays, tensors and lists of more elements, of any shape: histograms of them;
        - matplotlib's and plotly's figures, and Pillow's images: images;
        - None: nothing, it means "not known".

        All scalars and texts of a call are one event, so readers see all of them or none. What
        is none of these is dropped, counted and told once; the rest is logged. Without a
        `step`, it is the one after the last that `log` was given or counted; the first is 0.
        """
        log = self._quick
        try:
            # As in `add_scalar`: everything plain, and the log is running and not crowded.
            if (
                len(log.queue) < log.room
                and type(values) is dict
                and 0 < len(values) <= FEW
                and (step is None or type(step) is int)
                and self._default_step is None
                and {*map(type, values.values())} <= _NUMBERS
            ):
                names = tuple(values)
                if names != self._names:
                    self._pack = packer(_checked(names))
                    self._names = names
                packed = self._pack(*values.values())
                when = self._now() if walltime is None else float(walltime)
                if step is None:
                    step = next(self._counted_steps)
                else:
                    self._counted_steps = count(step + 1)
                log.queue.append((MAIN, packed_body, "", (names, packed), step, when, 0))
                return
        except Exception:  # noqa: BLE001, S110 (what is not plain after all goes the long way)
            pass
        with self._guard:
            if self._muted:
                return
            self._log_anything(values, step, walltime)

    def _log_anything(self, values: Mapping[str, Any], step: Any, walltime: float | None) -> None:
        step = self._default_step if step is None else step
        if step is None:
            step = next(self._counted_steps)
        else:
            step = to_step(step)
            self._counted_steps = count(step + 1)
        when = self._now() if walltime is None else float(walltime)
        logged = Logged([], [])
        others: list[tuple[str, Any]] = []
        self._sort(values, "", logged, others)
        if logged.numbers or logged.texts:
            size = VALUE_BYTES * len(logged.numbers)
            size += sum(VALUE_BYTES + 4 * len(content) for _, content in logged.texts)
            self._put(logged_body, "", logged, step, when, size=size)
        for tag, value in others:
            with self._guard:
                self._log_several(tag, value, step, when)

    def _sort(
        self,
        values: Mapping[Any, Any],
        prefix: str,
        logged: Logged,
        others: list[tuple[str, Any]],
        depth: int = 0,
    ) -> None:
        """Sort entries by what becomes of them. One that cannot be logged stops no other."""
        if depth > DEEPEST:
            raise ValueError(f"dictionaries more than {DEEPEST} deep in one another")
        for key, value in items_of(values, "what is logged"):
            with self._guard:
                tag = f"{prefix}{key}"
                if isinstance(value, Mapping):
                    self._sort(value, f"{tag}/", logged, others, depth + 1)
                elif isinstance(value, str):
                    logged.texts.append((tag, str(value)))
                elif _is_several(value):
                    others.append((tag, value))
                elif value is not None:
                    logged.numbers.append((tag, to_number(value)))

    def _log_several(self, tag: str, value: Any, step: int, when: float) -> None:
        """Log what is more than a number, as an event of its own."""
        if callable(getattr(value, "gcf", None)):
            value = value.gcf()  # `matplotlib.pyplot` itself: its current figure
        if hasattr(value, "savefig") or hasattr(value, "to_plotly_json"):
            self.add_figure(tag, value, step, close=False, walltime=when)
        elif hasattr(value, "getbands"):
            self.add_image(tag, value, step, when)
        else:
            self.add_histogram(tag, value, step, walltime=when)


def _checked(names: tuple[Any, ...]) -> tuple[str, ...]:
    if not all(name.__class__ is str for name in names):
        raise TypeError("a tag must be a string")
    return names


def _is_several(value: Any) -> bool:
    """Tell a list, an array of more or less than one element, a figure or a picture."""
    if isinstance(value, (list, tuple)):
        return True
    if any(hasattr(value, name) for name in ("savefig", "to_plotly_json", "getbands")):
        return True
    shape = getattr(value, "shape", None)
    return shape is not None and prod(shape) != 1
