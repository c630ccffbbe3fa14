"""Requests that are begun and not ended: their connections are not kept."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path
from typing import Any

from orgboard_dashboard.connections import Patience
from orgboard_dashboard.tls import server_context
from support.certificates import make_pair
from support.connections import Loop, connect, served

WITHIN_S = 20.0
WHOLE = b"GET / HTTP/1.1\r\nHost: board\r\n\r\n"
HALF = b"GET / HTTP/1.1\r\nHost: bo"


def _waits(loop: Loop) -> list[float]:
    return [timer.after_s for timer in loop.timers if not timer.cancelled]


def test_a_head_has_so_long_from_its_beginning_however_it_drips() -> None:
    connection, loop, wire = connect(Patience(head_s=3.0, stalled_s=7.0))
    for octet in HALF:
        connection.data_received(bytes([octet]))

    assert len(loop.timers) == 1
    assert (loop.ring(), wire.closed, wire.aborted) == ([3.0], True, False)
    # Nobody takes what is left to send either.
    assert (loop.ring(), wire.aborted) == ([7.0], True)


def test_a_connection_by_which_nothing_comes_is_not_kept() -> None:
    _, loop, wire = connect(Patience(head_s=3.0))

    assert (loop.ring(), wire.closed) == ([3.0], True)


def test_a_whole_head_is_answered_in_whatever_time_and_a_later_half_one_is_not_kept() -> None:
    connection, loop, wire = connect(Patience(head_s=3.0))
    connection.data_received(WHOLE)
    assert _waits(loop) == []

    for event in (
        {"type": "http.response.start", "status": 204, "headers": []},
        {"type": "http.response.body", "body": b""},
    ):
        asyncio.run(connection.cycle.send(event))
    keep_alive = _waits(loop)
    connection.data_received(HALF)

    assert keep_alive == [connection.timeout_keep_alive]
    assert (loop.ring(), wire.closed) == ([3.0], True)


async def _answer(_scope: Any, _receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"here"})


async def _ends(port: int, sent: bytes, secure: ssl.SSLContext | None) -> bytes:
    """Send something, and return what came before the server ended the connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=secure)
    writer.write(sent)
    try:
        async with asyncio.timeout(WITHIN_S):
            return await reader.read()
    finally:
        writer.close()


async def _told(ours: ssl.SSLContext | None, theirs: ssl.SSLContext | None) -> list[bytes]:
    async with served(_answer, Patience(head_s=0.2), ours) as client:
        port = client.getpeername()[1]
        halves = [_ends(port, sent, theirs) for sent in (HALF, b"", WHOLE + HALF)]
        return await asyncio.gather(*halves)


def test_a_head_that_does_not_end_is_not_waited_for() -> None:
    half, nothing, second = asyncio.run(_told(None, None))

    assert (half, nothing) == (b"", b"")
    assert second.startswith(b"HTTP/1.1 200 OK")


def test_nor_is_it_by_tls(tmp_path: Path) -> None:
    pair = make_pair(tmp_path)
    theirs = ssl.create_default_context()
    theirs.check_hostname, theirs.verify_mode = False, ssl.CERT_NONE
    half, nothing, second = asyncio.run(
        _told(server_context(str(pair.cert), str(pair.key)), theirs)
    )

    assert (half, nothing) == (b"", b"")
    assert second.startswith(b"HTTP/1.1 200 OK")
