"""Hand-made hostile files, ingested: SQL has what each case expects, and equals the files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.sql.text import from_sql
from orgboard_schema.types import KINDS, Kind

DAMAGED = (
    "corrupt_length_crc_middle",
    "declared_8gib",
    "garbage_named_tfevents",
    "garbage_tail",
    "malformed_proto_in_valid_record",
)
SOUND = (
    "bad_histograms",
    "graph_malformed",
    "gzip_records",
    "image_payloads",
    "mixed_kinds_same_tag",
    "names_that_are_not_runs",
    "nan_inf_scalars",
    "negative_steps",
    "rotated_1000",
    "run_names",
    "steps_out_of_order_duplicated",
    "tag_names_a",
    "tags_100k",
    "tensor_encodings",
    "trunc_in_data_crc",
    "trunc_in_length",
    "unknown_fields",
    "zero_length",
)

RECOVERED = {"corrupt_length_crc_middle": list(range(5, 10))}
"""Steps beyond what is expected `at_least`: what the damage did not touch."""


class Held(NamedTuple):
    """A series in stored order: the order of its files."""

    steps: list[int]
    values: list[str]
    """Of scalars, spelled so that NaN equals NaN and -0.0 is not 0.0."""


Board = dict[tuple[str, str], dict[Kind, Held]]
"""By run and tag."""


def test_every_hostile_case_is_looked_at(corpus: Path) -> None:
    assert sorted([*SOUND, *DAMAGED]) == sorted(
        path.name for path in (corpus / "hostile").iterdir()
    )


@pytest.mark.parametrize("case", [*SOUND, *DAMAGED])
def test_hostile_files_give_what_they_hold_and_say_what_is_damaged(
    case: str, corpus: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    logs = corpus / "hostile" / case / "logs"
    truth = json.loads((logs.parent / "truth.json").read_text(encoding="utf-8"))

    status = ingest([str(logs), "--once", "--db", sqlite_url])

    damaged = case in DAMAGED
    assert (status, "damaged: " in capsys.readouterr().err) == (3 if damaged else 0, damaged)
    assert verify([str(logs), "--db", sqlite_url]) == 0
    engine = open_engine(sqlite_url)
    board = _board(engine)
    engine.dispose()
    for expected in truth["expect"]:
        if "tag" in expected:
            _check(board[expected["run"], expected["tag"]], expected, RECOVERED.get(case, []))
        else:
            mine = [held for (run, _), held in board.items() if run == expected["run"]]
            points = sum(len(series.steps) for held in mine for series in held.values())
            assert (len(mine), points) == (expected["tags"], expected["points"])


def _check(held: dict[Kind, Held], expected: dict[str, Any], more: list[int]) -> None:
    if "values" not in expected:
        assert [series.steps for series in held.values()] == [expected["steps"]]
        return
    series = held["scalar"]
    told = [repr(float(value)) for value in expected["values"]]
    count = len(told)
    assert (series.steps[:count], series.values[:count]) == (expected["steps"], told)
    assert series.steps[count:] == (more if expected.get("at_least") else [])


def _board(engine: Engine) -> Board:
    board: Board = {}
    with begin_read(engine) as conn:
        runs = conn.execute(select(tables.run.c.run_id, tables.run.c.name)).all()
        for run_id, name in runs:
            heads = read.heads(conn, [run_id])[run_id]
            keys: list[read.SeriesKey] = [
                (int(head["tag_id"]), KINDS[int(head["kind"])]) for head in heads
            ]
            names = tag_names(conn, {tag_id for tag_id, _ in keys})
            for (tag_id, kind), pieces in read.pieces_of(conn, run_id, keys).items():
                steps = [step for piece in pieces for step in piece.step.tolist()]
                values = [repr(float(value)) for piece in pieces for value in piece.value]
                board.setdefault((from_sql(name), names[tag_id]), {})[kind] = Held(steps, values)
    return board
