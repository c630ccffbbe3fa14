"""Histograms of a group of runs: the sum of their buckets at each step, and nothing resampled."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.api.codec import column, decode
from orgboard_dashboard.histograms.buckets import Frames, frames_of
from orgboard_dashboard.histograms.merged import Member, all_steps, last_of_each, merge
from orgboard_dashboard.histograms.percentiles import statistic
from orgboard_dashboard.histograms.resample import resample
from orgboard_schema.types import ProtoHistogram, TensorHistogram
from support.boards import Board, values

PROJECT = "/api/ui/v1/p/default/board"


def tensor(*rows: tuple[float, float, float]) -> TensorHistogram:
    return TensorHistogram("float64", rows)


def summed(*histograms: TensorHistogram | ProtoHistogram) -> Frames:
    """Merge histograms of as many runs at one step."""
    members = [Member(np.array([0]), frames_of([[one]])) for one in histograms]
    return merge(members, np.array([0]))[0]


def rows(frames: Frames) -> list[list[float]]:
    columns = (frames.left.tolist(), frames.right.tolist(), frames.count.tolist())
    return [list(row) for row in zip(*columns, strict=True)]


def test_buckets_with_the_same_edges_are_added_exactly() -> None:
    one = tensor((0.0, 0.1, 3.0), (0.1, 1 / 3, 2.0), (1 / 3, 0.5, 2.0**52))
    other = tensor((0.0, 0.1, 4.0), (0.1, 1 / 3, 0.0), (1 / 3, 0.5, 1.0))

    assert rows(summed(one, other)) == [
        [0.0, 0.1, 7.0],
        [0.1, 1 / 3, 2.0],
        [1 / 3, 0.5, 2.0**52 + 1],
    ]


def test_a_bucket_that_anothers_edge_cuts_is_shared_by_width() -> None:
    merged = summed(tensor((0.0, 4.0, 8.0)), tensor((1.0, 2.0, 5.0), (6.0, 7.0, 1.0)))

    assert rows(merged) == [
        [0.0, 1.0, 2.0],
        [1.0, 2.0, 7.0],
        [2.0, 4.0, 4.0],
        # Nothing between: no bucket lies there.
        [6.0, 7.0, 1.0],
    ]


def test_a_bucket_without_a_width_stays_one() -> None:
    merged = summed(tensor((1.0, 1.0, 5.0)), tensor((0.0, 2.0, 4.0)), tensor((1.0, 1.0, 2.0)))

    assert rows(merged) == [[0.0, 1.0, 2.0], [1.0, 1.0, 7.0], [1.0, 2.0, 2.0]]


def test_the_widest_bucket_there_is_can_be_cut() -> None:
    most = float(np.finfo(np.float64).max)

    merged = summed(tensor((-most, most, 8.0)), tensor((0.0, 0.0, 1.0)))

    assert rows(merged) == [[-most, 0.0, 4.0], [0.0, 0.0, 1.0], [0.0, most, 4.0]]


def test_what_the_writers_summed_up_is_added_where_all_did() -> None:
    one = ProtoHistogram(-1.0, 1.0, 2.0, 0.5, 1.5, (-1.0, 0.0, 1.0), (0.0, 1.0, 1.0))
    other = ProtoHistogram(-0.5, 3.0, 4.0, 6.0, 12.0, (-1.0, 0.0, 3.0), (0.0, 1.0, 3.0))

    both, mixed = summed(one, other), summed(one, tensor((0.0, 2.0, 6.0)))

    assert both.moments[:, 0].tolist() == [-1.0, 3.0, 6.0, 6.5, 13.5]
    assert np.isnan(mixed.moments[2:, 0]).all()
    assert statistic(mixed, "num").tolist() == [8.0]
    assert statistic(mixed, "mean").tolist() == pytest.approx([(-0.5 + 0.5 + 6.0) / 8])


def test_at_each_step_those_are_added_that_logged_there() -> None:
    here = [Member(np.array([0, 10]), frames_of([[tensor((0.0, 1.0, n)) for n in (1.0, 2.0)]]))]
    here.append(
        Member(np.array([10, 15]), frames_of([[tensor((0.0, 1.0, n)) for n in (4.0, 8.0)]]))
    )

    frames, counts = merge(here, all_steps([member.step for member in here]))

    assert frames.count.tolist() == [1.0, 6.0, 8.0]
    assert counts.tolist() == [1, 2, 1]


def test_of_a_step_that_was_logged_twice_the_last_counts() -> None:
    assert last_of_each(np.array([1, 3, 3, 3, 7]), np.array([0, 3, 4, 7])).tolist() == [3, 4]
    assert last_of_each(np.array([], np.int64), np.array([1])).tolist() == []


buckets = st.lists(
    st.tuples(
        st.floats(-100, 100),
        st.floats(0, 50),
        st.integers(0, 10**6).map(float),
    ).map(lambda row: (row[0], row[0] + row[1], row[2])),
    max_size=6,
).map(lambda found: tensor(*found))


@given(st.lists(buckets, min_size=1, max_size=4))
def test_no_count_is_lost_and_any_picture_of_the_sum_is_the_sum_of_the_pictures(
    histograms: list[TensorHistogram],
) -> None:
    merged = summed(*histograms)
    edges = np.linspace(-100.0, 150.0, 14)

    drawn = resample(merged.left, merged.right, merged.count, edges)

    each = [frames_of([[one]]) for one in histograms]
    apart = [resample(one.left, one.right, one.count, edges) for one in each]
    total = math.fsum(row[2] for one in histograms for row in one.buckets)
    assert math.fsum(merged.count) == pytest.approx(total, rel=1e-12)
    assert drawn == pytest.approx(np.sum(apart, axis=0), rel=1e-9, abs=1e-6)


def ask(board: Board, groups: dict[str, list[str]], **more: Any) -> list[dict[str, Any]]:
    """Ask for the lines of groups of runs, and give them with their columns."""
    (tag,) = board.ask("GET", f"{PROJECT}/tags?kind=histogram").json()["tags"]
    named = [
        {"id": name, "runs": [board.uids[run] for run in runs]} for name, runs in groups.items()
    ]
    body = {"cards": [{"tag": tag["id"]}], "groups": named, **more}
    answer = board.ask("POST", f"{PROJECT}/histograms", json=body)
    assert answer.status_code == 200, answer.text
    header, data = decode(answer.content)
    lines: list[dict[str, Any]] = header["cards"][0]["lines"]
    for line in lines:
        line.update({name: column(ref, data).tolist() for name, ref in line["blocks"].items()})
    return lines


def test_a_group_has_one_line_that_is_the_sum_of_its_runs(any_board: Board) -> None:
    for run, scale in (("a", 1.0), ("b", 10.0), ("other", 100.0)):
        logged = [tensor((0.0, 0.5, scale * n), (0.5, 1.0, scale)) for n in range(3)]
        any_board.log(run, [values("w", "histogram", logged)])

    both, other = ask(any_board, {"g1": ["a", "b"], "g2": ["other"]})

    assert (both["run"], both["members"], both["n"], both["shown"]) == ("g1", 2, 3, 3)
    assert both["count"] == [0.0, 11.0, 11.0, 11.0, 22.0, 11.0]
    assert both["right"] == [0.5, 1.0] * 3
    assert (both["runs"], both["num"]) == ([2.0] * 3, [11.0, 22.0, 33.0])
    assert other["count"] == [0.0, 100.0, 100.0, 100.0, 200.0, 100.0]
    assert both["of"] == [any_board.uids[run] for run in ("a", "b")]


def test_runs_of_a_group_that_stopped_early_are_missing_where_they_stopped(board: Board) -> None:
    board.log("a", [values("w", "histogram", [tensor((0.0, 1.0, 1.0))] * 4)])
    board.log("b", [values("w", "histogram", [tensor((0.0, 1.0, 2.0))] * 2)])

    (line,) = ask(board, {"g": ["a", "b"]})
    (some,) = ask(board, {"g": ["a", "b"]}, frames=2)
    (inside,) = ask(board, {"g": ["a", "b"]}, **{"from": 1, "to": 2})

    assert (line["count"], line["runs"]) == ([3.0, 3.0, 1.0, 1.0], [2.0, 2.0, 1.0, 1.0])
    assert (some["x"], some["n"], some["shown"]) == ([0.0, 3.0], 4, 2)
    assert inside["x"] == [1.0, 2.0]


def test_time_of_a_group_is_from_the_begin_of_each_of_its_runs(board: Board) -> None:
    one = [tensor((0.0, 1.0, 1.0))] * 2
    board.log("a", [values("w", "histogram", one, wall=[100.0, 110.0])])
    board.log("b", [values("w", "histogram", one, wall=[900.0, 930.0])])

    (line,) = ask(board, {"g": ["a", "b"]})

    assert (line["wall"], line["since"]) == ([100.0, 110.0], [0.0, 20.0])


def test_a_group_without_the_tag_has_no_line(board: Board) -> None:
    board.log("a", [values("w", "histogram", [tensor((0.0, 1.0, 1.0))])])
    board.log("b", [values("v", "text", [])])

    assert [line["run"] for line in ask(board, {"g1": ["a"], "g2": ["b"]})] == ["g1"]


def test_a_group_whose_runs_have_very_many_unlike_buckets_has_fewer_steps(board: Board) -> None:
    edges = np.arange(30_000.0)
    for run, by in (("a", 0.0), ("b", 0.5)):
        rows_of = [(at + by, at + by + 1, 1.0) for at in edges.tolist()]
        board.log(run, [values("w", "histogram", [tensor(*rows_of)] * 9)])

    (line,) = ask(board, {"g": ["a", "b"]})

    assert (line["n"], line["shown"]) == (9, 6)
    assert sum(line["count"]) == pytest.approx(6 * 60_000)


@pytest.mark.parametrize("groups", ["g", [{"id": "g"}], [{"id": "a b", "runs": []}], [1]])
def test_what_is_no_group_is_refused(board: Board, groups: Any) -> None:
    body = {"cards": [{"tag": 1}], "groups": groups}

    answer = board.ask("POST", f"{PROJECT}/histograms", json=body)

    assert answer.status_code == 400
