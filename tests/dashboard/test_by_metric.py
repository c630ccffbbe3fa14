"""Runs by metric: one name for what teams log by several, in one unit; points stay as they are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from orgboard_dashboard.queries.dictionary import read_dictionary
from orgboard_dashboard.queries.expressions import find_named
from orgboard_dashboard.queries.language import QueryProblem
from orgboard_dashboard.queries.runs import RunQuery, RunRow, list_runs
from orgboard_dashboard.queries.series import ScalarsFound, find_scalars
from orgboard_dashboard.queries.settings import SettingsQuery, settings_of
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.queries.vocabulary import vocabulary
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.read import Picture
from support.boards import Board, scalars
from support.named_metrics import HOST, NOW, ana, log_teams, name_both, said, save

ANY = ("*", "*")


@pytest.fixture
def teams(any_board: Board) -> Board:
    """Give a board on which three teams log the same two metrics by other names."""
    log_teams(any_board)
    return any_board


@pytest.fixture
def named(teams: Board) -> Board:
    """Give that board with both metrics in the dictionary."""
    name_both(teams)
    return teams


def rows(board: Board, q: str = "", sort: str = "name", *metrics: str) -> tuple[RunRow, ...]:
    """Return the runs that ana sees anywhere."""
    with begin_read(board.engine) as conn:
        return list_runs(ana(conn), conn, *ANY, RunQuery(q, sort, metrics=metrics), NOW).runs


def names(board: Board, q: str = "", sort: str = "name") -> list[str]:
    """Return the teams of the runs that ana sees anywhere."""
    return [row.name.removeprefix("run of ") for row in rows(board, q, sort)]


def curves(board: Board, number: int, **more: Any) -> ScalarsFound:
    """Return the curves of a metric in all that ana sees."""
    with begin_read(board.engine) as conn:
        uids = tuple(board.uids.values())
        asked: dict[str, Any] = {
            "uids": uids,
            "tag_ids": (number,),
            "picture": Picture("step", 500),
        }
        return find_scalars(ana(conn), conn, *ANY, **(asked | more))


def test_runs_of_two_teams_are_compared_by_one_name(named: Board) -> None:
    keys = ("last:metric:validation loss", "best:metric:validation loss", "best:metric:accuracy")
    found = {
        row.place: [row.metrics[key] for key in keys] for row in rows(named, "", "name", *keys)
    }

    assert found == {
        "vision/one": [2.0, 1.0, 0.5],
        "speech/one": [1.5, 1.5, pytest.approx(0.75)],
    }
    assert names(named, "", "best:metric:validation loss") == ["vision", "speech"]
    assert names(named, "", "-best:metric:accuracy") == ["speech", "vision"]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("metric:accuracy > 0.6", ["speech"]),
        ('metric:"validation loss" < 1.8', ["speech"]),
        ('best(metric:"validation loss") < 1.2', ["vision"]),
        ('"validation loss" >= 2', ["vision"]),
        ("max(accuracy) > 0.4", ["speech", "vision"]),
        ("has:metric:accuracy and not has:metric:nosuch", None),
        ("has:metric:accuracy", ["speech", "vision"]),
        ("acc_percent > 50", ["speech"]),
        ("metric:acc_percent > 50", ["speech"]),
    ],
)
def test_queries_take_the_name_of_a_metric(
    named: Board, query: str, found: list[str] | None
) -> None:
    if found is None:
        with pytest.raises(QueryProblem):
            names(named, query)
    else:
        assert names(named, query) == found


def test_the_values_at_a_moment_are_in_the_metrics_unit(named: Board) -> None:
    keys = ("mean2:metric:accuracy", "at0:metric:accuracy")
    found = {
        row.place: [row.metrics[key] for key in keys] for row in rows(named, "", "name", *keys)
    }

    assert found["vision/one"] == pytest.approx([0.35, 0.2])
    assert found["speech/one"] == pytest.approx([0.525, 0.3])


def test_one_card_has_the_curves_of_all_its_tags_in_one_unit(named: Board) -> None:
    with begin_read(named.engine) as conn:
        cards = list_tags(ana(conn), conn, *ANY, "scalar", by_metric=True)
    accuracy, loss = cards
    found = curves(named, accuracy.id)
    of = {name: named.uids[f"run of {name}"] for name in ("vision", "speech", "secret")}

    assert [card.name for card in cards] == ["metric:accuracy", "metric:validation loss"]
    assert (accuracy.runs, accuracy.best, accuracy.unit) == (2, "max", "share")
    # What only others' runs have is not there.
    assert [(part.name, part.scale) for part in loss.of] == [("eval_loss", 1.0), ("val/loss", 1.0)]
    assert found.series[of["speech"], accuracy.id].value.tolist() == pytest.approx([0.3, 0.75])
    assert found.series[of["vision"], accuracy.id].value.tolist() == pytest.approx([0.2, 0.5])
    assert found.own[of["speech"], accuracy.id].tag == "acc_percent"
    assert not [key for key in (*found.series, *found.own) if key[0] == of["secret"]]


def test_points_stay_as_they_were_logged(named: Board) -> None:
    with begin_read(named.engine) as conn:
        tags = {tag.name: tag for tag in list_tags(ana(conn), conn, *ANY, "scalar")}
        found = find_scalars(
            *(ana(conn), conn, *ANY),
            uids=tuple(named.uids.values()),
            tag_ids=(tags["acc_percent"].id,),
            picture=Picture("step", 500),
        )
    ((_, series),) = found.series.items()

    assert series.value.tolist() == [30.0, 75.0]
    assert [tags["acc_percent"].metric, tags["acc_percent"].unit] == ["accuracy", ""]
    assert [tags["val/loss"].metric, tags["val/loss"].unit] == ["validation loss", "nats"]


def test_of_several_tags_the_metrics_own_name_counts_and_then_the_first(any_board: Board) -> None:
    (metric,) = save(any_board, said("loss", ("a", 1.0), ("b", 1.0), direction="min"))
    for run, tags in {"all": "loss b a", "two": "b a", "one": "b"}.items():
        any_board.log(run, [scalars(tag, [float(ord(tag[0]))]) for tag in tags.split()], now=NOW)
    with begin_read(any_board.engine) as conn:
        found = find_scalars(
            *(HOST, conn, "default", "board"),
            uids=tuple(any_board.uids.values()),
            tag_ids=(-metric.id,),
            picture=Picture("step", 500),
        )
        table = list_runs(
            HOST, conn, "default", "board", RunQuery(metrics=("last:metric:loss",)), NOW
        )
    own = {run: found.own[uid, -metric.id] for run, uid in any_board.uids.items()}

    assert {run: (one.tag, one.others) for run, one in own.items()} == {
        "all": ("loss", ("a", "b")),
        "two": ("a", ("b",)),
        "one": ("b", ()),
    }
    # The tag `loss` is what `metric:loss` is of, in the table as on the card.
    assert {row.name: row.metrics["last:metric:loss"] for row in table.runs} == {
        run: float(ord(one.tag[0])) for run, one in own.items()
    }


def test_a_line_stays_the_same_tags_when_somebody_zooms_in(any_board: Board) -> None:
    (metric,) = save(any_board, said("m", ("a", 1.0), ("b", 1.0)))
    chunks = [scalars("a", [1.0, 1.0]), scalars("b", [2.0] * 3, step=[0, 50, 100])]
    uid = any_board.log("r", chunks, now=NOW)
    with begin_read(any_board.engine) as conn:
        found = find_scalars(
            *(HOST, conn, "default", "board"),
            uids=(uid,),
            tag_ids=(-metric.id,),
            picture=Picture("step", 500, low=40.0, high=120.0),
            step_range=(40, 120),
        )

    assert found.own[uid, -metric.id].tag == "a"
    assert 2.0 not in [value for key, s in found.series.items() if key[1] < 0 for value in s.value]


def test_what_counts_the_other_way_round_is_turned_over(any_board: Board) -> None:
    save(any_board, said("score of it", ("nll", -1.0), direction="max"))
    any_board.log("r", [scalars("nll", [3.0, 1.0, 2.0])], now=NOW)
    keys = [f"{of}:metric:score of it" for of in ("last", "min", "max", "best")]
    with begin_read(any_board.engine) as conn:
        page = list_runs(
            *(HOST, conn, "default", "board"), RunQuery(metrics=(*keys, "best:nll")), NOW
        )

    assert [page.runs[0].metrics[key] for key in keys] == [-2.0, -3.0, -1.0, -1.0]
    # Of the tag itself the least is the best, which the dictionary says too.
    assert page.runs[0].metrics["best:nll"] == 1.0


def test_a_long_series_is_scaled_when_it_is_reduced(any_board: Board) -> None:
    (metric,) = save(any_board, said("m", ("t", 0.01)))
    parts = np.split(np.linspace(0, 100, 300_000), 6)
    for at, part in enumerate(parts):
        steps = list(range(at * len(part), (at + 1) * len(part)))
        chunk = scalars("t", part, step=steps, dtype="float64")
        any_board.log("r", [chunk], finished="stop" if at == 5 else None, now=NOW)
    uid = any_board.uids["r"]
    with begin_read(any_board.engine) as conn:
        found = find_scalars(
            *(HOST, conn, "default", "board"),
            uids=(uid,),
            tag_ids=(-metric.id,),
            picture=Picture("step", 100),
        )
    ((_, (line,)),) = [(key, lines) for key, lines in found.reduced.items() if key[1] < 0]

    assert len(line.x) < 1000
    assert (line.value.min(), line.value.max()) == pytest.approx((0.0, 1.0))


def test_the_dictionary_knows_better_than_a_name(any_board: Board) -> None:
    save(
        any_board,
        said("weird accuracy", ("val/acc", 1.0), direction="min"),
        said("odd", ("some/loss", 1.0)),
        said("flag", ("speed", 1.0), direction="max"),
    )
    with begin_read(any_board.engine) as conn:
        dictionary = read_dictionary(conn)

    assert dictionary.better("val/acc") == "min"
    assert dictionary.better("some/loss") is None
    assert dictionary.better("speed") == "max"
    assert dictionary.better("metric:flag") == "max"
    assert dictionary.better("train/loss") == "min"
    assert dictionary.better("anything") is None


def test_formulas_words_and_settings_know_metrics(named: Board) -> None:
    with begin_read(named.engine) as conn:
        viewer = ana(conn)
        tags = ("metric:accuracy", "metric:nosuch", "hist:x:mean")
        uids = tuple(named.uids.values())
        found, numbers = find_named(
            viewer, conn, *ANY, uids=uids, tags=tags, picture=Picture("step", 500)
        )
        words = vocabulary(viewer, conn, *ANY)
        settings = settings_of(
            viewer, conn, *ANY, SettingsQuery(axes=("best:metric:accuracy",)), NOW
        )

    assert {key[1] for key in found.series if key[1] < 0} == {numbers["metric:accuracy"]}
    assert "metric:nosuch" not in numbers
    assert [(word.name, word.runs, word.best) for word in words.named_metrics] == [
        ("accuracy", 2, "max"),
        ("validation loss", 2, "min"),
    ]
    assert settings.metrics[:2] == (("metric:accuracy", "max"), ("metric:validation loss", "min"))
    assert sorted(value or 0 for value in settings.columns[0].values) == pytest.approx([0.5, 0.75])


def test_a_tag_that_is_called_as_a_key_is_what_the_key_means(any_board: Board) -> None:
    (metric,) = save(any_board, said("m", ("a", 1.0)))
    any_board.log("r", [scalars("metric:m", [5.0]), scalars("a", [1.0])], now=NOW)
    with begin_read(any_board.engine) as conn:
        asked = RunQuery(metrics=("last:metric:m",))
        page = list_runs(HOST, conn, "default", "board", asked, NOW)
        tags = list_tags(HOST, conn, "default", "board", "scalar", by_metric=True)

    assert page.runs[0].metrics == {"last:metric:m": 5.0}
    assert [tag.name for tag in tags] == ["a", "metric:m"]
    assert all(tag.id != -metric.id for tag in tags)
