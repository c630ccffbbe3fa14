"""The committed Python of the event format is what the .proto files say today."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from support.lacking import lack

REPOSITORY = Path(__file__).resolve().parents[3]
NO_TOOLS = 3
"""The exit status of `.ci/proto` when the generator cannot be installed here."""


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_generating_again_changes_nothing(tmp_path: Path) -> None:
    done = subprocess.run(
        [REPOSITORY / ".ci" / "proto", tmp_path],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHON": sys.executable},
    )
    if done.returncode == NO_TOOLS:
        lack(f"protoc 4.25 cannot be installed here: {done.stderr.strip().splitlines()[-1]}")

    assert done.returncode == 0, done.stderr
    folder = Path("orgboard_schema", "wire")
    generated = {path.name: path.read_text() for path in (tmp_path / folder).iterdir()}
    committed = {
        path.name: path.read_text() for path in (REPOSITORY / "schema" / folder).glob("*_pb2.py*")
    }
    assert generated == committed
