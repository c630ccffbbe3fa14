"""Who asks and does not read: holds no connection of the database, and is cut off."""

from __future__ import annotations

import asyncio
import csv
import io
import logging
import ssl
from collections.abc import MutableMapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine
from sqlalchemy.pool import QueuePool

from orgboard_dashboard.api.exports import Wanted, file_of, stream_points
from orgboard_dashboard.connections import Patience
from orgboard_dashboard.outgoing import PART_BYTES, BrokenOff, Outgoing
from orgboard_dashboard.queries.exported import places_of
from orgboard_dashboard.services import Services
from orgboard_dashboard.tls import server_context
from orgboard_dashboard.turns import OF_EXPORTS, AtOnce, Turns
from orgboard_dashboard.unsent import Unsent
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer
from orgboard_schema.sql.engine import begin_read
from support.boards import Board, scalars
from support.certificates import make_pair
from support.connections import Loop, Wire, connect, served
from support.slow_readers import Reader

Message = MutableMapping[str, Any]
WITHIN_S = 20.0


def _wanted(board: Board, points: int = 30_000) -> Wanted:
    uids = [board.log(name, [scalars("loss", np.zeros(points))]) for name in ("a", "b")]
    with begin_read(board.engine) as conn:
        places = places_of(LOCAL_VIEWER, conn, "default", "board", uids)
    return Wanted(tuple(places), frozenset({"loss"}), "csv")


def _held(engine: Engine) -> int:
    assert isinstance(engine.pool, QueuePool)
    return engine.pool.checkedout()


def test_while_a_part_waits_for_its_reader_no_connection_is_held(any_board: Board) -> None:
    wanted = _wanted(any_board)

    held = [_held(any_board.engine) for _ in stream_points(LOCAL_VIEWER, any_board.engine, wanted)]

    assert len(held) > 4
    assert set(held) == {0}


def test_a_run_that_is_too_long_for_the_spool_is_still_as_it_was_at_one_instant(
    any_board: Board,
) -> None:
    wanted = _wanted(any_board)
    parts = stream_points(LOCAL_VIEWER, any_board.engine, wanted, spool_bytes=300_000)

    first = next(parts)
    held = _held(any_board.engine)
    any_board.log("a", [scalars("loss", [7.0], step=[99_999])])
    text = (first + b"".join(parts)).decode()

    assert held == 1
    assert _held(any_board.engine) == 0
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["run"], int(row["step"])) for row in rows] == [
        (run, step) for run in ("a", "b") for step in range(30_000)
    ]


SCOPE = {"type": "http", "asgi": {"spec_version": "2.3"}, "method": "GET", "path": "/"}


def _session(via: str, account: int) -> Viewer:
    return Viewer("account", "ana", account_id=account, is_admin=True, via=via)


def test_so_many_exports_go_on_at_once_and_no_more(any_board: Board) -> None:
    services, wanted = Services(any_board.engine), _wanted(any_board, 10)

    def begin(viewer: Viewer) -> tuple[Reader, asyncio.Task[None]]:
        reader = Reader()
        answer = file_of(viewer, services, wanted, "points")
        made = answer(dict(SCOPE), reader.receive, reader.send)
        return reader, asyncio.create_task(made)

    async def scene() -> tuple[Reader, Reader, list[Reader], Reader]:
        begun = [begin(_session("s1", 1)) for _ in range(OF_EXPORTS.each)]
        begun += [begin(_session(f"t{n}", 2 + n)) for n in range(3)]
        for reader, _ in begun:
            await reader.came.wait()
        assert _held(any_board.engine) == 0
        (mine, one), (other, two) = begin(_session("s1", 1)), begin(_session("u", 9))
        for reader, task in ((mine, one), (other, two)):
            reader.reads.set()
            await task
        for reader, task in begun:
            reader.reads.set()
            await task
        later, task = begin(_session("s1", 1))
        later.reads.set()
        await task
        return mine, other, [reader for reader, _ in begun], later

    mine, other, begun, later = asyncio.run(scene())

    assert (mine.status, mine.headers["retry-after"]) == (429, "10")
    assert b"your exports" in mine.body
    assert other.status == 503
    assert b"as this board makes at once" in other.body
    assert {reader.status for reader in (*begun, later)} == {200}
    assert {reader.body for reader in begun} == {later.body}
    assert services.exports.together() == 0


