"""The logdirs that benchmarks are run on hold what their makers say, read by our reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from orgboard_schema.types import ProtoHistogram
from support.event_files import read_whole
from support.logdirs import FORMS, Form, Scalars, curves, tag_names, write_scalars
from support.logged_values import Histograms, histograms, limits, write_histograms


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("files", [1, 3])
def test_a_generated_logdir_holds_the_scalars_that_were_meant(
    tmp_path: Path, form: Form, files: int
) -> None:
    shape = Scalars(2, 3, 400, form, stride=101, files=files, seed=7)

    written = write_scalars(tmp_path, shape)

    paths = sorted(tmp_path.rglob("*tfevents*"))
    assert (written.points, written.files) == (2 * 3 * 400, len(paths))
    assert written.octets == sum(path.stat().st_size for path in paths)
    for run in range(2):
        meant = curves(shape, run)
        batches = [
            batch
            for path in sorted((tmp_path / f"run_{run:05}").iterdir())
            for batch in read_whole(path.read_bytes())
        ]
        assert [(batch.gaps, batch.pending) for batch in batches] == [((), None)] * len(batches)
        assert sum(batch.records for batch in batches) == written.events // 2 + files
        columns = [batch.scalars for batch in batches if batch.scalars.tag]
        tags = [each.tags[tag] for each in columns for tag in each.tag]
        assert tags == tag_names(3) * 400
        assert (
            np.concatenate([each.step for each in columns]).tolist()
            == np.repeat(meant.step, 3).tolist()
        )
        walls = np.broadcast_to(meant.wall, (400, 3)).ravel()
        assert np.concatenate([each.wall for each in columns]).tolist() == walls.tolist()
        values = np.concatenate([each.value for each in columns])
        assert values.tolist() == meant.value.ravel().astype(np.float64).tolist()


def test_the_same_seed_makes_the_same_bytes_and_another_others(tmp_path: Path) -> None:
    contents = []
    for number, seed in enumerate((1, 1, 2)):
        write_scalars(tmp_path / str(number), Scalars(1, 2, 300, seed=seed))
        contents.append(next((tmp_path / str(number)).rglob("*tfevents*")).read_bytes())

    assert contents[0] == contents[1] != contents[2]


def test_pieces_of_a_large_run_join_without_a_seam(tmp_path: Path) -> None:
    shape = Scalars(1, 1, 70_000)

    write_scalars(tmp_path, shape)

    batches = read_whole(next(tmp_path.rglob("*tfevents*")).read_bytes())
    assert sum(batch.records for batch in batches) == 70_001
    assert np.concatenate([batch.scalars.step for batch in batches]).tolist() == [*range(70_000)]


def test_a_generated_logdir_holds_the_histograms_that_were_meant(tmp_path: Path) -> None:
    shape = Histograms(runs=2, tags=3, steps=4, samples=2_000)

    written = write_histograms(tmp_path, shape)

    assert written.points == 2 * 3 * 4
    for run in range(2):
        path = next((tmp_path / f"run_{run:05}").iterdir())
        points = [point for batch in read_whole(path.read_bytes()) for _, point in batch.points]
        meant = [
            (tag, logged.step, logged.wall[at], logged.moments[at], logged.counts[at])
            for logged in histograms(shape, run)
            for at, tag in enumerate(tag_names(3))
        ]
        assert len(points) == len(meant) == 12
        for point, (tag, step, wall, moments, counts) in zip(points, meant, strict=True):
            value = point.value
            assert isinstance(value, ProtoHistogram)
            assert (point.tag, point.step, point.wall_time) == (tag, step, wall)
            said = (value.min, value.max, value.num, value.sum, value.sum_squares)
            assert said == tuple(moments)
            assert list(value.limits) == limits(shape).tolist()
            assert list(value.counts) == counts.tolist()
            assert value.num == sum(value.counts) > 1_000
