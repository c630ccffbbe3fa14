"""What of the event files could not be read, by coordinates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, case, select

from orgboard_ingest.complaints import printable
from orgboard_schema.sql import tables
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.text import from_sql
from orgboard_schema.wire.batch import UNWRITTEN

__all__ = ["Damage", "damages"]


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes of a file that gave nothing."""

    run: str
    file: str
    offset: int
    length: int
    reason: str

    def __str__(self) -> str:
        path = self.file if self.run == "." else f"{self.run}/{self.file}"
        return f"{printable(path)}: {self.length} bytes at offset {self.offset}: {self.reason}"


def damages(conn: Connection, logdir_ids: Collection[int]) -> list[Damage]:
    """Return what of these logdirs' files gave nothing, by run, file and offset.

    Damage up to the end of a file has no gap yet, because the end of the damage is not
    known; it is told to reach as far as the file does.
    """
    found = [*_gaps(conn, logdir_ids), *_unfinished(conn, logdir_ids)]
    return sorted(found, key=lambda damage: (damage.run, damage.file, damage.offset))


def _gaps(conn: Connection, logdir_ids: Collection[int]) -> list[Damage]:
    gap, file, run = tables.gap.c, tables.source_file.c, tables.run.c
    query = (
        select(run.name, file.name, gap.offset, gap.length, gap.reason)
        .join_from(
            tables.gap,
            tables.source_file,
            and_(gap.file_id == file.file_id, gap.generation == file.generation),
        )
        .join(tables.run, run.run_id == gap.run_id)
        .where(run.logdir_id.in_(logdir_ids), run.standing == SHOWN)
    )
    return [_damage(*row) for row in conn.execute(query)]


def _unfinished(conn: Connection, logdir_ids: Collection[int]) -> list[Damage]:
    file, run = tables.source_file.c, tables.run.c
    # How far a packed file reaches once unpacked, nobody knows before it is.
    length = case((file.encoding == "", file.size - file.offset), else_=0)
    query = (
        select(run.name, file.name, file.offset, length, file.pending)
        .join_from(tables.source_file, tables.run, run.run_id == file.run_id)
        .where(run.logdir_id.in_(logdir_ids), run.standing == SHOWN)
        .where(file.pending.not_in(UNWRITTEN))
    )
    return [_damage(*row) for row in conn.execute(query)]


def _damage(run: str, file: str, offset: int, length: int, reason: str) -> Damage:
    return Damage(from_sql(run), from_sql(file), offset, length, reason)
