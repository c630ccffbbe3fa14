"""Ten thousand requests that no page of ours sends: none of them breaks anything."""

from __future__ import annotations

import json
import logging
import random
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

import anyio
import pytest

from orgboard_dashboard.app import Web
from orgboard_dashboard.policies import Rule, rules_for
from orgboard_dashboard.urls import PAGES
from support.boards import opened, scalars

REQUESTS: Final = 10_000

RULES: Final = rules_for(PAGES).rules

NASTY: Final = (
    *(
        "",
        ".",
        "..",
        "*",
        "%",
        "%00",
        "\x00",
        "%2e%2e%2f",
        "../../etc/passwd",
        "//",
        "\\",
        "'",
        '"',
    ),
    *("' OR 1=1 --", "<img src=x onerror=alert(1)>", "{{7*7}}", "${x}", "a" * 3000, "é" * 200),
    *("\u202e", "\ud800", "-1", "0", "1e400", "NaN", "9" * 40, "(a+)+$", "[", "null", "true"),
    *("hp:", "re:(", "last:", "hist::", "lr < and", "name ~ '('", "tag:a or", "(" * 200),
)
BODIES: Final[tuple[Any, ...]] = (
    *({}, [], None, 0, "", "x", True, {"runs": None}, {"runs": [1]}, {"runs": ["../"]}),
    *({"edits": [{}]}, {"edits": [{"runs": [], "name": 1}]}, {"edits": [[[]]]}, {"text": 1}),
    *({"cards": [{"tags": [[]]}]}, {"tags": ["a"], "runs": {}}, {"state": "\ud800", "page": []}),
    *({"secret": {}}, {"name": [], "password": {}}, {"expressions": ["((("]}, {"by": 7}),
    *({"output": "x"}, {"inputs": None, "output": {}}, {"path": "//", "title": {}, "days": "x"}),
)
RAW_BODIES: Final = (
    b"",
    b"{",
    b"\xff\xfe",
    b"[" * 5000,
    b'{"a":' * 2000,
    b"null",
    b"NaN",
    b"\0" * 99,
)
HEADERS: Final = (
    *((b"accept", b"text/html"), (b"accept-encoding", b"gzip;q=x"), (b"range", b"bytes=9-1")),
    *(
        (b"origin", b"null"),
        (b"origin", b"http://evil.example"),
        (b"sec-fetch-site", b"cross-site"),
    ),
    *(
        (b"cookie", b"ob_session=a; ob_session=b"),
        (b"cookie", b"=;;=\xff"),
        (b"cookie", b"ob_share=" + b"x" * 4000),
    ),
    *(
        (b"authorization", b"Bearer ob_pat_x_y"),
        (b"authorization", b"Basic eA=="),
        (b"authorization", b"\xff"),
    ),
    *((b"host", b"evil.example"), (b"host", b"127.0.0.1:x"), (b"host", b"[::1"), (b"host", b"")),
    *((b"content-length", b"-1"), (b"content-length", b"9" * 30), (b"transfer-encoding", b"x")),
    *((b"content-type", b"text/plain"), (b"content-type", b"application/json; charset=\xff")),
    *((b"x-forwarded-for", b"::1, evil"), (b"if-none-match", b"*"), (b"x-csrftoken", b"\xff")),
)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    with opened(str(tmp_path_factory.mktemp("malformed") / "board.db")) as board:
        board.log("run", [scalars("loss", [1.0, 2.0])], hparams='{"lr": 0.1}')
        yield board.web()


def test_no_malformed_request_breaks_the_server(web: Web, caplog: pytest.LogCaptureFixture) -> None:
    seeded = random.Random(20261127)
    caplog.set_level(logging.ERROR)
    broken: list[tuple[int, str, str]] = []
    answered: Counter[int] = Counter()

    async def ask_all() -> None:
        for _ in range(REQUESTS):
            scope, body = malformed(seeded)
            status = await answer_of(web, scope, body)
            answered[status] += 1
            if status >= 500:
                broken.append((status, scope["method"], scope["path"]))

    anyio.run(ask_all)

    assert broken == []
    assert caplog.records == []
    # They are not all turned away at the door: many get as far as a query.
    assert answered[200] > REQUESTS // 100
    assert answered[400] > REQUESTS // 20


def malformed(seeded: random.Random) -> tuple[dict[str, Any], bytes]:
    """Return a request with something wrong in it, and its body."""
    rule = seeded.choice(RULES)
    method = rule.method if seeded.random() < 0.9 else seeded.choice(("PUT", "TRACE", "x", "HEAD"))
    path = "/" + "".join(chr(seeded.randrange(1, 0x300)) for _ in range(9))
    if seeded.random() < 0.95:
        path = filled(rule, seeded)
    headers = {
        b"host": b"127.0.0.1:7070",
        b"sec-fetch-site": b"same-origin",
        b"content-type": b"application/json",
    }
    if seeded.random() < 0.3:
        headers |= dict(seeded.sample(HEADERS, seeded.randrange(1, 4)))
    body = seeded.choice(RAW_BODIES)
    if seeded.random() < 0.8:
        body = json.dumps(seeded.choice(BODIES)).encode()
    query = "&".join(
        f"{seeded.choice(('q', 'sort', 'limit', 'runs', 'tags', 'kind', 'm', 'form', 'x'))}={value}"
        for value in seeded.sample(NASTY, seeded.randrange(0, 4))
    )
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "scheme": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode("utf-8", "replace"),
        "query_string": query.encode("utf-8", "replace"),
        "root_path": "",
        "headers": list(headers.items()),
        "client": ("127.0.0.1", 1),
        "server": ("x", 1),
    }
    return scope, body


def filled(rule: Rule, seeded: random.Random) -> str:
    """Return an address of the rule, with names that exist, or do not, or are nasty."""
    known = {"team": "default", "project": "board"}

    def part(found: re.Match[str]) -> str:
        name = found.group(1)
        return known[name] if name in known and seeded.random() < 0.7 else seeded.choice(NASTY)

    return re.sub(r"\{(\w+)(?::path)?\}", part, rule.path)


async def answer_of(web: Web, scope: dict[str, Any], body: bytes) -> int:
    """Return the status of an answer, read to its end or to its first part."""
    asked = [{"type": "http.request", "body": body, "more_body": False}]
    status = 0

    async def receive() -> dict[str, Any]:
        return asked.pop() if asked else {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    with anyio.fail_after(20):
        await web.gate(scope, receive, send)
    return status
