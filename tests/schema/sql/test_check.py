from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, Table, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.types import Blob, Media
from support.stores import Feed, new_feed, scalars, values


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
