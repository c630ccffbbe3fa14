"""What is seen or heard, from the SDK's call to the stored value."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]  # it has no stubs
from sqlalchemy import Engine, select

from orgboard import SummaryWriter
from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read
from support.ingested import drain, migrated, new_intake

FILM = b"\0\0\0\x18ftypisom\0\0\2\0" + bytes(1000)


def stored(engine: Engine) -> dict[tuple[str, str], list[Any]]:
    """Read every value that is no scalar, by tag and kind."""
    with begin_read(engine) as conn:
        run_id = conn.execute(select(tables.run.c.run_id)).scalar_one()
        heads = head_rows(read.heads(conn, [run_id])[run_id])
        names = tag_names(conn, {head.tag_id for head in heads})
        series = read.series(conn, run_id, [(head.tag_id, head.kind) for head in heads])
        return {(names[tag_id], kind): list(data.values) for (tag_id, kind), data in series.items()}


def test_what_the_sdk_logs_is_stored_as_the_kind_it_is(tables_url: str, tmp_path: Path) -> None:
    run = tmp_path / "logs" / "run"
    clip = np.zeros((1, 2, 3, 4, 6), np.uint8)
    with SummaryWriter(run, strict=True) as writer:
        writer.add_video("film", FILM, 1)
        writer.add_video("clip", clip, 1)
        writer.add_image("image", clip[0, 0], 1)
        writer.add_audio("sound", np.zeros(9), 1, sample_rate=8000)
        writer.add_figure("plot", go.Figure(), 1)
    engine = migrated(tables_url)
    drain(new_intake(engine, run.parent), [("run", path.name) for path in run.iterdir()])

    values = stored(engine)
    engine.dispose()

    assert set(values) == {
        ("film", "video"),
        ("clip", "image"),
        ("image", "image"),
        ("sound", "audio"),
        ("plot", "tensor"),
    }
    blobs = {tag: value for (tag, kind), (value,) in values.items() if kind != "tensor"}
    kinds = {tag: [blob.media_type for blob in value.blobs] for tag, value in blobs.items()}
    assert kinds == {
        "film": ["video/mp4"],
        "clip": ["image/gif"],
        "image": ["image/png"],
        "sound": ["audio/wav"],
    }
    assert blobs["film"].blobs[0].sha256 == hashlib.sha256(FILM).digest()
    assert (blobs["clip"].width, blobs["clip"].height) == (6, 4)
    assert blobs["sound"].sample_rate == 8000
    assert values["plot", "tensor"][0].data[0] == b"application/vnd.plotly.v1+json"
