"""What people say of runs, as lists show it: tags, how a note begins, how many comments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, func, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql

__all__ = ["NOTHING_SAID", "Words", "words_of"]

_BEGINNING: Final = 200
"""Characters of a note that a list shows."""


@dataclass(frozen=True, slots=True)
class Words:
    """Of one run."""

    tags: tuple[str, ...] = ()
    """By name."""
    note: str = ""
    """How it begins."""
    comments: int = 0
    """That were not taken back."""


NOTHING_SAID: Final = Words()


def words_of(conn: Connection, uids: Sequence[str]) -> dict[str, Words]:
    """Return what is said of these runs, by uid; without those of which nothing is.

    The caller chose the runs, and asked whether they may be seen.
    """
    tag, note, comment = tables.run_tag.c, tables.run_note.c, tables.comment.c
    tags: dict[str, list[str]] = {}
    notes: dict[str, str] = {}
    counts: dict[str | None, int] = {}
    for some in chunked(uids):
        named = select(tag.uid, tag.name).where(tag.uid.in_(some)).order_by(tag.uid, tag.name)
        for uid, name in conn.execute(named):
            tags.setdefault(uid, []).append(from_sql(name))
        begun = select(note.uid, func.substr(note.text, 1, _BEGINNING)).where(note.uid.in_(some))
        notes |= {uid: from_sql(text) for uid, text in conn.execute(begun)}
        counted = (
            select(comment.uid, func.count())
            .where(comment.uid.in_(some), comment.removed_at.is_(None))
            .group_by(comment.uid)
        )
        counts |= {uid: int(count) for uid, count in conn.execute(counted)}
    return {
        uid: Words(tuple(tags.get(uid, ())), notes.get(uid, ""), counts.get(uid, 0))
        for uid in (*tags, *notes, *counts)
        if uid is not None
    }
