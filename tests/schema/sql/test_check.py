from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Connection, Engine, Table, insert, select, update

from orgboard_schema.blocks import decode_scalars
from orgboard_schema.blocks.frame import pack
from orgboard_schema.blocks.pyramid import encode_buckets, make_buckets
from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.sql.pyramid import LONG_POINTS
from orgboard_schema.sql.standing import SHADOW
from orgboard_schema.types import Blob, Media
from support.stores import Feed, new_feed, restart, scalars, values
from support.words import save_views, say


def _filled(engine: Engine) -> Feed:
    feed = new_feed(engine)
    picture = Media((Blob(b"png", "image/png"),))
    feed.store([scalars("loss", range(1500)), values("i", "image", [picture])])
    feed.store([scalars("lr", [1, 2])])
    return feed


def _damage(engine: Engine) -> list[str]:
    with begin_read(engine) as conn:
        return [f"{damage.place}: {damage.what}" for damage in check_store(conn)]


def test_a_sound_store_has_no_damage(engine: Engine) -> None:
    _filled(engine)

    assert _damage(engine) == []


def _flip(table: Table, column: str) -> Callable[[Connection], None]:
    def change(conn: Connection) -> None:
        octets = bytearray(conn.execute(select(table.c[column]).limit(1)).scalar_one())
        octets[len(octets) // 2] ^= 1
        conn.execute(update(table).values({column: bytes(octets)}))

    return change


def _set(table: Table, **columns: Any) -> Callable[[Connection], None]:
    def change(conn: Connection) -> None:
        conn.execute(update(table).values(columns))

    return change


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (_flip(tables.block, "payload"), "block 0 of tag 1"),
        (_flip(tables.segment, "payload"), "segment"),
        (_flip(tables.run_head, "payload"), "heads"),
        (_flip(tables.blob, "data"), "blob"),
        (_flip(tables.tag_set, "payload"), "tag set"),
        (_set(tables.block, n=7), "block 0 of tag 1"),
        (_set(tables.block, value_max=7.5), "value_max"),
        (_set(tables.segment, n=7), "7 points promised"),
        (_set(tables.run, points=7), "7 points counted"),
        (_flip(tables.run, "name_sha256"), "its name does not have its hash"),
        (_set(tables.source_file, size=1), "read to 20 of 1 bytes"),
    ],
)
def test_damage_is_named(engine: Engine, change: Callable[[Connection], None], named: str) -> None:
    _filled(engine)
    with begin_write(engine) as conn:
        change(conn)

    found = _damage(engine)

    assert any(named in line for line in found), found


def test_a_lost_block_is_noticed(engine: Engine) -> None:
    feed = _filled(engine)
    with begin_write(engine) as conn:
        conn.execute(tables.block.delete())

    assert any(f"head of tag {feed.tag('loss')} (scalar" in line for line in _damage(engine))


def test_what_a_later_attempt_cannot_have_done_is_named(engine: Engine) -> None:
    feed = _filled(engine)
    feed.store([scalars("loss", [5], attempt=1)], restarts=(restart(1, 5),))
    assert _damage(engine) == []
    with begin_write(engine) as conn:
        conn.execute(update(tables.restart).values(attempt=7))

    assert any("restart of attempt 7: the run has 2 attempts" in line for line in _damage(engine))


def test_a_run_that_stands_in_no_known_way_is_named(engine: Engine) -> None:
    feed = _filled(engine)
    with begin_write(engine) as conn:
        conn.execute(update(tables.run).values(standing=SHADOW, shadow_of=feed.run_id + 10))

    assert any("which is not there" in line for line in _damage(engine))


def test_a_set_of_tags_that_is_not_the_heads_is_named(engine: Engine) -> None:
    _filled(engine)
    with begin_write(engine) as conn:
        conn.execute(update(tables.run).values(tag_set_id=None))

    assert any(
        "its set of tags and its heads differ in 3 series" in line for line in _damage(engine)
    )


