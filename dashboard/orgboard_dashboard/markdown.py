"""Logged text as safe HTML. Who logs is not who reads: the text may be hostile."""

from __future__ import annotations

from typing import Final

import nh3
from markdown_it import MarkdownIt

__all__ = ["MAX_CHARS", "to_html"]

MAX_CHARS: Final = 50_000
"""Longer text is shown as it is: the worst takes a tenth of a millisecond a character."""

_MAX_CELLS: Final = 10_000
"""Every row of a table is filled up to its widest, so ten kB can ask for a million cells."""

_TAGS: Final = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code"),
    *("b", "strong", "i", "em", "s", "del", "a", "ol", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""No images: a picture from elsewhere would tell its server who reads, and when."""

_TEXT: Final = MarkdownIt("commonmark", {"html": False}).enable("strikethrough")
_TABLES: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str | None:
    """Return Markdown as HTML that runs nothing and loads nothing; None when it is too long."""
    if len(text) > MAX_CHARS:
        return None
    return nh3.clean(
        (_TABLES if _cells(text) <= _MAX_CELLS else _TEXT).render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "td": {"align"}, "th": {"align"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _cells(text: str) -> int:
    """Return how many cells tables in `text` can have at most."""
    lines = text.splitlines()
    widest = max((line.count("|") for line in lines), default=0)
    return widest and (widest + 1) * len(lines)
