"""What `db check` finds, and how it goes on after what cannot even be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

__all__ = ["Damage", "guarded", "told"]


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing that is not as it was written."""

    place: str
    """For people: "run lr=0.1 (uid), block 3 of tag 7"."""
    what: str


def guarded(
    conn: Connection, place: str, check: Callable[[], Iterator[Damage]]
) -> Iterator[Damage]:
    """Yield what `check` finds; where it fails, that is damage too, and the next can go on.

    Damage may make a value of any type out of any other, so anything may be raised. Two
    things are no damage: a lost connection, and an interrupt.
    """
    try:
        # PostgreSQL answers nothing more in a transaction in which a statement failed.
        with conn.begin_nested():
            yield from check()
    except DBAPIError as error:
        if error.connection_invalidated:
            raise
        yield Damage(place, told(error))
    except Exception as error:  # noqa: BLE001 - see above
        yield Damage(place, told(error))


def told(error: BaseException) -> str:
    """Return in one line what an error says, without the statement that met it."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        error = error.orig
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
