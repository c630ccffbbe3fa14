"""Histograms of several runs as one: at each step the sum of those that were logged there. Pure.

Nothing is resampled. Buckets with the same edges are added, count by count. Where edges differ
the sum has the edges of all, and a bucket that another's edge cuts is shared by width, as
percentiles and pictures take its values to lie.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.histograms.buckets import Frames, joined

__all__ = ["Member", "all_steps", "last_of_each", "merge"]

Doubles: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Member:
    """The histograms of one run, each at a step of its own, in their order."""

    step: Ints
    frames: Frames


def all_steps(members: Sequence[Ints]) -> Ints:
    """Return the steps that any member has, in order, each once."""
    return np.unique(np.concatenate([np.empty(0, np.int64), *members]))


def last_of_each(step: Ints, wanted: Ints) -> Ints:
    """Return where in the sorted `step` the last one of each wanted step stands; those that are
    not there are left out."""
    at = np.searchsorted(step, wanted, "right") - 1
    return at[(at >= 0) & (step[np.maximum(at, 0)] == wanted)] if len(step) else at[:0]


def merge(members: Sequence[Member], steps: Ints) -> tuple[Frames, Ints]:
    """Return the sum at each of these steps, and of how many members it is."""
    made = []
    counts = np.zeros(len(steps), np.int64)
    for place, step in enumerate(steps.tolist()):
        parts = []
        for member in members:
            at = int(np.searchsorted(member.step, step))
            if at < len(member.step) and member.step[at] == step:
                parts.append(member.frames.take(np.array([at])))
        counts[place] = len(parts)
        made.append(_sum(parts))
    return joined(made), counts


def _sum(parts: Sequence[Frames]) -> Frames:
    if len(parts) == 1:
        return parts[0]
    left, right, count = _added(parts)
    moments = np.concatenate([part.moments for part in parts], axis=1)
    least, greatest = moments[0].min(), moments[1].max()
    # Where one did not log its sums there are none of all: they follow from the buckets.
    sums = moments[2:].sum(axis=1)
    return Frames(
        np.array([len(count)], np.int64),
        *(left, right, count),
        np.array([[least], [greatest], *sums[:, None]]),
        np.bitwise_or.reduce([part.faults for part in parts]),
        np.sum([part.left_out for part in parts], axis=0),
    )


def _added(parts: Sequence[Frames]) -> tuple[Doubles, Doubles, Doubles]:
    """Return left, right and count of all buckets of the parts, those that are alike as one."""
    first = parts[0]
    if all(
        np.array_equal(part.left, first.left) and np.array_equal(part.right, first.right)
        for part in parts[1:]
    ):
        return first.left, first.right, np.sum([part.count for part in parts], axis=0)
    left = np.concatenate([part.left for part in parts])
    right = np.concatenate([part.right for part in parts])
    count = np.concatenate([part.count for part in parts])
    edges = np.unique(np.concatenate((left, right)))
    begins, ends = np.searchsorted(edges, left), np.searchsorted(edges, right)
    wide = ends > begins
    pieces = _shared(edges, begins[wide], ends[wide], count[wide])
    covered = _covered(len(edges) - 1, begins[wide], ends[wide])
    places, which = np.unique(begins[~wide], return_inverse=True)
    thin = np.zeros(len(places))
    np.add.at(thin, which, count[~wide])
    lows = np.concatenate((edges[:-1][covered], edges[places]))
    highs = np.concatenate((edges[1:][covered], edges[places]))
    # One without a width stands before the one that begins where it is.
    order = np.lexsort((highs, lows))
    return lows[order], highs[order], np.concatenate((pieces[covered], thin))[order]


def _shared(edges: Doubles, begins: Ints, ends: Ints, count: Doubles) -> Doubles:
    """Share counts between the pieces from one edge to the next, by width."""
    lengths = ends - begins
    owner = np.repeat(np.arange(len(count)), lengths)
    piece = np.arange(len(owner)) - np.repeat(np.cumsum(lengths) - lengths - begins, lengths)
    # Halves, since the width of the widest bucket is no number of its own.
    half = edges / 2
    share = (half[piece + 1] - half[piece]) / (half[ends] - half[begins])[owner]
    whole = lengths[owner] == 1
    given = np.where(whole, count[owner], count[owner] * share)
    pieces = np.zeros(len(edges) - 1)
    np.add.at(pieces, piece, given)
    return pieces


def _covered(pieces: int, begins: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Tell which pieces lie in some bucket."""
    depth = np.zeros(pieces + 1, np.int64)
    np.add.at(depth, begins, 1)
    np.add.at(depth, ends, -1)
    return np.cumsum(depth)[:-1] > 0
