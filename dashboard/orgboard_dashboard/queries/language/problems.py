"""What is wrong with a query, told so that it can be shown below the place itself."""

from __future__ import annotations

from typing import Final

from orgboard_dashboard.queries.errors import BadQuery

__all__ = ["QueryProblem", "UnknownField", "shown"]

_MAX_SHOWN: Final = 60
"""Characters of a hostile name that a message repeats."""


class QueryProblem(BadQuery):
    """A query that cannot be answered: the characters `at` to `end` are why."""

    def __init__(self, message: str, at: int, end: int, suggestions: tuple[str, ...] = ()) -> None:
        meant = f" Did you mean {' or '.join(map(shown, suggestions))}?" if suggestions else ""
        super().__init__(message + meant)
        self.message = message
        """Without the suggestions."""
        self.at = at
        self.end = max(end, at)
        self.suggestions = suggestions
        """What may have been meant instead, as it is written in a query."""


class UnknownField(QueryProblem):
    """A query that asks for what this project does not have; another one may."""


def shown(text: str) -> str:
    """Return `text` as messages quote it: on one line, and not all of a long one."""
    plain = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)
    return f"`{plain}`" if len(plain) <= _MAX_SHOWN else f"`{plain[: _MAX_SHOWN - 1]}…`"
