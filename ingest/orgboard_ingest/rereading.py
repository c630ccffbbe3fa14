"""Files that were read before: what must be read again of them, and what need not be."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection

from orgboard_ingest.attempts import NOTHING, FileFacts, joined, observed
from orgboard_ingest.catalog import KnownFile, KnownRun
from orgboard_ingest.roots import Away, Root, file_path
from orgboard_ingest.stage import stage
from orgboard_ingest.tail import Head, read_on
from orgboard_schema.sql.registry import FileRow
from orgboard_schema.wire.unpacked import Marks

__all__ = ["Changed", "awaited", "carry_facts", "first_unreadable", "is_read", "read_facts"]


class Changed(Exception):  # noqa: N818 - says what was found
    """A file is not what it was when its points were stored."""


def is_read(row: FileRow) -> bool:
    """Tell whether a file was read as far as it went when it was last looked at.

    One that is to be read anew has its size already, but not its offset.
    """
    # The offset of a packed file counts other bytes than its size.
    return row.pending is not None or (row.offset == row.size and not row.encoding)


def awaited(run: KnownRun, file: KnownFile) -> bool:
    """Tell whether a shadow cannot take its run's place before more of this file was read.

    Further than the run had come, or as far as the file went: then each new reading leaves
    people with more than the last, however often the files contradict what was read.
    """
    row, stood = file.row, run.stood.get(file.row.name)
    if run.replaces is None or is_read(row) or stood is None:
        return False
    return stood.generation != row.generation or stood.offset >= row.offset


def first_unreadable(
    root: Root, run: KnownRun, needed: Callable[[KnownRun, KnownFile], bool]
) -> str | None:
    """Return the name of a needed file that cannot be opened; None when all can.

    Raises:
        Away: Nobody can tell.
    """
    for name, file in sorted(run.files.items()):
        if needed(run, file):
            try:
                root.open(file_path(root, run.name, name)).close()
            except Away:
                raise
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


def read_facts(root: Root, run: KnownRun, file: KnownFile, batch_bytes: int, marks: Marks) -> None:
    """Read the stored part of a file again, only to know what attempts depend on.

    Raises:
        Changed: It is not the file whose points are stored.
        OSError: It cannot be read.
    """
    head = Head(file.row.head_sha256, file.row.head_bytes)
    facts, offset = NOTHING, 0
    while offset < file.row.offset:
        limit = min(batch_bytes, file.row.offset - offset)
        batch = read_on(
            file_path(root, run.name, file.row.name),
            offset,
            head,
            run.remembered or {},
            max_bytes=limit,
            root=root,
            now=math.inf,  # What is stored was judged: no end of it is waited for.
            marks=marks,
        ).batch
        if batch is None:
            raise Changed
        if batch.end == offset:
            # Damage that only bytes behind the stored offset could explain.
            break
        facts = joined(facts, observed(stage(batch), batch.first_wall, batch.last_wall))
        offset = batch.end
    file.facts, file.known_end = facts, file.row.offset
    file.section = len(facts.sections) - 1
    file.stored = _stored_sections(facts, file.row)


def _stored_sections(facts: FileFacts, row: FileRow) -> dict[int, int]:
    """Return the attempts of the first and the last section that has stored points."""
    used = [number for number, section in enumerate(facts.sections) if section.spans]
    if not used:
        return {}
    # Each START after points began an attempt.
    empty = len(facts.sections) - 1 - used[-1]
    return {used[-1]: row.last_attempt - empty, used[0]: row.first_attempt}
