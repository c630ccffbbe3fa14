"""A board with something of everything in it: event files, and what a database has of them.

`log_everything` writes the files; `contents` tells what is stored, in a form that no release
changes: points of each run and tag by number and checksum, media by their bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from sqlalchemy import Connection, Engine, func, select

from orgboard import SummaryWriter
from orgboard_ingest.commands import ingest
from orgboard_schema.blocks import StoredMedia, StoredValue, head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import ProtoHistogram, TensorHistogram
from support import every_method
from support.logged_runs import event_files

__all__ = ["Contents", "contents", "fill", "log_everything"]

Contents: TypeAlias = dict[str, Any]
"""By `TEAM/PROJECT:run`; JSON takes it."""

WALL: Final = 1_700_000_000.0
LONG: Final = 2500
"""Points of the long series: two blocks, and a rest in a segment."""

KINDS: Final = (
    every_method.add_text,
    every_method.add_tensor,
    every_method.add_histogram,
    every_method.add_histogram_raw,
    every_method.add_image,
    every_method.add_audio,
    every_method.add_graph,
    every_method.add_pr_curve,
    every_method.add_custom_scalars,
    every_method.add_mesh,
    every_method.add_hparams,
)


def fill(url: str, root: Path) -> None:
    """Write the files, in two folders under `root`, and let ingest read them into `url`."""
    log_everything(root)
    for project in ("default/first", "science/second"):
        folder = root / project.rpartition("/")[2]
        status = ingest([str(folder), "--db", url, "--project", project, "--once"])
        # 3: one file of the first project is damaged, on purpose.
        assert status in (0, 3)


def log_everything(root: Path) -> None:
    """Write runs of every kind, restarted, damaged, empty, named in all manners of writing."""
    with SummaryWriter(str(root / "first" / "all kinds"), context=False) as writer:
        for step in range(2):
            for log in KINDS:
                log(writer, step)
    with SummaryWriter(str(root / "first" / "long"), context=False) as writer:
        for step in range(LONG):
            value = np.nan if step % 500 == 7 else np.inf if step % 500 == 8 else step / 7
            writer.add_scalar("loss", value, step, walltime=WALL + step)
            if step % 50 == 0:
                writer.add_scalar("läuft/β", -step, step, walltime=WALL + step)
    _log_restarted(root / "second" / "restarted")
    _log_damaged(root / "first" / "damaged")
    with SummaryWriter(str(root / "second" / "int64"), context=False) as writer:
        for step in (-(2**63), -1, 0, 2**63 - 1):
            writer.add_scalar("edge", 5e-324, step, walltime=WALL)


def _log_restarted(folder: Path) -> None:
    with SummaryWriter(str(folder), context=False, filename_suffix=".1") as writer:
        for step in range(100):
            writer.add_scalar("loss", step, step, walltime=WALL + step)
    with SummaryWriter(str(folder), context=False, purge_step=60, filename_suffix=".2") as writer:
        for step in range(60, 120):
            writer.add_scalar("loss", -step, step, walltime=WALL + 1000 + step)


def _log_damaged(folder: Path) -> None:
    with SummaryWriter(str(folder), context=False) as writer:
        for step in range(50):
            writer.add_scalar("loss", step, step, walltime=WALL + step)
    (path,) = event_files(folder)
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0xFF
    path.write_bytes(data)


def contents(engine: Engine) -> Contents:
    """Return what is stored: of each run what is told of it, and of each series a checksum."""
    with begin_read(engine) as conn:
        return dict(_runs(conn))


def _runs(conn: Connection) -> Iterator[tuple[str, Any]]:
    run, project, team = tables.run.c, tables.project.c, tables.team.c
    query = (
        select(tables.run, project.name.label("project"), team.name.label("team"))
        .join(tables.project, project.project_id == run.project_id)
        .join(tables.team, team.team_id == project.team_id)
        .order_by(run.run_id)
    )
    for row in conn.execute(query).all():
        gaps = tables.gap.c
        found = conn.execute(select(func.count()).where(gaps.run_id == row.run_id)).scalar_one()
        yield (
            f"{from_sql(row.team)}/{from_sql(row.project)}:{from_sql(row.name)}",
            {
                "uid": row.uid,
                "color": row.color,
                "attempts": row.attempts,
                "points": row.points,
                "finished": row.finished,
                "hparams": row.hparams,
                "gaps": found,
                "series": _series(conn, row.run_id),
            },
        )


def _series(conn: Connection, run_id: int) -> dict[str, list[Any]]:
    heads = head_rows(read.heads(conn, [run_id])[run_id])
    names = tag_names(conn, {head.tag_id for head in heads})
    found = read.series(conn, run_id, [(head.tag_id, head.kind) for head in heads])
    return {
        f"{names[tag_id]}:{kind}": [len(data), _checksum(conn, run_id, data)]
        for (tag_id, kind), data in sorted(found.items())
    }


def _checksum(conn: Connection, run_id: int, data: read.SeriesData) -> str:
    digest = hashlib.sha256()
    for column, dtype in (
        (data.step, "<i8"),
        (data.wall, "<f8"),
        (data.value, "<f8"),
        (data.attempt, "<i4"),
        (data.superseded, "?"),
    ):
        digest.update(np.asarray(column).astype(dtype).tobytes())
    for value in data.values:
        digest.update(repr(_plain(conn, run_id, value)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _plain(conn: Connection, run_id: int, value: StoredValue) -> tuple[Any, ...]:
    """Return a value as numbers, text and bytes, whatever its class is called."""
    if isinstance(value, StoredMedia):
        blobs = [(read.load_blob(conn, run_id, ref.sha256), ref) for ref in value.blobs]
        told = [(blob and blob.data, ref.media_type, ref.label) for blob, ref in blobs]
        return ("media", value.width, value.height, value.sample_rate, told)
    if isinstance(value, ProtoHistogram):
        moments = (value.min, value.max, value.num, value.sum, value.sum_squares)
        return ("histogram", moments, value.limits, value.counts)
    if isinstance(value, TensorHistogram):
        return ("buckets", value.dtype, value.buckets)
    return ("tensor", value.dtype, value.shape, value.data)
