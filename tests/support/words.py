"""What people say of runs, and the views they save: put straight into the tables, and read back."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Engine, insert, select, update

from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.standing import DELETED, SHOWN

__all__ = ["HOSTILE", "said", "save_views", "saved_views", "say"]

HOSTILE: Final = "<b>&\u202e\U0001f4a9' \" \\"
"""Markup, a turned direction, four bytes, quotes: a name as anybody may type it."""

WRITTEN_AT: Final = 1_700_000_000.5


def say(engine: Engine, run: str) -> None:
    """Give the run of this name a name, a star, a colour, tags, notes, annotations, comments."""
    of = tables.run.c
    by = {"author": "you", "written_at": WRITTEN_AT}
    with begin_write(engine) as conn:
        found = select(of.uid, of.project_id).where(of.name == run, of.standing == SHOWN)
        uid, project = conn.execute(found).one()
        conn.execute(
            update(tables.run)
            .where(of.uid == uid)
            .values(display_name=HOSTILE, starred=1, chosen_color="#123abc", edits=4)
        )
        conn.execute(insert(tables.run_tag), [{"uid": uid, "name": n} for n in ("best", HOSTILE)])
        conn.execute(insert(tables.run_note), {"uid": uid, "text": f"# {HOSTILE}", **by})
        conn.execute(
            insert(tables.run_note_before),
            {"uid": uid, "version": 1, "text": f"was {HOSTILE}", **by},
        )
        first = {"comment_id": f"{run:.8}asks", "uid": uid, "answers": None, "text": HOSTILE}
        answer = {**first, "comment_id": f"{run:.8}a", "answers": f"{run:.8}asks"}
        conn.execute(insert(tables.comment), [{**row, **by} for row in (first, answer)])
        moments: list[dict[str, Any]] = [
            {"annotation_id": f"{run:.8}one", "uid": uid, "step": -(2**63), "wall": None},
            {"annotation_id": f"{run:.8}all", "uid": None, "step": None, "wall": 1.5},
        ]
        rows = [{**moment, "project_id": project, "text": HOSTILE, **by} for moment in moments]
        conn.execute(insert(tables.annotation), rows)


def said(engine: Engine) -> dict[str, list[tuple[Any, ...]]]:
    """Return all that is said, by the uid of the run, without the numbers that a store gives."""
    run, note, of = tables.run.c, tables.annotation.c, tables.project.c
    columns = (run.uid, run.display_name, run.starred, run.chosen_color, run.edits)
    moment = (note.annotation_id, note.uid, note.step, note.wall, note.text, note.author)
    asked = {
        "run": select(*columns).where(run.edits > 0, run.standing.in_((SHOWN, DELETED))),
        "tag": select(tables.run_tag),
        "note": select(tables.run_note),
        "note before": select(tables.run_note_before),
        "comment": select(tables.comment),
        "annotation": select(*moment, of.name).join(
            tables.project, of.project_id == note.project_id
        ),
    }
    with begin_read(engine) as conn:
        return {
            name: sorted(map(tuple, conn.execute(query)), key=repr) for name, query in asked.items()
        }


def save_views(engine: Engine, project: str) -> None:
    """Save three views of the project: the team's default, a personal one, a long link."""
    of, at = tables.project.c, {"created_at": WRITTEN_AT, "changed_at": WRITTEN_AT + 1}
    with begin_write(engine) as conn:
        found = conn.execute(select(of.project_id).where(of.name == project)).scalar_one()
        rows: list[dict[str, Any]] = [
            {"name": HOSTILE, "owner": "", "for_team": 1, "is_default": 1, "state": "q=%25&s=0"},
            {"name": "mine", "owner": "you", "for_team": 0, "is_default": 0, "state": ""},
            {"name": None, "owner": "", "for_team": 1, "is_default": 0, "state": "t=" + "a" * 3000},
        ]
        for number, row in enumerate(rows):
            own = {"view_id": f"{project:.8}{number}", "project_id": found, "page": "scalars"}
            conn.execute(insert(tables.saved_view), {**row, **own, **at})
        said = {"comment_id": f"{project:.8}said", "view_id": f"{project:.8}0", "text": HOSTILE}
        said |= {"author": "you"}
        conn.execute(insert(tables.comment), {**said, "written_at": WRITTEN_AT})


def saved_views(engine: Engine) -> list[tuple[Any, ...]]:
    """Return all that is saved, by id, without the numbers that a store gives."""
    of, project = tables.saved_view, tables.project.c
    columns = [column for column in of.c if column.name != "project_id"]
    query = select(*columns, project.name).join(
        tables.project, project.project_id == of.c.project_id
    )
    with begin_read(engine) as conn:
        return sorted(map(tuple, conn.execute(query)))
