"""Logged text as safe HTML. Who logs is not who reads: the text may be hostile."""

from __future__ import annotations

from typing import Final

import nh3
from markdown_it import MarkdownIt

__all__ = ["MAX_CHARS", "to_html"]

MAX_CHARS: Final = 200_000
"""Longer text is shown as it is: rendering would take longer than reading is worth."""

_TAGS: Final = {
    *("h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "blockquote", "pre", "code"),
    *("b", "strong", "i", "em", "s", "del", "a", "ol", "ul", "li"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}
"""No images: a picture from elsewhere would tell its server who reads, and when."""

_RENDERER: Final = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])


def to_html(text: str) -> str | None:
    """Return Markdown as HTML that runs nothing and loads nothing; None when it is too long."""
    if len(text) > MAX_CHARS:
        return None
    return nh3.clean(
        _RENDERER.render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}, "td": {"align"}, "th": {"align"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
