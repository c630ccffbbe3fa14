"""TensorBoard reads from the logdirs that benchmarks are run on what their makers say."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from support.frameworks import framework
from support.logdirs import FORMS, Form, Scalars, curves, tag_names, write_scalars
from support.logged_values import Histograms, histograms, limits, write_histograms

loading = framework("tensorboard.backend.event_processing.event_file_loader")
tensor_util = framework("tensorboard.util.tensor_util")
event_pb2 = framework("tensorboard.compat.proto.event_pb2")


def values_in(path: Path) -> Iterator[tuple[Any, Any]]:
    for event in loading.EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            yield event, value


@pytest.mark.parametrize("form", FORMS)
def test_tensorboard_reads_the_scalars_that_were_meant(tmp_path: Path, form: Form) -> None:
    shape = Scalars(1, 3, 400, form, stride=101)
    meant = curves(shape, 0)

    write_scalars(tmp_path, shape)

    read = [
        (value.tag, event.step, event.wall_time, float(tensor_util.make_ndarray(value.tensor)))
        for event, value in values_in(next(tmp_path.rglob("*tfevents*")))
    ]
    assert [each[0] for each in read] == tag_names(3) * 400
    assert [each[1] for each in read] == np.repeat(meant.step, 3).tolist()
    assert [each[2] for each in read] == np.broadcast_to(meant.wall, (400, 3)).ravel().tolist()
    assert [each[3] for each in read] == meant.value.ravel().astype(np.float64).tolist()


def test_tensorboard_reads_the_histograms_that_were_meant(tmp_path: Path) -> None:
    shape = Histograms(runs=1, tags=2, steps=3, samples=2_000)
    edges = limits(shape)

    write_histograms(tmp_path, shape)

    records = loading.RawEventFileLoader(str(next(tmp_path.rglob("*tfevents*")))).Load()
    events = [event_pb2.Event.FromString(record) for record in records]
    read = [(event, value) for event in events for value in event.summary.value]
    meant = [(logged, at) for logged in histograms(shape, 0) for at in range(2)]
    for (event, value), (logged, at) in zip(read, meant, strict=True):
        histo = value.histo
        assert (value.tag, event.step) == (tag_names(2)[at], logged.step)
        assert list(histo.bucket_limit) == edges.tolist()
        assert list(histo.bucket) == logged.counts[at].tolist()
        said = [histo.min, histo.max, histo.num, histo.sum, histo.sum_squares]
        assert said == logged.moments[at].tolist()
