"""Four web processes on one socket: what one is told of a session, all know."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from support.ingested import migrated
from support.programs import Program, Start
from support.waiting import wait_until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WORKERS = 4
WITHIN_S = 60.0
LINK = re.compile(r"^  http://127\.0\.0\.1:(\d+)/welcome#(\S+)$", re.MULTILINE)
PASSWORD = "a sentence that is long enough"
PROJECTS = "/api/ui/v1/projects"
OWN = {"sec-fetch-site": "same-origin", "content-type": "application/json"}


@dataclass(frozen=True, slots=True)
class Workers:
    """The processes behind one port, each of which can be asked alone."""

    port: int
    pids: Sequence[int]

    def ask(
        self, worker: int, method: str, path: str, headers: Mapping[str, str], body: object = None
    ) -> tuple[int, list[str]]:
        """Ask one of them; return the status and the cookies."""
        sent = None if body is None else json.dumps(body)
        with self._only(worker):
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=WITHIN_S)
            try:
                connection.request(method, path, sent, {"accept": "application/json", **headers})
                answer = connection.getresponse()
                answer.read()
            finally:
                connection.close()
        return answer.status, [v for name, v in answer.getheaders() if name == "set-cookie"]

    def each_says(self, path: str, headers: Mapping[str, str]) -> list[int]:
        """Ask every one; return their statuses."""
        return [self.ask(worker, "GET", path, headers)[0] for worker in range(len(self.pids))]

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


def _children(program: Program) -> list[int]:
    pid = program.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _session(cookies: list[str]) -> dict[str, str]:
    pairs = [cookie.partition(";")[0] for cookie in cookies]
    csrf = next(pair.partition("=")[2] for pair in pairs if pair.startswith("ob_csrf="))
    return {"cookie": "; ".join(pairs), "x-csrftoken": csrf}


def test_who_signs_in_at_one_worker_is_known_to_all_and_out_of_all_at_once(
    database_url: str, start_orgboard: Start
) -> None:
    migrated(database_url).dispose()
    flags = ["--db", database_url, "--port", 0, "--workers", WORKERS, "--accounts"]

    with start_orgboard("web", *flags) as program:
        port, secret = wait_until(
            lambda: LINK.search(program.output()), WITHIN_S, "the link"
        ).groups()
        assert len(LINK.findall(program.output())) == 1
        board = Workers(int(port), _children(program))
        assert len(board.pids) == WORKERS
        assert board.each_says(PROJECTS, {}) == [401] * WORKERS

        made = {"secret": secret, "name": "ana", "password": PASSWORD}
        status, cookies = board.ask(0, "POST", "/welcome", OWN, made)
        assert status == 200
        first = _session(cookies)
        # The link was for one, at whichever worker.
        assert board.ask(1, "POST", "/welcome", OWN, {**made, "name": "ben"})[0] == 404
        assert board.each_says(PROJECTS, first) == [200] * WORKERS
        asked = {"name": "ana", "password": PASSWORD}
        status, cookies = board.ask(2, "POST", "/sign-in", OWN, asked)
        assert status == 200
        second = _session(cookies)
        assert board.each_says(PROJECTS, second) == [200] * WORKERS

        assert board.ask(3, "POST", "/sign-out", {**OWN, **second}, {})[0] == 200

        assert board.each_says(PROJECTS, second) == [401] * WORKERS
        # The other browser of the same person has a session of its own.
        assert board.each_says(PROJECTS, first) == [200] * WORKERS
        assert program.stop() == 0
    assert "Traceback" not in program.output()
