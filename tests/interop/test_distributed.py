"""Of the processes that train together, the one of rank 0 writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from support.frameworks import framework
from support.runs_read import read_run, runs_below

framework("torch")

WORKER = """
import sys
import torch.distributed as distributed
import orgboard

rank, meeting, logdir = int(sys.argv[1]), sys.argv[2], sys.argv[3]
distributed.init_process_group("gloo", f"file://{meeting}", rank=rank, world_size=2)
with orgboard.run(f"{logdir}/{rank}", config={"rank": rank}) as run:
    run.add_scalar("rank", rank, 1)
distributed.destroy_process_group()
"""


def test_two_processes_of_torch_leave_one_run(tmp_path: Path) -> None:
    meeting, logdir = tmp_path / "meeting", tmp_path / "logs"
    workers = [
        subprocess.Popen([sys.executable, "-c", WORKER, str(rank), meeting, logdir])
        for rank in (0, 1)
    ]

    assert [worker.wait(50) for worker in workers] == [0, 0]

    assert runs_below(logdir) == ["0"]
    assert read_run(logdir / "0").scalars == {"rank": [(1, 0.0)]}
