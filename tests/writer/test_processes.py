"""Forks, kills, exits, signals and threads: what was flushed stays, and nothing hangs."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from orgboard import SummaryWriter
from support.logged_runs import Logged, event_files, events, has_ended, scalars
from support.waiting import wait_until

WAIT_S = 30.0


def limit_file_size() -> None:
    # Python ignores SIGXFSZ, so a write beyond the limit fails as on a full disk.
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))


def test_training_goes_on_when_the_system_refuses_to_write(tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        """
        for step in range(3000):
            writer.add_scalar("x", float(step), step)
            if step % 1000 == 999:
                writer.flush()
        writer.close()
        print("trained", writer.dropped)
        """,
        before=limit_file_size,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split()[0] == "trained"
    assert "File too large" in done.stderr
    assert "Traceback" not in done.stderr
    kept = [point.step for point in scalars(tmp_path, torn_allowed=True)]
    # Each new file has room again; only what the last one could not take may be missing.
    assert kept == list(range(len(kept)))
    assert len(kept) + int(done.stdout.split()[1]) == 3000


# `pytest.raises` cannot see these: each is a whole process that ends in its own way.
ENDINGS = {
    "the script's end": "",
    "sys.exit": "sys.exit(3)",
    "an error": "raise RuntimeError('training failed')",
    "an interrupt": "os.kill(os.getpid(), signal.SIGINT); threading.Event().wait(30)",
    "no reference left": "del writer",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_all_is_in_the_file_when_the_process_ends_by(ending: str, tmp_path: Path) -> None:
    done = run_script(
        tmp_path,
        'writer.add_scalar("x", 1.0, 1)\n' + ENDINGS[ending],
        arguments=("-X", "dev", "-W", "error"),
    )

    assert scalars(tmp_path) == [Logged("x", 1, 1.0)]
    assert "orgboard/" not in done.stderr, "no traceback out of the SDK"
    assert has_ended(tmp_path)


def test_a_value_logged_by_an_exit_hook_is_kept(tmp_path: Path) -> None:
    script = f"""
        import atexit
        atexit.register(lambda: late[0].add_scalar("x", 2.0, 2))
        late = []
        from orgboard import SummaryWriter
        late.append(SummaryWriter({str(tmp_path)!r}))
        late[0].add_scalar("x", 1.0, 1)
    """

    done = subprocess.run([sys.executable, "-c", dedent(script)], capture_output=True, text=True)

    assert (done.returncode, done.stderr) == (0, "")
    assert scalars(tmp_path) == [Logged("x", 1, 1.0), Logged("x", 2, 2.0)]


@pytest.mark.parametrize("end", ["os._exit(0)", "os.kill(os.getpid(), signal.SIGKILL)"])
def test_what_was_flushed_survives_an_end_without_warning(tmp_path: Path, end: str) -> None:
    run_script(
        tmp_path,
        f"""
        for step in range(1000):
            writer.add_scalar("x", 1.0, step)
        writer.flush()
        writer.add_scalar("x", 1.0, 1000)
        {end}
        """,
    )

    steps = [point.step for point in scalars(tmp_path, torn_allowed=True)]
    assert steps[:1000] == list(range(1000))


def test_what_was_logged_is_on_disk_after_the_flush_interval(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.05)
    writer.add_scalar("x", 1.0, 1)

    wait_until(lambda: scalars(tmp_path, torn_allowed=True), WAIT_S, "the scalar is in the file")
    writer.close()


def test_many_waiting_values_are_written_before_the_flush_interval(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=3600, max_queue=10)
    for step in range(12):
        writer.add_scalar("x", 1.0, step)

    wait_until(
        lambda: len(scalars(tmp_path, torn_allowed=True)) >= 10, WAIT_S, "ten are in the file"
    )
    writer.close()


def child_logs(writer: SummaryWriter, step: int) -> None:
    writer.add_scalar("child", 1.0, step)


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_worker_process_logs_to_a_file_of_its_own(tmp_path: Path, method: str) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=3600)
    writer.add_scalar("parent", 1.0, 1)
    context = multiprocessing.get_context(method)
    worker = context.Process(target=child_logs, args=(writer, 7))  # type: ignore[attr-defined] # every context has it

    worker.start()
    worker.join(WAIT_S)
    writer.close()

    assert worker.exitcode == 0
    assert sorted(scalars(tmp_path)) == [Logged("child", 7, 1.0), Logged("parent", 1, 1.0)]
    assert len(event_files(tmp_path)) == 2


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_forks_under_load_neither_hang_nor_double_anything(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.01, max_queue=10)
    stop = threading.Event()
    logged = 0

    def log() -> None:
        nonlocal logged
        while not stop.is_set():
            writer.add_scalar("parent", 1.0, logged)
            logged += 1

    thread = threading.Thread(target=log)
    thread.start()
    children = [_fork(writer, number) for number in range(50)]
    codes = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    stop.set()
    thread.join()
    writer.close()

    points = scalars(tmp_path)
    assert codes == [0] * 50
    assert sorted(p.step for p in points if p.tag == "child") == list(range(50))
    assert [p.step for p in points if p.tag == "parent"] == list(range(logged))


def _fork(writer: SummaryWriter, number: int) -> int:
    child = os.fork()
    if child == 0:
        # A child that hangs is ended by the alarm, and fails the test by its exit code.
        signal.alarm(30)
        writer.add_scalar("child", 1.0, number)
        writer.close()
        os._exit(0)
    return child


def test_a_signal_handler_may_log(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.01, max_queue=1)
    received = 0

    def handle(_number: int, _frame: object) -> None:
        nonlocal received
        step, received = received, received + 1
        writer.add_scalar("signal", 1, step)
        writer.add_text("signal", "alarm", step)

    before = signal.signal(signal.SIGALRM, handle)
    signal.setitimer(signal.ITIMER_REAL, 0.0005, 0.0005)
    try:
        for step in range(20_000):
            writer.add_scalar("x", 1, step)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    writer.close()

    points = scalars(tmp_path)
    assert len([p for p in points if p.tag == "x"]) == 20_000
    # Sorted: a signal may come while the one before is still being handled.
    assert sorted(p.step for p in points if p.tag == "signal") == list(range(received))
    assert received > 0


def test_what_is_logged_while_the_thread_starts_does_not_start_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SummaryWriter(tmp_path)
    start = threading.Thread.start
    started: list[threading.Thread] = []

    def interrupted(thread: threading.Thread) -> None:
        started.append(thread)
        # As a signal's handler would, that comes just now.
        if len(started) == 1:
            writer.add_scalar("x", 1.0, 1)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", interrupted)
    writer.add_scalar("x", 1.0, 0)
    writer.close()

    assert len(started) == 1
    assert sorted(point.step for point in scalars(tmp_path)) == [0, 1]


def test_a_clock_that_is_set_back_does_not_stop_the_flushing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.05)
    monkeypatch.setattr(writer, "_now", lambda: 1000.0)
    writer.add_scalar("x", 1.0, 1)

    wait_until(lambda: scalars(tmp_path, torn_allowed=True), WAIT_S, "the scalar is in the file")
    writer.close()
    assert events(tmp_path)[1].wall_time == 1000.0


def test_a_thread_that_cannot_start_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    writer = SummaryWriter(tmp_path)
    writer.add_scalar("x", 1.0, 1)

    assert scalars(tmp_path) == [Logged("x", 1, 1.0)]
    writer.close()


def test_an_idle_thread_keeps_no_writer_alive(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    writer = SummaryWriter(tmp_path, flush_secs=3600)
    writer.add_scalar("x", 1.0, 1)

    del writer

    assert scalars(tmp_path) == [Logged("x", 1, 1.0)]
    wait_until(lambda: set(threading.enumerate()) <= before, WAIT_S, "its thread has ended")


def _program(directory: Path, script: str) -> str:
    return (
        "import os, signal, sys, threading\n"
        "from orgboard import SummaryWriter\n"
        f"writer = SummaryWriter({str(directory)!r}, flush_secs=3600)\n" + dedent(script)
    )


def run_script(
    directory: Path,
    script: str,
    *,
    arguments: tuple[str, ...] = (),
    before: Callable[[], None] | None = None,
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments, "-c", _program(directory, script)],
        capture_output=True,
        text=True,
        timeout=50,
        preexec_fn=before,
        check=False,
    )
