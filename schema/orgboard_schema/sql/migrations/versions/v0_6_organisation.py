"""Release 0.6: an organisation's provider and second factors; comments, metrics and watches;
what was thinned; graphs from people's disks; cards in other pages; policies."""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa
from alembic import op

from orgboard_schema.sql.beside import settings_of
from orgboard_schema.sql.migrations.policies import drop_policies, make_policies
from orgboard_schema.sql.text import from_sql

__all__ = ["down_revision", "downgrade", "revision", "upgrade"]

revision: Final = "v0_6"
down_revision: Final = "v0_5"

_ID: Final = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_NAME: Final = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OPAQUE: Final = sa.String(16)

_MADE_LAST: Final = (
    *("embed", "graph_upload", "thinned"),
    *("watch_seen", "watch"),
    *("metric_alias", "metric", "mention", "comment", "run_note_before"),
    *("group_rule", "identity_attempt", "identity", "recovery_code", "second_factor"),
)


def upgrade() -> None:
    _second_factors()
    _providers()
    _comments()
    _metrics()
    _settings_beside()
    _thinned()
    _watching()
    _graph_uploads()
    _embeds()
    make_policies()


def downgrade() -> None:
    drop_policies()
    op.drop_index("ix_blob_ref_sha256", "blob_ref")
    for table in _MADE_LAST:
        op.drop_table(table)
    op.drop_index("ix_run_note_written_at", "run_note")
    op.drop_index("ix_run_settings_of", "run")
    op.drop_column("run", "settings_of")
    op.drop_column("account", "admin_by_group")
    op.drop_column("team_member", "by_group")
    op.drop_column("session", "way")


