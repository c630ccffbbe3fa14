"""Behind a proxy and below a prefix: what is answered, to whom, and where it leads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.accounts.passwords import hash_of
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.identity import address_of
from orgboard_dashboard.queries.people.links import set_up, use_link
from orgboard_dashboard.signin.places import checked_next, sign_in_address
from orgboard_schema.sql.engine import begin_write
from support.boards import Board, opened, scalars

PREFIX = "/ml/board"
OUTSIDE = "https://tools.example"
PROXY = ("10.1.0.0/16", "127.0.0.1")
BEHIND = WebConfig(
    accounts=True, base_url=OUTSIDE + PREFIX, trusted_proxies=PROXY, host="127.0.0.1"
)
PASSWORD = "a sentence that is long enough"
AS_PAGE = {"accept": "text/html", "sec-fetch-site": "none", "sec-fetch-mode": "navigate"}


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with opened(str(tmp_path_factory.mktemp("front") / "board.db")) as made:
        made.log("run", [scalars("loss", [1.0, 2.0])])
        with begin_write(made.engine) as conn:
            set_up(conn, "secret", 1e9)
            use_link(conn, "secret", "ana", hash_of(PASSWORD), 1e9, "127.0.0.1")
        yield made


@pytest.fixture(scope="module")
def web(board: Board) -> Web:
    return create_app(BEHIND, board.engine)


def ask(
    web: Web,
    path: str,
    *,
    method: str = "GET",
    client: str = "10.1.2.3",
    server: str = "10.9.9.9",
    headers: dict[str, str] | None = None,
    **request: Any,
) -> httpx.Response:
    """Ask as a proxy does, which passes the Host on."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(_at(web, server), client=(client, 1234))
        async with httpx.AsyncClient(transport=transport, base_url=OUTSIDE) as session:
            return await session.request(method, path, headers=headers or {}, **request)

    return anyio.run(send)


