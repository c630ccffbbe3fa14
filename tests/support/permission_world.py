"""Two teams with a project of each visibility, filled with strings that tell where they are from.

Every name, text, tag, setting and picture of a project, of a run, and of what people said carries
a mark that is nowhere else: an answer in which somebody else's mark is found says too much.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import (
    Connection,
    Engine,
    RowMapping,
    Table,
    bindparam,
    delete,
    insert,
    select,
    update,
)

from orgboard_dashboard.accounts.opaque import digest
from orgboard_dashboard.queries.deletions import delete_runs
from orgboard_dashboard.queries.graphs import list_graphs
from orgboard_dashboard.viewer import SystemViewer
from orgboard_schema.blocks.frame import pack
from orgboard_schema.sql import tables
from orgboard_schema.sql.dictionary import find_tag
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.registry import ensure_project
from orgboard_schema.sql.roles import VISIBILITIES
from orgboard_schema.types import Blob, Media, ProtoHistogram, Tensor
from support.boards import Board, scalars, values
from support.graph_defs import graph_def, logged
from support.run_metadata import CPU, STEP, TAGGED, Ran, run_metadata

__all__ = ["BLUE", "NOW", "RED", "SOMEBODY", "Project", "World", "build_world", "embed_row"]

NOW: Final = 1_790_000_000.0
"""The clock of the board: all runs are long quiet."""

RED: Final = "team-of-many"
BLUE: Final = "zqTEAMBLUEzq"
"""The other team, whose very name is nobody's business."""

SOMEBODY: Final = "somebody.else"
"""Who keeps a view of one's own in each project, and is none of those who ask."""

_WORDS: Final = (
    *(tables.run_note, tables.run_note_before, tables.run_tag, tables.annotation),
    *(tables.saved_view, tables.share, tables.embed, tables.comment, tables.mention),
    *(tables.watch, tables.watch_seen, tables.graph_upload),
)
_PNG: Final = b"\x89PNG\r\n\x1a\n"


@dataclass(frozen=True, slots=True)
class Run:
    """A run, and the mark of what is in it."""

    uid: str
    mark: str
    tag: int
    """Of a scalar that no other run has."""
    histogram: int
    blob: str
    graph: str
    stats: str
    """Run metadata of the graph."""


@dataclass(frozen=True, slots=True)
class Project:
    """A project, and where to find what is in it."""

    team: str
    name: str
    visibility: str
    mark: str
    """In all that is the project's."""
    words: str
    """In what people said of the project, and not of one of its runs."""
    first: Run
    second: Run
    deleted: Run
    remark: str
    view: str
    """Of the team."""
    link: str
    """A view that a long link stands for."""
    share: str
    """A link that nobody uses."""
    private_view: str
    """Of somebody who never asks."""
    comment: str
    """Of the same, on the first run."""
    file: str
    """A graph that somebody opened from a disk, and the hash of it."""
    file_sha256: str
    embed: str
    """A card of the first run in pages that nobody opens."""

    def marks(self) -> tuple[bytes, ...]:
        """Return what is found in no answer to who may not see the project."""
        runs = (self.first, self.second, self.deleted)
        texts = (self.mark, self.words, *(run.mark for run in runs), *(run.uid for run in runs))
        keys = (self.view, self.link, self.private_view, self.remark, self.share, self.comment)
        return tuple(text.encode() for text in (*texts, *keys, self.file, self.embed))

    def marks_beside(self, uid: str) -> tuple[bytes, ...]:
        """Return what is found in no answer to who may see one of its runs alone."""
        others = [run for run in (self.first, self.second, self.deleted) if run.uid != uid]
        texts = (self.words, *(run.mark for run in others), *(run.uid for run in others))
        keys = (self.private_view, self.view, self.share, self.file, self.embed)
        return tuple(text.encode() for text in (*texts, *keys))


