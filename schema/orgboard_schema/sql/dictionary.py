"""The shared dictionaries: tags and metadata by id. Append only, the same for all runs.

A rival may store the same name at the same time: each inserts what is missing in order of
key, leaves what is there, and reads back whichever row stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.listed import KEYS, Listed
from orgboard_schema.sql.text import from_sql, sha256, to_sql
from orgboard_schema.sql.upsert import insert_new
from orgboard_schema.types import Metadata

__all__ = [
    "chunked",
    "find_ids",
    "find_tag",
    "find_tags",
    "load_metadata",
    "metadata_ids",
    "tag_ids",
    "tag_names",
]

IDS_PER_QUERY: Final = 500
"""Values in one IN list: below what any SQLite build allows (999), few plans to keep."""

_T = TypeVar("_T")

# Built once: to build a statement costs more than to run it.
_FIND_TAGS: Final = Listed(
    select(tables.tag.c.name_sha256, tables.tag.c.tag_id), tables.tag.c.name_sha256
)
_FIND_METADATA: Final = Listed(
    select(tables.metadata.c.sha256, tables.metadata.c.metadata_id), tables.metadata.c.sha256
)


def tag_ids(conn: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the id of each tag name, storing the new ones."""
    keys = {sha256(name): name for name in names}
    found = find_ids(conn, _FIND_TAGS, keys)
    if len(found) < len(keys):
        missing = sorted(keys.keys() - found.keys())
        rows: list[dict[str, object]] = [
            {"name": to_sql(keys[key]), "name_sha256": key} for key in missing
        ]
        insert_new(conn, tables.tag, rows)
        found |= find_ids(conn, _FIND_TAGS, missing)
    return {keys[key]: tag_id for key, tag_id in found.items()}


def find_tags(conn: Connection, names: Iterable[str]) -> dict[str, int]:
    """Return the id of each of these tags that some run has ever had."""
    keys = {sha256(name): name for name in names}
    return {keys[key]: tag_id for key, tag_id in find_ids(conn, _FIND_TAGS, keys).items()}


def find_tag(conn: Connection, name: str) -> int | None:
    """Return the id of a tag; None when no run has ever had it."""
    return find_tags(conn, [name]).get(name)


def tag_names(conn: Connection, ids: Collection[int]) -> dict[int, str]:
    """Return the name of each tag that exists."""
    columns = tables.tag.c
    names: dict[int, str] = {}
    for some in chunked(sorted(ids)):
        rows = conn.execute(select(columns.tag_id, columns.name).where(columns.tag_id.in_(some)))
        names |= {tag_id: from_sql(name) for tag_id, name in rows}
    return names


def metadata_ids(conn: Connection, values: Iterable[Metadata]) -> dict[Metadata, int]:
    """Return the id of each piece of metadata, storing the new ones. 0 is never an id."""
    keys = {_metadata_key(value): value for value in values}
    found = find_ids(conn, _FIND_METADATA, keys)
    if len(found) < len(keys):
        missing = sorted(keys.keys() - found.keys())
        insert_new(conn, tables.metadata, [_metadata_row(key, keys[key]) for key in missing])
        found |= find_ids(conn, _FIND_METADATA, missing)
    return {keys[key]: metadata_id for key, metadata_id in found.items()}


def load_metadata(conn: Connection, ids: Collection[int]) -> dict[int, Metadata]:
    """Return the metadata of each id that exists."""
    columns = tables.metadata.c
    loaded: dict[int, Metadata] = {}
    for some in chunked(sorted(ids)):
        for row in conn.execute(select(tables.metadata).where(columns.metadata_id.in_(some))):
            loaded[row.metadata_id] = Metadata(
                plugin=from_sql(row.plugin),
                content=bytes(row.content),
                display_name=from_sql(row.display_name),
                description=from_sql(row.description),
                data_class=row.data_class,
            )
    return loaded


def chunked(values: Sequence[_T], size: int = IDS_PER_QUERY) -> Iterator[Sequence[_T]]:
    """Yield slices short enough for one IN list."""
    return (values[at : at + size] for at in range(0, len(values), size))


def find_ids(
    conn: Connection,
    query: Listed,
    keys: Collection[bytes],
    others: Mapping[str, object] | None = None,
) -> dict[bytes, int]:
    """Return the ids of those keys that exist, by a query for key and id among `keys`.

    `others`: further parameters of the query.
    """
    found: dict[bytes, int] = {}
    for some in chunked(sorted(keys)):
        rows = conn.execute(query.of(conn), {KEYS: some, **(others or {})})
        found |= {bytes(sha): int(number) for sha, number in rows}
    return found


def _metadata_key(value: Metadata) -> bytes:
    digest = hashlib.sha256(str(value.data_class).encode())
    for part in (value.plugin, value.display_name, value.description):
        # A length before each part: no two pieces of metadata run together the same.
        octets = part.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(octets) + octets)
    digest.update(value.content)
    return digest.digest()


def _metadata_row(key: bytes, value: Metadata) -> dict[str, object]:
    return {
        "sha256": key,
        "plugin": to_sql(value.plugin),
        "content": value.content,
        "display_name": to_sql(value.display_name),
        "description": to_sql(value.description),
        "data_class": value.data_class,
    }
