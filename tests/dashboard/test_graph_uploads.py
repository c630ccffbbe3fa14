"""Graphs from people's disks: opened, looked at, compared and removed, on either engine."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from orgboard_dashboard.policies import FILE_BYTES
from orgboard_dashboard.queries import graph_uploads
from orgboard_dashboard.queries.errors import Forbidden, NotFound
from orgboard_dashboard.queries.graph_uploads import (
    UploadRow,
    find_upload,
    graph_bytes,
    list_uploads,
    remove_upload,
)
from orgboard_dashboard.viewer import Viewer, Within
from orgboard_ingest.commands import ingest
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.roles import Role
from support.boards import Board, opened
from support.graph_defs import CHAIN, graph_def, logged
from support.graph_files import as_text, onnx_model, onnx_operation, onnx_weight
from support.proxies import FOLDER

FILES = "/api/ui/v1/p/default/board/graphs"
OTHER = [*CHAIN[:-1], ("loss", "Sum", ("net/relu",), ())]
MODEL = onnx_model([onnx_operation("Gemm", ["x", "w"], "y")], [onnx_weight("w", 64, 64)])
BYTES = {"content-type": "application/octet-stream"}


@pytest.fixture
def kept(any_board: Board) -> Board:
    """Give a board with a project in which a run logged a graph."""
    any_board.log("run", [logged(graph_def(CHAIN))])
    return any_board


def send(board: Board, name: str, data: bytes, status: int = 200, **more: Any) -> Any:
    more = {"headers": BYTES, "params": {"name": name}, **more}
    answer = board.ask("POST", more.pop("to", FILES), content=data, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def look(board: Board, uid: str, below: str, status: int = 200, /, **query: str) -> Any:
    answer = board.ask("GET", f"/api/ui/v1/r/{uid}/graphs{below}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def listed(board: Board) -> list[str]:
    return [file["name"] for file in board.ask("GET", FILES).json()["files"]]


def noted(board: Board) -> list[tuple[str, str]]:
    of = tables.audit.c
    with begin_read(board.engine) as conn:
        query = select(of.action, of.outcome).where(of.action.like("graph.%"))
        return [tuple(row) for row in conn.execute(query.order_by(of.audit_id))]


def test_an_opened_file_is_looked_at_as_a_runs_graph_is(kept: Board) -> None:
    made = send(kept, "net.pbtxt", as_text(graph_def(OTHER)))

    uid, at = f"file.{made['id']}", f"/{made['sha256']}"
    (row,) = look(kept, uid, "")["graphs"]
    root = look(kept, uid, f"{at}/scope")
    card = look(kept, uid, f"{at}/node", path="loss")
    found = look(kept, uid, f"{at}/search", q="Mat.*l$")
    traced = look(kept, uid, f"{at}/trace", path="net", way="outputs")
    layers = look(kept, uid, f"{at}/layers")

    assert (made["name"], made["words"], made["can_remove"]) == (
        "net.pbtxt",
        "GraphDef, as text",
        True,
    )
    assert (row["sha256"], row["words"]) == (made["sha256"], "GraphDef, as text")
    assert (root["nodes"], root["parameters"], root["problems"]) == (5, 32, [])
    assert card["item"]["op"] == "Sum"
    assert [child["path"] for child in found["found"]] == ["net/dense/MatMul"]
    assert traced == {"paths": ["loss"], "total": 1}
    assert layers["parameters"] == 32
    assert look(kept, uid, f"{at}/measured", 404, stats="0" * 64)["error"]


def test_a_file_and_a_runs_graph_are_compared_either_way(kept: Board) -> None:
    made = send(kept, "net.pb", graph_def(OTHER))
    run, file = kept.uids["run"], f"file.{made['id']}"
    logged_as = look(kept, run, "")["graphs"][0]["sha256"]

    against = {"to": run, "base": logged_as}
    there = look(kept, file, f"/{made['sha256']}/difference", **against)
    root = look(kept, file, f"/{made['sha256']}/scope", **against)
    back = look(kept, run, f"/{logged_as}/difference", to=file, base=made["sha256"])

    assert [(change["before"], change["after"]) for change in there["changes"]] == [("Mean", "Sum")]
    assert {child["path"]: child["changes"] for child in root["children"]}["loss"] == {"op": 1}
    assert [(change["before"], change["after"]) for change in back["changes"]] == [("Sum", "Mean")]


def test_of_a_model_only_the_graph_is_kept_and_how_large_the_file_was(kept: Board) -> None:
    made = send(kept, "net.onnx", MODEL, params={"name": "net.onnx", "size": "123456789"})

    assert (made["words"], made["file_size"]) == ("ONNX model", 123456789)
    assert send(kept, "b.onnx", MODEL, params={"name": "b", "size": "1"})["file_size"] == len(MODEL)
    of = tables.graph_upload.c
    with begin_read(kept.engine) as conn:
        sizes = conn.execute(select(of.size, of.payload)).all()
    assert all(size < 400 and len(payload) < 400 for size, payload in sizes)
    assert look(kept, f"file.{made['id']}", f"/{made['sha256']}/scope")["parameters"] == 64 * 64


def test_the_same_file_is_kept_once_and_both_that_and_its_end_are_noted(kept: Board) -> None:
    first = send(kept, "net.pb", graph_def(CHAIN))
    again = send(kept, "net.pb", graph_def(CHAIN))
    other = send(kept, "another.pb", graph_def(CHAIN))

    assert first["id"] == again["id"] != other["id"]
    assert sorted(listed(kept)) == ["another.pb", "net.pb"]
    for key in (first["id"], other["id"]):
        answer = kept.ask("DELETE", f"{FILES}/{key}", json={})
        assert answer.json() == {"id": key}
        look(kept, f"file.{key}", f"/{first['sha256']}/scope", 404)
        assert kept.ask("DELETE", f"{FILES}/{key}", json={}).status_code == 404
    assert listed(kept) == []
    assert noted(kept) == [("graph.added", "done")] * 2 + [("graph.removed", "done")] * 2


def test_the_newest_file_comes_first_under_a_name_of_one_line(kept: Board) -> None:
    names = ["../../etc/passwd", "C:\\nets\\a\nb\u2028.pb", "<script>\u202e.pb", "n" * 900, ""]
    for number, name in enumerate(names):
        send(kept, name, graph_def([(f"n{number}", "A", ())]))

    assert sorted(listed(kept)) == sorted(
        ["passwd", "a b .pb", "<script>\u202e.pb", "n" * 200, "graph"]
    )


@pytest.mark.parametrize(
    ("data", "status", "words"),
    [
        (b"\xff" * 99, 400, "cannot be opened as an ONNX model: from byte 0 on"),
        (MODEL[:-5], 400, "It may have been cut off"),
        (b"", 400, "it is empty"),
        (bytes(FILE_BYTES + 1), 413, "The file has more than 32 MB, the most that is taken here."),
    ],
)
def test_what_is_no_graph_is_refused_in_words_and_nothing_is_kept(
    kept: Board, data: bytes, status: int, words: str
) -> None:
    assert words in send(kept, "net.onnx", data, status)["error"]

    assert listed(kept) == []
    assert noted(kept) == []


@pytest.mark.parametrize("site", ["nginx.conf", "nginx-path.conf"])
def test_the_proxy_that_we_hand_out_takes_what_the_board_takes(site: str) -> None:
    (most,) = re.findall(r"client_max_body_size (\d+)m;", (FOLDER / site).read_text("utf-8"))

    assert int(most) << 20 >= FILE_BYTES


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "multipart/form-data", ""])
def test_only_the_bytes_of_a_file_are_taken(kept: Board, kind: str) -> None:
    refused = send(kept, "net.pb", graph_def(CHAIN), 415, headers={"content-type": kind})

    assert "application/octet-stream" in refused["error"]


def test_a_project_has_room_for_so_many(kept: Board, monkeypatch: pytest.MonkeyPatch) -> None:
    send(kept, "a.pb", graph_def(CHAIN))
    monkeypatch.setattr(graph_uploads, "MAX_FILES", 1)
    many = send(kept, "b.pb", graph_def(OTHER), 413)
    monkeypatch.setattr(graph_uploads, "MAX_FILES", 9)
    monkeypatch.setattr(graph_uploads, "MAX_TOTAL_BYTES", 300)
    large = send(kept, "b.pb", graph_def(OTHER), 413)

    assert many["error"] == "The project has 1 opened files, the most there can be. Remove some."
    assert "would take more than 0 MB. Remove some." in large["error"]
    assert listed(kept) == ["a.pb"]


def test_a_read_only_board_takes_none_and_removes_none(kept: Board) -> None:
    made = send(kept, "a.pb", graph_def(CHAIN))
    web = kept.web(read_only=True)

    assert send(kept, "b.pb", graph_def(OTHER), 403, web=web)["error"]
    assert kept.ask("DELETE", f"{FILES}/{made['id']}", json={}).status_code == 403
    found = kept.ask("GET", FILES).json()
    assert (found["can_add"], [file["can_remove"] for file in found["files"]]) == (False, [False])


def test_a_file_is_one_projects_and_opened_in_one(kept: Board) -> None:
    kept.log("b", [], project="default/other")
    made = send(kept, "a.pb", graph_def(CHAIN))
    other = "/api/ui/v1/p/default/other/graphs"

    assert kept.ask("GET", other).json()["files"] == []
    assert kept.ask("DELETE", f"{other}/{made['id']}", json={}).status_code == 404
    assert send(kept, "b.pb", graph_def(CHAIN), 403, to="/api/ui/v1/p/*/*/graphs")["error"]
    (row,) = kept.ask("GET", "/api/ui/v1/p/*/*/graphs").json()["files"]
    assert row["id"] == made["id"]
    look(kept, f"file.{made['id']}", f"/{'0' * 64}/scope", 404)
    look(kept, f"file.{made['id']}x", f"/{made['sha256']}/scope", 404)
    look(kept, made["id"], f"/{made['sha256']}/scope", 404)


def test_where_other_directories_are_shown_a_projects_files_are_not(kept: Board) -> None:
    made = send(kept, "a.pb", graph_def(CHAIN))
    kept.ask("GET", FILES, web=kept.web(logdirs=("/elsewhere",)))

    look(kept, f"file.{made['id']}", f"/{made['sha256']}/scope", 404)
    assert kept.ask("GET", FILES).status_code == 404


def _person(account_id: int, **more: Any) -> Viewer:
    return Viewer("account", "ana", account_id=account_id, can_edit=True, **more)


def test_who_opened_a_file_may_remove_it_and_so_may_editors_and_nobody_else(kept: Board) -> None:
    made = send(kept, "a.pb", graph_def(CHAIN))
    with begin_write(kept.engine) as conn:
        for number, role in ((1, Role.VIEWER), (2, Role.VIEWER), (3, Role.EDITOR)):
            _let_in(conn, number, role)
        mine = {"account_id": 1, "author": "ana as she was called"}
        conn.execute(update(tables.graph_upload).values(mine))
    place = ("default", "board")

    def may(account_id: int) -> tuple[UploadRow, bool]:
        with begin_read(kept.engine) as conn:
            found = list_uploads(_person(account_id), conn, *place)
        return found.files[0], found.can_add

    assert [(may(one)[0].can_remove, may(one)[1]) for one in (1, 2, 3)] == [
        (True, False),
        (False, False),
        (True, True),
    ]
    assert may(2)[0].author == "person 1"
    with begin_write(kept.engine) as conn:
        with pytest.raises(Forbidden):
            remove_upload(_person(2), conn, *place, made["id"], 1.0)
        with pytest.raises(NotFound):
            remove_upload(_person(4), conn, *place, made["id"], 1.0)
        assert remove_upload(_person(1), conn, *place, made["id"], 1.0).id == made["id"]


def _let_in(conn: Any, account_id: int, role: Role) -> None:
    name = f"person {account_id}"
    person = {"account_id": account_id, "name": name, "name_key": name, "kind": "person"}
    conn.execute(insert(tables.account), person | {"created_at": 1.0})
    project_id = conn.scalar(select(tables.project.c.project_id))
    grant = {"project_id": project_id, "account_id": account_id, "role": int(role), "since": 1.0}
    conn.execute(insert(tables.project_grant), grant)


def test_a_guest_of_the_project_sees_its_files_and_a_guest_of_some_runs_none(kept: Board) -> None:
    made = send(kept, "a.pb", graph_def(CHAIN))
    with begin_read(kept.engine) as conn:
        project_id = conn.scalar(select(tables.project.c.project_id))
        of_all = Viewer("share", "", within=Within(project_id=project_id))
        of_one = Viewer("share", "", within=Within(project_id=project_id, uids=("x",)))

        assert [file.id for file in list_uploads(of_all, conn, "default", "board").files] == [
            made["id"]
        ]
        assert list_uploads(of_one, conn, "default", "board").files == ()
        for ask in (find_upload, graph_bytes):
            with pytest.raises(NotFound):
                ask(of_one, conn, f"file.{made['id']}")


def test_a_graph_that_was_damaged_in_the_database_is_not_there(kept: Board) -> None:
    made = send(kept, "a.pb", graph_def([("damaged", "A", ())]))
    with begin_write(kept.engine) as conn:
        conn.execute(update(tables.graph_upload).values(payload=b"\x01rubbish"))

    look(kept, f"file.{made['id']}", f"/{made['sha256']}/scope", 404)


def test_graphs_that_a_run_logged_malformed_are_opened_or_refused_in_words(
    corpus: Path, sqlite_url: str
) -> None:
    logs = corpus / "hostile" / "graph_malformed" / "logs"
    assert ingest([str(logs), "--once", "--db", sqlite_url]) == 0

    with opened(sqlite_url) as board:
        (project,) = board.ask("GET", "/api/ui/v1/projects").json()
        place = f"/api/ui/v1/p/{project['team']}/{project['project']}"
        rows = {row["name"]: row["uid"] for row in board.ask("GET", f"{place}/runs").json()["runs"]}
        data = {name: _blob(board, uid) for name, uid in rows.items()}
        to: dict[str, Any] = {"to": f"{place}/graphs"}
        refused = send(board, "random.pb", data["random_bytes"], 400, **to)
        made = send(board, "dangling.pb", data["dangling"], **to)
        root = look(board, f"file.{made['id']}", f"/{made['sha256']}/scope")

    assert "“random.pb” cannot be opened" in refused["error"]
    assert root["nodes"] == 5
    assert root["problems"]


def _blob(board: Board, uid: str) -> bytes:
    sha256 = look(board, uid, "")["graphs"][0]["sha256"]
    return board.ask("GET", f"/api/ui/v1/r/{uid}/blob/{sha256}").content


def test_a_keras_model_is_opened_as_its_json(kept: Board) -> None:
    layers = [{"class_name": "Dense", "config": {"name": "d", "units": 3}}]
    model = json.dumps({"class_name": "Sequential", "config": {"layers": layers}}).encode()

    made = send(kept, "model.json", model)

    root = look(kept, f"file.{made['id']}", f"/{made['sha256']}/scope")
    assert (made["words"], root["graph"], root["nodes"]) == ("Keras model", "Keras model", 1)
