"""Large blobs lie in files under their hash, and never a row names what is not there."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select, update

from orgboard_schema.errors import CorruptBlock, OrgboardError
from orgboard_schema.settings import default_blobs
from orgboard_schema.sql import tables
from orgboard_schema.sql.blobs import (
    KEPT_S,
    iter_content,
    load_blob,
    put_away,
    sweep_blobs,
    sweep_files,
)
from orgboard_schema.sql.blobstore import LARGE_BYTES, Folder, open_store, uri_of
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.types import Blob, Media
from support.stores import NOW, Feed, new_feed, values

LARGE = os.urandom(LARGE_BYTES)
SMALL = os.urandom(LARGE_BYTES - 1)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Name the folder of the store."""
    return tmp_path / "blobs"


@pytest.fixture
def stored(database_url: str, root: Path) -> Iterator[Engine]:
    """Give an engine with a blob store, on each engine."""
    engine = open_engine(database_url, blobs=str(root))
    upgrade(engine)
    yield engine
    engine.dispose()


def _log(engine: Engine, *data: bytes, run: str = "run") -> Feed:
    feed = new_feed(engine, run=run)
    feed.store([values("i", "image", [Media((Blob(each, "image/png"),)) for each in data])])
    return feed


def _files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def _load(engine: Engine, feed: Feed, data: bytes) -> bytes:
    with begin_read(engine) as conn:
        blob = load_blob(conn, feed.run_id, hashlib.sha256(data).digest())
    assert blob is not None
    return blob.data


def test_only_large_blobs_become_files(stored: Engine, root: Path) -> None:
    feed = _log(stored, LARGE, SMALL)

    key = hashlib.sha256(LARGE).digest()
    assert _files(root) == [uri_of(key)]
    assert (root / uri_of(key)).read_bytes() == LARGE
    assert (_load(stored, feed, LARGE), _load(stored, feed, SMALL)) == (LARGE, SMALL)
    with begin_read(stored) as conn:
        assert list(check_store(conn)) == []
        uris = set(conn.scalars(select(tables.blob.c.uri)))
    # Relative: the store may be moved.
    assert uris == {uri_of(key), None}


def test_the_same_bytes_are_one_file(stored: Engine, root: Path) -> None:
    _log(stored, LARGE)
    other = _log(stored, LARGE, run="other")

    assert len(_files(root)) == 1
    assert _load(stored, other, LARGE) == LARGE


def test_a_store_may_be_moved(database_url: str, root: Path, tmp_path: Path) -> None:
    engine = open_engine(database_url, blobs=str(root))
    upgrade(engine)
    feed = _log(engine, LARGE)
    engine.dispose()
    root.rename(tmp_path / "elsewhere")

    moved = open_engine(database_url, blobs=str(tmp_path / "elsewhere"))

    assert _load(moved, feed, LARGE) == LARGE
    moved.dispose()


def test_a_transaction_that_fails_leaves_a_file_and_no_row(stored: Engine, root: Path) -> None:
    feed = new_feed(stored)

    def fail() -> None:
        with begin_write(stored) as conn:
            put_away(conn, {feed.run_id: [[Media((Blob(LARGE, "image/png"),))]]})
            raise InterruptedError

    with pytest.raises(InterruptedError):
        fail()

    assert len(_files(root)) == 1
    with begin_read(stored) as conn:
        assert conn.execute(select(tables.blob.c.sha256)).all() == []


def test_a_file_that_no_row_names_is_swept_after_a_day(stored: Engine, root: Path) -> None:
    feed = _log(stored, LARGE)
    orphan = Folder(root).put(hashlib.sha256(b"x").digest(), b"x")
    draft = root / orphan[:2] / ".draft.1"
    draft.write_bytes(b"half")
    now = (root / orphan).stat().st_mtime

    with begin_write(stored) as conn:
        assert sweep_files(conn, now=now + KEPT_S - 60, limit=100) == 0
    with begin_write(stored) as conn:
        assert sweep_files(conn, now=now + KEPT_S + 60, limit=100) == 2

    assert _files(root) == [uri_of(hashlib.sha256(LARGE).digest())]
    assert _load(stored, feed, LARGE) == LARGE


