"""kill -9 of ingest, at any instant, loses nothing and doubles nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.killing import kill_ingest

KILLS = 12
"""Enough to meet start, reading and commit; `tests/bench/kill_ingest.py` takes hundreds."""


@pytest.mark.slow
@pytest.mark.parametrize("rivals", [1, 2])
def test_killing_ingest_while_files_grow_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str, rivals: int
) -> None:
    outcome = kill_ingest(tmp_path / "logs", database_url, kills=KILLS, seed=rivals, rivals=rivals)

    assert outcome.survived > 0
    assert (outcome.lost, outcome.doubled, outcome.differences) == (0, 0, [])


@pytest.mark.slow
@pytest.mark.parametrize("rivals", [1, 2])
def test_killing_ingest_while_it_reads_runs_anew_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str, rivals: int
) -> None:
    outcome = kill_ingest(
        tmp_path / "logs", database_url, kills=KILLS, seed=rivals, rivals=rivals, restarts=True
    )

    assert outcome.survived > 0
    assert (outcome.lost, outcome.doubled, outcome.differences) == (0, 0, [])
