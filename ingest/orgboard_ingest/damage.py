"""What of the event files could not be read, by coordinates."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, and_, select

from orgboard_ingest.complaints import printable
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import from_sql

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
    """Return the gaps of these logdirs' files as they are now, by run, file and offset."""
    gap, file, run = tables.gap.c, tables.source_file.c, tables.run.c
    query = (
        select(run.name, file.name, gap.offset, gap.length, gap.reason)
        .join_from(
            tables.gap,
            tables.source_file,
            and_(gap.file_id == file.file_id, gap.generation == file.generation),
        )
        .join(tables.run, run.run_id == gap.run_id)
        .where(run.logdir_id.in_(logdir_ids))
        .order_by(run.name, file.name, gap.offset)
    )
    return [
        Damage(from_sql(name), from_sql(file_name), offset, length, reason)
        for name, file_name, offset, length, reason in conn.execute(query)
    ]