def test_a_pyramid_that_is_not_of_its_points_is_named(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", range(LONG_POINTS + 1024))])
    assert _damage(engine) == []
    block = tables.block.c
    with begin_write(engine) as conn:
        one, other = (
            conn.execute(
                select(block.payload)
                .where(block.level == 0)
                .order_by(block.seq)
                .offset(at)
                .limit(1)
            ).scalar_one()
            for at in (3, 4)
        )
        assert bytes(one) != bytes(other)
        row = select(block.seq).where(block.level == 1)
        seq = conn.execute(row).scalar_one()
        first = decode_scalars(bytes(one))
        wrong = encode_buckets(make_buckets([(3, first)]))
        conn.execute(
            update(tables.block).where(block.seq == seq, block.level == 1).values(payload=wrong)
        )

    assert any(f"pyramid {seq} of tag" in line for line in _damage(engine))


def test_a_row_without_its_run_is_named(engine: Engine) -> None:
    feed = _filled(engine)
    # What only damage can do: the engines keep watch.
    off = "SET session_replication_role = replica"
    if engine.dialect.name == "sqlite":
        off = "PRAGMA foreign_keys = OFF"
    raw = engine.raw_connection()
    for statement in (off, "DELETE FROM blob"):
        raw.cursor().execute(statement)
    raw.commit()
    raw.invalidate()

    assert any(line.startswith("table blob_ref: 1 rows refer to blob") for line in _damage(engine))
    assert feed.run_id


def _contents(engine: Engine) -> list[Any]:
    points = (tables.run, tables.block, tables.segment, tables.run_head, tables.blob)
    with begin_read(engine) as conn:
        return [conn.execute(select(table)).all() for table in points]


@pytest.mark.parametrize("seed", range(25))
def test_flipped_bytes_of_a_sqlite_file_are_named_and_never_a_crash(
    tmp_path: Path, seed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "board.db"
    engine = open_engine(str(path))
    upgrade(engine)
    _filled(engine)
    with engine.connect() as conn:
        conn.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)").all()
    whole = _contents(engine)
    engine.dispose()
    random = np.random.default_rng(seed)
    octets = bytearray(path.read_bytes())
    for _ in range(40):
        # The first page says what the file is: without it, it is no database.
        at = int(random.integers(4096, len(octets)))
        octets[at] ^= int(random.integers(1, 256))
    path.write_bytes(bytes(octets))

    status = db(["check", "--db", str(path)])

    said = capsys.readouterr()
    assert "Traceback" not in said.out + said.err
    if status == 3:
        assert "damaged: " in said.out
    elif status == 2:
        # The table of tables, or the release, cannot be read.
        assert said.err.startswith("orgboard db: ")
    else:
        # All of them hit what nothing is stored in.
        engine = open_engine(str(path))
        assert _contents(engine) == whole
        engine.dispose()


def test_a_row_that_postgresql_cannot_read_is_named_and_the_rest_is_read(
    postgres_store: Engine,
) -> None:
    feed = _filled(postgres_store)
    other = new_feed(postgres_store, run="other")
    other.store([scalars("loss", range(1500))])
    with begin_write(postgres_store) as conn:
        chosen = tables.block.c.run_id == feed.run_id
        payload = conn.execute(select(tables.block.c.payload).where(chosen)).scalar_one()
        conn.execute(update(tables.block).where(chosen).values(payload=bytes(len(payload))))
        conn.execute(
            update(tables.segment)
            .where(tables.segment.c.run_id == other.run_id)
            .values(payload=b"")
        )

    found = _damage(postgres_store)

    assert any("'run'" in line and "block 0 of tag" in line for line in found), found
    assert any("'other'" in line and "segment" in line for line in found), found


def test_what_is_said_of_a_run_that_is_not_there_is_named(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    _filled(engine)
    say(engine, "run")
    assert _damage(engine) == []
    engine.dispose()
    # No engine of ours would let go of the run alone.
    with sqlite3.connect(tmp_path / "board.db") as raw:
        raw.execute("UPDATE run SET uid = 'another'")
    raw.close()

    found = _damage(engine)
    engine.dispose()

    assert sorted(line.partition(":")[0] for line in found) == [
        "table annotation",
        "table comment",
        "table run_note",
        "table run_note_before",
        "table run_tag",
    ]
    assert all("refer to run" in line for line in found)


def test_a_saved_view_of_a_project_that_is_not_there_is_named(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    _filled(engine)
    with begin_read(engine) as conn:
        project = conn.scalars(select(tables.project.c.name)).first()
    save_views(engine, str(project))
    assert _damage(engine) == []
    engine.dispose()
    with sqlite3.connect(tmp_path / "board.db") as raw:
        raw.execute("UPDATE saved_view SET project_id = 99 WHERE name IS NULL")
    raw.close()

    found = _damage(engine)
    engine.dispose()

    assert found == ["table saved_view: 1 rows refer to project 99, which is not there"]


def test_a_graph_from_a_disk_that_was_changed_is_named(tmp_path: Path) -> None:
    engine = open_engine(str(tmp_path / "board.db"))
    upgrade(engine)
    _filled(engine)
    row = {"name": "net.pb", "kind": "graph_def", "file_size": 5, "size": 5, "author": ""}
    with begin_write(engine) as conn:
        project = conn.scalar(select(tables.project.c.project_id))
        row |= {"project_id": project, "payload": pack(b"graph"), "uploaded_at": 1.0}
        for key, data in (("whole", b"graph"), ("other", b"another"), ("broken", b"graph")):
            own = {"upload_id": key, "sha256": hashlib.sha256(data).digest()}
            conn.execute(insert(tables.graph_upload), row | own)
        broken = tables.graph_upload.c.upload_id == "broken"
        conn.execute(update(tables.graph_upload).where(broken).values(payload=b"\x01x"))

    found = sorted(_damage(engine))
    engine.dispose()

    assert len(found) == 2
    assert found[0].startswith("graph file broken: payload does not decompress")
    assert found[1] == "graph file other: its content does not have its hash"
