"""How many values are how large: histograms, precision-recall curves."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import snapshot

__all__ = ["Distributions"]


class Distributions(Recorder):
    """Histograms and precision-recall curves."""

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Log the distribution of the values of an array of any shape.

        `bins` is "tensorflow" (edges at powers of 1.1) or what `np.histogram` takes. The values
        are copied now and counted in the background.
        """
        with self._guard:
            from orgboard._kinds.histogram import Sample, histogram_body

            sample = Sample(snapshot(values), bins, max_bins)
            self._put(histogram_body, tag, sample, global_step, walltime, size=sample.values.nbytes)
