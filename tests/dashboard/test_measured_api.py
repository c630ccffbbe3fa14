"""A run's run metadata as the graphs page asks for it, on either engine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from orgboard_ingest.commands import ingest
from orgboard_schema.types import Kind, Metadata
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata
from support.boards import Board, opened
from support.graph_defs import CHAIN, graph_def, logged
from support.run_metadata import CHAIN_STEP, CPU, STEP, TAGGED, Ran, run_metadata

TRACED = "traced"


def ask(board: Board, uid: str, below: str = "", status: int = 200, /, **query: str) -> Any:
    answer = board.ask("GET", f"/api/ui/v1/r/{uid}/graphs{below}", params=query)
    assert answer.status_code == status, answer.text
    return answer.json()


def chain(board: Board, step: bytes | None = None) -> tuple[str, str, dict[str, str]]:
    """Log a graph and a step of it: the run, where its graph is asked for, and the step."""
    told = run_metadata(CHAIN_STEP) if step is None else step
    uid = board.log("a", [logged(graph_def(CHAIN)), logged(told, STEP)], metadata=TAGGED)
    listed = ask(board, uid)
    at = f"/{listed['graphs'][0]['sha256']}"
    return uid, at, {"stats": listed["measured"][0]["sha256"]}


def test_run_metadata_is_listed_beside_the_graphs_the_latest_step_first(any_board: Board) -> None:
    tagged = Metadata(plugin="graph_tagged_run_metadata")
    other: dict[tuple[str, Kind], Metadata] = {(f"step_{n}", "graph"): tagged for n in (1, 2)}
    steps = [logged(run_metadata({CPU: [Ran("loss", n, 1)]}), f"step_{n}") for n in (1, 2)]
    uid = any_board.log("a", [*steps, logged(graph_def(CHAIN))], metadata=other)

    listed = ask(any_board, uid)

    assert [row["plugin"] for row in listed["graphs"]] == [""]
    assert [row["tag"] for row in listed["measured"]] == ["step_1", "step_2"]


def test_children_of_a_scope_and_a_card_say_what_they_took(any_board: Board) -> None:
    uid, at, stats = chain(any_board)

    root = ask(any_board, uid, f"{at}/scope", **stats)
    inner = ask(any_board, uid, f"{at}/scope", path="net", **stats)
    card = ask(any_board, uid, f"{at}/node", path="net/dense/MatMul", **stats)

    assert {child["path"]: child["took"]["time"] for child in root["children"]} == {
        "input": 2000,
        "net": 133_000,
        "loss": 5000,
    }
    assert root["measured"]["memory"] == 4164
    assert "measured" not in inner
    assert [child["took"]["nodes"] for child in inner["children"]] == [2, 1]
    assert (card["took"]["time"], card["took"]["shapes"]) == (
        120_000,
        ["2\N{MULTIPLICATION SIGN}4"],
    )
    assert card["took"]["devices"] == [CPU]


def test_without_run_metadata_nothing_is_said_of_it(board: Board) -> None:
    uid, at, _ = chain(board)

    root = ask(board, uid, f"{at}/scope")
    card = ask(board, uid, f"{at}/node", path="loss")

    assert "measured" not in root
    assert all("took" not in told for told in (*root["children"], card))


def test_what_took_most_is_listed(any_board: Board) -> None:
    uid, at, stats = chain(any_board)

    nodes = ask(any_board, uid, f"{at}/measured", **stats)["rows"]
    scopes = ask(any_board, uid, f"{at}/measured", of="scopes", by="memory", **stats)["rows"]

    assert [(row["path"], row["time"]) for row in nodes][:2] == [
        ("net/dense/MatMul", 120_000),
        ("net/relu", 10_000),
    ]
    assert [row["path"] for row in scopes] == ["net", "net/dense"]


def test_what_is_no_run_metadata_of_the_run_is_not_found(board: Board) -> None:
    uid, at, stats = chain(board)
    step = run_metadata({CPU: [Ran("loss", 1, 2)]})
    other = board.log("b", [logged(step, STEP)], metadata=TAGGED)
    foreign = ask(board, other)["measured"][0]["sha256"]

    for path in ("scope", "node", "measured"):
        for wrong in (foreign, at[1:], "0" * 64, "x"):
            ask(board, uid, f"{at}/{path}", 404, path="net", stats=wrong)
    ask(board, uid, f"{at}/measured", 400, of="edges", **stats)


def test_bytes_that_are_none_leave_the_graph_as_it_is(board: Board) -> None:
    uid, at, stats = chain(board, b"\x0a\xff\x01\x0anonsense")

    root = ask(board, uid, f"{at}/scope", **stats)

    assert root["nodes"] == len(CHAIN)
    assert root["measured"]["nodes"] == 0
    assert "cannot be read" in root["measured"]["problems"][0]


def test_what_a_profiled_function_logged_is_a_graph_too_the_last_one(board: Board) -> None:
    traced = RunMetadata.FromString(run_metadata({CPU: [Ran("loss", 1, 2)]}))
    traced.function_graphs.add().pre_optimization_graph.MergeFromString(graph_def(CHAIN))
    uid = board.log(
        "a",
        [logged(traced.SerializeToString(), TRACED), logged(graph_def(CHAIN[:2]))],
        metadata={(TRACED, "graph"): Metadata(plugin="graph_run_metadata")},
    )

    listed = ask(board, uid)
    own, function = listed["graphs"]
    root = ask(board, uid, f"/{function['sha256']}/scope", stats=listed["measured"][0]["sha256"])

    assert (own["plugin"], function["tag"]) == ("", TRACED)
    assert root["nodes"] == len(CHAIN)
    assert root["measured"]["time"] == 2000


@pytest.mark.parametrize(
    ("case", "run"), [("torch_tb", "all_methods"), ("lightning", "exp/version_1")]
)
def test_torch_tells_a_device_and_no_time(
    corpus: Path, sqlite_url: str, case: str, run: str
) -> None:
    logs = corpus / case / "logs"
    truth = json.loads((corpus / case / "truth.json").read_text(encoding="utf-8"))
    (told,) = truth["runs"][run]["tags"]["step1"]["points"][0][2]["run_metadata"]
    assert ingest([str(logs), "--once", "--db", sqlite_url]) == 0

    with opened(sqlite_url) as board:
        (project,) = board.ask("GET", "/api/ui/v1/projects").json()
        at = f"/api/ui/v1/p/{project['team']}/{project['project']}/runs"
        runs = {row["name"]: row["uid"] for row in board.ask("GET", at).json()["runs"]}
        listed = ask(board, runs[run])
        stats = {"stats": listed["measured"][0]["sha256"]}
        root = ask(board, runs[run], f"/{listed['graphs'][0]['sha256']}/scope", **stats)

    assert [(row["tag"], row["sha256"]) for row in listed["measured"]] == [
        ("step1", told["sha256"])
    ]
    assert [device["name"] for device in root["measured"]["devices"]] == told["devices"]
    assert (root["measured"]["nodes"], root["measured"]["problems"]) == (0, [])
