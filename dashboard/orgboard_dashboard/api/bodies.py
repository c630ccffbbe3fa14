"""The bodies that requests come with: JSON objects, of which nothing is believed."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any, Final

from orgboard_dashboard.queries.errors import BadQuery
from orgboard_schema.sql.roles import Role

__all__ = ["groups_of", "is_uid", "number_of", "read_object", "role_of", "text_of", "uids_of"]

_MAX_ID_CHARS: Final = 40


def read_object(body: bytes) -> dict[str, Any]:
    """Read the body of a request.

    Raises:
        BadQuery: it is no JSON object.
    """
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise BadQuery("The request is not JSON.") from error
    if not isinstance(asked, dict):
        raise BadQuery("The request is not a JSON object.")
    return asked


def is_uid(value: object) -> bool:
    """Tell whether it looks like a run's id."""
    return isinstance(value, str) and value.isascii() and value.isalnum()


def uids_of(asked: Mapping[str, Any], most: int) -> tuple[str, ...]:
    """Return the runs that are named under `runs`, each once.

    Raises:
        BadQuery: it is no list of ids, or a longer one.
    """
    runs = asked.get("runs")
    if not isinstance(runs, list) or len(runs) > most:
        raise BadQuery(f"`runs` is a list of at most {most} runs.")
    if not all(map(is_uid, runs)):
        raise BadQuery("Each run is named by its id.")
    return tuple(dict.fromkeys(runs))


def groups_of(asked: Mapping[str, Any], most: int) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return what is named under `groups`: what the asker calls each, and its runs, each once.

    Raises:
        BadQuery: it is no list of groups, or a longer one.
    """
    groups = asked.get("groups")
    if not isinstance(groups, list) or len(groups) > most:
        raise BadQuery(f"`groups` is a list of at most {most} groups.")
    return tuple((_id(group), tuple(dict.fromkeys(_members(group, most)))) for group in groups)


def _id(group: Any) -> str:
    name = group.get("id") if isinstance(group, dict) else None
    if (
        not isinstance(name, str)
        or not (name.isascii() and name.isalnum())
        or len(name) > _MAX_ID_CHARS
    ):
        raise BadQuery('Each group is {"id": letters and digits, "runs": a list of runs}.')
    return name


def _members(group: Mapping[str, Any], most: int) -> list[str]:
    runs = group.get("runs")
    if not isinstance(runs, list) or not all(isinstance(uid, str) for uid in runs[:most]):
        raise BadQuery('Each group is {"id": letters and digits, "runs": a list of runs}.')
    if len(runs) > most:
        raise BadQuery(f"A group has at most {most} runs.")
    return runs


def number_of(asked: Mapping[str, Any], key: str) -> float | None:
    """Return the finite number under `key`; None where there is none.

    Raises:
        BadQuery: it is anything else.
    """
    value = asked.get(key)
    if value is None:
        return None
    try:
        # True is no number here, though Python takes it for one.
        number = float(value) if type(value) in (int, float) else math.nan
    except OverflowError:
        number = math.nan
    if not math.isfinite(number):
        raise BadQuery(f"`{key}` is a number or null.")
    return number


def text_of(asked: Mapping[str, Any], key: str, most: int) -> str:
    """Return the text under `key`; "" where there is none.

    Raises:
        BadQuery: it is no text, or a longer one.
    """
    value = asked.get(key, "")
    if not isinstance(value, str) or len(value) > most:
        raise BadQuery(f"`{key}` is text of at most {most} characters.")
    return value


def role_of(asked: Mapping[str, Any]) -> Role | None:
    """Return the role under `role`; None: none.

    Raises:
        BadQuery: it is no role.
    """
    word = asked.get("role")
    if word is None:
        return None
    known = {role.word: role for role in Role}
    if not isinstance(word, str) or word not in known:
        raise BadQuery(f"`role` is one of {', '.join(known)}, or null for none.")
    return known[word]
