"""A graph of 100 000 nodes: CPU to read it, to open a scope, and what the answers weigh; and to
open it for the first time through the whole app, from the stored bytes on."""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable
from tempfile import TemporaryDirectory

from orgboard_dashboard.api.answers import plain
from orgboard_dashboard.graphs.asked import card_of, find, layers, trace
from orgboard_dashboard.graphs.difference import compare
from orgboard_dashboard.graphs.measured import read_measured
from orgboard_dashboard.graphs.opened import open_scope
from orgboard_dashboard.graphs.reading import read_graph
from orgboard_dashboard.graphs.stats import join, ranked
from orgboard_dashboard.graphs.tree import Tree, build_tree
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade
from support.boards import Board
from support.graph_defs import logged
from support.large_graphs import large_graph
from support.run_metadata import CPU, Ran, run_metadata

NODES = 100_000
TIMES = 5


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the median CPU time of a call."""
    taken = []
    for _ in range(TIMES):
        start = time.process_time()
        call()
        taken.append(time.process_time() - start)
    return statistics.median(taken) * 1e3


def asked(tree: Tree) -> dict[str, Callable[[], object]]:
    """Name what people ask of a graph."""
    block = tree.find("model/block_50")
    assert block is not None
    return {
        "open the whole": lambda: open_scope(tree, tree.items[0]),
        "open a hundred blocks": lambda: open_scope(tree, tree.items[1]),
        "open a block": lambda: open_scope(tree, block),
        "card of a block": lambda: card_of(tree, block),
        "search": lambda: find(tree, lambda path: path.endswith("op_49")),
        "trace inputs": lambda: trace(tree, block, forward=False),
        "layers": lambda: layers(tree),
    }


def opened_first(data: bytes) -> tuple[float, float]:
    """Return the seconds of CPU and of the clock until the whole is told for the first time."""
    with TemporaryDirectory() as folder:
        engine = open_engine(f"{folder}/board.db")
        upgrade(engine)
        board = Board(engine)
        uid = board.log("large", [logged(data)])
        path = f"/api/ui/v1/r/{uid}/graphs"
        board.ask("GET", "/api/ui/v1/projects")
        cpu, clock = time.process_time(), time.perf_counter()
        (row,) = board.ask("GET", path).json()["graphs"]
        board.ask("GET", f"{path}/{row['sha256']}/scope").raise_for_status()
        taken = time.process_time() - cpu, time.perf_counter() - clock
        engine.dispose()
    return taken


def main() -> None:
    """Print a line a question."""
    data = large_graph(NODES)
    graph = read_graph(data)
    print(f"{NODES} nodes, {len(graph.source)} edges, {len(data) / 1e6:.1f} MB")
    cpu, clock = opened_first(data)
    print(
        f"{'open for the first time':24} {cpu * 1e3:8.0f} ms   {clock * 1e3:8.0f} ms by the clock"
    )
    print(f"{'read':24} {cpu_ms(lambda: read_graph(data)):8.0f} ms")
    print(f"{'sort into scopes':24} {cpu_ms(lambda: build_tree(graph)):8.0f} ms")
    tree, other = build_tree(graph), build_tree(graph)
    for name, ask in asked(tree).items():
        weight = len(json.dumps(plain(ask()))) / 1e3
        print(f"{name:24} {cpu_ms(ask):8.1f} ms   {weight:8.1f} kB")
    step = run_metadata(
        {CPU: [Ran(name, at, 1 + at % 97, [64], [(8, 8)]) for at, name in enumerate(graph.names)]}
    )
    measured = read_measured(step)
    print(f"{'read a step':24} {cpu_ms(lambda: read_measured(step)):8.0f} ms")
    print(f"{'put it to the nodes':24} {cpu_ms(lambda: join(tree, measured)):8.0f} ms")
    stats = join(tree, measured)
    print(f"{'what took most':24} {cpu_ms(lambda: ranked(tree, stats, 'nodes', 'time')):8.1f} ms")
    compare.cache_clear()
    print(
        f"{'compare with its like':24} {cpu_ms(lambda: compare.__wrapped__(tree, other)):8.0f} ms"
    )


if __name__ == "__main__":
    main()
