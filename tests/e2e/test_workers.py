"""Four web processes on one socket: what one is told of a session, all know."""

from __future__ import annotations

import re
from collections.abc import Sequence

import pytest

from support.ingested import migrated
from support.programs import Start
from support.waiting import wait_until
from support.workers import Workers, children_of

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

WORKERS = 4
WITHIN_S = 60.0
LINK = re.compile(r"^  http://127\.0\.0\.1:(\d+)/welcome#(\S+)$", re.MULTILINE)
PASSWORD = "a sentence that is long enough"
PROJECTS = "/api/ui/v1/projects"
OWN = {"sec-fetch-site": "same-origin", "content-type": "application/json"}


def _session(cookies: Sequence[str]) -> dict[str, str]:
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
        board = Workers(int(port), children_of(program))
        assert len(board.pids) == WORKERS
        assert board.each_says(PROJECTS, {}) == [401] * WORKERS

        made = {"secret": secret, "name": "ana", "password": PASSWORD}
        welcomed = board.ask(0, "POST", "/welcome", OWN, made)
        assert welcomed.status == 200
        first = _session(welcomed.cookies)
        # The link was for one, at whichever worker.
        assert board.ask(1, "POST", "/welcome", OWN, {**made, "name": "ben"}).status == 404
        assert board.each_says(PROJECTS, first) == [200] * WORKERS
        asked = {"name": "ana", "password": PASSWORD}
        signed_in = board.ask(2, "POST", "/sign-in", OWN, asked)
        assert signed_in.status == 200
        second = _session(signed_in.cookies)
        assert board.each_says(PROJECTS, second) == [200] * WORKERS

        assert board.ask(3, "POST", "/sign-out", {**OWN, **second}, {}).status == 200

        assert board.each_says(PROJECTS, second) == [401] * WORKERS
        # The other browser of the same person has a session of its own.
        assert board.each_says(PROJECTS, first) == [200] * WORKERS
        assert program.stop() == 0
    assert "Traceback" not in program.output()
