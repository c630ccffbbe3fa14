"""People of a board, put straight into the tables: two accounts, and one row of all they have."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, insert, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write

__all__ = ["add_people"]

AT: Final = 1_700_000_000.5
LATER: Final = AT + 3600.0
ANA: Final = 1
ROBOT: Final = 2
"""The numbers that the first accounts of a board get."""


def add_people(engine: Engine) -> None:
    """Give the board's first team a member, its first project a guest, and both their ways in."""
    with begin_write(engine) as conn:
        team = conn.scalar(select(tables.team.c.team_id).order_by(tables.team.c.team_id))
        of = tables.project.c
        project = conn.scalar(select(of.project_id).order_by(of.project_id))
        for table, row in _rows(team, project):
            conn.execute(insert(tables.schema.tables[table]), row)


def _rows(team: int | None, project: int | None) -> list[tuple[str, dict[str, Any]]]:
    made: dict[str, Any] = {"created_at": AT}
    ends: dict[str, Any] = {**made, "expires_at": LATER}
    # Their numbers are given: whoever comes after gets the next one.
    ana: dict[str, Any] = {"name": "Ana \u0160", "name_key": "ana \u0161"}
    robot: dict[str, Any] = {"name": "ci", "name_key": "ci"}
    return [
        ("account", {**ana, **made, "kind": "person", "is_admin": 1}),
        ("account", {**robot, **made, "kind": "service", "disabled_at": LATER}),
        ("password", {"account_id": ANA, "hash": "$argon2id$...", "changed_at": AT}),
        ("session", {**_secret("s"), **made, "session_id": "s", "account_id": ANA, **_seen()}),
        ("team_member", {"team_id": team, "account_id": ANA, "role": 3, "since": AT}),
        ("project_grant", {"project_id": project, "account_id": ROBOT, "role": 1, "since": AT}),
        ("one_time_link", {**_secret("l"), **ends, "purpose": "invite", "team_id": team}),
        ("token", {**_secret("t"), **ends, "token_id": "t", "account_id": ROBOT, **_reads()}),
        ("share", {**_secret("h"), **ends, "share_id": "h", "project_id": project, **_shown()}),
        ("audit", {"at": AT, "account_id": ANA, "actor": "Ana \u0160", **_done()}),
        ("sign_in_delay", {"key_sha256": b"d" * 32, "failures": 3, "last_at": AT}),
        ("logdir_rule", {**made, "path": "/logs", "path_sha256": b"r" * 32, "project_id": project}),
    ]


def _secret(of: str) -> dict[str, bytes]:
    return {"secret_sha256": of.encode() * 32}


def _seen() -> dict[str, Any]:
    return {"used_at": LATER, "proved_at": AT, "address": "127.0.0.1", "agent": "Firefox"}


def _reads() -> dict[str, str]:
    return {"name": "nightly", "scope": "read"}


def _shown() -> dict[str, str]:
    return {"path": "scalars?s=0.5", "uids": '["a"]', "title": "Look"}


def _done() -> dict[str, str]:
    return {"address": "", "action": "role.set", "subject": "team a", "outcome": "done"}
