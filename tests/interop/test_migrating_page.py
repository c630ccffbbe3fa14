"""`writer/MIGRATING.md`: what it tells people to write instead does run, and drops nothing."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import orgboard
from orgboard import SummaryWriter
from orgboard_schema.wire.graph_pb2 import GraphDef, NodeDef
from support.documents import Example, Row, examples_of, rows_of
from support.frameworks import framework
from support.runs_read import read_run

PAGE = Path(__file__).parents[2] / "writer" / "MIGRATING.md"

ROWS = [row for row in rows_of(PAGE) if any("run" in code for code in row.right)]


def names() -> dict[str, Any]:
    """Make what the page takes for granted."""
    torch, matplotlib = framework("torch"), framework("matplotlib.figure")
    random = np.random.default_rng(1)
    return {
        "orgboard": orgboard,
        "SummaryWriter": SummaryWriter,
        "run": SummaryWriter("runs/first"),
        "step": 3,
        "params": {"lr": 0.1, "bn": True},
        "loss": 0.25,
        "best": 0.5,
        "weights": random.normal(size=100),
        "picture": np.zeros((8, 6, 3), np.uint8),
        "images": np.zeros((2, 8, 6, 3), np.uint8),
        "boxes": np.array([[1, 1, 4, 4]]),
        "sound": random.uniform(-1, 1, 160),
        "sounds": random.uniform(-1, 1, (2, 160, 1)),
        "video": np.zeros((3, 3, 8, 6), np.uint8),
        "points": random.normal(size=(5, 3)),
        "labels": np.array([0, 1, 1]),
        "predictions": np.array([0.2, 0.6, 0.9]),
        "figure": matplotlib.Figure(),
        "model": torch.nn.Linear(2, 1),
        "graph_def": GraphDef(node=[NodeDef(name="x", op="Placeholder")]),
        "markdown": "| a |\n| --- |\n| 1 |",
        "path": "model.pt",
    }


def codes_of(row: Row) -> list[str]:
    """List what is to be written in Python; a word alone is a name in the text."""
    return [code for code in row.right if "(" in code]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.heading}: {row.left[0]}")
def test_each_replacement_runs_and_drops_nothing(
    row: Row, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    given = names()

    for code in codes_of(row):
        exec(compile(code, PAGE.name, "exec"), given)

    for writer in (each for each in given.values() if isinstance(each, SummaryWriter)):
        writer.close()
        assert writer.dropped == 0


@pytest.mark.parametrize("example", examples_of(PAGE), ids=lambda example: example.heading)
def test_each_example_runs_and_logs_the_loss(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    exec(compile(example.code, PAGE.name, "exec"), {})

    assert [tag for tag in read_run(Path("runs/first")).scalars if tag.endswith("loss")]


def test_each_command_on_the_page_is_one_that_orgboard_has() -> None:
    commands = [
        shlex.split(code)[1]
        for row in rows_of(PAGE)
        for code in row.right
        if code.startswith("orgboard ")
    ]

    listed = subprocess.run(
        [sys.executable, "-m", "orgboard", "--help"], capture_output=True, text=True, check=True
    )

    assert commands
    assert all(f"  {command} " in listed.stdout for command in commands)
