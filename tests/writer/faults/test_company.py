"""Writers among threads, forks, copies, handlers and destructors: nothing waits for another."""

from __future__ import annotations

import copy
import gc
import logging
import os
import pickle
import shutil
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from orgboard import SummaryWriter
from orgboard._log import account
from support.logged_runs import Logged, event_files, has_ended, scalars

WAIT_S = 50.0

FORKING = """
import os, signal, sys, threading, time
from orgboard import SummaryWriter
writer = SummaryWriter(sys.argv[1], flush_secs=0.01, max_queue=10)
stop = threading.Event()
logged = 0

def log():
    global logged
    while not stop.is_set():
        writer.add_scalar("parent", 1.0, logged)
        logged += 1
        if logged % 20 == 0:
            writer.add_text("parent", "x" * 9000, logged)
            time.sleep(0.001)

def hold():
    # Most forks shall happen while another thread holds each lock that there is.
    while not stop.is_set():
        with writer._log._lock, writer._guard._lock:
            time.sleep(0.001)

threads = [threading.Thread(target=target) for target in (log, hold)]
[thread.start() for thread in threads]
for batch in range(25):
    children = []
    for number in range(20):
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            writer.add_scalar("child", 1.0, batch * 20 + number)
            writer.close()
            os._exit(0)
        children.append(child)
    for child in children:
        assert os.waitpid(child, 0)[1] == 0, "a child hung, or failed"
stop.set()
[thread.join() for thread in threads]
writer.close()
print(logged, writer.dropped)
"""


@pytest.mark.slow
def test_five_hundred_forks_while_locks_are_held_neither_hang_nor_double_anything(
    tmp_path: Path,
) -> None:
    done = run_program(FORKING, str(tmp_path))

    assert done.returncode == 0, done.stderr
    logged, dropped = map(int, done.stdout.split())
    points = scalars(tmp_path)
    assert dropped == 0
    assert sorted(point.step for point in points if point.tag == "child") == list(range(500))
    assert [point.step for point in points if point.tag == "parent"] == list(range(logged))


CROWD = """
import os, sys, time
import orgboard._log.disk as disk
from orgboard import SummaryWriter
from orgboard._log.outside import Outside
from orgboard._methods import recorder
# As in containers: one second, one host's name, one process id, one counter.
os.getpid = lambda: 1
disk._letters = lambda: "aaaaaa"
recorder.Outside = lambda: Outside(wall=lambda: 1.7e9)
ready, go = os.pipe(), os.pipe()
for number in range(64):
    if os.fork() == 0:
        os.close(go[1])
        os.read(go[0], 1)
        with SummaryWriter(sys.argv[1]) as writer:
            for step in range(10):
                writer.add_scalar(f"process{number}", 1.0, step)
        os._exit(writer.dropped)
os.close(go[1])
print([os.wait()[1] for _ in range(64)] == [0] * 64)
"""


@pytest.mark.slow
def test_sixty_four_processes_that_seem_to_be_one_write_sixty_four_files(tmp_path: Path) -> None:
    done = run_program(CROWD, str(tmp_path))

    assert done.stdout == "True\n", done.stderr
    assert len(event_files(tmp_path)) == 64
    assert Counter(point.tag for point in scalars(tmp_path)) == Counter(
        {f"process{number}": 10 for number in range(64)}
    )


