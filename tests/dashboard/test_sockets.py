"""The listening socket, as the web server meets it."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from orgboard_dashboard.sockets import inherit, listen


@pytest.mark.parametrize("handed_down", [False, True])
def test_small_answers_are_not_held_back_for_an_acknowledgement(handed_down: bool) -> None:
    async def no_delay_of_a_connection() -> int:
        accepted = asyncio.get_running_loop().create_future()

        def meet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            connection = writer.get_extra_info("socket")
            accepted.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        listener = listen("127.0.0.1", 0)
        if handed_down:
            # As a child has it: only the number of the descriptor.
            own, listener = listener, inherit(os.dup(listener.fileno()))
            own.close()
        server = await asyncio.start_server(meet, sock=listener)
        async with server:
            _, writer = await asyncio.open_connection(*listener.getsockname())
            found = await accepted
            writer.close()
        return int(found)

    assert asyncio.run(no_delay_of_a_connection()) != 0
