"""Many rows by one statement are what they are one by one."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from sqlalchemy import Connection, Engine, bindparam, func, insert, select, update
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


def _runs(conn: Connection, started: Sequence[float | None]) -> list[dict[str, object]]:
    project_id = ensure_project(conn, "team/project", now=1.0)
    logdir_id = ensure_logdir(conn, project_id, "/logs")
    return [
        {
            "uid": f"{number}" * 12,
            "project_id": project_id,
            "logdir_id": logdir_id,
            "name": f"run{number}",
            "name_sha256": bytes([number]) * 32,
            "color": number,
            "created_at": 1.0,
            "touched_ms": 2**40 * number,
            "started": at,
            "hparams": None,
        }
        for number, at in enumerate(started)
    ]


@pytest.mark.parametrize(
    "started",
    [
        pytest.param((1.5, None, -0.25), id="some null"),
        pytest.param((None, None, None), id="all null"),
        pytest.param((1, 2.5, None), id="whole and broken numbers"),
        pytest.param((1e300, 5e-324, 0.1), id="every digit"),
    ],
)
def test_numbers_and_nulls_are_stored_as_they_are(
    engine: Engine, started: tuple[float | None, ...]
) -> None:
    with begin_write(engine) as conn:
        rows = _runs(conn, started)
        assert execute_many(conn, insert(tables.run), rows) == 3
        columns = tables.run.c
        found = conn.execute(
            select(columns.started, columns.touched_ms, columns.hparams).order_by(columns.color)
        )
        assert [tuple(row) for row in found] == [
            (row["started"], row["touched_ms"], None) for row in rows
        ]


def test_heads_that_did_not_change_are_left_in_many_rows(engine: Engine) -> None:
    keys = [bytes([number]) * 32 for number in range(2)]
    keep = (
        update(tables.tag_set)
        .where(tables.tag_set.c.sha256 == bindparam("key"))
        .values(
            payload=func.coalesce(
                bindparam("new", type_=tables.tag_set.c.payload.type), tables.tag_set.c.payload
            )
        )
    )
    with begin_write(engine) as conn:
        execute_many(conn, _INSERT, [{"sha256": key, "payload": key} for key in keys])
        assert execute_many(conn, keep, [{"key": key, "new": None} for key in keys]) == 2
    assert _stored(engine) == {key: key for key in keys}


def test_a_text_too_long_for_its_column_is_refused_not_cut(postgres_store: Engine) -> None:
    with begin_write(postgres_store) as conn:
        rows = [row | {"uid": "x" * 17} for row in _runs(conn, (None, None))]
    with pytest.raises(DBAPIError, match="too long"), begin_write(postgres_store) as conn:
        insert_new(conn, tables.run, rows)
