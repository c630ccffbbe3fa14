"""Every command of the page for those who run a board, run in its order."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from orgboard import SummaryWriter
from orgboard_ingest.commands import ingest
from support.documents import examples_of

PAGE = Path(__file__).resolve().parents[2] / "schema" / "OPERATING.md"


@pytest.mark.slow
def test_the_commands_on_the_page_work_one_after_another(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with SummaryWriter(str(tmp_path / "runs" / "first"), context=False) as writer:
        writer.add_scalar("loss", 1.0, 1)
    ingest([str(tmp_path / "runs"), "--db", str(tmp_path / "board.db"), "--once"])
    capfd.readouterr()
    examples = examples_of(PAGE, "sh")
    orgboard = f'orgboard() {{ {shlex.quote(sys.executable)} -m orgboard "$@"; }}'
    script = "\n".join([orgboard, *(example.code for example in examples)])

    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=tmp_path, env=os.environ, check=False
    )

    told = capfd.readouterr()
    assert done.returncode == 0, told.err
    assert [example.heading for example in examples] == [
        *("Back up", "See that it can be restored", "Restore", "Upgrade"),
        *("Let go of old runs", "Keep every n-th picture"),
    ]
    assert told.out.count("equal to the backup") == 2
    assert "the database equals the files" in told.out
    assert "is at v" in told.out
    assert told.out.endswith("no run is that old\nnothing to do\n")
    assert {path.name for path in tmp_path.iterdir()} == {
        *("backups", "board.db", "board.db.damaged", "runs")
    }
