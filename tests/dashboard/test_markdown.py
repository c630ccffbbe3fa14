"""Logged Markdown as HTML: readable, and unable to do anything."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.markdown import MAX_CHARS, to_html

ALLOWED_ATTRIBUTES = {"href", "title", "rel", "align"}
FORBIDDEN_TAGS = {"script", "img", "iframe", "object", "embed", "form", "style", "svg", "link"}

PAYLOADS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![](https://elsewhere.example/track.png)",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "<a href='x' onclick='alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "[x]: javascript:alert(1)\n\n[x]",
    "<style>*{display:none}</style>",
    "<https://ok.example> <javascript:alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
]


class Seen(HTMLParser):
    """Collects what a browser would take for tags and attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: dict[str, str | None] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= dict(attrs)


@pytest.mark.parametrize("text", PAYLOADS)
def test_a_payload_becomes_harmless(text: str) -> None:
    seen = Seen(to_html(text) or "")

    assert not seen.tags & FORBIDDEN_TAGS
    assert seen.attributes.keys() <= ALLOWED_ATTRIBUTES
    assert not (seen.attributes.get("href") or "").startswith(("javascript:", "data:"))


@given(st.lists(st.sampled_from([*PAYLOADS, "|a|\n|-|\n|", "> ", "- ", "\n", "`", "<", "]("])))
def test_payloads_in_any_mixture_stay_harmless(parts: list[str]) -> None:
    seen = Seen(to_html("".join(parts)) or "")

    assert not seen.tags & FORBIDDEN_TAGS
    assert seen.attributes.keys() <= ALLOWED_ATTRIBUTES


def test_what_people_write_is_rendered() -> None:
    html = to_html("| a | b |\n|---|---|\n| 1 | ~~2~~ |\n\n`code`")

    assert html is not None
    assert Seen(html).tags >= {"table", "td", "s", "code"}


def test_text_too_long_to_render_is_left_as_it_is() -> None:
    assert to_html("a" * (MAX_CHARS + 1)) is None


def test_a_table_that_unfolds_into_far_more_cells_than_it_has_is_left_as_text() -> None:
    wide = "|a" * 1000 + "\n" + "|-" * 1000 + "\n" + "|b\n" * 1000

    html = to_html(wide)

    assert html is not None
    assert "td" not in Seen(html).tags
    assert len(html) < 4 * len(wide)


def test_half_a_character_is_shown_as_one_that_is_none() -> None:
    assert to_html("a \ud800 **b** \udfff") == "<p>a ? <strong>b</strong> ?</p>\n"
