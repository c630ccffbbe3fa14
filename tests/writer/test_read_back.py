"""The product's own reader takes every kind that the writer writes, as the kind it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from orgboard import SummaryWriter
from orgboard_schema.types import Media, ProtoHistogram, Tensor
from orgboard_schema.wire.reader import read_file
from support.logged_runs import event_files


def test_the_reader_takes_every_kind_as_what_it_is(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("loss", 0.5, 1, walltime=2.5)
        writer.add_scalar("double", 0.1, 2, double_precision=True)
        writer.add_histogram("weights", np.arange(4.0), 3)
        writer.add_image("picture", np.zeros((3, 4, 5), np.uint8), 4)
        writer.add_text("note", "hello", 5)
        writer.add_graph(b"")

    with event_files(tmp_path)[0].open("rb") as file:
        batch = read_file(file, 0, {})
    scalars = batch.scalars
    points = {point.tag: point for _, point in batch.points}

    assert scalars.tags == ("loss", "double")
    assert (list(scalars.step), list(scalars.value)) == ([1, 2], [0.5, 0.1])
    assert (scalars.wall[0], list(scalars.dtype)) == (2.5, [4, 8])
    assert {tag: point.kind for tag, point in points.items()} == {
        "weights": "histogram",
        "picture": "image",
        "note/text_summary": "text",
        "__run_graph__": "graph",
    }
    assert isinstance(points["weights"].value, ProtoHistogram)
    assert isinstance(points["picture"].value, Media)
    assert points["note/text_summary"].value == Tensor("string", (1,), (b"hello",))
    assert [mark.status for mark in batch.sessions] == ["stop"]
    assert (batch.gaps, batch.pending) == ((), None)
    assert batch.source_writer is not None
    assert batch.source_writer.startswith("orgboard ")
