"""Many rows by one statement are what they are one by one."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, bindparam, insert, select, update
from sqlalchemy.exc import DBAPIError

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.many import AT_ONCE_BYTES, execute_many
from orgboard_schema.sql.registry import ensure_logdir, ensure_project
from orgboard_schema.sql.upsert import insert_new

_INSERT = insert(tables.tag_set)
_UPDATE = (
    update(tables.tag_set)
    .where(tables.tag_set.c.sha256 == bindparam("key"))
    .values(payload=bindparam("new"))
)
OCTETS = bytes(range(256))


def _stored(engine: Engine) -> dict[bytes, bytes]:
    query = select(tables.tag_set.c.sha256, tables.tag_set.c.payload)
    with engine.connect() as conn:
        return {bytes(key): bytes(payload) for key, payload in conn.execute(query)}


@pytest.mark.parametrize("size", [256, AT_ONCE_BYTES])
def test_rows_are_inserted_and_changed_whatever_their_size(engine: Engine, size: int) -> None:
    keys = [bytes([number]) * 32 for number in range(3)]
    payload = (OCTETS * (size // 256 + 1))[:size]
    with begin_write(engine) as conn:
        rows: list[dict[str, object]] = [{"sha256": key, "payload": payload} for key in keys]
        assert execute_many(conn, _INSERT, rows) == 3
        new: list[dict[str, object]] = [
            {"key": keys[0], "new": b"'\\\x00{"},
            {"key": b"\xff" * 32, "new": b"nobody's"},
            {"key": keys[2], "new": payload[::-1]},
        ]
        assert execute_many(conn, _UPDATE, new) == 2
    assert _stored(engine) == {keys[0]: b"'\\\x00{", keys[1]: payload, keys[2]: payload[::-1]}


def test_of_rows_with_a_taken_key_only_the_free_ones_are_inserted(engine: Engine) -> None:
    names = ["a", 'quote " and {brace}, \\ and NULL', "NULL", "", "ünï %s %(x)s"]
    rows: list[dict[str, object]] = [
        {"name": name, "name_sha256": bytes([number]) * 32} for number, name in enumerate(names)
    ]
    with begin_write(engine) as conn:
        insert_new(conn, tables.tag, rows[1:3])
        insert_new(conn, tables.tag, rows)
        found = conn.execute(select(tables.tag.c.name).order_by(tables.tag.c.name_sha256))
        assert list(found.scalars()) == names


def test_a_text_too_long_for_its_column_is_refused_not_cut(postgres_store: Engine) -> None:
    with begin_write(postgres_store) as conn:
        project_id = ensure_project(conn, "team/project", now=1.0)
        logdir_id = ensure_logdir(conn, project_id, "/logs")
    rows: list[dict[str, object]] = [
        {
            "uid": f"{number}" * 17,
            "project_id": project_id,
            "logdir_id": logdir_id,
            "name": f"run{number}",
            "name_sha256": bytes([number]) * 32,
            "color": number,
            "created_at": 1.0,
            "touched_ms": 1000,
        }
        for number in range(2)
    ]
    with pytest.raises(DBAPIError, match="too long"), begin_write(postgres_store) as conn:
        insert_new(conn, tables.run, rows)
