"""How a run ended, from what the SDK writes to what the database says."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

import orgboard
from orgboard import SummaryWriter
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from support.ingested import drain, migrated, new_intake


@pytest.mark.parametrize("batch_bytes", [1 << 23, 64], ids=["read at once", "read bit by bit"])
def test_a_block_that_raises_leaves_a_failed_run(
    tables_url: str, tmp_path: Path, batch_bytes: int
) -> None:
    with orgboard.run(tmp_path / "fine") as run:
        run.add_scalar("loss", 1.0, 1)
    with pytest.raises(ZeroDivisionError), orgboard.run(tmp_path / "broken") as run:
        run.add_scalar("loss", 1 / 0, 1)
    with orgboard.run(tmp_path / "mended") as run, pytest.raises(ZeroDivisionError):
        run.add_scalar("loss", 1 / 0, 1)
    with pytest.raises(ZeroDivisionError), orgboard.run(tmp_path / "tried again") as run:
        run.add_scalar("loss", 1 / 0, 1)
    with SummaryWriter(tmp_path / "tried again") as writer:
        writer.add_scalar("loss", 0.5, 1, walltime=4e9)
    engine = migrated(tables_url)
    found = [(path.parent.name, path.name) for path in sorted(tmp_path.glob("*/*tfevents*"))]
    drain(new_intake(engine, tmp_path, batch_bytes=batch_bytes), found)

    with begin_read(engine) as conn:
        ended = {row.name: row.finished for row in conn.execute(select(tables.run))}
    engine.dispose()

    assert ended["broken"] == "failed"
    assert ended["fine"] in ("stop", "hparams")
    assert ended["mended"] in ("stop", "hparams")
    assert ended["tried again"] is None
