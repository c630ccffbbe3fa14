"""The processes that answer on one port, each of which can be asked alone."""

from __future__ import annotations

import http.client
import json
import os
import signal
import ssl
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.programs import Program

__all__ = ["Reply", "Workers", "children_of"]

WITHIN_S = 60.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What one of them answered."""

    status: int
    body: bytes
    cookies: tuple[str, ...]
    """As they were set."""

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes behind one port of this machine."""

    port: int
    pids: Sequence[int]
    is_tls: bool = False

    def ask(
        self, worker: int, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> Reply:
        """Ask one of them."""
        sent = None if body is None else json.dumps(body)
        with self._only(worker):
            connection = self._connection()
            try:
                connection.request(method, path, sent, {"accept": "application/json", **headers})
                answer = connection.getresponse()
                told = answer.read()
            finally:
                connection.close()
        cookies = tuple(value for name, value in answer.getheaders() if name == "set-cookie")
        return Reply(answer.status, told, cookies)

    def each(
        self, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> list[Reply]:
        """Ask every one of them the same, one after the other."""
        return [self.ask(n, method, path, headers, body) for n in range(len(self.pids))]

    def each_says(self, path: str, headers: Mapping[str, str]) -> list[int]:
        """Ask every one; return their statuses."""
        return [reply.status for reply in self.each("GET", path, headers)]

    def _connection(self) -> http.client.HTTPConnection:
        if not self.is_tls:
            return http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
        context = ssl.create_default_context()
        # The certificate is the tests' own.
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(
            "127.0.0.1", self.port, timeout=WITHIN_S, context=context
        )

    @contextmanager
    def _only(self, worker: int) -> Iterator[None]:
        """Let the others sleep, so that the kernel can give a connection to this one alone."""
        others = [pid for pid in self.pids if pid != self.pids[worker]]
        for pid in others:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in others:
                os.kill(pid, signal.SIGCONT)


def children_of(program: Program) -> list[int]:
    """Return the processes that a program has started."""
    pid = program.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
