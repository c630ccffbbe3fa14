"""What TensorBoard reads is the same, whichever of the three writers logged it.

Same tags, plugins, contents, steps, times and values; pictures to the pixel, clips to the sample,
an embedding's files to the number. Where a peer differs, the case says so and why.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from support.peers.cases import Case
from support.peers.every import every_case
from support.peers.running import compare

CASES = list(every_case())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.method}, {case.inputs}")
def test_what_tensorboard_reads_equals_what_the_peers_log(case: Case, tmp_path: Path) -> None:
    compared = list(compare(case, tmp_path))

    assert {each.peer: each.faults for each in compared if each.faults} == {}
