"""A run's computation graphs as its page asks for them, on either engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orgboard_ingest.commands import ingest
from orgboard_schema.types import Metadata
from support.boards import Board, opened
from support.graph_defs import CHAIN, RUN_GRAPH, Row, graph_def, logged, model

OTHER = [*CHAIN[:-1], ("loss", "Sum", ("net/relu",), ())]


def ask(board: Board, uid: str, below: str = "", status: int = 200, /, **query: str) -> Any:
    answer = board.ask("GET", f"/api/ui/v1/r/{uid}/graphs{below}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def graph_of(board: Board, uid: str) -> str:
    return str(ask(board, uid)["graphs"][0]["sha256"])


def test_the_graphs_of_a_run_are_listed_its_own_first(any_board: Board) -> None:
    keras = json.dumps({"config": {"layers": []}}).encode()
    plugins = {RUN_GRAPH: "graphs", "a model": "graph_keras_model"}
    uid = any_board.log(
        "a",
        [logged(keras, "a model"), logged(graph_def(CHAIN))],
        metadata={(tag, "graph"): Metadata(plugin=plugin) for tag, plugin in plugins.items()},
    )

    rows = ask(any_board, uid)["graphs"]

    assert [(row["tag"], row["plugin"], row["words"]) for row in rows] == [
        (RUN_GRAPH, "graphs", "graph"),
        ("a model", "graph_keras_model", "Keras model"),
    ]


def test_a_scope_is_opened_by_its_path(any_board: Board) -> None:
    uid = any_board.log("a", [logged(graph_def(CHAIN))])
    sha256 = graph_of(any_board, uid)

    root = ask(any_board, uid, f"/{sha256}/scope")
    net = ask(any_board, uid, f"/{sha256}/scope", path="net")

    assert (root["nodes"], root["parameters"], root["problems"]) == (5, 32, [])
    assert [child["path"] for child in root["children"]] == ["input", "net", "loss"]
    assert [child["path"] for child in net["children"]] == ["net/dense", "net/relu"]


def test_a_card_a_search_a_trace_and_layers_are_answered(any_board: Board) -> None:
    uid = any_board.log("a", [logged(graph_def(CHAIN))])
    at = f"/{graph_of(any_board, uid)}"

    card = ask(any_board, uid, f"{at}/node", path="net/relu")
    found = ask(any_board, uid, f"{at}/search", q="Mat.*l$")
    traced = ask(any_board, uid, f"{at}/trace", path="net", way="outputs")
    listed = ask(any_board, uid, f"{at}/layers")

    assert [link["path"] for link in card["inputs"]] == ["net/dense/MatMul"]
    assert [child["path"] for child in found["found"]] == ["net/dense/MatMul"]
    assert traced == {"paths": ["loss"], "total": 1}
    assert (listed["total"], listed["parameters"]) == (4, 32)


def test_two_runs_graphs_are_compared(any_board: Board) -> None:
    before = any_board.log("a", [logged(graph_def(CHAIN))])
    after = any_board.log("b", [logged(graph_def(OTHER))])
    against = {"to": before, "base": graph_of(any_board, before)}
    at = f"/{graph_of(any_board, after)}"

    found = ask(any_board, after, f"{at}/difference", **against)
    root = ask(any_board, after, f"{at}/scope", **against)

    assert [(change["path"], change["what"]) for change in found["changes"]] == [("loss", "op")]
    assert {child["path"]: child["changes"] for child in root["children"]} == {
        "input": {"same": 1},
        "net": {"same": 3},
        "loss": {"op": 1},
    }


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/scope", {"path": "no/such"}, 404),
        ("/scope", {"path": "loss"}, 400),
        ("/node", {"path": "no/such"}, 404),
        ("/search", {"q": "("}, 400),
        ("/trace", {"path": "net", "way": "sideways"}, 400),
        ("/difference", {"to": "nobody", "base": "0" * 64}, 404),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(
    board: Board, path: str, query: dict[str, str], status: int
) -> None:
    uid = board.log("a", [logged(graph_def(CHAIN))])

    refused = ask(board, uid, f"/{graph_of(board, uid)}{path}", status, **query)

    assert refused["error"]


def test_only_graphs_of_the_run_itself_are_shown(board: Board) -> None:
    own = board.log("a", [logged(graph_def(CHAIN))])
    other = board.log("b", [logged(graph_def(OTHER))])

    for sha256 in (graph_of(board, other), "0" * 64, "x"):
        ask(board, own, f"/{sha256}/scope", 404)


def test_who_may_not_see_the_run_sees_no_graph(board: Board) -> None:
    uid = board.log("a", [logged(graph_def(CHAIN))], logdir="/logs")
    sha256 = graph_of(board, uid)
    web = board.web(logdirs=("/elsewhere",))

    for path in ("", f"/{sha256}/scope", f"/{sha256}/layers"):
        answer = board.ask("GET", f"/api/ui/v1/r/{uid}/graphs{path}", web=web)
        assert answer.status_code == 404


def test_an_answer_stays_small_however_large_the_graph(board: Board) -> None:
    uid = board.log("a", [logged(model(100, 10))])
    sha256 = graph_of(board, uid)

    answer = board.ask("GET", f"/api/ui/v1/r/{uid}/graphs/{sha256}/scope?path=encoder")

    assert len(answer.content) < 100_000


@pytest.mark.parametrize(
    ("case", "run"),
    [("tf2_summary", "graph_direct"), ("torch_tb", "all_methods"), ("lightning", "exp/version_1")],
)
def test_a_frameworks_graph_has_the_nodes_and_operations_that_it_logged(
    corpus: Path, sqlite_url: str, case: str, run: str
) -> None:
    logs = corpus / case / "logs"
    truth = json.loads((corpus / case / "truth.json").read_text(encoding="utf-8"))
    (graph,) = truth["runs"][run]["tags"][RUN_GRAPH]["points"][0][2]["graphs"]
    assert ingest([str(logs), "--once", "--db", sqlite_url]) == 0

    with opened(sqlite_url) as board:
        (found,) = [
            row for row in board.ask("GET", _runs(board)).json()["runs"] if row["name"] == run
        ]
        root = ask(board, found["uid"], f"/{graph['sha256']}/scope")

    functions = sum(child["nodes"] for child in root["children"] if child["path"] == "functions")
    assert root["nodes"] - functions == graph["nodes"]
    assert root["problems"] == []


def test_malformed_graphs_are_shown_as_far_as_they_go(corpus: Path, sqlite_url: str) -> None:
    logs = corpus / "hostile" / "graph_malformed" / "logs"
    assert ingest([str(logs), "--once", "--db", sqlite_url]) == 0

    with opened(sqlite_url) as board:
        rows = {row["name"]: row for row in board.ask("GET", _runs(board)).json()["runs"]}
        shown = {
            name: ask(board, row["uid"], f"/{graph_of(board, row['uid'])}/scope")
            for name, row in rows.items()
        }

    assert (shown["random_bytes"]["nodes"], shown["dangling"]["nodes"]) == (0, 5)
    assert all(scope["problems"] for scope in shown.values())


def test_whatever_is_wrong_with_a_graph_it_opens_and_says_so(any_board: Board) -> None:
    deep = "/".join("d" for _ in range(5000))
    rows: list[Row] = [
        ("a", "A", ("c",)),
        ("b", "B", ("a",)),
        ("c", "C", ("b", "gone")),
        ("a", "Again", ("a",)),
        (f"{deep}/x", "X", ("a",)),
    ]
    uid = any_board.log("a", [logged(graph_def(rows))])
    at = f"/{graph_of(any_board, uid)}"

    root = ask(any_board, uid, f"{at}/scope")
    inner = ask(any_board, uid, f"{at}/scope", path="/".join("d" for _ in range(200)))
    card = ask(any_board, uid, f"{at}/node", path=inner["children"][0]["path"])
    traced = ask(any_board, uid, f"{at}/trace", path="a")

    assert [child["label"] for child in root["children"]] == ["a", "b", "c", "a (2)", "d"]
    named, dangling, depth = root["problems"]
    assert named == "More than one node is named “a”."
    assert dangling == "“c” takes “gone”, which is not in the graph."
    assert depth.startswith("Scopes stand more than 200 deep")
    assert {(edge["source"], edge["target"]) for edge in root["edges"]} == {
        (0, 1),
        (1, 2),
        (2, 0),
        (0, 3),
        (0, 4),
    }
    assert (card["item"]["op"], [link["path"] for link in card["inputs"]]) == ("X", ["a"])
    assert traced == {"paths": ["b", "c"], "total": 2}


def _runs(board: Board) -> str:
    (project,) = board.ask("GET", "/api/ui/v1/projects").json()
    return f"/api/ui/v1/p/{project['team']}/{project['project']}/runs"
