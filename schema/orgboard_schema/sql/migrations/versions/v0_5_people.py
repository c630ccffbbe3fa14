"""Release 0.5: accounts, what they may do where, the ways in, and the record of what was done."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_5"
down_revision: Final = "v0_4"

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OPAQUE: Final = sa.String(16)

_MADE_LAST: Final = (
    *("logdir_rule", "sign_in_delay", "audit", "share", "token", "project_grant", "team_member"),
    *("one_time_link", "session", "password", "account"),
)


def upgrade() -> None:
    _accounts()
    _ways_in()
    _roles()
    _programs_and_guests()
    _records()
    _keep_audit()


def downgrade() -> None:
    for table in _MADE_LAST:
        op.drop_table(table)
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_stays()")


def _accounts() -> None:
    op.create_table(
        "account",
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("name_key", _NAME, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("is_admin", sa.SmallInteger(), server_default="0", nullable=False),
        _seconds("created_at"),
        _seconds("disabled_at", nullable=True),
        _key("account", "account_id"),
        sa.UniqueConstraint("name_key", name="uq_account_name_key"),
    )
    op.create_table(
        "password",
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        _seconds("changed_at"),
        _refers("password", "account_id", "account"),
        _key("password", "account_id"),
    )


def _ways_in() -> None:
    op.create_table(
        "session",
        sa.Column("session_id", _OPAQUE, nullable=False),
        _secret(),
        sa.Column("account_id", _ID, nullable=False),
        _seconds("created_at"),
        _seconds("used_at"),
        _seconds("proved_at"),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("agent", sa.Text(), nullable=False),
        _refers("session", "account_id", "account"),
        _key("session", "session_id"),
        sa.UniqueConstraint("secret_sha256", name="uq_session_secret_sha256"),
    )
    op.create_index("ix_session_account_id", "session", ["account_id"])
    op.create_table(
        "one_time_link",
        _secret(),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("account_id", _ID),
        sa.Column("team_id", _ID),
        sa.Column("role", sa.SmallInteger()),
        sa.Column("made_by", _ID),
        _seconds("created_at"),
        _seconds("expires_at"),
        _seconds("used_at", nullable=True),
        _refers("one_time_link", "account_id", "account"),
        _refers("one_time_link", "team_id", "team"),
        _refers("one_time_link", "made_by", "account"),
        _key("one_time_link", "secret_sha256"),
    )


def _roles() -> None:
    for table, place in (("team_member", "team"), ("project_grant", "project")):
        op.create_table(
            table,
            sa.Column(f"{place}_id", _ID, autoincrement=False, nullable=False),
            sa.Column("account_id", _ID, nullable=False),
            sa.Column("role", sa.SmallInteger(), nullable=False),
            _seconds("since"),
            _refers(table, f"{place}_id", place),
            _refers(table, "account_id", "account"),
            _key(table, f"{place}_id", "account_id"),
        )
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])


def _programs_and_guests() -> None:
    op.create_table(
        "token",
        sa.Column("token_id", _OPAQUE, nullable=False),
        _secret(),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scope", sa.String(16), nullable=False),
        sa.Column("team_id", _ID),
        sa.Column("project_id", _ID),
        _seconds("created_at"),
        _seconds("expires_at"),
        _seconds("used_at", nullable=True),
        _seconds("revoked_at", nullable=True),
        _refers("token", "account_id", "account"),
        _refers("token", "team_id", "team"),
        _refers("token", "project_id", "project"),
        _key("token", "token_id"),
        sa.UniqueConstraint("secret_sha256", name="uq_token_secret_sha256"),
    )
    op.create_index("ix_token_account_id", "token", ["account_id"])
    op.create_table(
        "share",
        sa.Column("share_id", _OPAQUE, nullable=False),
        _secret(),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("uids", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("made_by", _ID),
        _seconds("created_at"),
        _seconds("expires_at"),
        _seconds("revoked_at", nullable=True),
        _seconds("used_at", nullable=True),
        sa.Column("uses", sa.Integer(), server_default="0", nullable=False),
        _refers("share", "project_id", "project"),
        _refers("share", "made_by", "account"),
        _key("share", "share_id"),
        sa.UniqueConstraint("secret_sha256", name="uq_share_secret_sha256"),
    )
    op.create_index("ix_share_project_id", "share", ["project_id"])


def _records() -> None:
    op.create_table(
        "audit",
        sa.Column("audit_id", _ID, nullable=False),
        _seconds("at"),
        sa.Column("account_id", _ID),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("via", _OPAQUE),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("before", sa.Text()),
        sa.Column("after", sa.Text()),
        _refers("audit", "account_id", "account"),
        _key("audit", "audit_id"),
    )
    op.create_index("ix_audit_at", "audit", ["at"])
    op.create_table(
        "sign_in_delay",
        sa.Column("key_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        _seconds("last_at"),
        _key("sign_in_delay", "key_sha256"),
    )
    op.create_table(
        "logdir_rule",
        sa.Column("rule_id", _ID, nullable=False),
        sa.Column("path", _NAME, nullable=False),
        sa.Column("path_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("made_by", _ID),
        _seconds("created_at"),
        _refers("logdir_rule", "project_id", "project"),
        _refers("logdir_rule", "made_by", "account"),
        _key("logdir_rule", "rule_id"),
        sa.UniqueConstraint("path_sha256", name="uq_logdir_rule_path_sha256"),
    )


def _keep_audit() -> None:
    """Let nobody who only has the tables' data change what the audit log says."""
    words = "the audit log is only appended to"
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_stays_{what.lower()} BEFORE {what} ON audit"
                f" BEGIN SELECT RAISE(ABORT, '{words}'); END"
            )
        # REPLACE takes what is in its way without asking the one for DELETE.
        op.execute(
            "CREATE TRIGGER audit_stays_insert BEFORE INSERT ON audit"
            " WHEN EXISTS (SELECT 1 FROM audit WHERE audit_id = NEW.audit_id)"
            " BEGIN SELECT RAISE(ABORT, 'the audit log is only appended to'); END"
        )
        return
    op.execute(
        "CREATE FUNCTION audit_stays() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{words}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_stays BEFORE UPDATE OR DELETE OR TRUNCATE ON audit"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_stays()"
    )


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _refers(table: str, column: str, to: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint([column], [f"{to}.{to}_id"], name=f"fk_{table}_{column}")


def _seconds(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(precision=53), nullable=nullable)


def _secret() -> sa.Column[Any]:
    return sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False)