def test_a_blob_that_no_run_refers_to_is_swept(stored: Engine, root: Path) -> None:
    feed = _log(stored, LARGE, SMALL)
    kept = _log(stored, LARGE, run="kept")
    ref = tables.blob_ref
    with begin_write(stored) as conn:
        conn.execute(ref.delete().where(ref.c.run_id == feed.run_id))

    with begin_write(stored) as conn:
        more = sweep_blobs(conn, 10)

    assert not more
    assert _load(stored, kept, LARGE) == LARGE
    with begin_read(stored) as conn:
        keys = [bytes(key) for key in conn.scalars(select(tables.blob.c.sha256))]
    assert keys == [hashlib.sha256(LARGE).digest()]


def test_what_was_swept_can_be_stored_again(stored: Engine, root: Path) -> None:
    _log(stored, LARGE)
    with begin_write(stored) as conn:
        conn.execute(tables.blob_ref.delete())
        sweep_blobs(conn, 10)
    with begin_write(stored) as conn:
        sweep_files(conn, now=2 * NOW, limit=10)
    assert _files(root) == []

    again = _log(stored, LARGE, run="again")

    assert _load(stored, again, LARGE) == LARGE


@pytest.mark.parametrize("uri", ["../../etc/passwd", "/etc/passwd", "ab/../../x", "ab", ""])
def test_a_path_out_of_the_store_is_refused(stored: Engine, uri: str) -> None:
    feed = _log(stored, LARGE)
    with begin_write(stored) as conn:
        conn.execute(update(tables.blob).values(uri=uri))

    with pytest.raises(CorruptBlock, match="no path of a blob"):
        _load(stored, feed, LARGE)


def test_a_link_out_of_the_store_is_refused(stored: Engine, root: Path, tmp_path: Path) -> None:
    feed = _log(stored, LARGE)
    secret = tmp_path / "secret"
    secret.write_bytes(LARGE)
    path = root / uri_of(hashlib.sha256(LARGE).digest())
    path.unlink()
    path.symlink_to(secret)

    with pytest.raises(CorruptBlock):
        _load(stored, feed, LARGE)


@pytest.mark.parametrize("content", [b"", LARGE[:-1], LARGE + b"x", None])
def test_a_file_of_another_size_is_refused(
    stored: Engine, root: Path, content: bytes | None
) -> None:
    feed = _log(stored, LARGE)
    path = root / uri_of(hashlib.sha256(LARGE).digest())
    path.unlink()
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(CorruptBlock):
        _load(stored, feed, LARGE)


def test_a_changed_file_is_found_by_the_check(stored: Engine, root: Path) -> None:
    _log(stored, LARGE)
    (root / uri_of(hashlib.sha256(LARGE).digest())).write_bytes(bytes(LARGE_BYTES))

    with begin_read(stored) as conn:
        (damage,) = check_store(conn)

    assert "does not have its hash" in damage.what


def test_a_large_blob_is_read_piece_by_piece(stored: Engine) -> None:
    data = bytes(3 << 20)
    _log(stored, data)

    with begin_read(stored) as conn:
        pieces = list(iter_content(conn, hashlib.sha256(data).digest()))

    assert b"".join(pieces) == data
    assert max(map(len, pieces)) <= 1 << 20


def test_without_the_store_its_blobs_say_what_is_missing(
    postgres_database: str, root: Path
) -> None:
    engine = open_engine(postgres_database, blobs=str(root))
    upgrade(engine)
    feed = _log(engine, LARGE)
    engine.dispose()

    bare = open_engine(postgres_database)

    with pytest.raises(CorruptBlock, match="ORGBOARD_BLOBS"):
        _load(bare, feed, LARGE)
    bare.dispose()


def test_a_bucket_does_as_well(database_url: str) -> None:
    engine = open_engine(database_url, blobs="memory://blobs")
    upgrade(engine)
    feed = _log(engine, LARGE)
    store = open_store("memory://blobs")

    (entry,) = store.stored()

    assert entry[0] == uri_of(hashlib.sha256(LARGE).digest())
    assert _load(engine, feed, LARGE) == LARGE
    store.remove(entry[0])
    store.remove(entry[0])
    with pytest.raises(CorruptBlock):
        _load(engine, feed, LARGE)
    engine.dispose()


def test_a_place_that_nothing_reaches_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OrgboardError, match="cannot keep blobs at nowhere://x"):
        open_engine(str(tmp_path / "board.db"), blobs="nowhere://x")


def test_large_blobs_lie_beside_a_sqlite_file_and_inside_postgresql() -> None:
    assert default_blobs({}, Path("/data/board.db")) == "/data/board.db.blobs"
    assert default_blobs({}, None) is None
    assert default_blobs({"ORGBOARD_BLOBS": "s3://b/x"}, None) == "s3://b/x"
