"""Copy who may see what, and what people said, out of a damaged file into a new database.

Rows keep what they say; the numbers of accounts, teams and projects are new ones. What refers to
something that cannot be read is left out: access is lost by damage, and never won. Sessions are
not copied, so that everybody signs in again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, TypeAlias

from sqlalchemy import Connection, Table, insert, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.roles import PRIVATE, VISIBILITIES, Role
from orgboard_schema.sql.upsert import insert_new

__all__ = ["copy_people"]

Rows: TypeAlias = Callable[[str], Sequence[Mapping[str, Any]]]
"""What can be read of a table, by its name."""

Known: TypeAlias = dict[str, dict[Any, Any]]
"""By the column that is referred to: what a key in the damaged file is in the new one."""

_COPIED: Final = (
    *(tables.account, tables.password, tables.second_factor, tables.recovery_code),
    *(tables.identity, tables.token, tables.share, tables.one_time_link),
    tables.embed,
    *(tables.team_member, tables.project_grant, tables.group_rule, tables.logdir_rule),
    *(tables.run_note, tables.run_note_before, tables.run_tag, tables.annotation),
    *(tables.saved_view, tables.comment, tables.mention, tables.metric, tables.metric_alias),
    *(tables.watch, tables.watch_seen, tables.graph_upload),
    tables.audit,
)
"""In an order in which what is referred to comes first."""

_MAY_BE_FORGOTTEN: Final = {
    *("made_by", "audit.account_id", "comment.account_id", "comment.answers"),
    "graph_upload.account_id",
}
"""References that only say who did it; what answers a comment that is gone begins a thread. Of
all others "nobody" would mean more: a token without its team holds everywhere, a group's rule
without one makes admins."""

_ROLES: Final = {int(role) for role in Role}


def copy_people(
    conn: Connection, rows: Rows, teams: dict[int, int], projects: dict[int, int]
) -> int:
    """Copy accounts and all that is theirs, and return how many accounts; `teams` and `projects`
    tell what number each has now.
    """
    _copy_visibility(conn, rows("project"), projects)
    runs = {uid: uid for uid in conn.scalars(select(tables.run.c.uid))}
    known: Known = {"team.team_id": teams, "project.project_id": projects, "run.uid": runs}
    for table in _COPIED:
        # What answers a comment comes after those that answer none.
        found = sorted(rows(table.name), key=lambda row: row.get("answers") is not None)
        _copy(conn, table, found, known)
    return len(known["account.account_id"])


def _copy_visibility(
    conn: Connection, found: Sequence[Mapping[str, Any]], projects: Mapping[int, int]
) -> None:
    project = tables.project.c
    told = {row["project_id"]: row.get("visibility") for row in found}
    for number, now in projects.items():
        said = told.get(number)
        # What cannot be read is shown to nobody who was not granted it by name.
        values = {"visibility": said if said in VISIBILITIES else PRIVATE}
        conn.execute(update(tables.project).where(project.project_id == now).values(values))


def _copy(conn: Connection, table: Table, found: Sequence[Mapping[str, Any]], known: Known) -> None:
    """Copy the rows whose references are known, and remember what their own keys are now."""
    key = next(iter(table.primary_key))
    is_numbered = key is table.autoincrement_column and not key.foreign_keys
    here = known.setdefault(f"{table.name}.{key.name}", {})
    for row in found:
        for values in _translated(table, row, known):
            if is_numbered:
                old = values.pop(key.name, None)
                made = conn.execute(insert(table), values).inserted_primary_key
                here[old] = made[0] if made else None
            else:
                insert_new(conn, table, [values])
                here[values[key.name]] = values[key.name]


def _translated(table: Table, row: Mapping[str, Any], known: Known) -> Iterator[dict[str, Any]]:
    """Yield the row as the new database has it; nothing when it cannot be."""
    values = dict(row)
    if "role" in values and values["role"] is not None and values["role"] not in _ROLES:
        return
    for column in table.c:
        value = values.get(column.name)
        if value is None:
            if not column.nullable and column.server_default is None and column.name in values:
                return
            continue
        for foreign in column.foreign_keys:
            there = known.get(foreign.target_fullname, {})
            if value not in there and {column.name, str(column)}.isdisjoint(_MAY_BE_FORGOTTEN):
                return
            values[column.name] = there.get(value)
    yield values
