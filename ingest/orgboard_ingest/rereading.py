"""What reading a run anew depends on: which files it needs, and what is known of them already."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.tail import open_event_file
from orgboard_schema.sql.registry import FileRow

__all__ = ["awaited", "carry_facts", "first_unreadable", "is_read"]


def is_read(row: FileRow) -> bool:
    """Tell whether a file was read as far as it went when it was last looked at.

    One that is to be read anew has its size already, but not its offset.
    """
    return row.offset == row.size or row.pending is not None


def awaited(run: KnownRun, file: KnownFile) -> bool:
    """Tell whether a shadow cannot take its run's place before this file was read."""
    return run.replaces is not None and not is_read(file.row)


def first_unreadable(
    root: Path, run: KnownRun, needed: Callable[[KnownRun, KnownFile], bool]
) -> str | None:
    """Return the name of a needed file that cannot be opened; None when all can."""
    for name, file in sorted(run.files.items()):
        if needed(run, file):
            try:
                open_event_file(root / run.name / name).close()
            except OSError:
                return name
    return None


def carry_facts(old: KnownRun, fresh: KnownRun, *, but: Collection[str]) -> None:
    """Keep what the files said, for a run that is read from the start, but of changed ones.

    Known beyond the offset now: the next reading places every point right at once.
    """
    for name, file in fresh.files.items():
        known = old.files.get(name)
        if known is not None and name not in but and file.row.offset == 0 and known.facts:
            file.facts, file.known_end = known.facts, known.known_end
