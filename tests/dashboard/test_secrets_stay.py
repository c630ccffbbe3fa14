"""Secrets are where they are needed, once: not in the database, not in the log, not on a page."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

from orgboard_dashboard.accounts.opaque import digest, new_secret, new_token
from orgboard_dashboard.queries.people.links import invite, reset, set_up
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import upgrade
from support.asgi import Reply
from support.boards import Board, scalars
from support.signing_in import START, Clock, add_person, browser_at, door

HOST = SystemViewer()
WRONG = "zqWRONGzq and long enough to be one"
RIGHT = "zqRIGHTzq and long enough to be one"
NEWER = "zqNEWERzq and long enough to be one"


def test_no_secret_is_left_behind_by_anything_that_people_do(
    any_board: Board, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    any_board.log("run", [scalars("loss", [1.0])])
    links = {purpose: new_secret() for purpose in ("setup", "invite", "reset")}
    token = new_token("tokenoftests")
    with begin_write(any_board.engine) as conn:
        set_up(conn, links["setup"], START)
    web = door(any_board, Clock())
    ana = browser_at(web)
    told: list[Reply] = []
    cookies: set[str] = set()

    async def say(method: str, target: str, body: object = None, **headers: str) -> None:
        told.append(await ana.ask(method, target, body, **headers))
        cookies.update(ana.cookies.values())

    async def live_a_life() -> None:
        first = {"secret": links["setup"], "name": "ana", "password": RIGHT}
        await say("POST", "/welcome/look", {"secret": links["setup"]})
        await say("POST", "/welcome", first)
        with begin_write(any_board.engine) as conn:
            invite(HOST, conn, links["invite"], START)
            reset(HOST, conn, links["reset"], "ana", START)
            account = conn.scalar(select(tables.account.c.account_id))
            row: dict[str, Any] = {"token_id": "tokenoftests", "scope": "write"}
            row |= {
                "name": "t",
                "secret_sha256": digest(token),
                "account_id": account,
                "created_at": 0.0,
            }
            conn.execute(insert(tables.token), row | {"expires_at": START + 9})
        for path in ("/", "/p/default/board/runs", "/sign-in", "/welcome", "/api/ui/v1/projects"):
            await say("GET", path, accept="text/html")
        await say("GET", "/api/v1/projects", authorization=f"Bearer {token}")
        await say("GET", f"/api/v1/nothing/{token}", authorization=f"Bearer {token}")
        await say("POST", "/welcome", first)
        await say("POST", "/welcome", {**first, "password": "short"})
        await say("POST", "/welcome", {"secret": links["reset"], "password": NEWER})
        await say("POST", "/sign-in", {"name": "ana", "password": WRONG})
        await say("POST", "/sign-in", {"name": RIGHT, "password": WRONG})
        await say("POST", "/sign-in", {"name": "ana", "password": NEWER})
        await say("POST", "/sign-in", [RIGHT])
        await say("POST", "/sign-in", {"name": [RIGHT], "password": {"a": WRONG}})
        shown = {"tag": "loss", "title": "t", "origins": ["https://wiki.example"]}
        await say("POST", "/api/ui/v1/p/default/board/embeds", shown)
        # Told once, to who made it; then it is only asked by.
        address = told.pop().json()["address"]
        links["card"] = address.partition("#")[2]
        path = address.partition("#")[0].removeprefix("http://127.0.0.1:7070")
        await say("GET", path, accept="text/html")
        for secret in (links["card"], links["card"] + "A"):
            await say("GET", f"{path}/card", authorization=f"Embed {secret}")
        assert [reply.status for reply in told[-3:]] == [200, 200, 404]
        await say("POST", "/sign-out")

    asyncio.run(live_a_life())
    secrets = {WRONG, RIGHT, NEWER, token, *links.values(), *cookies}
    secrets |= {token.rpartition("_")[2], "zqWRONGzq", "zqRIGHTzq", "zqNEWERzq"}
    assert len(cookies) >= 4

    kept = _everything(any_board)
    said = "\n".join(record.getMessage() + str(record.exc_info) for record in caplog.records)
    pages = b"\n".join(reply.body for reply in told)
    spoken = repr(
        [header for reply in told for header in reply.headers if header[0] != "set-cookie"]
    )
    for secret in secrets:
        assert secret.encode() not in kept
        assert secret not in said
        assert secret.encode() not in pages
        assert secret not in spoken
    # That it would be found.
    assert b"$argon2id$" in kept
    assert digest(token).hex().encode() in kept


def test_a_new_session_has_another_secret_than_its_csrf_token_tells(board: Board) -> None:
    add_person(board, "ana")
    ana = browser_at(door(board, Clock()))
    asyncio.run(ana.sign_in("ana"))

    assert ana.cookies["ob_session"] not in ana.cookies["ob_csrf"]
    assert len(ana.cookies["ob_csrf"]) == 64


def test_the_file_of_the_database_is_its_owners(tmp_path: Path) -> None:
    # Made as boards are, and no copy of one, as those of other tests.
    path = tmp_path / "own.db"
    engine = open_engine(str(path))
    upgrade(engine)
    engine.dispose()

    assert path.stat().st_mode & 0o077 == 0


def _everything(board: Board) -> bytes:
    """Return all that the database holds, bytes as they are and as hexadecimal digits."""
    parts: list[bytes] = []
    with begin_read(board.engine) as conn:
        for table in tables.schema.sorted_tables:
            for row in conn.execute(select(table)):
                for value in row:
                    octets = bytes(value) if isinstance(value, bytes | memoryview) else b""
                    parts += [octets, octets.hex().encode(), str(value).encode("utf-8", "replace")]
    if board.engine.dialect.name == "sqlite":
        # Pages that are free again may hold what was there.
        parts += [
            path.read_bytes() for path in Path(str(board.engine.url.database)).parent.iterdir()
        ]
    return b"\n".join(parts)