def test_an_export_whose_client_is_gone_gives_back_its_turn_and_its_connection(
    any_board: Board,
) -> None:
    services, wanted = Services(any_board.engine), _wanted(any_board)

    async def scene() -> None:
        reader = Reader()
        answer = file_of(LOCAL_VIEWER, services, wanted, "points", spool_bytes=1)
        made = answer(dict(SCOPE), reader.receive, reader.send)
        task = asyncio.create_task(made)
        await reader.came.wait()
        assert (services.exports.together(), _held(any_board.engine)) == (1, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert services.exports.together() == 0
        assert _held(any_board.engine) == 0

    asyncio.run(scene())


def test_guests_of_a_link_have_turns_by_network_and_a_link_has_an_end_too() -> None:
    turns = Turns(AtOnce(each=1, account=2, together=9))
    guests = [Viewer("share", "g", via="x", address=f"10.0.{n}.1") for n in range(3)]

    with ExitStack() as stack:
        told = [stack.enter_context(turns.taken(guests[n])) for n in (0, 0, 1, 2)]

    assert told == ["", "yours", "", "yours"]
    assert turns.together() == 0


def test_a_process_keeps_connections_for_questions_whatever_is_exported(board: Board) -> None:
    assert isinstance(board.engine.pool, QueuePool)
    assert OF_EXPORTS.together <= board.engine.pool.size() + 10 - 5


@pytest.fixture
def connected() -> tuple[Any, Loop, Wire]:
    connection, loop, wire = connect(Patience(stalled_s=7.0))
    loop.timers.clear()
    return connection, loop, wire


def test_a_client_that_takes_nothing_in_time_is_cut_off_and_told_of_once(
    connected: tuple[Any, Loop, Wire], caplog: pytest.LogCaptureFixture
) -> None:
    connection, loop, wire = connected
    connection.pause_writing()
    connection.resume_writing()
    assert (loop.ring(), wire.aborted) == ([], False)

    connection.pause_writing()
    with caplog.at_level(logging.WARNING):
        assert loop.ring() == [7.0]
        loop.ring()

    assert wire.aborted
    assert [record.getMessage() for record in caplog.records] == [
        "a client that had not read for 7 s was cut off: unknown"
    ]


def test_what_is_closed_with_something_unread_is_not_waited_for_without_end(
    connected: tuple[Any, Loop, Wire],
) -> None:
    connection, loop, wire = connected
    connection.timeout_keep_alive_handler()

    assert (wire.closed, wire.aborted) == (True, False)
    assert loop.ring() == [7.0]
    assert wire.aborted


_ASKS = b"GET / HTTP/1.1\r\nHost: board\r\n\r\n"


@pytest.mark.parametrize("is_tls", [False, True])
def test_over_a_real_socket_who_does_not_read_is_cut_off(tmp_path: Path, *, is_tls: bool) -> None:
    ours = theirs = None
    if is_tls:
        pair = make_pair(tmp_path)
        ours = server_context(str(pair.cert), str(pair.key))
        theirs = ssl.create_default_context()
        theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE

    async def scene() -> None:
        is_cut = asyncio.Event()

        async def endless(_scope: Any, receive: Any, send: Any) -> None:
            async def tell() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                is_cut.set()

            telling = asyncio.create_task(tell())
            await send({"type": "http.response.start", "status": 200, "headers": []})
            while not is_cut.is_set():
                part = {"type": "http.response.body", "body": b"x" * 99_999, "more_body": True}
                await send(part)
            await telling

        async with served(endless, Patience(stalled_s=0.1), ours) as client:
            port = client.getpeername()[1]
            # Of its own it takes no more than it has room for.
            _, asks = await asyncio.open_connection("127.0.0.1", port, ssl=theirs, limit=1024)
            asks.write(_ASKS)
            async with asyncio.timeout(WITHIN_S):
                await is_cut.wait()
            asks.close()

    asyncio.run(scene())


def test_an_answer_that_is_broken_off_is_seen_to_be_no_whole_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def half(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"some", "more_body": True})
        raise BrokenOff("it took too long")

    async def scene() -> bytes:
        came = b""
        async with served(Outgoing(half, Unsent()), Patience()) as client:
            loop = asyncio.get_running_loop()
            await loop.sock_sendall(client, _ASKS)
            async with asyncio.timeout(WITHIN_S):
                try:
                    while part := await loop.sock_recv(client, 4096):
                        came += part
                except ConnectionResetError:
                    pass
        return came

    came = asyncio.run(scene())

    assert not came.endswith(b"0\r\n\r\n")
    # A line for who runs the board, and no traceback.
    assert [record.getMessage() for record in caplog.records] == [
        "an answer was broken off: it took too long"
    ]


def test_a_large_answer_goes_out_in_parts_and_its_end_waits_for_the_last() -> None:
    body = bytes(range(256)) * 1024
    sent: list[Message] = []

    async def whole(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})

    async def take(message: Message) -> None:
        sent.append(message)

    asyncio.run(Outgoing(whole, Unsent())({"type": "http"}, Reader().receive, take))

    parts = sent[1:]
    assert b"".join(part["body"] for part in parts) == body
    assert max(len(part["body"]) for part in parts) == PART_BYTES
    assert [part["more_body"] for part in parts] == [*[True] * (len(parts) - 1), False]
    assert parts[-1]["body"] == b""
