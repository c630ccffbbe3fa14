"""Eight ways to end, in a main program and in workers of three kinds: nothing hangs or is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from support.logged_runs import Logged, event_files, has_ended, scalars

WAIT_S = 50.0

ENDINGS = {
    "return": ("pass", True),
    "sys.exit": ("sys.exit(3)", True),
    "an error": ("raise RuntimeError('training failed')", True),
    "an interrupt": ("signal.raise_signal(signal.SIGINT)", True),
    "SIGTERM with a handler": ("signal.raise_signal(signal.SIGTERM)", True),
    "SIGTERM": (
        "signal.signal(signal.SIGTERM, signal.SIG_DFL); signal.raise_signal(signal.SIGTERM)",
        False,
    ),
    "os._exit": ("os._exit(4)", False),
    "abort": ("os.abort()", False),
}
"""How a process ends, and whether it lets its exit hooks run."""

# Between two flushes of an hour: what is there afterwards was flushed, or written at the end.
PROGRAM = """
import multiprocessing, os, resource, signal, sys
from orgboard import SummaryWriter

def leave(number, frame):
    sys.exit(5)

def work(directory, ending):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    writer = SummaryWriter(directory, flush_secs=3600)
    writer.add_scalar("x", 1.0, 1)
    writer.flush()
    writer.add_scalar("x", 2.0, 2)
    exec(ending)

if __name__ == "__main__":
    start, base, *endings = sys.argv[1:]
    if start == "main":
        work(base, *endings)
    else:
        make = multiprocessing.get_context(start).Process
        each = [(os.path.join(base, str(number)), end) for number, end in enumerate(endings)]
        workers = [make(target=work, args=arguments) for arguments in each]
        [worker.start() for worker in workers]
        [worker.join() for worker in workers]
"""


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    program = directory.with_suffix(".py")
    program.write_text(PROGRAM)
    return subprocess.run(
        [sys.executable, "-X", "dev", "-W", "error", program, *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def assert_kept(directory: Path, ending: str) -> None:
    has_hooks = ENDINGS[ending][1]
    kept = [Logged("x", 1, 1.0)] + [Logged("x", 2, 2.0)] * has_hooks
    assert scalars(directory) == kept, ending
    assert has_ended(directory) == has_hooks, ending
    assert len(event_files(directory)) == 1, ending


@pytest.mark.slow
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_program_loses_nothing_that_was_flushed_and_nothing_at_all_if_hooks_run(
    ending: str, tmp_path: Path
) -> None:
    done = run(tmp_path / "run", "main", str(tmp_path / "run"), ENDINGS[ending][0])

    assert_kept(tmp_path / "run", ending)
    # At an abort, Python's development mode lists all threads.
    assert ending == "abort" or "orgboard/_" not in done.stderr, "no traceback out of the SDK"


@pytest.mark.slow
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_a_worker_loses_nothing_that_was_flushed_and_nothing_at_all_if_hooks_run(
    start: str, tmp_path: Path
) -> None:
    run(tmp_path / "run", start, str(tmp_path / "run"), *(code for code, _ in ENDINGS.values()))

    for number, ending in enumerate(ENDINGS):
        assert_kept(tmp_path / "run" / str(number), ending)