@dataclass(slots=True)
class World:
    """A board, its projects, and what people said in the beginning."""

    board: Board
    projects: tuple[Project, ...]
    opened: list[Engine] = field(default_factory=list)
    """Of the apps that serve it."""
    _said: dict[Table, list[RowMapping]] = field(default_factory=dict)

    @property
    def engine(self) -> Engine:
        """The database."""
        return self.board.engine

    def project(self, team: str, visibility: str) -> Project:
        """Return the one project of a team and a visibility."""
        return next(p for p in self.projects if (p.team, p.visibility) == (team, visibility))

    def state(self) -> list[Any]:
        """Return what anybody could change: equal, as long as nobody did."""
        with begin_read(self.engine) as conn:
            return [
                conn.execute(select(table).order_by(*table.primary_key)).all()
                for table in (tables.run, *_WORDS)
            ]

    def restore(self) -> None:
        """Let it be said what was said in the beginning, and nothing else."""
        with begin_write(self.engine) as conn:
            for table in reversed(_WORDS):
                conn.execute(delete(table))
            for table, rows in self._said.items():
                if table is tables.run:
                    _bring_back(conn, rows)
                elif rows:
                    conn.execute(insert(table), [dict(row) for row in rows])

    def remember(self) -> None:
        """Take what is said now for the beginning."""
        with begin_read(self.engine) as conn:
            for table in (tables.run, *_WORDS):
                self._said[table] = list(conn.execute(select(table)).mappings())


def build_world(board: Board) -> World:
    """Fill a board that is empty."""
    made = World(board, tuple(_projects(board)))
    made.remember()
    return made


def _projects(board: Board) -> Iterator[Project]:
    places = [(team, visibility) for team in (RED, BLUE) for visibility in VISIBILITIES]
    for number, (team, visibility) in enumerate(places):
        mark = f"zqPROJECT{number}zq"
        name = f"{visibility}-{mark}"
        with begin_write(board.engine) as conn:
            project_id = ensure_project(conn, f"{team}/{name}", now=NOW - 9e6)
            here = tables.project.c.project_id == project_id
            conn.execute(update(tables.project).where(here).values(visibility=visibility))
        runs = [_run(board, f"{team}/{name}", mark, number, part) for part in ("a", "b", "c")]
        with begin_write(board.engine) as conn:
            delete_runs(SystemViewer(), conn, team, name, [runs[2].uid], NOW)
            words = f"zqWORDS{number}zq"
            keys = _say(conn, project_id, words, number, runs)
        first, second, deleted = runs
        comment, embed = f"zqco{number}zq", f"zqem{number}zq"
        with begin_write(board.engine) as conn:
            _comment(conn, comment, first, view=keys[1], words=words)
            file = _file(conn, project_id, words, f"zqfi{number}zq")
            row = embed_row(embed, digest(embed), project_id, title=words, uid=first.uid)
            conn.execute(insert(tables.embed), row)
        made = (first, second, deleted, *keys, comment, *file, embed)
        yield Project(team, name, visibility, mark, words, *made)


def embed_row(
    embed_id: str, secret_sha256: bytes, project_id: int, *, title: str, uid: str | None
) -> dict[str, Any]:
    """Return the row of a card in other sites' pages: of one run, or of the newest ones."""
    row = {"embed_id": embed_id, "secret_sha256": secret_sha256, "project_id": project_id}
    row |= {"tag": "loss", "state": "", "title": title, "origins": '["https://wiki.example"]'}
    uids = None if uid is None else json.dumps([uid])
    # Just shown: that it is shown again is not written down.
    times = {"created_at": NOW - 10, "expires_at": NOW + 10, "used_at": NOW}
    return {**row, **times, "uids": uids}


def _run(board: Board, place: str, project_mark: str, number: int, part: str) -> Run:
    mark = f"zqRUN{number}{part}zq"
    tag, histogram, picture = (f"{kind}/{mark}" for kind in ("loss", "weights", "photo"))
    blob = _PNG + mark.encode()
    step = run_metadata({CPU: [Ran(f"{mark}/out", 10, 5)]})
    uid = board.log(
        f"run-{mark}",
        [
            scalars(tag, [1.0, 0.5, 0.25]),
            scalars("loss", [2.0, 1.0]),
            values(histogram, "histogram", [ProtoHistogram(0, 1, 3, 2, 2, (0.5, 1.0), (1, 2))]),
            values(picture, "image", [Media((Blob(blob, "image/png", mark),), 4, 3)]),
            values(f"said/{mark}", "text", [Tensor("string", (), (mark.encode(),))]),
            logged(
                graph_def(
                    [(f"{mark}/in", "Placeholder", ()), (f"{mark}/out", "Relu", [f"{mark}/in"])]
                )
            ),
            logged(step, STEP),
        ],
        metadata=TAGGED,
        project=place,
        logdir=f"/logs/{project_mark}",
        hparams=f'{{"lr": 0.5, "{mark}": "{mark}"}}',
        now=NOW - 9e6,
    )
    with begin_read(board.engine) as conn:
        graph = list_graphs(SystemViewer(), conn, uid).graphs[0].sha256
        tag_id, histogram_id = (find_tag(conn, name) or 0 for name in (tag, histogram))
    shown, told = (hashlib.sha256(data).hexdigest() for data in (blob, step))
    return Run(uid, mark, tag_id, histogram_id, shown, graph, told)


