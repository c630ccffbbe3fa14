"""How many values are how large: histograms, precision-recall curves."""

from __future__ import annotations

import math
from typing import Any

from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import take

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
        """Log the distribution of the values of an array of any shape, at least one value.

        `bins` is "tensorflow" (edges at powers of 1.1) or what `np.histogram` takes; `max_bins`
        merges neighbouring buckets. Values on the host are copied now and counted in the
        background. Those on a device are counted there, and only the counts leave it.

            writer.add_histogram("weights/fc1", model.fc1.weight, step)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.histogram import (
                Sample,
                counted_body,
                counted_on_device,
                histogram_body,
            )

            if 0 in getattr(values, "shape", ()):
                raise ValueError("a histogram needs at least one value")
            counted = counted_on_device(values, bins, max_bins)
            if counted is not None:
                size = counted.rows.nbytes
                self._put(counted_body, tag, counted, global_step, walltime, size=size)
                return
            sample = Sample(take(values), bins, max_bins)
            self._put(histogram_body, tag, sample, global_step, walltime, size=sample.values.nbytes)

    def add_histogram_raw(
        self,
        tag: str,
        min: Any,  # noqa: A002 (torch's name)
        max: Any,  # noqa: A002
        num: Any,
        sum: Any,  # noqa: A002
        sum_squares: Any,
        bucket_limits: Any,
        bucket_counts: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a histogram that is already counted.

        `bucket_limits` are the right edges of the buckets, ascending, and `bucket_counts` as
        many numbers of values. `min`, `max`, `num`, `sum` and `sum_squares` describe the values.

            writer.add_histogram_raw("h", 0.0, 2.0, 3, 3.0, 5.0, [1.0, 2.0], [1, 2], step)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.histogram import RawHistogram, raw_histogram_body

            limits, counts = take(bucket_limits), take(bucket_counts)
            if math.prod(limits.shape) != math.prod(counts.shape):
                raise ValueError(
                    f"as many counts as limits, got {counts.shape} counts and {limits.shape} limits"
                )
            described = tuple(take(number) for number in (min, max, num, sum, sum_squares))
            raw = RawHistogram(described, limits, counts)
            size = limits.nbytes + counts.nbytes
            self._put(raw_histogram_body, tag, raw, global_step, walltime, size=size)

    def add_pr_curve(
        self,
        tag: str,
        labels: Any,
        predictions: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log how precision and recall depend on the threshold of a binary classifier.

        `labels` are 0 or 1 (or bool), `predictions` probabilities from 0 to 1, `weights` (if
        any) a number for each, all of one shape. `num_thresholds` is at most 127.

            writer.add_pr_curve("eval", labels, torch.sigmoid(logits), step)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.pr_curve import PrSample, pr_curve_body

            weighing = None if weights is None else take(weights)
            sample = PrSample(take(labels), take(predictions), weighing, int(num_thresholds))
            size = sum(part.nbytes for part in sample[:3] if part is not None)
            self._put(pr_curve_body, tag, sample, global_step, walltime, size=size)

    def add_pr_curve_raw(
        self,
        tag: str,
        true_positive_counts: Any,
        false_positive_counts: Any,
        true_negative_counts: Any,
        false_negative_counts: Any,
        precision: Any,
        recall: Any,
        global_step: Any = None,
        num_thresholds: int = 127,
        weights: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a precision-recall curve that is already computed: a number a threshold in each.

        `weights` is taken for torch's sake and means nothing.
        """
        del weights
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.pr_curve import PrCurve, raw_pr_curve_body

            given = (
                true_positive_counts,
                false_positive_counts,
                true_negative_counts,
                false_negative_counts,
                precision,
                recall,
            )
            rows = tuple(take(row) for row in given)
            if len({row.shape for row in rows}) != 1:
                raise ValueError(f"six rows of one length, got {[row.shape for row in rows]}")
            curve = PrCurve(rows, int(num_thresholds))
            size = sum(row.nbytes for row in rows)
            self._put(raw_pr_curve_body, tag, curve, global_step, walltime, size=size)
