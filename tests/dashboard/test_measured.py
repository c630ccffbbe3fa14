"""What run metadata tells, put to the nodes of a graph: sums are exact, and nothing stops it."""

# ruff: noqa: RUF001 - sizes are told with a multiplication sign

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.graphs.measured import MOST, read_measured
from orgboard_dashboard.graphs.stats import Figures, Stats, join, ranked
from orgboard_dashboard.graphs.tree import Tree
from orgboard_schema.wire.run_metadata_pb2 import RunMetadata
from support.graph_defs import CHAIN, tree_of
from support.run_metadata import CHAIN_STEP, CPU, Ran, run_metadata

NAMES = [row[0] for row in CHAIN]
IMPOSSIBLE = "Times or sizes that cannot be, and are not counted in full: 1."
GPU = "/job:localhost/replica:0/task:0/device:GPU:0"


def joined(devices: dict[str, list[Ran]]) -> tuple[Tree, Stats]:
    tree = tree_of(CHAIN)
    return tree, join(tree, read_measured(run_metadata(devices)))


def figures(tree: Tree, stats: Stats, path: str) -> Figures:
    item = tree.find(path)
    assert item is not None
    return stats.figures(item)


def test_nodes_have_their_times_and_memory_and_scopes_the_sums() -> None:
    tree, stats = joined(CHAIN_STEP)

    assert figures(tree, stats, "net/dense/MatMul") == Figures(120_000, 4128, 1)
    assert figures(tree, stats, "net/dense") == Figures(123_000, 4128, 2)
    assert figures(tree, stats, "net") == Figures(133_000, 4160, 3)
    assert figures(tree, stats, "") == Figures(140_000, 4164, 5)


def test_what_is_in_no_graph_is_told_and_not_counted() -> None:
    _, stats = joined(CHAIN_STEP)

    summary = stats.summary()

    assert (summary.nodes, summary.executions, summary.time) == (5, 5, 140_000)
    assert (summary.elsewhere, summary.elsewhere_time) == (1, 1000)
    assert summary.named == ("_SOURCE",)
    assert summary.span == 149_000


def test_a_card_tells_shapes_devices_and_the_span() -> None:
    tree, stats = joined(
        {
            CPU: [Ran("net/relu", 10, 5, [7], [(2, 4), ()]), Ran("net/relu", 20, 5, [9])],
            GPU: [Ran("loss", 40, 2)],
        }
    )
    relu, whole = tree.find("net/relu"), tree.find("")
    assert relu is not None
    assert whole is not None

    card = stats.detail(tree, relu)

    assert (card.time, card.span, card.executions) == (10_000, 15_000, 2)
    assert card.memory == 9
    assert card.shapes == ("2×4", "scalar")
    assert card.devices == (CPU,)
    assert stats.detail(tree, whole).devices == (CPU, GPU)
    assert stats.detail(tree, whole).span == 32_000


def test_streams_of_a_gpu_repeat_what_stands_under_the_gpu_itself() -> None:
    tree, stats = joined(
        {
            GPU: [Ran("loss", 40, 2)],
            f"{GPU}/stream:all": [Ran("loss:Mean", 41, 1)],
            "/gpu:0/memcpy": [Ran("loss:MEMCPYDtoH", 41, 1)],
        }
    )

    assert figures(tree, stats, "loss").time == 2000
    assert [device.counts for device in stats.summary().devices] == [True, False, False]


def test_a_kernel_says_its_operation_behind_a_colon() -> None:
    tree, stats = joined({"/host": [Ran("loss:Mean", 41, 1)]})

    assert figures(tree, stats, "loss") == Figures(1000, 0, 1)


def test_a_node_named_like_a_scope_is_found() -> None:
    tree = tree_of([("a", "A", ()), ("a/b", "B", ("a",))])
    stats = join(tree, read_measured(run_metadata({CPU: [Ran("a", 1, 2), Ran("a/b", 4, 3)]})))

    assert figures(tree, stats, "a/(a)").time == 2000
    assert figures(tree, stats, "a").time == 5000


def test_nanoseconds_are_taken_where_they_are_told() -> None:
    made = RunMetadata.FromString(run_metadata({CPU: [Ran("loss", 10, 2)]}))
    (entry,) = made.step_stats.dev_stats[0].node_stats
    entry.all_start_nanos, entry.all_end_rel_nanos = 10_250, 1750

    measured = read_measured(made.SerializeToString())

    assert (measured.start.tolist(), measured.length.tolist()) == ([10_250], [1750])


def test_what_took_most_comes_first() -> None:
    tree, stats = joined(CHAIN_STEP)

    nodes = ranked(tree, stats, "nodes", "time")
    scopes = ranked(tree, stats, "scopes", "memory")

    assert [row.path for row in nodes][:2] == ["net/dense/MatMul", "net/relu"]
    assert (nodes[0].op, nodes[0].executions) == ("MatMul", 1)
    assert [(row.path, row.memory) for row in scopes] == [("net", 4160), ("net/dense", 4128)]


