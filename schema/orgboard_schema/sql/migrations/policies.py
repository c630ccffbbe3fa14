"""Policies of release 0.6: PostgreSQL shows the web role only what who asks may see.

    SET LOCAL orgboard.viewer = '{"account": 7}'      by the web process, for each question
        seen_projects() ── roles and visibility, as `orgboard_dashboard.queries.visible` has them
            policies on projects, runs and what is said of them

The owner of the tables, by whom ingest works, is not held by them. Points have no policy: one is
found by the number of a run alone, and to look at each would cost more than to read it.
"""

from __future__ import annotations

from typing import Final

from alembic import op

__all__ = ["drop_policies", "make_policies"]

_FUNCTIONS: Final = ("seen_uids()", "seen_projects()", "asking()")

_ASKING: Final = """
CREATE FUNCTION asking() RETURNS jsonb LANGUAGE sql STABLE AS $$
    SELECT coalesce(nullif(current_setting('orgboard.viewer', true), ''), '{}')::jsonb
$$
"""

_SEEN_PROJECTS: Final = """
CREATE FUNCTION seen_projects() RETURNS bigint[] LANGUAGE sql STABLE SECURITY DEFINER AS $$
    SELECT coalesce(array_agg(p.project_id), '{}')
    FROM project p, asking() a
    WHERE (a ->> 'team' IS NULL OR p.team_id = (a ->> 'team')::bigint)
      AND (a ->> 'project' IS NULL OR p.project_id = (a ->> 'project')::bigint)
      AND (
        coalesce((a ->> 'all')::boolean, false)
        OR (p.visibility = 'organisation' AND a ->> 'account' IS NOT NULL)
        OR (p.visibility IN ('team', 'organisation') AND p.team_id IN (
            SELECT m.team_id FROM team_member m
            WHERE m.account_id = (a ->> 'account')::bigint AND m.role >= 1))
        OR p.project_id IN (
            SELECT g.project_id FROM project_grant g
            WHERE g.account_id = (a ->> 'account')::bigint AND g.role >= 1)
      )
$$
"""

_SEEN_UIDS: Final = """
CREATE FUNCTION seen_uids() RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN jsonb_typeof(asking() -> 'uids') = 'array'
        THEN ARRAY(SELECT jsonb_array_elements_text(asking() -> 'uids')) END
$$
"""

_SEARCH_HERE: Final = """
DO $$ BEGIN
    EXECUTE 'ALTER FUNCTION seen_projects() SET search_path = '
        || quote_ident(current_schema()) || ', pg_temp';
END $$
"""
"""Whatever schemas and temporary tables who calls it has: it reads as the owner."""

# As sub-selects they are asked once a statement, and an index can be used.
_OF_PROJECT: Final = "project_id = ANY ((SELECT seen_projects())::bigint[])"
_OF_UID: Final = "((SELECT seen_uids()) IS NULL OR uid = ANY ((SELECT seen_uids())::text[]))"
_BY_UID: Final = "EXISTS (SELECT 1 FROM run r WHERE r.uid = {}.uid)"
_BY_VIEW: Final = "EXISTS (SELECT 1 FROM saved_view v WHERE v.view_id = comment.view_id)"
_BY_LOGDIR: Final = "EXISTS (SELECT 1 FROM run r WHERE r.logdir_id = logdir.logdir_id)"
_BY_ID: Final = "EXISTS (SELECT 1 FROM run r WHERE r.run_id = {}.run_id)"
_OWN: Final = (
    "account_id = ((SELECT asking()) ->> 'account')::bigint"
    " OR ((SELECT asking()) ->> 'account' IS NOT NULL AND (SELECT asking()) ->> 'all' IS NOT NULL)"
)
"""Of nobody else, but for who runs the board and may put accounts to sleep."""

_POLICIES: Final = {
    "project": _OF_PROJECT,
    # A run that was moved by itself is another project's than its directory.
    "logdir": f"{_OF_PROJECT} OR {_BY_LOGDIR}",
    "run": f"{_OF_PROJECT} AND {_OF_UID}",
    "annotation": _OF_PROJECT,
    "saved_view": _OF_PROJECT,
    # Who is shown some runs alone is shown nothing beside them.
    "graph_upload": f"{_OF_PROJECT} AND (SELECT seen_uids()) IS NULL",
    "watch": f"({_OWN}) AND {_BY_UID.format('watch')}",
    "watch_seen": _OWN,
    "comment": f"{_BY_UID.format('comment')} OR {_BY_VIEW}",
    **{table: _BY_UID.format(table) for table in ("run_note", "run_note_before", "run_tag")},
    **{table: _BY_ID.format(table) for table in ("source_file", "gap", "thinned")},
}
"""By table: which rows there are for who asks."""


def make_policies() -> None:
    """Let PostgreSQL guard rows; SQLite has no roles to guard them from."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (_ASKING, _SEEN_PROJECTS, _SEEN_UIDS, _SEARCH_HERE):
        op.execute(statement.strip())
    for table, sees in _POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY seen ON {table} USING ({sees})")
    # A new one is nobody's yet, and so seen by nobody.
    op.execute("CREATE POLICY made ON project FOR INSERT WITH CHECK (true)")


def drop_policies() -> None:
    """Take that back."""
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("DROP POLICY made ON project")
    for table in _POLICIES:
        op.execute(f"DROP POLICY seen ON {table}")
        op.execute(f"ALTER TABLE {table} DISABLE ROW LEVEL SECURITY")
    for function in _FUNCTIONS:
        op.execute(f"DROP FUNCTION {function}")
