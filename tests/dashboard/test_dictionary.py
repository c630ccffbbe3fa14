"""The dictionary of metrics: who writes it, what it lacks, and what it says of nobody's runs."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from orgboard_dashboard.queries.dictionary import list_names, read_dictionary
from orgboard_dashboard.queries.dictionary_edits import (
    MetricSaid,
    claim_tag,
    drop_metric,
    may_name,
    save_metric,
)
from orgboard_dashboard.queries.errors import BadQuery, Conflict, Forbidden, NotFound
from orgboard_dashboard.queries.likeness import likeness_of
from orgboard_dashboard.queries.people.audit import list_records
from orgboard_dashboard.queries.runs import RunQuery, list_runs
from orgboard_dashboard.queries.tags import list_tags
from orgboard_dashboard.queries.unclaimed import unclaimed_tags
from orgboard_dashboard.viewer import LOCAL_VIEWER, Viewer, Within
from orgboard_schema.sql.engine import begin_read, begin_write
from support.boards import Board, scalars
from support.named_metrics import HOST, NOW, ana, log_teams, name_both, said, save


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


def test_what_is_saved_is_read_again_and_a_metric_has_the_tag_of_its_name(any_board: Board) -> None:
    told = said("val loss", ("z", 2.0), ("a", 1.0), unit="bits", direction="min", description="d")
    (saved,) = save(any_board, told)

    with begin_read(any_board.engine) as conn:
        (read,) = list_names(LOCAL_VIEWER, conn)
    assert read == saved
    assert [(each.tag, each.scale) for each in read.aliases] == [
        ("val loss", 1.0),
        ("a", 1.0),
        ("z", 2.0),
    ]
    assert (read.unit, read.direction, read.description, read.author, read.changed_at) == (
        *("bits", "min", "d", "system"),
        NOW,
    )


def test_a_metric_is_renamed_and_taken_out_and_the_log_has_all_of_it(any_board: Board) -> None:
    save(any_board, said("loss", ("val/loss", 1.0)))
    with begin_write(any_board.engine) as conn:
        save_metric(HOST, conn, said("nll", ("val/loss", 1.0)), NOW, was="loss")
        claim_tag(HOST, conn, "nll", "eval_loss", 1.0, NOW)
        drop_metric(HOST, conn, "nll", NOW)
        assert read_dictionary(conn).metrics == ()
    with begin_read(any_board.engine) as conn:
        log = [one for one in list_records(HOST, conn) if one.action.startswith("metric.")]

    assert [one.action for one in reversed(log)] == [
        *("metric.add", "metric.change", "metric.change", "metric.remove")
    ]
    assert json.loads(log[2].before)["name"] == "loss"
    assert json.loads(log[2].after)["tags"] == {"nll": 1.0, "val/loss": 1.0}
    assert json.loads(log[0].before)["tags"] == {"nll": 1.0, "val/loss": 1.0, "eval_loss": 1.0}


def test_a_name_and_a_tag_mean_one_metric(any_board: Board) -> None:
    save(any_board, said("a", ("shared", 1.0)))

    for other in (said("a"), said("b", ("shared", 1.0)), said("shared"), said("b", ("a", 1.0))):
        with begin_write(any_board.engine) as conn, pytest.raises(Conflict):
            save_metric(HOST, conn, other, NOW)
    with begin_write(any_board.engine) as conn:
        save_metric(HOST, conn, said("b"), NOW)
        with pytest.raises(Conflict):
            claim_tag(HOST, conn, "b", "shared", 1.0, NOW)
        with pytest.raises(Conflict):
            save_metric(HOST, conn, said("a"), NOW, was="b")


@pytest.mark.parametrize(
    "wrong",
    [
        said(""),
        said(" a"),
        said("a  b"),
        said("a\nb"),
        said("a\0"),
        said("\ud800"),
        said("x" * 101),
        said("a", unit="x" * 17),
        said("a", unit="a\nb"),
        said("a", direction="best"),
        said("a", description="x" * 2001),
        said("a", ("t", 0.0)),
        said("a", ("t", math.nan)),
        said("a", ("t", math.inf)),
        said("a", ("t", 1e13)),
        said("a", ("", 1.0)),
        said("a", ("x" * 2001, 1.0)),
        said("a", ("t", 1.0), ("t", 2.0)),
        said("a", *((f"t{i}", 1.0) for i in range(201))),
    ],
)
def test_what_is_no_metric_is_refused_with_a_reason(board: Board, wrong: MetricSaid) -> None:
    with begin_write(board.engine) as conn, pytest.raises(BadQuery, match=r"\.$"):
        save_metric(HOST, conn, wrong, NOW)


@pytest.mark.parametrize(
    "name", ["<b>x</b>", "'; drop table metric; --", "ünï ✓", "a:b/c%", "=1+1"]
)
def test_any_line_of_text_is_a_name_and_comes_back_as_it_was(any_board: Board, name: str) -> None:
    any_board.log("r", [scalars("\0\ud800 x", [1.0, 2.0])], now=NOW)
    save(any_board, said(name, ("\0\ud800 x", 3.0)))

    with begin_read(any_board.engine) as conn:
        (tag,) = list_tags(HOST, conn, "default", "board", "scalar", by_metric=True)
        page = list_runs(
            HOST, conn, "default", "board", RunQuery(metrics=(f"max:metric:{name}",)), NOW
        )
    assert (tag.name, tag.display_name) == (f"metric:{name}", name)
    assert list(page.runs[0].metrics.values()) == [6.0]


def test_only_who_runs_the_board_writes_it(teams: Board) -> None:
    admin = Viewer("account", "root", account_id=7, is_admin=True, can_edit=True)
    allowed = [HOST, LOCAL_VIEWER, admin, replace(admin, kind="token")]
    refused = [
        replace(LOCAL_VIEWER, can_edit=False),
        replace(admin, is_admin=False),
        replace(admin, can_edit=False),
        replace(admin, kind="token", within=Within(team_id=1)),
        replace(admin, kind="token", can_edit=False),
        Viewer("share", "guest", within=Within(project_id=1)),
    ]
    assert all(map(may_name, allowed))
    for viewer in refused:
        with begin_write(teams.engine) as conn:
            for change in (
                lambda: save_metric(viewer, conn, said("a"), NOW),  # noqa: B023
                lambda: claim_tag(viewer, conn, "a", "b", 1.0, NOW),  # noqa: B023
                lambda: drop_metric(viewer, conn, "a", NOW),  # noqa: B023
            ):
                with pytest.raises(Forbidden, match="runs the board"):
                    change()


def test_a_guest_reads_no_dictionary(named: Board) -> None:
    guest = Viewer("share", "guest", within=Within(project_id=1))
    with begin_read(named.engine) as conn:
        for ask in (list_names, unclaimed_tags):
            with pytest.raises(NotFound):
                ask(guest, conn)
        assert len(list_names(ana(conn), conn)) == 2


def test_unclaimed_tags_are_those_of_runs_that_one_may_see(teams: Board) -> None:
    save(teams, said("validation loss", ("val/loss", 1.0), direction="min"))
    with begin_read(teams.engine) as conn:
        mine, all_of_it = unclaimed_tags(ana(conn), conn), unclaimed_tags(HOST, conn)

    assert [tag.tag for tag in mine.tags] == ["acc", "acc_percent", "eval_loss"]
    assert {"hidden", "validation_loss"} < {tag.tag for tag in all_of_it.tags}
    by_tag = {tag.tag: tag for tag in mine.tags}
    assert (by_tag["eval_loss"].like, by_tag["eval_loss"].runs) == ("validation loss", 1)
    assert by_tag["acc"].like == ""
    assert by_tag["acc"].alike == ("acc_percent",)


def test_a_percentage_is_guessed_to_be_one(teams: Board) -> None:
    save(teams, said("accuracy", ("acc", 1.0)))
    with begin_read(teams.engine) as conn:
        (found,) = [tag for tag in unclaimed_tags(HOST, conn).tags if tag.tag == "acc_percent"]

    assert (found.like, found.scale) == ("accuracy", 0.01)


def test_a_board_without_runs_lacks_nothing(any_board: Board) -> None:
    with begin_read(any_board.engine) as conn:
        assert unclaimed_tags(HOST, conn).tags == ()


@pytest.mark.parametrize(
    ("tags", "alike"),
    [
        ("eval_loss val/loss validation_loss Loss/Eval loss.valid valLoss dev-loss", True),
        ("train/acc train_accuracy training-acc train/accuracy_epoch", True),
        ("val_f1 val/f1_score", True),
        ("val/loss train/loss", False),
        ("test/loss val/loss", False),
        ("f1 f2", False),
        ("top1 top5", False),
    ],
)
def test_tags_are_alike_by_their_words(tags: str, alike: bool) -> None:
    assert (len({likeness_of(tag).words for tag in tags.split()}) == 1) is alike
