"""The tables, as they are at head. SQLite and PostgreSQL, the same names and meanings.

    team ─< project ─< logdir ─< run ─< source_file ─< gap          where from
                       logdir ─< lease                              who reads it
                                 run ─< segment, block              points (orgboard_schema.blocks)
                                 run ── run_head                    its series, packed in one row
                                 run ─< restart                     where an attempt supersedes
                                 run ─< blob_ref >─ blob            media by content
                                 run ─< thinned                     points taken away on purpose
                                 run ── run_note ─< run_note_before what people say of it, by uid
                                 run ─< run_tag, comment ─< mention
                                 run ─< watch; comment ─< watch_seen who wants to be told of it
                       project ─< annotation >─ run                 remarks on a moment
                       project ─< saved_view ─< comment             what people look at it with
                       project ─< graph_upload                      graphs from people's disks
    metric ─< metric_alias                                          what tags mean the same
    tag, tag_set, metadata                                          dictionaries, append only
    account, password, second_factor, recovery_code, identity,
    identity_attempt, group_rule, session, token, team_member,
    project_grant, one_time_link, share, embed, logdir_rule,
    sign_in_delay, audit                                            who may see what

A point is never a row. Every table of points has a key that begins with `run_id`, so
that PostgreSQL can partition and Citus distribute by run. Text that a log controls is
stored through `orgboard_schema.sql.text`, because PostgreSQL refuses NUL and lone
surrogates; it is found by the SHA-256 of its bytes, because an index entry is limited
to 2.7 kB there. Text columns sort by code point on both engines.

    logs    what event files say        said    what people say of it
    people  who may see what            types   columns alike on both engines
"""

from __future__ import annotations

from orgboard_schema.sql.tables.logs import (
    blob,
    blob_ref,
    block,
    gap,
    lease,
    logdir,
    metadata,
    restart,
    run,
    run_head,
    segment,
    source_file,
    tag,
    tag_set,
    thinned,
)
from orgboard_schema.sql.tables.people import (
    account,
    audit,
    embed,
    group_rule,
    identity,
    identity_attempt,
    logdir_rule,
    one_time_link,
    password,
    project,
    project_grant,
    recovery_code,
    second_factor,
    session,
    share,
    sign_in_delay,
    team,
    team_member,
    token,
)
from orgboard_schema.sql.tables.said import (
    annotation,
    comment,
    graph_upload,
    mention,
    metric,
    metric_alias,
    run_note,
    run_note_before,
    run_tag,
    saved_view,
    watch,
    watch_seen,
)
from orgboard_schema.sql.tables.types import schema

__all__ = [
    "account",
    "annotation",
    "audit",
    "blob",
    "blob_ref",
    "block",
    "comment",
    "embed",
    "gap",
    "graph_upload",
    "group_rule",
    "identity",
    "identity_attempt",
    "lease",
    "logdir",
    "logdir_rule",
    "mention",
    "metadata",
    "metric",
    "metric_alias",
    "one_time_link",
    "password",
    "project",
    "project_grant",
    "recovery_code",
    "restart",
    "run",
    "run_head",
    "run_note",
    "run_note_before",
    "run_tag",
    "saved_view",
    "schema",
    "second_factor",
    "segment",
    "session",
    "share",
    "sign_in_delay",
    "source_file",
    "tag",
    "tag_set",
    "team",
    "team_member",
    "thinned",
    "token",
    "watch",
    "watch_seen",
]