def _at(web: Web, server: str) -> Any:
    """Return the app as it is on a machine of that address."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await web.gate({**scope, "server": (server, 7070)}, receive, send)

    return app


def _signed_in(web: Web) -> dict[str, str]:
    own = {"sec-fetch-site": "same-origin", "origin": OUTSIDE}
    asked = {"name": "ana", "password": PASSWORD, "next": PREFIX + "/p/default/board/runs"}
    done = ask(web, PREFIX + "/sign-in", method="POST", headers=own, json=asked)
    assert done.status_code == 200, done.text
    assert done.json() == {"to": PREFIX + "/p/default/board/runs"}
    cookies = done.headers.get_list("set-cookie")
    assert all("Path=/;" in cookie + ";" and "Secure" in cookie for cookie in cookies)
    assert [cookie.partition("=")[0] for cookie in cookies] == [
        "__Host-ob_session",
        "__Host-ob_csrf",
    ]
    return {"cookie": "; ".join(cookie.partition(";")[0] for cookie in cookies)}


def test_below_a_prefix_all_that_a_page_asks_for_lies_below_it(web: Web) -> None:
    page = ask(web, PREFIX + "/p/default/board/scalars", headers=_signed_in(web))

    asked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    of_ours = [address for address in asked if not address.startswith("data:")]
    assert page.status_code == 200
    assert len(of_ours) > 5
    assert [address for address in of_ours if not address.startswith(PREFIX + "/")] == []
    config = re.search(r'<script id="_dash-config"[^>]*>([^<]+)<', page.text)
    assert config
    assert json.loads(config.group(1))["requests_pathname_prefix"] == PREFIX + "/"
    for address in of_ours:
        assert ask(web, address, headers=_signed_in(web)).status_code == 200, address


@pytest.mark.parametrize("page", ["/sign-in", "/welcome"])
def test_the_pages_before_a_sign_in_load_what_lies_below_the_prefix(web: Web, page: str) -> None:
    answer = ask(web, PREFIX + page)

    linked = re.findall(r'(?:src|href|action)="([^"]+)"', answer.text)
    assert linked
    for address in linked:
        assert not address.startswith(("/", "http"))
        resolved = httpx.URL(f"{OUTSIDE}{PREFIX}{page}").join(address).path
        # A form's address is posted to.
        assert ask(web, resolved).status_code in (200, 405), address


def test_what_needs_a_sign_in_leads_there_and_back(web: Web) -> None:
    asked = PREFIX + "/p/default/board/scalars?q=a%20b&s=x"

    led = ask(web, asked, headers=AS_PAGE)
    bare = ask(web, PREFIX, headers=AS_PAGE)

    assert led.status_code == 303
    assert led.headers["location"] == sign_in_address(asked, PREFIX + "/")
    to = httpx.URL(led.headers["location"])
    assert to.path == PREFIX + "/sign-in"
    assert to.params["next"] == asked
    assert (bare.status_code, bare.headers["location"]) == (308, PREFIX + "/")


@pytest.mark.parametrize(
    "path",
    [
        *("/", "/sign-in", "/readyz", "/p/default/board/runs", "/ml", "/ml/", "/ml/boards/"),
        *("/ml/boardx", "/ML/board/readyz", "//ml/board/readyz", "/ml//board/readyz"),
        *("/%6dl/board/readyz", "/ml%2fboard/readyz", "/x/ml/board/readyz"),
        *("/ml/board//readyz", "/ml/board/ml/board/readyz"),
    ],
)
def test_what_is_not_below_the_prefix_is_not_there(web: Web, path: str) -> None:
    answer = ask(web, path)

    assert answer.status_code == 404
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("asked", "to"),
    [
        ("/ml/board/p/a/b/runs?x=1", "/ml/board/p/a/b/runs?x=1"),
        ("/ml/board/r/abc", "/ml/board/r/abc"),
        *((bad, "/ml/board/") for bad in ("/p/a/b/runs", "/", "/ml/boardx/r/abc", "//evil/r/a")),
        *((bad, "/ml/board/") for bad in ("/ml/board//evil", "https://evil/ml/board/r/a", "")),
        *((bad, "/ml/board/") for bad in ("/ml/board/../r/abc", "/ml/board/sign-in")),
        *(
            (bad, "/ml/board/")
            for bad in ("/ml/board/p/../x", "/ml/board/p/a/..", "/ml/board/p/./x")
        ),
        # Browsers take them for the same.
        *(
            (f"/ml/board/p/{up}/{up}/evil", "/ml/board/")
            for up in ("%2e%2e", "%2E.", ".%2e", "%2e")
        ),
    ],
)
def test_a_sign_in_leads_to_no_place_but_a_page_of_the_board(asked: str, to: str) -> None:
    assert checked_next(asked, "/ml/board/") == to


@pytest.mark.parametrize(
    ("client", "server", "status"),
    [
        ("10.1.2.3", "10.9.9.9", 200),
        ("127.0.0.1", "127.0.0.1", 200),
        ("::ffff:10.1.2.3", "::", 200),
        # The machine itself, by its outer address.
        ("10.9.9.9", "10.9.9.9", 200),
        ("10.2.0.1", "10.9.9.9", 403),
        ("fd00::1", "::", 403),
        ("::ffff:10.2.0.1", "::", 403),
    ],
)
def test_only_a_proxy_and_this_machine_may_come_in_the_clear(
    web: Web, client: str, server: str, status: int
) -> None:
    answer = ask(web, PREFIX + "/sign-in", client=client, server=server)

    assert answer.status_code == status
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("host", "origin", "status"),
    [
        ("tools.example", OUTSIDE, 401),
        # As nginx passes it when nobody tells it otherwise.
        ("127.0.0.1:7070", OUTSIDE, 401),
        ("localhost:7070", "http://localhost:7070", 401),
        ("tools.example", "http://tools.example", 403),
        ("tools.example", "https://tools.example:8443", 403),
        ("tools.example", "https://evil.example", 403),
        ("tools.example", "null", 403),
        ("127.0.0.1:7070", "https://evil.example", 403),
        ("evil.example", "https://evil.example", 403),
    ],
)
def test_the_origin_of_a_change_is_the_one_of_the_base_url_whatever_a_proxy_says(
    web: Web, host: str, origin: str, status: int
) -> None:
    said = {
        "host": host,
        "origin": origin,
        "x-forwarded-host": "evil.example",
        "x-forwarded-proto": "http",
    }
    asked = {"name": "nobody", "password": "wrong wrong wrong"}
    answer = ask(web, PREFIX + "/sign-in", method="POST", headers=said, json=asked)

    assert answer.status_code == status


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({}, None),
        ({"base_url": OUTSIDE, "trusted_proxies": PROXY, "accounts": True}, "max-age=31536000"),
    ],
)
def test_browsers_are_told_to_stay_with_https_where_there_is_some(
    board: Board, settings: dict[str, Any], told: str | None
) -> None:
    made = create_app(WebConfig(**settings), board.engine)
    host = {"host": "localhost"}

    for path in ("/", "/healthz", "/nothing", "/assets/tokens.css", "/sign-in"):
        answer = ask(made, path, headers=host, client="127.0.0.1")
        assert answer.headers.get("strict-transport-security") == told
        assert "connect-src 'self';" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("client", "said", "address"),
    [
        ("203.0.113.9", None, "203.0.113.9"),
        # Who is no proxy of ours is not believed.
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("203.0.113.9", "127.0.0.1", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "  198.51.100.1\t", "198.51.100.1"),
        # The client wrote the left part; the proxy added whom it saw.
        ("10.1.2.3", "127.0.0.1, 198.51.100.1", "198.51.100.1"),
        ("10.1.2.3", "evil,198.51.100.1", "198.51.100.1"),
        # Through two of ours.
        ("10.1.2.3", "6.6.6.6, 198.51.100.1 , 10.1.0.7", "198.51.100.1"),
        # Somebody in the proxies' network asks, and makes up who asked it.
        ("10.1.2.3", "made up, 10.1.0.7", "10.1.0.7"),
        ("10.1.2.3", "10.1.0.7", "10.1.0.7"),
        *((("10.1.2.3", junk, "10.1.2.3")) for junk in ("", ",", "unknown", "1.2.3", "<b>", "1,")),
        *((("10.1.2.3", junk, "10.1.2.3")) for junk in ("1.2.3.4:80", "[::1]:1", "'1.2.3.4'")),
        ("10.1.2.3", "2001:DB8::1", "2001:db8::1"),
        ("10.1.2.3", "::ffff:198.51.100.1", "198.51.100.1"),
        ("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1"),
        ("::ffff:203.0.113.9", "198.51.100.1", "203.0.113.9"),
        ("fd00::1", "198.51.100.1", "fd00::1"),
    ],
)
def test_who_asks_is_whom_the_last_trusted_proxy_saw(
    client: str, said: str | None, address: str
) -> None:
    headers = {} if said is None else {"x-forwarded-for": said}

    assert address_of({"client": (client, 1)}, headers, PROXY) == address


@given(st.text(max_size=80), st.sampled_from(["10.1.2.3", "203.0.113.9", "::1", "not one"]))
def test_whatever_is_said_the_address_is_one_or_what_the_socket_shows(
    said: str, client: str
) -> None:
    address = address_of({"client": (client, 1)}, {"x-forwarded-for": said}, PROXY)

    assert address == client or (client == "10.1.2.3" and re.fullmatch(r"[0-9a-f.:%\w]+", address))


def test_of_several_headers_the_one_that_the_nearest_proxy_added_counts(
    board: Board, web: Web
) -> None:
    said = [
        *(("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "198.51.100.1")),
        *(("origin", OUTSIDE), ("sec-fetch-site", "same-origin"), ("user-agent", "two headers")),
    ]

    async def sign_in() -> int:
        transport = httpx.ASGITransport(web.gate, client=("10.1.2.3", 1))
        async with httpx.AsyncClient(transport=transport, base_url=OUTSIDE) as session:
            asked = {"name": "ana", "password": PASSWORD}
            done = await session.post(PREFIX + "/sign-in", headers=said, json=asked)
            return done.status_code

    assert anyio.run(sign_in) == 200
    with board.engine.connect() as conn:
        found = conn.exec_driver_sql("SELECT address FROM session WHERE agent = 'two headers'")
        assert found.scalar_one() == "198.51.100.1"
