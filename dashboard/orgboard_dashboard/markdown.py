"""What somebody wrote as safe HTML. Who writes is not who reads: the text may be hostile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any, Final

import nh3
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from orgboard_dashboard.mentions import KEPT, typed

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

_CODE: Final = ("code_inline", "code_block", "fence")


def to_html(text: str, names: Mapping[int, str] | None = None) -> str | None:
    """Return Markdown as HTML that runs nothing and loads nothing; None when it is too long.

    `names` are those of the people whom the text names as `mentions` keeps them: each is marked.
    """
    if len(text) > MAX_CHARS:
        return None
    # Half a character, as JSON can hold it, is none that HTML could.
    text = text.encode("utf-8", "replace").decode()
    parser = _TABLES if _cells(text) <= _MAX_CELLS else _TEXT
    env: dict[str, Any] = {"names": names or {}}
    tokens = parser.parse(text, env)
    _unmark(tokens, env["names"])
    return nh3.clean(
        parser.renderer.render(tokens, parser.options, env),
        tags=_TAGS | {"mark"} if names else _TAGS,
        attributes={"a": {"href", "title"}, "td": {"align"}, "th": {"align"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )


def _cells(text: str) -> int:
    """Return how many cells tables in `text` can have at most."""
    lines = text.splitlines()
    widest = max((line.count("|") for line in lines), default=0)
    return widest and (widest + 1) * len(lines)


def _parser(*more: str) -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", *more])
    parser.inline.ruler.before("autolink", "mention", _find_name)
    parser.add_render_rule("mention", _render_name)
    return parser


def _find_name(state: StateInline, silent: bool) -> bool:
    found = KEPT.match(state.src, state.pos) if state.env["names"] else None
    name = state.env["names"].get(int(found[1])) if found else None
    if found is None or name is None:
        return False
    if not silent:
        state.push("mention", "mark", 0).content = name
    state.pos = found.end()
    return True


def _render_name(
    _self: RendererHTML, tokens: Sequence[Token], at: int, _options: Any, _env: Any
) -> str:
    return f"<mark>@{escape(tokens[at].content)}</mark>"


def _unmark(tokens: Sequence[Token], names: Mapping[int, str]) -> None:
    """Let code say what was typed."""
    for token in tokens if names else ():
        if token.type in _CODE:
            token.content = typed(token.content, names)
        _unmark(token.children or (), names)


_TEXT: Final = _parser()
_TABLES: Final = _parser("table")
