"""Bytes stored once, under their hash, and which runs refer to them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, select

from orgboard_schema.blocks import BlobRef, StoredMedia, StoredValue
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new
from orgboard_schema.types import Blob, Media, Value

__all__ = ["StoredBlob", "load_blob", "put_away"]


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as it is served."""

    sha256: bytes
    media_type: str
    data: bytes


def put_away(
    conn: Connection, run_id: int, values: Iterable[Sequence[Value]]
) -> list[tuple[StoredValue, ...]]:
    """Store the bytes of all media among `values`, and return the values that refer to them."""
    found: dict[bytes, Blob] = {}
    stored = [tuple(_refer(value, found) for value in some) for some in values]
    if found:
        keys = sorted(found)
        known = _known(conn, keys)
        for key in keys:
            if key not in known:
                # One statement a blob: a batch of large ones would lie in memory twice.
                insert_new(conn, tables.blob, [_row(key, found[key])])
        insert_new(conn, tables.blob_ref, [{"run_id": run_id, "sha256": key} for key in keys])
    return stored


def load_blob(conn: Connection, run_id: int, sha256: bytes) -> StoredBlob | None:
    """Return the blob; None when this run does not refer to it, whoever else does."""
    columns, ref = tables.blob.c, tables.blob_ref.c
    row = conn.execute(
        select(columns.media_type, columns.data)
        .join(tables.blob_ref, ref.sha256 == columns.sha256)
        .where(ref.run_id == run_id, ref.sha256 == sha256)
    ).one_or_none()
    return None if row is None else StoredBlob(sha256, from_sql(row.media_type), bytes(row.data))


def _refer(value: Value, found: dict[bytes, Blob]) -> StoredValue:
    if not isinstance(value, Media):
        return value
    refs: list[BlobRef] = []
    for blob in value.blobs:
        key = hashlib.sha256(blob.data).digest()
        found.setdefault(key, blob)
        refs.append(BlobRef(key, len(blob.data), blob.media_type, blob.label))
    return StoredMedia(tuple(refs), value.width, value.height, value.sample_rate)


def _known(conn: Connection, keys: Sequence[bytes]) -> set[bytes]:
    column = tables.blob.c.sha256
    known: set[bytes] = set()
    for some in chunked(keys):
        known |= {bytes(key) for key in conn.scalars(select(column).where(column.in_(some)))}
    return known


def _row(key: bytes, blob: Blob) -> dict[str, object]:
    return {
        "sha256": key,
        "size": len(blob.data),
        "media_type": to_sql(blob.media_type),
        "data": blob.data,
    }
