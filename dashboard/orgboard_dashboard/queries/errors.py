"""Why a query has no answer. Whoever asks sees the message, so it says what to try."""

# ruff: noqa: N818 - the names say what was found, as in `orgboard_schema.errors`.

from __future__ import annotations

__all__ = [
    "BadQuery",
    "Conflict",
    "Forbidden",
    "NotFound",
    "SignedOut",
    "TooBusy",
    "TooMuch",
    "Unproved",
]


class NotFound(Exception):
    """There is no such thing, or this viewer may not see it: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("There is nothing here, or it is not shared with you.")


class BadQuery(Exception):
    """The question itself is wrong: a pattern that is none, a limit out of range."""


class Forbidden(Exception):
    """The viewer may see it and not do this. The message says who may."""

    def __init__(self, words: str = "You may see this and not change it.") -> None:
        super().__init__(words)


class Unproved(Forbidden):
    """It is delicate, and who asks has not given the password for a while."""

    def __init__(self) -> None:
        super().__init__("Give your password to go on: this is delicate.")


class SignedOut(Exception):
    """What this one came by opens nothing any more, or not as much, since the request began."""

    def __init__(self) -> None:
        super().__init__("You were signed out meanwhile, or may do less. Nothing was changed.")


class Conflict(Exception):
    """Somebody changed it meanwhile, or it is in use. The message says what to do."""


class TooMuch(Exception):
    """The answer would be too large to make. The message says how to ask for less."""


class TooBusy(Exception):
    """It would be answered, and cannot be beside what else is. The message says when."""
