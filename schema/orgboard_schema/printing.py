"""Text that somebody chose, on its way to a terminal or a log. Standard library only."""

from __future__ import annotations

__all__ = ["printable"]


def printable(text: str) -> str:
    """Return text that any terminal or log file takes, on one line.

    Who makes a directory chooses its name: one that recolours a terminal, or turns the
    order of what is read, shows as what it is.
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char.encode("unicode_escape").decode()
