"""`orgboard export`: fixed columns, every stored point, names and numbers exactly."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from pathlib import Path

import pytest
from sqlalchemy import event

from orgboard_dashboard.export import Choice, export
from orgboard_dashboard.queries import exported
from orgboard_schema.sql.engine import shown
from orgboard_schema.sql.flush import NewGap, Restart
from orgboard_schema.types import ProtoHistogram, TensorHistogram
from support.boards import Board, scalars, values
from support.programs import run_orgboard

HOSTILE = ["=cmd()", 'say "hi", you', "two\nlines", "\u202etfel", "tab\there", "\N{PILE OF POO}"]


def _export(board: Board, *arguments: str) -> bytes:
    done = run_orgboard("export", *arguments, "--db", shown(board.engine.url))
    assert done.returncode == 0, done.stderr
    return done.stdout.encode()


def _rows(text: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text.decode(), newline="")))


def test_scalars_have_the_columns_that_scripts_rely_on(any_board: Board) -> None:
    any_board.log("b", [scalars("loss", [0.1, math.nan], wall=[1.5, 2.0])])
    any_board.log("a", [scalars("z", [math.inf]), scalars("B", [-math.inf], dtype="float64")])

    text = _export(any_board, "scalars")

    assert text.decode().split("\n")[0] == "project,run,tag,attempt,superseded,step,wall_time,value"
    assert [tuple(row.values()) for row in _rows(text)] == [
        ("default/board", "a", "B", "0", "0", "0", "1700000000.0", "-Infinity"),
        ("default/board", "a", "z", "0", "0", "0", "1700000000.0", "Infinity"),
        ("default/board", "b", "loss", "0", "0", "0", "1.5", "0.10000000149011612"),
        ("default/board", "b", "loss", "0", "0", "1", "2.0", "NaN"),
    ]


def test_superseded_points_are_exported_and_marked(any_board: Board) -> None:
    any_board.log("run", [scalars("loss", [1, 2, 3])])
    any_board.log(
        "run",
        [scalars("loss", [30], step=[2], attempt=1)],
        restarts=[Restart(1, None, None, 2)],
    )

    rows = _rows(_export(any_board, "scalars"))

    assert [(row["step"], row["attempt"], row["superseded"]) for row in rows] == [
        ("0", "0", "0"),
        ("1", "0", "0"),
        ("2", "0", "1"),
        ("2", "1", "0"),
    ]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_stays_what_it_is(board: Board, name: str) -> None:
    board.log(name, [scalars(name, [1])])

    from_csv = _rows(_export(board, "scalars"))
    from_lines = json.loads(_export(board, "scalars", "--format", "jsonl"))

    assert [(row["run"], row["tag"]) for row in from_csv] == [(name, name)]
    assert (from_lines["run"], from_lines["tag"]) == (name, name)


def test_a_name_that_is_no_utf8_is_exported_as_an_escape(board: Board) -> None:
    board.log("caf\udce9", [scalars("loss", [1])])

    (row,) = _rows(_export(board, "scalars"))
    line = json.loads(_export(board, "scalars", "--format", "jsonl"))

    assert row["run"] == "caf\\udce9"
    assert line["run"] == "caf\udce9"


def test_histograms_come_exactly_as_they_were_logged(any_board: Board) -> None:
    proto = ProtoHistogram(-1.0, 2.5, 3.0, 1.5, 7.25, (0.0, math.inf), (1.0, 2.0))
    tensor = TensorHistogram("float64", ((0.0, 1.0, 2.0), (1.0, math.nan, 0.5)))
    any_board.log("run", [values("a", "histogram", [proto]), values("b", "histogram", [tensor])])

    first, second = map(json.loads, _export(any_board, "histograms").splitlines())

    assert first == {
        "project": "default/board",
        "run": "run",
        "tag": "a",
        "attempt": 0,
        "superseded": 0,
        "step": 0,
        "wall_time": 1.7e9,
        "form": "proto",
        "min": -1.0,
        "max": 2.5,
        "num": 3.0,
        "sum": 1.5,
        "sum_squares": 7.25,
        "limits": [0.0, "Infinity"],
        "counts": [1.0, 2.0],
    }
    assert second["form"] == "tensor"
    assert second["dtype"] == "float64"
    assert second["buckets"] == [[0.0, 1.0, 2.0], [1.0, "NaN", 0.5]]


def test_runs_are_exported_with_their_counts_and_hyperparameters(any_board: Board) -> None:
    any_board.log("b", [scalars("loss", [1, 2])], gaps=[NewGap(1, 2, "checksum")], now=1.7e9)
    any_board.log("a", [scalars("loss", [1])], hparams='{"lr": 0.1}', now=1.7e9)

    first, second = _rows(_export(any_board, "runs"))

    assert list(first) == [
        "project",
        "run",
        "status",
        "attempts",
        "started",
        "last_event",
        "files",
        "points",
        "gaps",
        "hparams",
    ]
    assert (first["run"], json.loads(first["hparams"])) == ("a", {"lr": 0.1})
    assert (second["points"], second["gaps"], second["status"]) == ("2", "1", "stale")


def test_a_run_that_failed_is_told_from_one_that_finished(any_board: Board) -> None:
    any_board.log("good", [scalars("loss", [1])], finished="stop", now=1.7e9)
    any_board.log("bad", [scalars("loss", [1])], finished="failed", now=1.7e9)
    any_board.log("stale", [scalars("loss", [1])], now=1.7e9)

    rows = {row["run"]: row["status"] for row in _rows(_export(any_board, "runs"))}

    assert rows == {"good": "finished", "bad": "failed", "stale": "stale"}
    page = any_board.ask("GET", "/api/ui/v1/p/default/board/runs?sort=status").json()
    assert [row["status"] for row in page["runs"]] == ["stale", "failed", "finished"]


def test_filters_choose_projects_runs_and_tags(board: Board) -> None:
    for project, logdir in (("default/board", "/a"), ("vision/cats", "/b")):
        for run in ("fold-1", "fold-2", "other"):
            chunks = [scalars("train/loss", [1]), scalars("val/loss", [1])]
            board.log(run, chunks, project=project, logdir=logdir)

    rows = _rows(
        _export(board, "scalars", "--project", "vision/cats", "--run", "fold-[12]", "--tag", "^val")
    )

    assert {(row["project"], row["run"], row["tag"]) for row in rows} == {
        ("vision/cats", "fold-1", "val/loss"),
        ("vision/cats", "fold-2", "val/loss"),
    }


def test_a_query_chooses_runs_of_every_project_that_knows_its_fields(board: Board) -> None:
    board.log("a", [scalars("loss", [1])], hparams='{"lr": 0.1}')
    board.log("b", [scalars("loss", [1])], hparams='{"lr": 0.2}')
    board.log("c", [scalars("other", [1])], project="team/strange")

    found = _rows(_export(board, "scalars", "--where", "lr < 0.15 and loss = 1"))
    wrong = run_orgboard("export", "runs", "--db", shown(board.engine.url), "--where", "lrr < 0.15")

    assert [row["run"] for row in found] == ["a"]
    assert wrong.returncode == 2
    assert "There is no field `lrr` here. Did you mean `lr`?" in wrong.stderr


def test_a_file_is_written_whole_or_not_at_all(board: Board, tmp_path: Path) -> None:
    board.log("run", [scalars("loss", [1])])
    database = shown(board.engine.url)
    out = tmp_path / "scalars.csv"

    done = run_orgboard("export", "scalars", "--db", database, "-o", out)
    failed = run_orgboard("export", "scalars", "--db", database, "-o", tmp_path / "no" / "x.csv")

    assert done.returncode == 0
    assert len(_rows(out.read_bytes())) == 1
    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert [path.name for path in tmp_path.glob("*.part")] == []


@pytest.mark.parametrize(
    "wrong",
    [
        ["scalars", "--run", "("],
        ["scalars", "--project", "no/where"],
        ["scalars", "--project", "a/b/c"],
        ["histograms", "--format", "csv"],
        ["values", "--format", "csv"],
        ["values", "--kind", "text,scalar"],
        ["scalars", "--kind", "text"],
        ["scalars", "--blobs", "there"],
    ],
)
def test_what_cannot_be_exported_is_told_in_one_line(board: Board, wrong: list[str]) -> None:
    board.log("run", [scalars("loss", [1])])

    done = run_orgboard("export", *wrong, "--db", shown(board.engine.url))

    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("orgboard: ")
    assert done.stderr.count("\n") == 1


def test_many_short_series_take_no_more_statements_than_a_few(any_board: Board) -> None:
    any_board.log("few", [scalars(f"t{at}", [1.0]) for at in range(3)])
    any_board.log("many", [scalars(f"t{at}", [1.0]) for at in range(300)])

    few, many = (_statements(any_board, run) for run in ("few", "many"))

    assert many <= few + 5


def test_series_read_together_or_alone_give_the_same_rows(
    any_board: Board, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    any_board.log("run", [scalars(tag, [1.0, 2.0, 3.0]) for tag in "abc"])
    any_board.log(
        "run",
        [scalars("b", [4.0], step=[1], attempt=1)],
        restarts=[Restart(1, None, None, 1)],
    )

    together = _whole(any_board, tmp_path)
    monkeypatch.setattr(exported, "_POINTS_TOGETHER", 1)
    alone = _whole(any_board, tmp_path)

    assert len(together.splitlines()) == 11
    assert alone == together


def test_a_link_to_a_file_stays_one(board: Board, tmp_path: Path) -> None:
    board.log("run", [scalars("loss", [1.0])])
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    link.symlink_to(target)

    _export(board, "scalars", "-o", str(link))

    assert link.is_symlink()
    assert len(_rows(target.read_bytes())) == 1


def test_a_pipe_is_written_to_and_not_replaced(board: Board, tmp_path: Path) -> None:
    board.log("run", [scalars("loss", [1.0])])
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    # Open at both ends, so that neither end waits for the other.
    reader = os.open(pipe, os.O_RDWR | os.O_NONBLOCK)
    try:
        _export(board, "scalars", "-o", str(pipe))
        text = os.read(reader, 4096)
    finally:
        os.close(reader)

    assert pipe.is_fifo()
    assert len(_rows(text)) == 1


@pytest.mark.parametrize("name", ["file/out.csv", "nowhere/out.csv", "", "a" * 253, "/dev/full"])
def test_what_cannot_be_written_is_one_line(board: Board, tmp_path: Path, name: str) -> None:
    board.log("run", [scalars("loss", [1.0])])
    (tmp_path / "file").touch()

    done = run_orgboard(
        "export", "scalars", "--db", shown(board.engine.url), "-o", str(tmp_path / name)
    )

    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert done.stderr.startswith("orgboard: cannot write ")


def _whole(board: Board, folder: Path) -> bytes:
    export(board.engine, Choice("scalars", "csv"), folder / "out.csv", 1.7e9)
    return (folder / "out.csv").read_bytes()


def _statements(board: Board, run: str) -> int:
    count = 0

    def note(*_: object) -> None:
        nonlocal count
        count += 1

    event.listen(board.engine, "before_cursor_execute", note)
    try:
        export(board.engine, Choice("scalars", "csv", run=run), Path(os.devnull), 1.7e9)
    finally:
        event.remove(board.engine, "before_cursor_execute", note)
    return count
