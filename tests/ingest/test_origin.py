"""Where a run took place and whose it is, from its files to the database."""

from __future__ import annotations

import getpass
import json
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import select

from orgboard import SummaryWriter
from orgboard_ingest.origin import told_origin
from orgboard_ingest.stage import Piece
from orgboard_ingest.values import PointSeries
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.flush import Origin
from orgboard_schema.types import Tensor
from orgboard_schema.wire.own import CONTEXT_TAG
from support.event_files import event_file, scalar_event
from support.ingested import drain, migrated, new_intake


def test_the_writer_tells_and_else_the_names_of_the_files(tables_url: str, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path / "ours", context=True) as writer:
        writer.add_scalar("loss", 1.0, 1)
    for run, name in (
        ("torch", "events.out.tfevents.1700000000.gpu-7.4242.0"),
        ("renamed", "mine.tfevents"),
    ):
        (tmp_path / run).mkdir()
        (tmp_path / run / name).write_bytes(event_file(scalar_event("loss", 1, 1.0)))
    engine = migrated(tables_url)
    found = [(path.parent.name, path.name) for path in sorted(tmp_path.glob("*/*tfevents*"))]
    drain(new_intake(engine, tmp_path), found)

    column = tables.run.c
    with begin_read(engine) as conn:
        rows = conn.execute(select(column.name, column.host, column.username)).all()
    engine.dispose()

    told = {name: (host, user) for name, host, user in rows}
    assert told["torch"] == ("gpu-7", None)
    assert told["renamed"] == (None, None)
    host, user = told["ours"]
    assert host
    assert user == getpass.getuser()


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"host": "a", "user": "b"}, Origin("a", "b")),
        ({"host": "", "user": 5}, Origin(None, None)),
        ({"host": "x" * 1000}, Origin("x" * 255, None)),
        ([1], None),
        ("{", None),
        ("[" * 100_000, None),
        # Deep values are read by the parser, and by nothing that writes them by recursion.
        ('{"host":' * 480 + "1" + "}" * 480, None),
        ("\ud800", None),
    ],
)
def test_a_context_is_believed_as_far_as_it_is_one(record: object, expected: object) -> None:
    text = record if isinstance(record, str) else json.dumps(record)
    value = Tensor("string", (), (text.encode(errors="surrogatepass"),))
    step, wall = np.zeros(1, np.int64), np.zeros(1)
    piece = Piece(0, CONTEXT_TAG, "tensor", PointSeries(step, wall, [value]), 0, 0, 0)

    assert told_origin([piece]) == expected
