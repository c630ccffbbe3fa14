"""The gate: what it lets through, what it refuses, and what every response carries."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, MutableMapping
from typing import Any, NoReturn

import pytest

from orgboard_dashboard import pages
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from support.boards import Board, opened, scalars

PAGES = ("/", "/p/default/board/runs", "/p/default/board/scalars", "/r/abc")
CALLBACK = "/_dash-update-component"
PAGE_PARTS = ("ob-page", "ob-crumb", "ob-tabs", "ob-bar")
PAGE_CALL: dict[str, Any] = {
    "output": "..ob-page.children...ob-crumb.children...ob-tabs.children...ob-bar.children..",
    "outputs": [{"id": part, "property": "children"} for part in PAGE_PARTS],
    "inputs": [{"id": "ob-page", "property": "data-path", "value": "/p/default/board/runs"}],
    "changedPropIds": ["ob-location.pathname"],
}
AS_JSON = {"content-type": "application/json"}
SCALARS = "/api/ui/v1/p/default/board/scalars"
EDITS = "/api/ui/v1/p/default/board/edits"


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with opened(str(tmp_path_factory.mktemp("gate") / "board.db")) as made:
        made.log("run", [scalars("loss", [1.0, 2.0])])
        yield made


@pytest.fixture(scope="module")
def web(board: Board) -> Web:
    return board.web()


@pytest.mark.parametrize(
    "path",
    [
        *PAGES,
        "/healthz",
        "/readyz",
        "/_dash-layout",
        "/_dash-dependencies",
        "/_favicon.ico",
        "/api/ui/v1/projects",
        "/api/ui/v1/r/nobody",
        "/api/ui/v1/p/nobody/nothing/runs",
        "/api/ui/v1/p/default/board/runs?limit=none",
        "/assets/ob/boot.js",
        "/assets/nothing.js",
        "/nothing",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/_reload-hash",
        "/embed/nobody",
        "/embed/nobody/card",
        "/_dash-component-suites/dash/deps/nothing.js",
        "/docs",
        "/openapi.json",
    ],
)
def test_every_response_carries_the_security_headers(board: Board, web: Web, path: str) -> None:
    answer = board.ask("GET", path, web=web)

    policy = answer.headers["content-security-policy"]
    scripts = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert "unsafe" not in scripts
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"
    assert answer.headers["cross-origin-opener-policy"] == "same-origin"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert answer.status_code < 500


def test_only_pages_of_this_machine_may_frame_the_board_and_only_when_asked(board: Board) -> None:
    framed = create_app(WebConfig(allow_frame=True), board.engine)

    headers = board.ask("GET", "/", web=framed).headers

    policy = headers["content-security-policy"]
    ancestors = next(part for part in policy.split("; ") if part.startswith("frame-ancestors"))
    assert ancestors.split()[1:] == [
        "http://localhost:*",
        "http://127.0.0.1:*",
        "https://localhost:*",
        "https://127.0.0.1:*",
    ]
    # It knows no list: browsers that know both would be told two things.
    assert "x-frame-options" not in headers


def test_refusals_carry_the_security_headers_too(board: Board, web: Web) -> None:
    foreign = board.ask("GET", "/", web=web, headers={"host": "evil.example"})
    unknown = board.ask("DELETE", "/api/ui/v1/projects", web=web)

    assert (foreign.status_code, unknown.status_code) == (403, 405)
    assert "default-src 'none'" in foreign.headers["content-security-policy"]
    assert "default-src 'none'" in unknown.headers["content-security-policy"]


def test_what_a_viewer_saw_is_not_kept_by_a_cache(board: Board, web: Web) -> None:
    kept = {path: board.ask("GET", path, web=web).headers["cache-control"] for path in PAGES}
    listed = board.ask("GET", "/api/ui/v1/projects", web=web)

    assert set(kept.values()) == {"no-store"}
    assert listed.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/nope", "/p", "/p/a", "/p/a/b/nope", "/r/a/b", "/login"])
def test_an_unknown_address_is_not_found_instead_of_dashs_index(
    board: Board, web: Web, path: str
) -> None:
    assert board.ask("GET", path, web=web).status_code == 404


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:7070", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:7070", 200),
        ("evil.example", 403),
        ("evil.example:7070", 403),
        ("127.0.0.1.evil.example", 403),
        ("localhost.evil.example:7070", 403),
        ("127.0.0.1@evil.example", 403),
        ("127.0.0.1:7070:7070", 403),
        ("[::1]evil.example", 403),
        ("", 403),
    ],
)
def test_only_a_host_of_this_machine_is_answered(
    board: Board, web: Web, host: str, status: int
) -> None:
    answer = board.ask("GET", "/api/ui/v1/projects", web=web, headers={"host": host})

    assert answer.status_code == status


ORIGINS = [
    ("same-origin", None, True),
    ("none", None, True),
    ("same-origin", "http://evil.example", True),
    ("same-site", "http://127.0.0.1:7070", False),
    ("cross-site", "http://127.0.0.1:7070", False),
    ("", "http://127.0.0.1:7070", False),
    (None, "http://127.0.0.1:7070", True),
    (None, "https://127.0.0.1:7070", True),
    (None, "http://127.0.0.1:8080", False),
    (None, "http://evil.example", False),
    (None, "null", False),
    (None, None, False),
]


@pytest.mark.parametrize("path", [SCALARS, CALLBACK])
@pytest.mark.parametrize(("site", "origin", "is_answered"), ORIGINS)
def test_another_sites_page_cannot_make_a_browser_ask(
    web: Web, path: str, site: str | None, origin: str | None, is_answered: bool
) -> None:
    headers = {"host": "127.0.0.1:7070", "content-type": "application/json"}
    headers |= {"sec-fetch-site": site} if site is not None else {}
    headers |= {"origin": origin} if origin is not None else {}

    status = _status(web, "POST", path, headers, b"{}")

    # 400: it got through, and is no question.
    assert status == (400 if is_answered else 403)


def test_another_sites_page_cannot_read_but_a_link_can_be_followed(web: Web) -> None:
    headers = {"host": "localhost", "sec-fetch-site": "cross-site"}

    read = _status(web, "GET", "/api/ui/v1/projects", {**headers, "sec-fetch-mode": "no-cors"})
    followed = _status(web, "GET", "/", {**headers, "sec-fetch-mode": "navigate"})

    assert (read, followed) == (403, 200)


@pytest.mark.parametrize(
    ("site", "origin", "is_answered"),
    [
        ("same-origin", "http://127.0.0.1:7070", True),
        ("same-origin", None, True),
        (None, "http://127.0.0.1:7070", True),
        # A bookmark or an extension asked, and no page of the board.
        ("none", None, False),
        # One of the two is not true: neither is believed.
        ("same-origin", "http://evil.example", False),
        ("same-origin", "http://127.0.0.1:8080", False),
        ("same-origin", "null", False),
        ("same-site", "http://127.0.0.1:7070", False),
        ("cross-site", "http://127.0.0.1:7070", False),
        (None, "null", False),
        (None, None, False),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_only_a_page_of_the_board_can_change_something(
    web: Web, method: str, site: str | None, origin: str | None, is_answered: bool
) -> None:
    headers = {"host": "127.0.0.1:7070", "content-type": "application/json"}
    headers |= {"sec-fetch-site": site} if site is not None else {}
    headers |= {"origin": origin} if origin is not None else {}
    path = EDITS if method == "POST" else "/api/ui/v1/p/default/board/remarks/x"

    status = _status(web, method, path, headers, b"{}")

    # 400: it got through, and is no change.
    assert status == (400 if is_answered else 403)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", ""])
def test_no_form_changes_anything(board: Board, web: Web, kind: str) -> None:
    body = b'{"edits": [{"runs": ["x"], "starred": true}]}'

    answer = board.ask("POST", EDITS, web=web, content=body, headers={"content-type": kind})

    assert answer.status_code == 415


def test_nothing_is_changed_by_a_link(board: Board, web: Web) -> None:
    answers = [
        board.ask("GET", path, web=web, headers={"sec-fetch-mode": "navigate"})
        for path in (EDITS, EDITS.replace("edits", "deletion"))
    ]

    assert {answer.status_code for answer in answers} == {405}


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "", "json"])
def test_a_body_that_a_form_could_send_is_refused(board: Board, web: Web, kind: str) -> None:
    answer = board.ask("POST", SCALARS, web=web, content=b"{}", headers={"content-type": kind})

    assert answer.status_code == 415


def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(web: Web) -> None:
    headers = {
        "host": "localhost",
        "sec-fetch-site": "same-origin",
        "content-type": "application/json",
    }
    big = b" " * (64 * 1024 + 1)

    said = _status(web, "POST", SCALARS, {**headers, "content-length": str(len(big))}, b"")
    silent = _status(web, "POST", SCALARS, headers, big)
    nonsense = _status(web, "POST", SCALARS, {**headers, "content-length": "9" * 5000}, b"")

    assert (said, silent, nonsense) == (413, 413, 413)


@pytest.mark.parametrize(
    "call",
    [
        None,
        [],
        "text",
        {},
        {"output": "nobody.children"},
        {"output": ["ob-page.children"]},
        {"output": PAGE_CALL["output"]},
        {"output": PAGE_CALL["output"], "inputs": "x", "outputs": {}},
        {"output": PAGE_CALL["output"], "inputs": [], "outputs": 1},
        PAGE_CALL | {"outputs": {}},
        PAGE_CALL | {"outputs": PAGE_CALL["outputs"][:1]},
        PAGE_CALL | {"outputs": PAGE_CALL["outputs"] * 2},
        PAGE_CALL | {"inputs": []},
        PAGE_CALL | {"inputs": [1]},
        PAGE_CALL | {"inputs": [PAGE_CALL["inputs"]]},
        PAGE_CALL | {"inputs": [{"id": {"type": "x"}, "property": "data-path"}]},
        PAGE_CALL | {"state": [{}]},
        PAGE_CALL | {"changedPropIds": [{}]},
        PAGE_CALL | {"state": [1]},
    ],
)
def test_a_malformed_callback_is_the_callers_fault(board: Board, web: Web, call: Any) -> None:
    body = json.dumps(call)

    answer = board.ask("POST", CALLBACK, web=web, content=body, headers=AS_JSON)

    assert answer.status_code == 400
    assert "Traceback" not in answer.text


def test_json_nested_too_deep_is_the_callers_fault(board: Board, web: Web) -> None:
    deep = b"[" * 200_000

    for path in (CALLBACK, SCALARS):
        answer = board.ask("POST", path, web=web, content=deep, headers=AS_JSON)
        assert answer.status_code in {400, 413}


def test_a_websocket_is_refused_even_where_dash_opens_one(web: Web) -> None:
    scope = _scope("websocket", "/_dash-ws-callback", {"host": "localhost"})

    sent = asyncio.run(_run(web, scope, [{"type": "websocket.connect"}]))

    assert [message["type"] for message in sent] == ["websocket.close"]


def test_a_refusal_says_in_json_what_is_wrong_and_to_people_in_a_page(
    board: Board, web: Web
) -> None:
    for_code = board.ask("GET", "/nope", web=web)
    for_people = board.ask("GET", "/nope<script>", web=web, headers={"accept": "text/html"})

    assert "error" in for_code.json()
    assert for_people.headers["content-type"].startswith("text/html")
    assert "<script>" not in for_people.text


def test_a_page_callback_of_the_board_is_answered(board: Board, web: Web) -> None:
    answer = board.ask("POST", CALLBACK, web=web, json=PAGE_CALL)

    assert answer.status_code == 200
    assert set(answer.json()["response"]) >= {"ob-page", "ob-crumb"}


def test_the_log_tells_of_a_callback_that_failed(
    board: Board, web: Web, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_place: object) -> NoReturn:
        raise RuntimeError("SELECT secret")

    monkeypatch.setattr(pages, "page_of", fail)

    answer = board.ask("POST", CALLBACK, web=web, json=PAGE_CALL)

    assert answer.status_code == 500
    assert "SELECT" not in answer.text
    assert "a callback failed" in caplog.messages


@pytest.mark.parametrize("path", [None, 5, True, 1e308, [1], {"a": 1}, "\0", "\ud800", "//"])
def test_any_address_in_a_callback_is_answered(board: Board, web: Web, path: object) -> None:
    address = {"id": "ob-page", "property": "data-path", "value": path}
    body = json.dumps(PAGE_CALL | {"inputs": [address]})

    answer = board.ask("POST", CALLBACK, web=web, content=body, headers=AS_JSON)

    assert answer.status_code == 200


def _scope(kind: str, path: str, headers: dict[str, str], method: str = "GET") -> dict[str, Any]:
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        "client": ("127.0.0.1", 5),
        "server": ("127.0.0.1", 7070),
    }


def _status(web: Web, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> int:
    """Send exactly these headers: httpx would add some of its own."""
    scope = _scope("http", path, headers, method)
    sent = asyncio.run(_run(web, scope, [{"type": "http.request", "body": body}]))
    status: int = sent[0]["status"]
    return status


async def _run(
    web: Web, scope: dict[str, Any], incoming: list[dict[str, Any]]
) -> list[MutableMapping[str, Any]]:
    sent: list[MutableMapping[str, Any]] = []
    waiting = [*incoming, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return waiting.pop(0) if len(waiting) > 1 else waiting[0]

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message)

    await web.gate(scope, receive, send)
    return sent


def test_the_questions_limits_are_told_in_words(board: Board, web: Web) -> None:
    answer = board.ask("POST", SCALARS, web=web, json={"cards": [{"tag": 1}] * 13, "runs": []})

    assert answer.status_code == 400
    assert "12" in json.loads(answer.text)["error"]
