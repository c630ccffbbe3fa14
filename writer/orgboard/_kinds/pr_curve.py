"""Precision-recall curves as torch's and tensorboardX's writers make them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_FLOAT, metadata
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.generic]

__all__ = ["PrCurve", "PrSample", "compute_curve", "pr_curve_body", "raw_pr_curve_body"]

MOST_THRESHOLDS: Final = 127
"""What the other writers cap at, so that curves of all of them compare."""

LEAST_COUNT: Final = 1e-7
"""Stands for none in a denominator."""


class PrSample(NamedTuple):
    """What a curve is computed from."""

    labels: Array | Late
    predictions: Array | Late
    weights: Array | Late | None
    num_thresholds: int


class PrCurve(NamedTuple):
    """Six rows, a number a threshold: true and false positives, true and false negatives,
    precision, recall."""

    rows: tuple[Array | Late, ...]
    num_thresholds: int


def pr_curve_body(tag: str, sample: PrSample) -> bytes:
    """Compute a curve and encode the body that holds it."""
    thresholds = min(int(sample.num_thresholds), MOST_THRESHOLDS)
    weights = 1.0 if sample.weights is None else settle(sample.weights)
    curve = compute_curve(settle(sample.labels), settle(sample.predictions), weights, thresholds)
    return _body(tag, curve, thresholds)


def raw_pr_curve_body(tag: str, curve: PrCurve) -> bytes:
    """Encode the body of a curve that the caller computed."""
    import numpy as np

    rows = np.stack([settle(row) for row in curve.rows])
    return _body(tag, rows.reshape(len(rows), -1), min(curve.num_thresholds, MOST_THRESHOLDS))


def compute_curve(
    labels: NDArray[Any], predictions: NDArray[Any], weights: Any, thresholds: int
) -> NDArray[np.float64]:
    """Count what each threshold gets right; shape (6, thresholds), as `PrCurve` orders its rows.

    `labels` are 0 or 1 (or between), `predictions` from 0 to 1; both of one shape. A prediction
    belongs to the highest threshold k / (thresholds - 1) that it reaches; NaN and what lies
    outside 0 to 1 to none.

    Raises:
        ValueError: the shapes differ, or there is no threshold.
    """
    import numpy as np

    if labels.shape != predictions.shape:
        raise ValueError(
            f"labels and predictions must have one shape, got {labels.shape} "
            f"and {predictions.shape}"
        )
    # In the predictions' own precision, as the other writers: float32 may round up to the next.
    with np.errstate(all="ignore"):
        reached = np.floor(predictions * (thresholds - 1)).astype(np.int32)
    likely = labels.astype(np.float64)
    positives, negatives = (
        np.histogram(reached, thresholds, (0, thresholds - 1), weights=share * weights)[0]
        for share in (likely, 1.0 - likely)
    )
    true_positives = positives[::-1].cumsum()[::-1]
    false_positives = negatives[::-1].cumsum()[::-1]
    true_negatives = false_positives[0] - false_positives
    false_negatives = true_positives[0] - true_positives
    precision = true_positives / np.maximum(LEAST_COUNT, true_positives + false_positives)
    recall = true_positives / np.maximum(LEAST_COUNT, true_positives + false_negatives)
    return np.stack(
        [true_positives, false_positives, true_negatives, false_negatives, precision, recall]
    )


def _body(tag: str, rows: NDArray[Any], thresholds: int) -> bytes:
    import numpy as np

    shape = b"".join(pb.blob(2, pb.whole(1, length), always=True) for length in rows.shape)
    with np.errstate(over="ignore"):
        content = rows.astype("<f4").tobytes()
    tensor = pb.whole(1, DT_FLOAT) + pb.blob(2, shape) + pb.blob(5, content)
    about = metadata("pr_curves", pb.whole(2, thresholds))
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + about)