def _say(
    conn: Connection, project_id: int, words: str, number: int, runs: Sequence[Run]
) -> tuple[str, str, str, str, str]:
    kinds = ("re", "vi", "li", "sh", "ow")
    remark, view, link, share, own = (f"zq{kind}{number}zq" for kind in kinds)
    notes = [
        {"uid": run.uid, "text": f"note {run.mark}", "author": "", "written_at": NOW - 100}
        for run in runs
    ]
    conn.execute(insert(tables.run_note), notes)
    conn.execute(insert(tables.run_tag), [{"uid": run.uid, "name": run.mark} for run in runs])
    about: dict[str, Any] = {"project_id": project_id, "step": 1, "wall": None, "author": ""}
    about |= {"written_at": NOW - 100}
    remarks = [{"annotation_id": remark, "uid": None, "text": words}]
    remarks += [
        {"annotation_id": f"{remark}{part}", "uid": run.uid, "text": run.mark}
        for part, run in enumerate(runs)
    ]
    conn.execute(insert(tables.annotation), [about | row for row in remarks])
    kept: dict[str, Any] = {"project_id": project_id, "page": "scalars", "is_default": 0}
    kept |= {"state": f"q={words}", "created_at": NOW - 100, "changed_at": NOW - 100}
    rows: list[dict[str, Any]] = [
        {"view_id": view, "name": f"view {words}", "owner": "", "for_team": 1},
        {"view_id": f"{view}q", "name": f"quiet {words}", "owner": "", "for_team": 1},
        {"view_id": link, "name": None, "owner": "", "for_team": 1},
        {"view_id": own, "name": f"own {words}", "owner": SOMEBODY, "for_team": 0},
    ]
    conn.execute(insert(tables.saved_view), [kept | row for row in rows])
    shared: dict[str, Any] = {"share_id": share, "secret_sha256": digest(share), "path": "/"}
    shared |= {"project_id": project_id, "title": words, "created_at": NOW, "uses": 0}
    conn.execute(insert(tables.share), shared | {"expires_at": NOW + 9})
    return remark, view, link, share, own


def _comment(conn: Connection, key: str, run: Run, *, view: str, words: str) -> None:
    """Let somebody who never asks say something of a run and of a view; the note said more."""
    row: dict[str, Any] = {"comment_id": key, "uid": run.uid, "view_id": None, "text": run.mark}
    row |= {"author": SOMEBODY, "written_at": NOW - 100}
    of_view = row | {"comment_id": f"{key}v", "uid": None, "view_id": view, "text": words}
    conn.execute(insert(tables.comment), [row, of_view])
    before = {"uid": run.uid, "version": 1, "text": f"before {run.mark}", "author": SOMEBODY}
    conn.execute(insert(tables.run_note_before), before | {"written_at": NOW - 200})


def _file(conn: Connection, project_id: int, words: str, key: str) -> tuple[str, str]:
    """Let somebody have opened a file."""
    graph = graph_def([(words, "Placeholder", ()), ("out", "Relu", [words])])
    sha256 = hashlib.sha256(graph).digest()
    row: dict[str, Any] = {"upload_id": key, "project_id": project_id, "name": f"{words}.pb"}
    row |= {"kind": "graph_def", "file_size": len(graph), "sha256": sha256, "size": len(graph)}
    row |= {"payload": pack(graph), "author": SOMEBODY, "uploaded_at": NOW - 100}
    conn.execute(insert(tables.graph_upload), row)
    return key, sha256.hex()


def _bring_back(conn: Connection, rows: Sequence[RowMapping]) -> None:
    """Let runs stand as they stood: what is deleted loses its points only later."""
    as_they_were = update(tables.run).where(tables.run.c.run_id == bindparam("b_run_id"))
    values: dict[str, Any] = {
        of.name: bindparam(f"b_{of.name}") for of in tables.run.c if of.name != "run_id"
    }
    conn.execute(
        as_they_were.values(values),
        [{f"b_{name}": value for name, value in row.items()} for row in rows],
    )