def _second_factors() -> None:
    op.create_table(
        "second_factor",
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        _seconds("made_at"),
        _seconds("confirmed_at", nullable=True),
        sa.Column("last_step", sa.BigInteger()),
        _refers("second_factor", "account_id", "account"),
        _key("second_factor", "account_id"),
    )
    op.create_table(
        "recovery_code",
        sa.Column("code_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        _seconds("used_at", nullable=True),
        _refers("recovery_code", "account_id", "account"),
        _key("recovery_code", "code_sha256"),
    )
    op.create_index("ix_recovery_code_account_id", "recovery_code", ["account_id"])


def _providers() -> None:
    op.add_column(
        "session", sa.Column("way", sa.String(16), server_default="password", nullable=False)
    )
    op.add_column(
        "team_member", sa.Column("by_group", sa.SmallInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "account",
        sa.Column("admin_by_group", sa.SmallInteger(), server_default="0", nullable=False),
    )
    op.create_table(
        "identity",
        sa.Column("identity_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("account_id", _ID, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        _seconds("created_at"),
        _seconds("used_at", nullable=True),
        _refers("identity", "account_id", "account"),
        _key("identity", "identity_sha256"),
    )
    op.create_index("ix_identity_account_id", "identity", ["account_id"])
    op.create_table(
        "identity_attempt",
        sa.Column("state_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("browser_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("nonce", sa.Text(), nullable=False),
        sa.Column("verifier", sa.Text(), nullable=False),
        sa.Column("next", sa.Text(), nullable=False),
        sa.Column("account_id", _ID),
        _seconds("created_at"),
        _refers("identity_attempt", "account_id", "account"),
        _key("identity_attempt", "state_sha256"),
    )
    op.create_table(
        "group_rule",
        sa.Column("rule_id", _ID, nullable=False),
        sa.Column("group_name", _NAME, nullable=False),
        sa.Column("team_id", _ID),
        sa.Column("role", sa.SmallInteger(), nullable=False),
        sa.Column("made_by", _ID),
        _seconds("created_at"),
        _refers("group_rule", "team_id", "team"),
        _refers("group_rule", "made_by", "account"),
        _key("group_rule", "rule_id"),
        sa.UniqueConstraint("group_name", "team_id", name="uq_group_rule_group_name_team_id"),
    )


def _comments() -> None:
    op.create_table(
        "run_note_before",
        _uid(nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        _seconds("written_at"),
        _of_run("run_note_before"),
        _key("run_note_before", "uid", "version"),
    )
    op.create_table(
        "comment",
        sa.Column("comment_id", _OPAQUE, nullable=False),
        _uid(nullable=True),
        sa.Column("view_id", _OPAQUE),
        sa.Column("answers", _OPAQUE),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("account_id", _ID),
        sa.Column("author", sa.Text(), nullable=False),
        _seconds("written_at"),
        _seconds("changed_at", nullable=True),
        _seconds("removed_at", nullable=True),
        _of_run("comment"),
        sa.ForeignKeyConstraint(["view_id"], ["saved_view.view_id"], name="fk_comment_view_id"),
        sa.ForeignKeyConstraint(["answers"], ["comment.comment_id"], name="fk_comment_answers"),
        _refers("comment", "account_id", "account"),
        _key("comment", "comment_id"),
    )
    for column in ("uid", "view_id", "answers"):
        op.create_index(f"ix_comment_{column}", "comment", [column])
    op.create_table(
        "mention",
        sa.Column("comment_id", _OPAQUE, nullable=False),
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        _seconds("seen_at", nullable=True),
        _refers("mention", "comment_id", "comment"),
        _refers("mention", "account_id", "account"),
        _key("mention", "comment_id", "account_id"),
    )
    op.create_index("ix_mention_account_id", "mention", ["account_id"])


def _metrics() -> None:
    op.create_table(
        "metric",
        sa.Column("metric_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("direction", sa.String(8), nullable=False),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        _seconds("changed_at"),
        _key("metric", "metric_id"),
        sa.UniqueConstraint("name", name="uq_metric_name"),
    )
    op.create_table(
        "metric_alias",
        sa.Column("tag", _NAME, nullable=False),
        sa.Column("tag_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("metric_id", _ID, nullable=False),
        sa.Column("scale", sa.Float(precision=53), server_default="1", nullable=False),
        _refers("metric_alias", "metric_id", "metric"),
        _key("metric_alias", "tag_sha256"),
    )
    op.create_index("ix_metric_alias_metric_id", "metric_alias", ["metric_id"])


def _settings_beside() -> None:
    op.add_column("run", sa.Column("settings_of", sa.LargeBinary(32)))
    run = sa.table("run", *map(sa.column, ("run_id", "name", "settings_of")))
    conn = op.get_bind()
    # Those that may be it; the name tells.
    asked = sa.select(run.c.run_id, run.c.name).where(run.c.name.like("%__________.%"))
    for run_id, name in conn.execute(asked).all():
        above = settings_of(from_sql(name))
        if above is not None:
            conn.execute(sa.update(run).where(run.c.run_id == run_id).values(settings_of=above))
    some = sa.text("settings_of IS NOT NULL")
    op.create_index(
        *("ix_run_settings_of", "run", ["logdir_id", "settings_of"]),
        sqlite_where=some,
        postgresql_where=some,
    )


def _thinned() -> None:
    op.create_table(
        "thinned",
        sa.Column("run_id", _ID, autoincrement=False, nullable=False),
        sa.Column("tag_id", _ID, autoincrement=False, nullable=False),
        sa.Column("kind", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        _seconds("at"),
        sa.Column("keep_every", sa.Integer(), nullable=False),
        _seconds("after_days"),
        sa.Column("settled", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("n", sa.Integer(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        _refers("thinned", "run_id", "run"),
        _key("thinned", "run_id", "tag_id", "kind", "attempt", "seq"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Packed already.
        op.execute("ALTER TABLE thinned ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.create_index("ix_blob_ref_sha256", "blob_ref", ["sha256"])


def _watching() -> None:
    op.create_index("ix_run_note_written_at", "run_note", ["written_at"])
    op.create_index("ix_comment_written_at", "comment", ["written_at"])
    op.create_table(
        "watch",
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        _uid(nullable=False),
        _seconds("since"),
        sa.Column("seen_standing", sa.String(64), nullable=False),
        _seconds("standing_seen_at", nullable=True),
        sa.Column("seen_gaps", sa.Integer(), nullable=False),
        _seconds("seen_gap_at"),
        _seconds("gaps_seen_at", nullable=True),
        _of_run("watch"),
        _refers("watch", "account_id", "account"),
        _key("watch", "account_id", "uid"),
    )
    op.create_index("ix_watch_uid", "watch", ["uid"])
    op.create_table(
        "watch_seen",
        sa.Column("comment_id", _OPAQUE, nullable=False),
        sa.Column("account_id", _ID, autoincrement=False, nullable=False),
        _seconds("seen_at"),
        _refers("watch_seen", "comment_id", "comment", ondelete="CASCADE"),
        _refers("watch_seen", "account_id", "account"),
        _key("watch_seen", "comment_id", "account_id"),
    )
    op.create_index("ix_watch_seen_account_id", "watch_seen", ["account_id"])


def _graph_uploads() -> None:
    op.create_table(
        "graph_upload",
        sa.Column("upload_id", _OPAQUE, nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("file_size", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("payload", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", _ID),
        sa.Column("author", sa.Text(), nullable=False),
        _seconds("uploaded_at"),
        _refers("graph_upload", "project_id", "project"),
        _refers("graph_upload", "account_id", "account"),
        _key("graph_upload", "upload_id"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # Packed already.
        op.execute("ALTER TABLE graph_upload ALTER COLUMN payload SET STORAGE EXTERNAL")
    op.create_index("ix_graph_upload_project_id", "graph_upload", ["project_id"])


def _embeds() -> None:
    op.create_table(
        "embed",
        sa.Column("embed_id", _OPAQUE, nullable=False),
        sa.Column("secret_sha256", sa.LargeBinary(32), nullable=False),
        sa.Column("project_id", _ID, nullable=False),
        sa.Column("tag", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("uids", sa.Text()),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("origins", sa.Text(), nullable=False),
        sa.Column("account_id", _ID),
        _seconds("created_at"),
        _seconds("expires_at"),
        _seconds("revoked_at", nullable=True),
        _seconds("used_at", nullable=True),
        _refers("embed", "project_id", "project"),
        _refers("embed", "account_id", "account"),
        _key("embed", "embed_id"),
        sa.UniqueConstraint("secret_sha256", name="uq_embed_secret_sha256"),
    )
    op.create_index("ix_embed_project_id", "embed", ["project_id"])


def _key(table: str, *columns: str) -> sa.PrimaryKeyConstraint:
    return sa.PrimaryKeyConstraint(*columns, name=f"pk_{table}")


def _refers(
    table: str, column: str, to: str, ondelete: str | None = None
) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_{column}"
    return sa.ForeignKeyConstraint([column], [f"{to}.{to}_id"], name=name, ondelete=ondelete)


def _uid(*, nullable: bool) -> sa.Column[Any]:
    return sa.Column("uid", _OPAQUE, nullable=nullable)


def _of_run(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["uid"], ["run.uid"], name=f"fk_{table}_uid", deferrable=True, initially="DEFERRED"
    )


def _seconds(name: str, *, nullable: bool = False) -> sa.Column[Any]:
    return sa.Column(name, sa.Float(precision=53), nullable=nullable)
