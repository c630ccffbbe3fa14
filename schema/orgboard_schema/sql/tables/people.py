"""Who may see what: teams and their projects, accounts, and what each may do where.

    account ── password, second_factor ─< recovery_code             how somebody is known
    account ─< session, token, identity (of an organisation's provider)
    account ─< team_member >─ team ─< project ─< project_grant >─ account      and what that one may
    team ─< group_rule               what a group of the provider's is here
    one_time_link                    a way in for who has no password yet, or forgot it
    share                            a way to one thing, for who has no account
    embed                            a card in another site's pages, for who looks at those
    audit                            what was done, by whom; never changed (a trigger sees to that)

Secrets are not in here: passwords are argon2id hashes, every other secret is its SHA-256, and
is random enough for that to hold. An account is put to sleep and never deleted: its name stands
beside what it wrote, and nobody else can have it.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from orgboard_schema.sql.tables.types import Id, Name, Sha256, schema

__all__ = [
    "account",
    "audit",
    "embed",
    "group_rule",
    "identity",
    "identity_attempt",
    "logdir_rule",
    "one_time_link",
    "password",
    "project",
    "project_grant",
    "recovery_code",
    "second_factor",
    "session",
    "share",
    "sign_in_delay",
    "team",
    "team_member",
    "token",
]

team: Final = Table(
    "team",
    schema,
    Column("team_id", Id, primary_key=True),
    Column("name", Name, nullable=False, unique=True),
    Column("created_at", Float(53), nullable=False),
)

project: Final = Table(
    "project",
    schema,
    Column("project_id", Id, primary_key=True),
    Column("team_id", Id, ForeignKey("team.team_id"), nullable=False),
    Column("name", Name, nullable=False),
    # "private", "team", "organisation": orgboard_schema.sql.roles.
    Column("visibility", String(16), nullable=False, server_default="team"),
    Column("created_at", Float(53), nullable=False),
    UniqueConstraint("team_id", "name"),
)

account: Final = Table(
    "account",
    schema,
    Column("account_id", Id, primary_key=True),
    # What others write to name it; `name_key` is the same however it is spelled (case, Unicode).
    Column("name", Name, nullable=False),
    Column("name_key", Name, nullable=False, unique=True),
    # "person" or "service": one that only has tokens, for programs.
    Column("kind", String(16), nullable=False),
    # 1: may do everything everywhere.
    Column("is_admin", SmallInteger, nullable=False, server_default="0"),
    # 1: is an admin by a group of the provider's, and no longer than that. 0: somebody said so.
    Column("admin_by_group", SmallInteger, nullable=False, server_default="0"),
    Column("created_at", Float(53), nullable=False),
    # Seconds, since when nobody can sign in with it; null while one can.
    Column("disabled_at", Float(53)),
)

password: Final = Table(
    "password",
    schema,
    Column(
        "account_id", Id, ForeignKey("account.account_id"), primary_key=True, autoincrement=False
    ),
    # argon2id, with its parameters and salt.
    Column("hash", Text, nullable=False),
    Column("changed_at", Float(53), nullable=False),
)

second_factor: Final = Table(
    "second_factor",
    schema,
    Column(
        "account_id", Id, ForeignKey("account.account_id"), primary_key=True, autoincrement=False
    ),
    # Of RFC 6238, as the owner's device has it: it cannot be a hash.
    Column("secret", LargeBinary, nullable=False),
    Column("made_at", Float(53), nullable=False),
    # When its owner first gave a right code; null: not in force yet.
    Column("confirmed_at", Float(53)),
    # The last time step whose code was taken: no code opens twice.
    Column("last_step", BigInteger),
)

recovery_code: Final = Table(
    "recovery_code",
    schema,
    Column("code_sha256", Sha256, primary_key=True),
    Column("account_id", Id, ForeignKey("account.account_id"), nullable=False),
    Column("used_at", Float(53)),
    Index(None, "account_id"),
)

identity: Final = Table(
    "identity",
    schema,
    # Of the issuer, NUL and the subject: together they are who somebody is, and never the address.
    Column("identity_sha256", Sha256, primary_key=True),
    Column("issuer", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("account_id", Id, ForeignKey("account.account_id"), nullable=False),
    # What the provider last called it, for people to recognise.
    Column("email", Text, nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("used_at", Float(53)),
    Index(None, "account_id"),
)

identity_attempt: Final = Table(
    "identity_attempt",
    schema,
    # Of the `state` that goes to the provider and comes back; a row is used once.
    Column("state_sha256", Sha256, primary_key=True),
    # Of what only the browser that began has.
    Column("browser_sha256", Sha256, nullable=False),
    Column("nonce", Text, nullable=False),
    # Of PKCE.
    Column("verifier", Text, nullable=False),
    # Where on the board to go afterwards.
    Column("next", Text, nullable=False),
    # Null: to sign in. An account's: to be known by the provider from now on.
    Column("account_id", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
)

group_rule: Final = Table(
    "group_rule",
    schema,
    Column("rule_id", Id, primary_key=True),
    # As the provider writes it.
    Column("group_name", Name, nullable=False),
    # Null: who is in the group runs the installation.
    Column("team_id", Id, ForeignKey("team.team_id")),
    Column("role", SmallInteger, nullable=False),
    Column("made_by", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
    UniqueConstraint("group_name", "team_id"),
)

session: Final = Table(
    "session",
    schema,
    # Opaque: names the session in lists, and opens nothing.
    Column("session_id", String(16), primary_key=True),
    Column("secret_sha256", Sha256, nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("account.account_id"), nullable=False),
    Column("created_at", Float(53), nullable=False),
    Column("used_at", Float(53), nullable=False),
    # When its owner last gave the password: what is delicate wants that to be fresh.
    Column("proved_at", Float(53), nullable=False),
    # Where from, for its owner to recognise: an address, and what the browser calls itself.
    Column("address", Text, nullable=False),
    Column("agent", Text, nullable=False),
    # "password", or "identity": by the organisation's provider.
    Column("way", String(16), nullable=False, server_default="password"),
    Index(None, "account_id"),
)

one_time_link: Final = Table(
    "one_time_link",
    schema,
    Column("secret_sha256", Sha256, primary_key=True),
    # "setup": makes the first admin. "invite": makes an account. "reset": a new password.
    Column("purpose", String(16), nullable=False),
    # Of a reset: whose password.
    Column("account_id", Id, ForeignKey("account.account_id")),
    # Of an invitation: the team to be in, and as what.
    Column("team_id", Id, ForeignKey("team.team_id")),
    Column("role", SmallInteger),
    # Who made it; null for who has the host.
    Column("made_by", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("used_at", Float(53)),
)

team_member: Final = Table(
    "team_member",
    schema,
    Column("team_id", Id, ForeignKey("team.team_id"), primary_key=True, autoincrement=False),
    Column("account_id", Id, ForeignKey("account.account_id"), primary_key=True),
    # orgboard_schema.sql.roles: viewer < editor < admin.
    Column("role", SmallInteger, nullable=False),
    Column("since", Float(53), nullable=False),
    # 1: by a group of the provider's, and gone with it. 0: somebody gave it, and takes it.
    Column("by_group", SmallInteger, nullable=False, server_default="0"),
    Index(None, "account_id"),
)

project_grant: Final = Table(
    "project_grant",
    schema,
    Column(
        "project_id", Id, ForeignKey("project.project_id"), primary_key=True, autoincrement=False
    ),
    Column("account_id", Id, ForeignKey("account.account_id"), primary_key=True),
    Column("role", SmallInteger, nullable=False),
    Column("since", Float(53), nullable=False),
    Index(None, "account_id"),
)

token: Final = Table(
    "token",
    schema,
    # Opaque: names the token in lists, and opens nothing.
    Column("token_id", String(16), primary_key=True),
    Column("secret_sha256", Sha256, nullable=False, unique=True),
    Column("account_id", Id, ForeignKey("account.account_id"), nullable=False),
    # What its owner calls it.
    Column("name", Text, nullable=False),
    # "read" or "write": never more than its owner may at the moment of asking.
    Column("scope", String(16), nullable=False),
    # Where it holds: one project, or one team's, or (both null) wherever its owner may.
    Column("team_id", Id, ForeignKey("team.team_id")),
    Column("project_id", Id, ForeignKey("project.project_id")),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("used_at", Float(53)),
    Column("revoked_at", Float(53)),
    Index(None, "account_id"),
)

share: Final = Table(
    "share",
    schema,
    Column("share_id", String(16), primary_key=True),
    Column("secret_sha256", Sha256, nullable=False, unique=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # What is shown: the page's path within the board and its query part, and, as JSON, the uids
    # of the only runs that exist for who comes by this link (null: all of the project's).
    Column("path", Text, nullable=False),
    Column("uids", Text),
    Column("title", Text, nullable=False),
    Column("made_by", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
    Column("used_at", Float(53)),
    Column("uses", Integer, nullable=False, server_default="0"),
    Index(None, "project_id"),
)

embed: Final = Table(
    "embed",
    schema,
    # In the address of the frame, for all to see: who may frame it is told before a secret is.
    Column("embed_id", String(16), primary_key=True),
    Column("secret_sha256", Sha256, nullable=False, unique=True),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    # The card: a tag, or a metric of the dictionary; how it is drawn, as the query part of an
    # address; and, as JSON, the uids of its runs (null: those that this query part finds first).
    Column("tag", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("uids", Text),
    Column("title", Text, nullable=False),
    # Of the pages that may show it, as JSON: "https://wiki.example.org".
    Column("origins", Text, nullable=False),
    # Who made it, and whose sight of the project it has; null: who has the host, and sees all.
    Column("account_id", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
    Column("expires_at", Float(53), nullable=False),
    Column("revoked_at", Float(53)),
    Column("used_at", Float(53)),
    Index(None, "project_id"),
)

audit: Final = Table(
    "audit",
    schema,
    Column("audit_id", Id, primary_key=True),
    Column("at", Float(53), nullable=False),
    # Who did it, as it was called then: an account, "host" (a command there) or nobody known.
    Column("account_id", Id, ForeignKey("account.account_id")),
    Column("actor", Text, nullable=False),
    # By which token or share, when by one.
    Column("via", String(16)),
    Column("address", Text, nullable=False),
    # "sign-in", "role.set", "run.delete" …, on what, and whether it was "done" or "refused".
    Column("action", String(32), nullable=False),
    Column("subject", Text, nullable=False),
    Column("outcome", String(16), nullable=False),
    # What differs, as JSON objects.
    Column("before", Text),
    Column("after", Text),
    Index(None, "at"),
)

sign_in_delay: Final = Table(
    "sign_in_delay",
    schema,
    # Of a name, known or not, or of the network that tries.
    Column("key_sha256", Sha256, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Float(53), nullable=False),
)

logdir_rule: Final = Table(
    "logdir_rule",
    schema,
    Column("rule_id", Id, primary_key=True),
    # A resolved directory: what is read from it, or from one below it, goes to the project. Of
    # several rules the longest path decides.
    Column("path", Name, nullable=False),
    Column("path_sha256", Sha256, nullable=False),
    Column("project_id", Id, ForeignKey("project.project_id"), nullable=False),
    Column("made_by", Id, ForeignKey("account.account_id")),
    Column("created_at", Float(53), nullable=False),
    UniqueConstraint("path_sha256"),
)