def test_torch_names_a_device_and_measures_nothing() -> None:
    _, stats = joined({"/device:CPU:0": []})

    summary = stats.summary()

    assert (summary.nodes, summary.time, summary.memory) == (0, 0, 0)
    assert [device.name for device in summary.devices] == ["/device:CPU:0"]


@pytest.mark.parametrize(
    ("entry", "time", "memory"),
    [
        (Ran("loss", 10, -5, [4]), 0, 4),
        (Ran("loss", 10, 1 << 60, [4]), 0, 4),
        (Ran("loss", -10, 5, [4]), 0, 4),
        (Ran("loss", 10, 5, [-4, 3]), 5000, 3),
        (Ran("loss", 10, 5, [1 << 62, 1 << 62]), 5000, MOST),
    ],
)
def test_what_cannot_be_is_said_and_not_summed(entry: Ran, time: int, memory: int) -> None:
    tree, stats = joined({CPU: [entry]})

    assert figures(tree, stats, "loss") == Figures(time, memory, 1)
    assert stats.summary().problems == (IMPOSSIBLE,)


def test_an_entry_that_cannot_be_read_costs_itself() -> None:
    bad = RunMetadata.FromString(run_metadata({CPU: [Ran("lose", 1, 1), Ran("loss", 10, 5)]}))
    data = bad.SerializeToString().replace(b"lose", b"l\xff\xffe")
    tree = tree_of(CHAIN)

    stats = join(tree, read_measured(data))

    assert figures(tree, stats, "loss").time == 5000
    assert stats.summary().problems == ("Executions that cannot be read: 1.",)


def test_bytes_that_end_early_cost_what_is_missing() -> None:
    data = run_metadata(CHAIN_STEP)
    # The one device is cut, the messages around it say so, too.
    cut = data[: len(data) - 20]

    measured = read_measured(cut)

    assert measured.problems
    assert "cannot be read from byte" in measured.problems[0]


executions = st.builds(
    Ran,
    st.sampled_from([*NAMES, "elsewhere", "loss:Mean", ""]),
    st.integers(0, 1 << 50),
    st.integers(0, 1 << 30),
    st.lists(st.integers(0, 1 << 40), max_size=3),
    st.lists(st.lists(st.integers(-1, 1 << 40), max_size=3), max_size=3),
)


@given(st.dictionaries(st.sampled_from([CPU, GPU]), st.lists(executions, max_size=20)))
def test_sums_are_exact(devices: dict[str, list[Ran]]) -> None:
    tree, stats = joined(devices)
    every = [ran for listed in devices.values() for ran in listed]

    for path in ("", "net", "net/dense", "loss"):
        item = tree.find(path)
        assert item is not None
        inside = {tree.graph.names[node] for node in tree.order[item.low : item.high].tolist()}
        mine = [(ran.name.partition(":")[0], ran) for ran in every]
        mine = [(name, ran) for name, ran in mine if name in inside]
        memory: dict[str, int] = {}
        for name, ran in mine:
            memory[name] = max(memory.get(name, 0), min(MOST, sum(ran.given)))
        expected = Figures(
            sum(1000 * ran.took for _, ran in mine), sum(memory.values()), len(memory)
        )
        assert stats.figures(item) == expected


@given(st.binary(max_size=400))
def test_whatever_the_bytes_it_answers(data: bytes) -> None:
    tree = tree_of(CHAIN)

    stats = join(tree, read_measured(data))

    assert stats.summary().executions >= 0


@given(st.data())
def test_whatever_is_changed_in_sound_bytes_it_answers(data: st.DataObject) -> None:
    sound = bytearray(run_metadata(CHAIN_STEP))
    for _ in range(data.draw(st.integers(1, 6))):
        sound[data.draw(st.integers(0, len(sound) - 1))] = data.draw(st.integers(0, 255))
    tree = tree_of(CHAIN)

    stats = join(tree, read_measured(bytes(sound)))

    assert len(ranked(tree, stats, "nodes", "time")) <= len(CHAIN)
    assert stats.summary().time >= 0


@given(st.integers(0, 8), st.integers(0, 8))
def test_an_empty_graph_or_step_has_nothing(nodes: int, entries: int) -> None:
    tree = tree_of(CHAIN[:nodes])
    step = {CPU: CHAIN_STEP[CPU][:entries]}

    stats = join(tree, read_measured(run_metadata(step)))

    assert stats.summary().executions + stats.summary().elsewhere == min(entries, 6)
    assert ranked(tree, stats, "scopes", "time") is not None
