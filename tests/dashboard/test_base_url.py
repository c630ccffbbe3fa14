"""`--base-url`: what is one, what it says, and what becomes of it in the settings."""

from __future__ import annotations

import pytest

from orgboard_dashboard.base_url import parse_base_url
from orgboard_dashboard.config import WebConfig


@pytest.mark.parametrize(
    ("text", "origin", "base"),
    [
        ("https://board.example", "https://board.example", "/"),
        ("https://board.example/", "https://board.example", "/"),
        ("HTTPS://Board.Example:443", "https://board.example", "/"),
        ("https://board.example:8443", "https://board.example:8443", "/"),
        ("http://board.example:80/x", "http://board.example", "/x/"),
        ("https://tools.example/ml/board/", "https://tools.example", "/ml/board/"),
        ("https://tools.example/~ml/v1.2_b-c", "https://tools.example", "/~ml/v1.2_b-c/"),
        ("https://[FD00::1]:7070/p", "https://[fd00::1]:7070", "/p/"),
        ("https://xn--brse-5qa.example", "https://xn--brse-5qa.example", "/"),
    ],
)
def test_an_address_is_read_as_browsers_write_it(text: str, origin: str, base: str) -> None:
    read = parse_base_url(text)

    assert (read.origin, read.base) == (origin, base)
    assert parse_base_url(str(read)).origin == read.origin
    assert parse_base_url(str(read)).base == read.base


@pytest.mark.parametrize(
    "text",
    [
        *("board.example", "//board.example", "ftp://board.example", "https://", "https:///x"),
        *("https://a b.example", "https://börse.example", "https://b.example/ö", "https://-a.b"),
        *("https://b.example/?q", "https://b.example?", "https://b.example/#f", "https://b#"),
        *("https://me@b.example", "https://me:pw@b.example", "https://@b.example"),
        *("https://b.example:99999", "https://b.example:x", "https://b..example", "https://*.b"),
        *("https://b.example/../x", "https://b.example/a//b", "https://b.example/%2e%2e/x"),
        *("https://b.example/a b", "https://b.example/<x>", "https://b.example/'x'"),
        *("https://b.example\n", "https://b.example\r\nx: y", "https://b.exa\tmple", "https://[::"),
        *("https://[10.0.0.1]", "https://b.example\0", ""),
    ],
)
def test_what_proxies_or_pages_could_take_otherwise_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_base_url(text)


def test_a_board_answers_to_its_own_names_and_this_machines() -> None:
    bound = WebConfig(host="10.0.0.5")
    named = WebConfig(host="FD00::5", base_url="https://Board.Example:8443/x")

    assert bound.allowed_hosts() == {"localhost", "127.0.0.1", "[::1]", "10.0.0.5"}
    assert named.allowed_hosts() == {
        *("localhost", "127.0.0.1", "[::1]", "[fd00::5]", "board.example")
    }


@pytest.mark.parametrize(
    ("settings", "cookie", "https_only"),
    [
        ({}, "ob_session", False),
        ({"base_url": "http://localhost:1/x"}, "ob_session", False),
        ({"base_url": "https://board.example/x"}, "__Host-ob_session", True),
        ({"host": "10.0.0.5", "tls_cert": "c", "tls_key": "k"}, "__Host-ob_session", True),
        # Others serve at these names too, and not all by HTTPS.
        ({"tls_cert": "c", "tls_key": "k"}, "__Host-ob_session", False),
        ({"base_url": "https://localhost:1"}, "__Host-ob_session", False),
    ],
)
def test_where_there_is_https_no_other_cookie_will_do(
    settings: dict[str, str], cookie: str, https_only: bool
) -> None:
    config = WebConfig(**settings)  # type: ignore[arg-type]

    assert config.session_cookie == cookie
    assert config.https_only is https_only
