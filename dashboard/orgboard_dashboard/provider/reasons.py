"""Why somebody was not signed in by the provider: for people in words, for the log in more."""

from __future__ import annotations

from enum import Enum

__all__ = ["NotSignedIn", "Reason", "told"]


class Reason(Enum):
    """What went wrong, as far as who asks may know; the value is what the audit log calls it."""

    AGAIN = "begun elsewhere, too long ago, or used already"
    NOT_THERE = "the provider did not sign anybody in"
    AWAY = "the provider did not answer as it should"
    DOUBTFUL = "the provider's answer could not be believed"
    UNKNOWN = "nobody here is known by this identity"
    OUTSIDE = "in none of the groups that are let in"
    SOMEBODY_ELSE = "signed in at the provider as somebody else"
    TAKEN = "the identity is another account's"
    STALE = "the provider did not ask anew who it is"
    OVER = "the link was used already, or is too old"
    GUARDED = "the account is asked for a second factor, which a link is not"
    NO_NAME = "the name cannot be had"


_WORDS = {
    Reason.AGAIN: (
        "This sign-in was begun in another browser, more than ten minutes ago, or was used already."
        " Begin again."
    ),
    Reason.NOT_THERE: "{name} did not sign you in. Begin again, or ask who runs {name}.",
    Reason.AWAY: (
        "{name} does not answer as it should at the moment. Try again later, or sign in with your"
        " password if you have one."
    ),
    Reason.DOUBTFUL: (
        "What {name} answered could not be believed, so nobody was signed in. Begin again; if it"
        " happens again, tell who runs this board."
    ),
    Reason.UNKNOWN: (
        "{name} knows you, and this board does not yet. If you have a password here, sign in with"
        " it and connect {name} on your account's page; otherwise ask who runs the board for an"
        " invitation."
    ),
    Reason.OUTSIDE: (
        "{name} knows you, and this board is for other groups than yours. Ask who runs it."
    ),
    Reason.SOMEBODY_ELSE: (
        "You signed in at {name} as somebody else than who is signed in here. Nothing was changed."
    ),
    Reason.TAKEN: "Who you are at {name} is connected with another account here.",
    Reason.STALE: (
        "{name} did not ask you anew who you are, so nothing was changed. If you have a password"
        " here, give that instead."
    ),
    Reason.OVER: "This link was used already, or is too old. Ask for another one.",
    Reason.GUARDED: (
        "This account is asked for a second factor: set a password by the link, sign in with it,"
        " and connect {name} on your account's page."
    ),
    Reason.NO_NAME: "This name cannot be had any more. Open the link again, and choose another.",
}


def told(reason: Reason, provider: str) -> str:
    """Return what to tell who was not signed in."""
    return _WORDS[reason].format(name=provider)


class NotSignedIn(Exception):  # noqa: N818  # says what happened, as its siblings do
    """Nobody was signed in. The detail is for the operator's log and for nobody else."""

    def __init__(self, reason: Reason, detail: str = "") -> None:
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
