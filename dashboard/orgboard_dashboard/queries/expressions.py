"""The series that an expression names: by tag, not by number."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, select

from orgboard_dashboard.queries.series import Picture, ScalarsFound, find_scalars
from orgboard_dashboard.viewer import Viewer
from orgboard_schema.sql import tables
from orgboard_schema.sql.text import sha256

__all__ = ["find_named"]


def find_named(
    viewer: Viewer,
    conn: Connection,
    team: str,
    project: str,
    *,
    uids: Sequence[str],
    tags: Sequence[str],
    picture: Picture,
    whole: bool = False,
    metric: str = "",
) -> tuple[ScalarsFound, dict[str, int]]:
    """Read the series of these tags in these runs, and return the numbers of those that exist.

    A tag of other projects only is a tag without a point: nobody can tell which. `whole` and
    `metric` are as in `find_scalars`.

    Raises:
        NotFound: there is no such project, or `viewer` may not see it.
        TooMuch: there are more points than can be read at once.
    """
    names = {sha256(tag): tag for tag in tags}
    columns = tables.tag.c
    asked = select(columns.name_sha256, columns.tag_id).where(columns.name_sha256.in_(names))
    numbers = {names[bytes(digest)]: tag_id for digest, tag_id in conn.execute(asked)}
    found = find_scalars(
        viewer,
        conn,
        team,
        project,
        uids=uids,
        tag_ids=sorted(numbers.values()),
        picture=picture,
        whole=whole,
        metric=metric,
    )
    return found, numbers