def test_each_of_thirty_two_threads_finds_its_values_in_its_order(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.01, max_queue=100)

    def log(number: int) -> None:
        for step in range(300):
            writer.add_scalar(f"{number}", 1.0, step)
            if step % 100 == number:
                writer.flush()

    threads = [threading.Thread(target=log, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()

    steps: dict[str, list[int]] = {f"{number}": [] for number in range(32)}
    for point in scalars(tmp_path):
        steps[point.tag].append(point.step)
    assert all(each == list(range(300)) for each in steps.values())


def test_closing_while_others_log_loses_nothing(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    stop = threading.Event()
    closed = threading.Event()
    logged = 0

    def log() -> None:
        nonlocal logged
        while not stop.is_set():
            writer.add_scalar("x", 1.0, logged)
            logged += 1
            if logged % 50 == 0:
                closed.wait(0.001)

    thread = threading.Thread(target=log)
    thread.start()
    for _ in range(50):
        writer.close()
    stop.set()
    thread.join()
    writer.close()

    assert [point.step for point in scalars(tmp_path)] == list(range(logged))
    assert has_ended(tmp_path)


@pytest.fixture
def no_threads(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let no thread be started, as at a limit of processes."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        yield


@pytest.mark.usefixtures("no_threads")
def test_where_no_thread_can_be_started_the_caller_writes(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, flush_secs=0.01)

    for step in range(1000):
        writer.add_scalar("x", 1.0, step)
    writer.flush()

    assert [point.step for point in scalars(tmp_path)] == list(range(1000))
    writer.close()
    assert has_ended(tmp_path)


def test_a_thread_is_started_later_where_it_could_not_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orgboard._log.queue.START_AGAIN_S", 0.0)
    start, starts = threading.Thread.start, []

    def second_time(thread: threading.Thread) -> None:
        starts.append(thread)
        if len(starts) == 1:
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", second_time)
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.add_scalar("x", 1.0, 2)

    assert len(starts) == 2
    assert [point.step for point in scalars(tmp_path)] == [1, 2]


class LoggingHandler(logging.Handler):
    """Logs each warning to the writer that it is about, and fails then."""

    def __init__(self, writer: SummaryWriter) -> None:
        super().__init__()
        self.writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        self.writer.add_text("warnings", record.getMessage(), 1)
        self.writer.add_scalar("warnings", "wrong as well", 1)
        self.writer.flush()
        raise RuntimeError("a handler that fails")


def test_a_logging_handler_may_log_and_fail(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path)
    handler = LoggingHandler(writer)
    logging.getLogger("orgboard").addHandler(handler)
    try:
        for step in range(3):
            writer.add_scalar("x", object(), step)
        writer.add_scalar("x", 1.0, 3)
        writer.close()
    finally:
        logging.getLogger("orgboard").removeHandler(handler)

    assert scalars(tmp_path) == [Logged("x", 3, 1.0)]
    assert writer.dropped >= 4


def test_destructors_may_log_and_writers_may_be_garbage(tmp_path: Path) -> None:
    class Logs:
        def __init__(self, writer: SummaryWriter) -> None:
            self.writer = writer
            self.cycle = self

        def __del__(self) -> None:
            self.writer.add_scalar("last words", 1, 1)
            self.writer.flush()

    threshold = gc.get_threshold()
    gc.set_threshold(5)
    try:
        for number in range(20):
            writer = SummaryWriter(tmp_path / str(number), max_queue=1)
            Logs(writer)
            for step in range(20):
                writer.log({"x": step, "y": [Logs(writer)]}, step)
            del writer
    finally:
        gc.set_threshold(*threshold)
    gc.collect()

    for number in range(20):
        points = scalars(tmp_path / str(number))
        assert [point.step for point in points if point.tag == "x"] == list(range(20))
        assert sum(point.tag == "last words" for point in points) == 21


def test_copies_write_files_of_their_own(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 0)
        for step, twin in enumerate(
            [pickle.loads(pickle.dumps(writer)), copy.copy(writer), copy.deepcopy(writer)], 1
        ):
            with twin:
                twin.add_scalar("x", 1.0, step)

    assert sorted(point.step for point in scalars(tmp_path)) == [0, 1, 2, 3]
    assert len(event_files(tmp_path)) == 4


def test_a_copy_where_nothing_can_be_written_harms_no_worker(tmp_path: Path) -> None:
    run = tmp_path / "run"
    with SummaryWriter(run) as writer:
        packed = pickle.dumps(writer)
    shutil.rmtree(run)
    run.write_text("in the way")

    twin = pickle.loads(packed)
    twin.add_scalar("x", 1.0, 1)
    twin.flush()
    run.unlink()
    twin.close()

    assert scalars(run) == [Logged("x", 1, 1.0)]
    with pytest.raises(OSError, match="run"):
        SummaryWriter(run / event_files(run)[0].name)


def test_a_script_that_changes_its_directory_finds_all_in_one_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    with SummaryWriter("run") as writer:
        writer.add_scalar("x", 1.0, 1)
        os.chdir("elsewhere")
        writer.add_scalars("x", {"a": 1.0}, 1)

    assert not list((tmp_path / "elsewhere").iterdir())
    assert scalars(tmp_path / "run" / "x_a") == [Logged("x", 1, 1.0)]


def test_a_thousand_sub_runs_leave_the_training_its_descriptors(tmp_path: Path) -> None:
    descriptors = Path("/proc/self/fd")
    # Other tests of this process have some, too.
    before = len(list(descriptors.iterdir()))
    with SummaryWriter(tmp_path) as writer:
        for step in range(3):
            writer.add_scalars("x", {str(key): float(step) for key in range(1000)}, step)
            writer.flush()
            assert len(list(descriptors.iterdir())) - before < 150

    assert writer.dropped == 0
    for key in (0, 500, 999):
        run = tmp_path / f"x_{key}"
        assert [point.step for point in scalars(run)] == [0, 1, 2]
        assert len(event_files(run)) == 1
        assert has_ended(run)


def test_long_tags_count_on_the_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account, "WAITING_BYTES", 1 << 20)
    writer = SummaryWriter(tmp_path, max_queue=1, flush_secs=3600)
    monkeypatch.setattr(writer._log, "_signal", lambda: None)  # the thread sleeps

    for step in range(300):
        writer.add_scalar(f"{step:010000}", 1.0, step)

    assert sum(len(item[2]) for item in writer._log.queue) <= 1 << 20
    assert writer.dropped > 0
    monkeypatch.undo()
    writer.close()


def run_program(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    # Forks of a program with threads are what is tested here; Python warns of them.
    options = ("-X", "dev", "-W", "error", "-W", "ignore::DeprecationWarning")
    return subprocess.run(
        [sys.executable, *options, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
