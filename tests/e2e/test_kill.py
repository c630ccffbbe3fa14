"""kill -9 of ingest, crashes of its server and cut commits, at any instant, lose and double
nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import make_url

from support.killing import Outcome, crash_server, cut_commits, kill_ingest
from support.postgres import own_cluster
from support.socket_proxy import proxy_to

KILLS = 30
"""Enough to meet start, reading and commit; `tests/bench/kill_ingest.py` takes thousands."""

CRASHES = 2
CUTS = 30

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def _assert_equal(outcome: Outcome, seed: int) -> None:
    assert outcome.survived > 0
    assert outcome.compared.equal, f"seed {seed}: {outcome}"


@pytest.mark.parametrize("rivals", [1, 2])
def test_killing_ingest_while_files_grow_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str, rivals: int
) -> None:
    outcome = kill_ingest(tmp_path / "logs", database_url, kills=KILLS, seed=rivals, rivals=rivals)

    _assert_equal(outcome, rivals)


@pytest.mark.parametrize("rivals", [1, 2])
def test_killing_ingest_while_it_reads_runs_anew_loses_and_doubles_nothing(
    tmp_path: Path, database_url: str, rivals: int
) -> None:
    outcome = kill_ingest(
        tmp_path / "logs", database_url, kills=KILLS, seed=rivals, rivals=rivals, restarts=True
    )

    _assert_equal(outcome, rivals)


def test_crashing_the_server_under_two_ingests_loses_and_doubles_nothing(tmp_path: Path) -> None:
    with own_cluster() as cluster:
        outcome = crash_server(tmp_path / "logs", cluster, crashes=CRASHES, seed=3)

    _assert_equal(outcome, 3)


def test_cutting_commits_from_their_answers_loses_and_doubles_nothing(
    tmp_path: Path, postgres_database: str
) -> None:
    port = make_url(postgres_database).port
    assert port is not None
    with proxy_to(port, seed=4) as proxy:
        outcome = cut_commits(tmp_path / "logs", postgres_database, proxy, cuts=CUTS, seed=4)

    assert outcome.faults >= CUTS
    _assert_equal(outcome, 4)
