"""The command line, without what looks like a secret in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

__all__ = ["HIDDEN", "describe_command", "without_credentials"]

HIDDEN: Final = "***"

_MOST_ARGUMENTS: Final = 500
_LONGEST_ARGUMENT: Final = 1000

_WORDS: Final = (
    r"pass(?:word|wd|phrase)?|pwd|secrets?|token|credentials?|auth(?:orization)?|bearer|cookie|"
    r"(?:api|access|secret|private|account|auth|encryption|signing|ssh|license)[-_.]?key"
)
_SECRET_NAME: Final = re.compile(rf"(?:^|[-_.:/])(?:{_WORDS})$", re.IGNORECASE)
"""The last word counts: `--hf-token` is one, `--token-dim` is not."""

_ASSIGNMENT: Final = re.compile(r"^([-+~]*[\w.:/-]*)=(.+)$", re.DOTALL)
_KNOWN_TOKENS: Final = re.compile(
    r"\b(?:sk-|hf_|gh[opsur]_|github_pat_|glpat-|xox[abprs]-|AKIA|ASIA|AIza|eyJ)[\w.=-]{12,}"
)
_INLINE: Final = re.compile(rf"\b([\w-]*?(?:{_WORDS})['\"]?\s*[=:]\s*)([^\s,;&]+)", re.IGNORECASE)
_CREDENTIALS: Final = re.compile(r"(?<=://)[^/\s@]+@")


def describe_command(arguments: Sequence[str]) -> list[str]:
    """Give the program and its arguments, each at most 1000 characters, secrets as `***`.

    Hidden are values of options whose name ends in a word such as password or api-key, the
    user and password of an address, and what begins as the tokens of well-known services do.
    """
    shown = []
    hide_next = False
    for whole in arguments[:_MOST_ARGUMENTS]:
        argument = whole[:_LONGEST_ARGUMENT]
        is_option = argument.startswith("-")
        if hide_next and not is_option:
            shown.append(HIDDEN)
        else:
            shown.append(_redact(argument))
        hide_next = is_option and "=" not in argument and bool(_SECRET_NAME.search(argument))
    return shown


def without_credentials(address: str) -> str:
    """Take user and password out of an address; those of ssh (`git@host:path`) name no secret."""
    return _CREDENTIALS.sub("", address)


def _redact(argument: str) -> str:
    assigned = _ASSIGNMENT.match(argument)
    if assigned and _SECRET_NAME.search(assigned[1]):
        return f"{assigned[1]}={HIDDEN}"
    argument = _CREDENTIALS.sub(f"{HIDDEN}@", argument)
    argument = _INLINE.sub(rf"\1{HIDDEN}", argument)
    return _KNOWN_TOKENS.sub(HIDDEN, argument)
