"""One statement for many rows, at the driver's price.

SQLAlchemy looks at each value of each row for what it may have to do with it: ten times as
long as SQLite takes to store it. What we hand in is what both drivers take as it is.

PostgreSQL gets all rows as one statement, a list for each column: each statement has its own
plan, its own start and end, and costs several times what its one row does.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Insert, LargeBinary, String, Update
from sqlalchemy.types import TypeEngine

__all__ = ["execute_many"]

KEPT: Final = 128
"""Statements of both dialects, and then some."""

AT_ONCE_BYTES: Final = 2 * 1024 * 1024
"""Of text and octets in one statement: what large rows cost is themselves, and the driver holds
a second copy of what it sends."""

_NULL: Final = {type(None)}
_NUMBERS: Final = {int, float}

_PLACE: Final = re.compile(r"%\((\w+)\)s")

Row = dict[str, object]


def execute_many(conn: Connection, statement: Insert | Update, rows: Sequence[Row]) -> int:
    """Run `statement` for each row, all with the same keys; return how many rows were touched.

    The statement has to be built once and kept: it is compiled once. No two rows may name the
    same row of the table. An update takes its rows' locks in no order: whoever has rivals locks
    them first.
    """
    if not rows:
        return 0
    if conn.dialect.name == "postgresql" and len(rows) > 1:
        statement_of_all = _as_one(statement, conn.dialect, tuple(rows[0]))
        given = _lists(statement_of_all, rows)
        if given is not None:
            given |= statement_of_all.fixed
            return conn.exec_driver_sql(statement_of_all.text, given).rowcount
    text, names, fixed = _compiled(statement, conn.dialect, tuple(rows[0]))
    if fixed:
        rows = [{**fixed, **row} for row in rows]
    if names is None:
        return conn.exec_driver_sql(text, list(rows)).rowcount
    take = itemgetter(*names)
    values = [take(row) for row in rows] if len(names) > 1 else [(take(row),) for row in rows]
    return conn.exec_driver_sql(text, values).rowcount


@lru_cache(KEPT)
def _compiled(
    statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]
) -> tuple[str, tuple[str, ...] | None, Row]:
    """Return the statement's text, its parameters in order where they have no names, and
    the values that it brings itself."""
    if isinstance(statement, Insert):
        # Nobody asks for the keys it makes.
        statement = statement.inline()
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    names = compiled.positiontup
    fixed = {name: value for name, value in compiled.params.items() if name not in keys}
    return str(compiled), None if names is None else tuple(names), fixed


@dataclass(frozen=True, slots=True)
class _AsOne:
    """A statement that takes a list for each parameter, and stores as many rows."""

    text: str
    names: tuple[str, ...]
    sized: frozenset[str]
    """Those of text or octets."""
    fixed: Row
    """What it brings itself, the same for every row."""


@lru_cache(KEPT)
def _as_one(statement: Insert | Update, dialect: Dialect, keys: tuple[str, ...]) -> _AsOne:
    """Return the statement with a table of the lists in place of single values."""
    text, _, fixed = _compiled(statement, dialect, keys)
    compiled: Any = statement.compile(dialect=dialect, column_keys=list(keys))
    types = {name: compiled.binds[name].type for name in keys}
    lists = ", ".join(f"%({name}){_as_list(kind, dialect)}" for name, kind in types.items())
    given = f"unnest({lists}) AS given({', '.join(map(_quoted, keys))})"
    text = _PLACE.sub(lambda at: f"given.{_quoted(at[1])}" if at[1] in types else at[0], text)
    if isinstance(statement, Insert):
        before, _, rest = text.partition(" VALUES (")
        end = _closing(rest)
        text = f"{before} SELECT {rest[:end]} FROM {given}{rest[end + 1 :]}"  # noqa: S608 - all of it is ours
    else:
        before, _, rest = text.partition(" WHERE ")
        text = f"{before} FROM {given} WHERE {rest}"
    sized = frozenset(n for n, kind in types.items() if isinstance(kind, LargeBinary | String))
    return _AsOne(text, tuple(types), sized, fixed)


def _as_list(kind: TypeEngine[Any], dialect: Dialect) -> str:
    if isinstance(kind, LargeBinary):
        # As they are: octets as text are twice as long.
        return "b::BYTEA[]"
    # A cast to a text of some length would cut what is longer, which an insert refuses.
    return f"s::{'TEXT' if isinstance(kind, String) else kind.compile(dialect)}[]"


def _quoted(name: str) -> str:
    return f'"{name}"'


def _closing(text: str) -> int:
    """Return where the parenthesis closes that was opened before `text`."""
    depth = 1
    for at, character in enumerate(text):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0:
            return at
    raise ValueError(f"nothing closes {text!r}")


def _lists(all_of_them: _AsOne, rows: Sequence[Row]) -> Row | None:
    """Return a list for each parameter; None where the rows have to go one by one."""
    given: Row = {}
    octets = 0
    for name in all_of_them.names:
        column: list[Any] = [row[name] for row in rows]
        types = set(map(type, column)) - _NULL
        if name in all_of_them.sized:
            octets += sum(len(value) for value in column if value is not None)
        elif types <= _NUMBERS:
            # As PostgreSQL reads lists: the driver would look at each number for what to quote.
            given[name] = "{" + str(column)[1:-1].replace("None", "NULL") + "}"
            continue
        # The driver makes a list of one type.
        if len(types) > 1 or octets > AT_ONCE_BYTES:
            return None
        given[name] = column
    return given
