"""A directory that was moved keeps its run, and so its notes, colour and address.

It is the same run when its old path is gone and every file that was read of it is here
now, under the same name and with the same first bytes. A copy is another run, because
the original is still there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import cache

from sqlalchemy import Connection, select, update

from orgboard_ingest.catalog import KnownRun
from orgboard_ingest.roots import Away, Root, file_path
from orgboard_ingest.tail import head_of
from orgboard_schema.sql import tables
from orgboard_schema.sql.beside import settings_of
from orgboard_schema.sql.registry import FileRow
from orgboard_schema.sql.text import sha256, to_sql

__all__ = ["find_old_names", "rename"]


def find_old_names(
    root: Root, gone: Iterable[KnownRun], new: Mapping[str, Collection[str]]
) -> dict[str, str]:
    """Tell which new directories (with the names of their files) are runs that moved there.

    Of two copies of a run that is gone, one is that run and the other a new one.

    Raises:
        Away: Nobody can tell.
    """
    by_file: dict[str, list[KnownRun]] = {}
    for run in gone:
        # Any of its files leads to it: a thousand runs that move are not compared with each other.
        read = [name for name, file in run.files.items() if file.row.head_bytes]
        if read:
            by_file.setdefault(min(read), []).append(run)
    is_gone = cache(lambda name: _is_gone(root, name))
    moved: dict[str, str] = {}
    taken: set[str] = set()
    for name in sorted(new):
        candidates = (run for file in sorted(new[name]) for run in by_file.get(file, ()))
        for run in candidates:
            if run.name not in taken and is_gone(run.name) and _is_here(root, name, run):
                moved[name] = run.name
                taken.add(run.name)
                break
    return moved


def _is_gone(root: Root, run_name: str) -> bool:
    try:
        return not root.holds(f"{root}/{run_name}")
    except Away:
        raise
    except OSError:
        return False


def _is_here(root: Root, name: str, run: KnownRun) -> bool:
    read = (file.row for file in run.files.values() if file.row.head_bytes)
    return all(_is_same(root, file_path(root, name, row.name), row) for row in read)


def rename(conn: Connection, run_id: int, name: str, logdir_id: int) -> None:
    """Give a run its new name, unless a rival made a run of that name by now."""
    columns = tables.run.c
    taken = select(columns.run_id).where(
        columns.logdir_id == logdir_id, columns.name_sha256 == sha256(name)
    )
    if conn.execute(taken).first() is None:
        conn.execute(
            update(tables.run)
            .where(columns.run_id == run_id)
            .values(
                name=to_sql(name),
                name_sha256=sha256(name),
                settings_of=settings_of(name),
                revision=columns.revision + 1,
            )
        )


def _is_same(root: Root, path: str, row: FileRow) -> bool:
    try:
        with root.open(path) as file:
            return head_of(file, row.head_bytes).sha256 == row.head_sha256
    except Away:
        raise
    except OSError:
        return False
