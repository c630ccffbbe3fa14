"""People of a board, put straight into the tables: two accounts, and one row of all they have."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, insert, select

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write

__all__ = ["add_people", "add_words_of_people"]

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


def add_words_of_people(engine: Engine, uid: str, view_id: str) -> None:
    """Let them talk of a run and a view, and name a metric; with all that release 0.6 has."""
    both: dict[str, Any] = {"author": "ana", "written_at": AT, "text": "look @ci"}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("comment", {**both, "comment_id": "z", "uid": uid, "account_id": ANA}),
        ("comment", {**both, "comment_id": "a", "uid": uid, "answers": "z"}),
        ("comment", {**both, "comment_id": "v", "view_id": view_id, "account_id": ROBOT}),
        ("mention", {"comment_id": "z", "account_id": ROBOT}),
        ("watch", {"account_id": ANA, "uid": uid, "since": AT, **_stood()}),
        ("embed", {**_secret("e"), **_framed(), "embed_id": "e", "account_id": ROBOT}),
        ("watch_seen", {"comment_id": "z", "account_id": ANA, "seen_at": LATER}),
        ("second_factor", {"account_id": ANA, "secret": b"k" * 20, "made_at": AT}),
        ("recovery_code", {"code_sha256": b"c" * 32, "account_id": ANA}),
        ("identity", {**_known_elsewhere(), "account_id": ANA, "created_at": AT}),
        ("metric", {"metric_id": 7, "name": "accuracy", "unit": "%", **_better()}),
        ("metric_alias", {"tag": "acc", "tag_sha256": b"m" * 32, "metric_id": 7, "scale": 100.0}),
    ]
    with begin_write(engine) as conn:
        run = tables.run.c
        project = conn.scalar(select(run.project_id).where(run.uid == uid))
        rows.append(("graph_upload", {**_from_a_disk(), "project_id": project}))
        for table, row in rows:
            conn.execute(insert(tables.schema.tables[table]), row)


def _from_a_disk() -> dict[str, Any]:
    file = {"upload_id": "g", "name": "net.onnx", "kind": "onnx", "file_size": 9, "size": 3}
    kept = {"sha256": b"g" * 32, "payload": b"\x01abc", "account_id": ANA}
    return {**file, **kept, "author": "ana", "uploaded_at": AT}


def _known_elsewhere() -> dict[str, Any]:
    where = {"issuer": "https://id.example", "subject": "4711", "email": "ana@example.org"}
    return {"identity_sha256": b"i" * 32, **where}


def _framed() -> dict[str, Any]:
    told = {"tag": "loss", "state": "s=0", "uids": '["a"]', "title": "Look", "project_id": 1}
    return {**told, "origins": "[]", "created_at": AT, "expires_at": LATER}


def _stood() -> dict[str, Any]:
    seen = {"seen_standing": "stale@1.5", "standing_seen_at": LATER}
    return {**seen, "seen_gaps": 2, "seen_gap_at": AT, "gaps_seen_at": None}


def _better() -> dict[str, Any]:
    return {"direction": "max", "description": "", "author": "ana", "changed_at": AT}


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
