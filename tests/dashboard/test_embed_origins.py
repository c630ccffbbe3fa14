"""Which origins may be named as those whose pages show a card: those that browsers have, and these
letter by letter, because they end in a header."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orgboard_dashboard.embeds.origins import (
    MAX_ORIGINS,
    ancestors,
    checked_origins,
    origin_of,
)
from orgboard_dashboard.headers import embed_policy
from orgboard_dashboard.queries.errors import BadQuery

WIKI = "https://wiki.example.org"


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (WIKI, WIKI),
        ("https://wiki.example.org:8443", "https://wiki.example.org:8443"),
        ("https://wiki.example.org:443", WIKI),
        ("HTTPS://Wiki.Example.ORG", WIKI),
        ("https://intranet", "https://intranet"),
        ("https://xn--bcher-kva.example", "https://xn--bcher-kva.example"),
        ("https://10.0.0.7:8080", "https://10.0.0.7:8080"),
        ("https://a.b-c.d1.example", "https://a.b-c.d1.example"),
        ("http://localhost:8000", "http://localhost:8000"),
        ("http://localhost:80", "http://localhost"),
        ("http://docs.localhost", "http://docs.localhost"),
        ("http://127.0.0.1:1", "http://127.0.0.1:1"),
        ("http://127.8.0.1:65535", "http://127.8.0.1:65535"),
    ],
)
def test_an_origin_is_written_as_browsers_do(text: str, origin: str) -> None:
    assert origin_of(text) == origin
    assert checked_origins([text, origin]) == (origin,)


HOSTILE = [
    *("", " ", "*", "https://*", "https://*.example.org", "https:*", "'self'", "null", "data:"),
    *(WIKI + "/", WIKI + "/page", WIKI + "?a", WIKI + "#a", WIKI + "\\", WIKI + "//"),
    *("https://ana@wiki.example.org", "https://ana:b@wiki.example.org", "https://:@a.example"),
    *(WIKI + "; script-src *", WIKI + ";", WIKI + " https://evil.example", " " + WIKI, WIKI + " "),
    *(WIKI + "\n", WIKI + "\r\nset-cookie: a=b", WIKI + "\t", WIKI + "\0", WIKI + ",*", WIKI + "'"),
    *("http://wiki.example.org", "http://localhost.evil.example", "http://evillocalhost"),
    *("http://127.0.0.1.evil.example", "http://10.0.0.1", "http://128.0.0.1", "ftp://a.example"),
    *("javascript:alert(1)", "blob:" + WIKI, "//wiki.example.org", "wiki.example.org", "https:/a"),
    *("https://", "https://.", "https://.a", "https://a.", "https://a..b", "https://-a.b"),
    *("https://a-.b", "https://a_b.example", "https://[::1]", "https://[::1]:80", "http://[::1]"),
    *(
        "https://bücher.example",
        "https://wiki。example",
        "https://\uff57iki.example",
        "https://wi\u212ai",
    ),
    *("https://wi\u00adki.example", "https://wiki.example\u2028", "https://\u202eikiw.example"),
    *("https://a:0", "https://a:00080", "https://a:65536", "https://a:99999", "https://a:-1"),
    *(
        "https://a:",
        "https://a:\uff18\uff10",
        "https://a:80:80",
        "https://a:8e1",
        "https://a.example:x",
    ),
    *("https://1", "https://0x7f.1", "https://127.1", "https://0177.0.0.1", "https://1.2.3.4.5"),
    *("https://256.1.1.1", "https://2130706433", "https://a.1", "https://a.0x", "http://127.1"),
    *("https://" + "a" * 64 + ".example", "https://" + "a." * 130 + "b", "https://" + "a" * 10_000),
    *(
        "https://%77iki.example",
        "https://wiki.example%0a",
        "https://wiki.example%2f",
        "https://a b",
    ),
]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_is_no_origin_is_none_and_changes_no_header(text: str) -> None:
    assert origin_of(text) is None
    with pytest.raises(BadQuery, match="Write an origin as"):
        checked_origins([text])
    # As if a row of the database had been changed by somebody.
    assert ancestors([text]) == "'none'"
    assert ancestors([WIKI, text]) == WIKI


@pytest.mark.parametrize(
    "asked",
    [
        *(None, "https://wiki.example.org", {}, [], [None], [1], [[WIKI]], {"a": WIKI}, True),
        [f"https://a{n}.example" for n in range(50)],
        [f"https://a{n}.example" for n in range(MAX_ORIGINS + 1)],
    ],
)
def test_origins_are_a_list_of_a_few(asked: object) -> None:
    with pytest.raises(BadQuery):
        checked_origins(asked)


def test_as_many_as_are_allowed_are_told_in_one_header() -> None:
    origins = checked_origins([f"https://a{n}.example" for n in range(MAX_ORIGINS)])

    policy = embed_policy(ancestors(origins))

    assert f"; frame-ancestors {' '.join(origins)}; " in policy
    assert len(origins) == MAX_ORIGINS


def test_a_page_of_plain_http_is_told_why_it_may_not() -> None:
    with pytest.raises(BadQuery, match="By plain http only pages of this machine"):
        checked_origins(["http://wiki.example.org"])


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,40}"))
@example("https://a.example\n")
@example("https://a.example;x")
def test_whatever_is_taken_is_one_word_of_a_policy(text: str) -> None:
    origin = origin_of(text)

    if origin is not None:
        assert re.fullmatch(r"https?://[a-z0-9.-]+(:[0-9]+)?", origin)
        assert origin_of(origin) == origin
        directives = embed_policy(ancestors([origin])).split("; ")
        assert [each for each in directives if each.startswith("frame")] == [
            f"frame-ancestors {origin}"
        ]
