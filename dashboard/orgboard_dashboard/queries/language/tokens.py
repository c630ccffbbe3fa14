"""The words and signs of a query, each with its place.

A backslash in quotes escapes a quote or, before one, another backslash; anywhere else it is
itself, so that a regular expression need not double its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from orgboard_dashboard.queries.language.problems import QueryProblem, shown

__all__ = ["Token", "TokenKind", "tokens_of"]

TokenKind: TypeAlias = Literal["word", "string", "sign", "end"]


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of a query; `text` is what it means, without its quotes."""

    kind: TokenKind
    text: str
    at: int
    end: int

    def is_sign(self, *signs: str) -> bool:
        """Tell whether this is one of these signs, and not the same in quotes."""
        return self.kind == "sign" and self.text in signs

    def is_word(self, word: str) -> bool:
        """Tell whether this is that word, in any case, and not in quotes."""
        return self.kind == "word" and self.text.lower() == word


_SPACE: Final = re.compile(r"[\s\x00-\x1f]*")
_SIGN: Final = re.compile(r"==|!=|!~|<=|>=|[=<>~(),:]")
_WORD: Final = re.compile("[^\\s()=!<>~,:\"'\\x00-\\x1f]+")
_STRING: Final = {
    quote: re.compile(rf"{quote}((?:[^{quote}\\]|\\.)*){quote}", re.DOTALL) for quote in "\"'"
}


def tokens_of(text: str) -> list[Token]:
    """Return the pieces of a query; the last one is its end.

    Raises:
        QueryProblem: a quote is not closed, or a character has no meaning.
    """
    tokens: list[Token] = []
    at = _after_space(text, 0)
    while at < len(text):
        token = _token(text, at)
        tokens.append(token)
        at = _after_space(text, token.end)
    return [*tokens, Token("end", "", len(text), len(text))]


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _token(text: str, at: int) -> Token:
    if text[at] in _STRING:
        return _string(text, at)
    if found := _SIGN.match(text, at):
        return Token("sign", "=" if found[0] == "==" else found[0], at, found.end())
    if found := _WORD.match(text, at):
        return Token("word", found[0], at, found.end())
    raise QueryProblem(
        f"{shown(text[at])} stands alone: write != or !~, or `not` before a condition.", at, at + 1
    )


def _string(text: str, at: int) -> Token:
    quote = text[at]
    if found := _STRING[quote].match(text, at):
        return Token("string", _unescaped(found[1], quote), at, found.end())
    raise QueryProblem(f"This text has no closing {quote}.", at, len(text))


def _unescaped(inner: str, quote: str) -> str:
    return re.sub(
        rf"(\\+)({quote}|\Z)", lambda found: "\\" * (len(found[1]) // 2) + found[2], inner
    )
