"""What a training meets: full disks, forks, kills, exits. Nothing of it may stop the training."""

from __future__ import annotations

import errno
import json
import logging
import multiprocessing
import os
import resource
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import pytest

from orgboard import SummaryWriter
from orgboard import _log as log_module
from orgboard._files import MAIN, Item, RunFiles
from orgboard._guard import Guard
from orgboard._log import EventLog
from orgboard._records import as_given, scalar_body
from orgboard._run_file import Outside
from orgboard_schema.wire.event_pb2 import SessionLog
from support.logged_runs import Logged, event_files, events, scalars
from support.waiting import wait_until

WAIT_S = 30.0


class Disk:
    """A disk with room for so many bytes, which can hang, and be repaired."""

    def __init__(self, room: int) -> None:
        self.room = room
        self.moves = threading.Event()
        self.moves.set()
        self.was_asked = threading.Event()

    def append(self, descriptor: int, data: bytes) -> int:
        self.was_asked.set()
        self.moves.wait()
        if self.room <= 0:
            raise OSError(errno.ENOSPC, "no space left on device")
        written = os.write(descriptor, data[: self.room])
        self.room -= written
        return written


class Training:
    """An event log on a disk that a test controls."""

    def __init__(self, directory: Path, disk: Disk) -> None:
        self.guard = Guard(strict=False)
        outside = Outside(time.time, time.monotonic, disk.append)
        files = RunFiles(str(directory), "", self.guard, outside)
        self.log = EventLog(files, self.guard, wake_at=100, flush_secs=0.01)

    def put(self, step: int, size: int = 0) -> None:
        body = scalar_body("x", float(step))
        item: Item = (MAIN, as_given, "x", body, step, 1.0, size)
        self.log.put(item)


@pytest.fixture
def disk() -> Iterator[Disk]:
    broken = Disk(1 << 40)
    yield broken
    broken.moves.set()


@pytest.mark.parametrize("room", [0, 10, 100, 150, 1000])
def test_a_disk_that_was_full_gets_everything_once_it_has_room(
    tmp_path: Path, disk: Disk, room: int, caplog: pytest.LogCaptureFixture
) -> None:
    training = Training(tmp_path, disk)
    disk.room = room

    for step in range(200):
        training.put(step)
    training.log.flush()
    disk.room = 1 << 40
    training.log.flush()
    training.log.close()

    # A torn record may end a file, never stand within one; what follows is in a new file.
    assert [p.step for p in scalars(tmp_path, torn_allowed=True)] == list(range(200))
    assert training.guard.dropped == 0
    assert [record.levelno for record in caplog.records] == [logging.WARNING] * 2
    assert "no space left" in caplog.text


def test_values_that_a_closed_writer_could_not_write_are_counted(
    tmp_path: Path, disk: Disk
) -> None:
    training = Training(tmp_path, disk)
    disk.room = 0

    for step in range(5):
        training.put(step)
    training.log.close()

    assert training.guard.dropped == 5


def test_what_was_dropped_is_logged_when_writing_works_again(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard._files.KEPT_BYTES_OTHERS", 500)
    training = Training(tmp_path, disk)
    training.put(0)
    training.log.flush()
    disk.room = 0
    training.put(1)
    training.log.flush()

    for step in range(2, 100):
        training.put(step)
    training.log.flush()
    dropped = training.guard.dropped
    disk.room = 1 << 40
    training.put(100)
    training.log.close()

    told = [
        json.loads(value.tensor.string_val[0])
        for event in events(tmp_path)
        for value in event.summary.value
        if value.tag == b"orgboard/dropped"
    ]
    kept = [point.step for point in scalars(tmp_path)]
    assert 0 < dropped < 99
    assert told[-1] == {"dropped": 101 - len(kept)}
    assert kept == sorted(kept)


def test_a_hung_disk_fills_the_queue_and_delays_nobody(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "SCALARS_QUEUED", 500)
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.01)
    training = Training(tmp_path, disk)
    disk.moves.clear()
    training.put(0)
    training.log.flush()
    assert disk.was_asked.wait(WAIT_S)

    for step in range(1, 2000):
        training.put(step)
    training.log.flush()
    training.log.close()
    disk.moves.set()
    wait_until(lambda: has_ended(tmp_path), WAIT_S, "the log is written to its end")

    kept = [point.step for point in scalars(tmp_path)]
    assert kept == list(range(len(kept)))
    assert len(kept) + training.guard.dropped == 2000
    assert training.guard.dropped >= 2000 - 500 - log_module.BATCH - 1


def test_large_values_do_not_push_out_scalars(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_module, "PATIENCE_S", 0.01)
    training = Training(tmp_path, disk)
    disk.moves.clear()
    training.put(0)
    assert disk.was_asked.wait(WAIT_S)

    for step in range(1, 11):
        training.put(step, size=log_module.OTHERS_QUEUED_BYTES // 4)
        training.put(step + 100)
    disk.moves.set()
    monkeypatch.setattr(log_module, "PATIENCE_S", 10.0)
    training.log.close()

    steps = [point.step for point in scalars(tmp_path)]
    assert {step for step in steps if step > 100} == set(range(101, 111))
    assert len([step for step in steps if 0 < step <= 100]) == 4
    assert training.guard.dropped == 6


def test_a_deleted_directory_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orgboard._run_file.LOOK_EVERY_S", 0.0)
    run = tmp_path / "run"
    with SummaryWriter(run) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.flush()
        shutil.rmtree(run)
        writer.add_scalar("x", 2.0, 2)

    assert scalars(run) == [Logged("x", 2, 2.0)]


def test_a_sub_run_that_cannot_be_made_does_not_harm_the_others(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalars("x", {"a" * 300: 1.0, "nul\0": 1.0, "good": 2.0}, 1)
        writer.add_scalar("x", 3.0, 1)

    assert scalars(tmp_path) == [Logged("x", 1, 3.0)]
    assert scalars(tmp_path / "x_good") == [Logged("x", 1, 2.0)]
    assert writer.dropped == 2


def has_ended(directory: Path) -> bool:
    last = events(directory, torn_allowed=True)[-1:]
    return [event.session_log.status for event in last] == [SessionLog.STOP]


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


def test_a_kill_at_any_moment_loses_nothing_that_was_flushed(tmp_path: Path) -> None:
    for number in range(10):
        run = tmp_path / str(number)
        training = start_script(
            run,
            """
            for step in range(10**9):
                writer.add_scalar("x", 1.0, step)
                if step % 500 == 499:
                    writer.flush()
                    print(step, flush=True)
            """,
        )
        assert training.stdout is not None
        for _ in range(1 + number * 3):
            training.stdout.readline()
        training.send_signal(signal.SIGKILL)
        flushed = [int(line) for line in training.stdout.read().split()]
        training.wait()
        training.stdout.close()

        steps = [point.step for point in scalars(run, torn_allowed=True)]
        assert steps == list(range(len(steps)))
        assert len(steps) > max(flushed, default=499 + 500 * 3 * number)


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


def test_a_clock_that_is_set_back_does_not_stop_the_flushing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.05)
    monkeypatch.setattr("orgboard.writer._now", lambda: 1000.0)
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


def start_script(directory: Path, script: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _program(directory, script)],
        stdout=subprocess.PIPE,
        text=True,
    )
