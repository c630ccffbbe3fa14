"""Bytes stored once, under their hash, and which runs refer to them.

Small ones lie in the database; large ones in the engine's blob store, where it has one
(`engine.open_engine`, `blobstore`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Connection, delete, exists, select

from orgboard_schema.blocks import BlobRef, StoredMedia, StoredValue
from orgboard_schema.blocks.value_columns import ValueColumns
from orgboard_schema.errors import CorruptBlock
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobstore import LARGE_BYTES, BlobStore
from orgboard_schema.sql.dictionary import chunked
from orgboard_schema.sql.engine import blob_store
from orgboard_schema.sql.text import from_sql, to_sql
from orgboard_schema.sql.upsert import insert_new
from orgboard_schema.types import Blob, Media, Value

__all__ = [
    "StoredBlob",
    "drop_references",
    "iter_content",
    "load_blob",
    "put_away",
    "sweep_blobs",
    "sweep_files",
]

KEPT_S: Final = 86400.0
"""A file that no row names is left this long: its row may be about to commit, or a backup
may be about to be restored."""

_SWEEP_LOCK: Final = 0x6F7262626C6F6273
"""PostgreSQL advisory lock ("orbblobs" in ASCII): shared by who stores, alone who sweeps.
SQLite has one writer anyway."""


@dataclass(frozen=True, slots=True)
class StoredBlob:
    """A blob as it is served."""

    sha256: bytes
    media_type: str
    data: bytes


def put_away(
    conn: Connection, values: Mapping[int, Sequence[Sequence[Value]]]
) -> dict[int, list[Sequence[StoredValue]]]:
    """Store the bytes of all media among `values` of runs; return the values that refer to them.

    All at once, and in order of key: whoever stores the same ones waits, and never in a circle.
    """
    found: dict[bytes, Blob] = {}
    refs: list[dict[str, object]] = []
    stored: dict[int, list[Sequence[StoredValue]]] = {}
    for run_id, series in sorted(values.items()):
        own: dict[bytes, Blob] = {}
        stored[run_id] = [_referring(some, own) for some in series]
        refs += ({"run_id": run_id, "sha256": key} for key in sorted(own))
        found |= {key: blob for key, blob in own.items() if key not in found}
    if found:
        keys = sorted(found)
        _lock_sweep(conn, shared=True)
        known, store = _known(conn, keys), blob_store(conn)
        for key in keys:
            if key not in known:
                # One statement a blob: a batch of large ones would lie in memory twice.
                insert_new(conn, tables.blob, [_row(key, found[key], store)])
        insert_new(conn, tables.blob_ref, refs)
    return stored


def load_blob(conn: Connection, run_id: int, sha256: bytes) -> StoredBlob | None:
    """Return the blob; None when this run does not refer to it, whoever else does.

    Raises:
        CorruptBlock: Its file is not there, or is not what was stored.
    """
    columns, ref = tables.blob.c, tables.blob_ref.c
    media_type = conn.execute(
        select(columns.media_type)
        .join(tables.blob_ref, ref.sha256 == columns.sha256)
        .where(ref.run_id == run_id, ref.sha256 == sha256)
    ).scalar_one_or_none()
    if media_type is None:
        return None
    return StoredBlob(sha256, from_sql(media_type), b"".join(iter_content(conn, sha256)))


def iter_content(conn: Connection, sha256: bytes) -> Iterator[bytes]:
    """Yield a blob's bytes, of one in a file piece by piece. Who may see it is not asked.

    Raises:
        CorruptBlock: Its file is not there, or has another size; no store is configured.
    """
    columns = tables.blob.c
    query = select(columns.size, columns.data, columns.uri).where(columns.sha256 == sha256)
    size, data, uri = conn.execute(query).one()
    if uri is None:
        if data is None:
            raise CorruptBlock(f"blob {sha256.hex()} has neither bytes nor a file")
        yield bytes(data)
        return
    store = blob_store(conn)
    if store is None:
        raise CorruptBlock(f"blob {sha256.hex()} lies in a blob store: name it in ORGBOARD_BLOBS")
    found = 0
    for piece in store.chunks(uri):
        found += len(piece)
        if found > size:
            break
        yield piece
    if found != size:
        raise CorruptBlock(f"blob file {uri} does not have its {size} bytes")


def drop_references(
    conn: Connection, run_id: int, keys: Sequence[bytes], lock: Callable[[], object]
) -> None:
    """Take these references of a run away, where `lock` raises nothing: it takes the run's lock
    and finds that no point has come since it was told that none has them.

    Not before, as who stores a blob sees to its reference first and locks the run then.
    """
    _lock_sweep(conn, shared=False)
    lock()
    columns = tables.blob_ref.c
    for some in chunked(keys):
        here = (columns.run_id == run_id) & columns.sha256.in_(some)
        conn.execute(delete(tables.blob_ref).where(here))


def sweep_blobs(conn: Connection, limit: int) -> bool:
    """Delete at most `limit` blobs that no run refers to; tell whether there may be more.

    Their files have no row from then on: `sweep_files` removes them. Call it in a
    transaction of its own.
    """
    _lock_sweep(conn, shared=False)
    columns = tables.blob.c
    alone = ~exists().where(tables.blob_ref.c.sha256 == columns.sha256)
    keys = list(conn.scalars(select(columns.sha256).where(alone).limit(limit)))
    for some in chunked(keys):
        conn.execute(delete(tables.blob).where(columns.sha256.in_(some)))
    return len(keys) == limit


def sweep_files(conn: Connection, *, now: float, limit: int) -> int:
    """Remove at most `limit` files that no blob names and that are a day old; return how many.

    Call it in a transaction of its own that writes: while it lasts, nobody stores a blob.
    """
    store = blob_store(conn)
    if store is None:
        return 0
    old = [uri for uri, written in store.stored() if written < now - KEPT_S]
    # Only now: what was listed before may have got its row in the meantime.
    _lock_sweep(conn, shared=False)
    removed = 0
    for some in chunked(old):
        column = tables.blob.c.uri
        named = set(conn.scalars(select(column).where(column.in_(some))))
        for uri in some:
            if uri not in named and removed < limit:
                store.remove(uri)
                removed += 1
    return removed


def _lock_sweep(conn: Connection, *, shared: bool) -> None:
    if conn.dialect.name == "postgresql":
        name = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
        conn.exec_driver_sql(f"SELECT {name}({_SWEEP_LOCK})")


def _referring(values: Sequence[Value], found: dict[bytes, Blob]) -> Sequence[StoredValue]:
    if isinstance(values, ValueColumns):
        return values
    return tuple(_refer(value, found) for value in values)


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


def _row(key: bytes, blob: Blob, store: BlobStore | None) -> dict[str, object]:
    row: dict[str, object] = {
        "sha256": key,
        "size": len(blob.data),
        "media_type": to_sql(blob.media_type),
    }
    if store is None or len(blob.data) < LARGE_BYTES:
        return row | {"data": blob.data, "uri": None}
    return row | {"data": None, "uri": store.put(key, blob.data)}
