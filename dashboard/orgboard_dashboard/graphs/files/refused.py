"""Why a file is not taken as a graph, in words for whoever opened it."""

from __future__ import annotations

from typing import Final

__all__ = ["MAX_NODES", "NotAGraph", "too_many"]

MAX_NODES: Final = 200_000
"""Of a file: of the graphs that people look at, the largest have some ten thousands."""


class NotAGraph(Exception):  # noqa: N818  # says what it is, as its siblings do
    """The file is none, or a broken one; the message says which, and what to try."""


def too_many(what: str = "nodes") -> NotAGraph:
    """Return the refusal of a graph that is too large to be looked at."""
    if what != "nodes":
        return NotAGraph(f"it has too many {what}: at most {MAX_NODES} nodes are opened")
    return NotAGraph(f"it has more than {MAX_NODES} nodes, the most that are opened")
