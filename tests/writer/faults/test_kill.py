"""`kill -9` of a training at any moment; `tests/bench/kill_writer.py` does it a thousand times."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.killed_writers import kill_writers


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_nothing_that_was_flushed_is_lost_and_at_most_one_record_is_torn(tmp_path: Path) -> None:
    killed = kill_writers(tmp_path, kills=40, seed=7)

    assert killed.flushed > 0
    assert (killed.lost, killed.wrong) == (0, 0)
    assert killed.torn <= killed.kills
