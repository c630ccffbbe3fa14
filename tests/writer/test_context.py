"""The record of where a run took place: once a writer, beside the training, without secrets."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from textwrap import dedent
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard import SummaryWriter
from orgboard._context import code, record
from orgboard._context.code import ask_git, describe_code
from orgboard._context.command import describe_command, without_credentials
from orgboard._context.devices import describe_devices
from orgboard._context.machine import describe_job
from orgboard._context.packages import imported_packages
from orgboard._context.record import gather
from orgboard._kinds.own import own_record_body
from orgboard_schema.types import Tensor
from orgboard_schema.wire.reader import read_file
from support.logged_runs import event_files, events, has_ended, scalars
from support.waiting import wait_until

WAIT_S = 30.0


def contexts(directory: Path) -> list[dict[str, Any]]:
    """Read the contexts of a run, as the product's reader gives them."""
    found = []
    for path in event_files(directory):
        with path.open("rb") as file:
            points = [point for _, point in read_file(file, 0, {}).points]
        for point in points:
            if point.tag == "orgboard/context":
                assert point.metadata is not None
                assert (point.kind, point.metadata.plugin, point.step) == ("tensor", "orgboard", 0)
                assert isinstance(point.value, Tensor)
                assert isinstance(point.value.data, tuple)
                found.append(json.loads(point.value.data[0]))
    return found


def test_a_run_tells_where_it_took_place_once(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, context=True) as writer:
        for step in range(3):
            writer.add_scalar("x", 1.0, step)
            writer.flush()
        writer.close()
        writer.add_scalar("x", 1.0, 4)

    (context,) = contexts(tmp_path)
    assert context["pid"] == os.getpid()
    assert context["directory"] == str(Path.cwd())
    assert context["command"][0] == sys.orig_argv[0]
    assert context["python"]["version"] == ".".join(map(str, sys.version_info[:3]))
    assert context["packages"]["pytest"] == pytest.__version__
    assert context["devices"]["cpu"]["count"] == os.cpu_count()
    assert context["host"]
    assert context["system"]


def test_a_writer_without_values_tells_nothing(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, context=True, purge_step=3):
        pass

    assert contexts(tmp_path) == []


@pytest.mark.parametrize(
    ("variable", "argument", "told"),
    [("0", None, 0), ("off", None, 0), ("1", None, 1), ("1", False, 0), ("0", True, 1)],
)
def test_it_can_be_switched_off_by_argument_or_environment(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    argument: bool | None,
    told: int,
) -> None:
    monkeypatch.setenv("ORGBOARD_CONTEXT", variable)
    with SummaryWriter(tmp_path, context=argument) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert len(contexts(tmp_path)) == told


def test_it_is_told_without_anybody_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ORGBOARD_CONTEXT")
    with SummaryWriter(tmp_path) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert len(contexts(tmp_path)) == 1


def test_a_process_that_is_killed_has_told_after_the_flush_interval(tmp_path: Path) -> None:
    script = f"""
        import os, signal, time
        from orgboard import SummaryWriter
        writer = SummaryWriter({str(tmp_path)!r}, flush_secs=0.05, context=True)
        writer.add_scalar("x", 1.0, 1)
        print("logged", flush=True)
        time.sleep(60)
    """
    training = subprocess.Popen([sys.executable, "-c", dedent(script)], stdout=subprocess.PIPE)
    assert training.stdout is not None
    training.stdout.readline()

    wait_until(lambda: contexts(tmp_path), WAIT_S, "the context is in the file")
    training.kill()
    training.wait()
    training.stdout.close()


def test_a_forked_child_does_not_tell_again(tmp_path: Path) -> None:
    writer = SummaryWriter(tmp_path, context=True)
    writer.add_scalar("x", 1.0, 1)
    child = os.fork()
    if child == 0:
        writer.add_scalar("x", 1.0, 2)
        writer.close()
        os._exit(0)
    os.waitpid(child, 0)
    writer.close()

    assert len(event_files(tmp_path)) == 2
    assert len(contexts(tmp_path)) == 1


def test_it_is_never_gathered_on_the_training_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert contexts(tmp_path) == []
    assert (len(scalars(tmp_path)), writer.dropped) == (1, 0)


def test_no_value_waits_for_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = threading.Event()
    began = threading.Event()

    def slow(tag: str) -> bytes:
        began.set()
        known.wait(WAIT_S)
        return own_record_body(tag, "{}")

    monkeypatch.setattr("orgboard._context.record.context_body", slow)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)
        writer.flush()
        assert began.wait(WAIT_S)
        writer.add_scalar("x", 1.0, 2)
        writer.flush()
        assert [point.step for point in scalars(tmp_path)] == [1, 2]
        assert contexts(tmp_path) == []
        known.set()

    assert contexts(tmp_path) == [{}]
    assert has_ended(tmp_path)


def test_one_that_never_comes_keeps_no_log_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known, told = threading.Event(), threading.Event()

    def endless(tag: str) -> bytes:
        known.wait(WAIT_S)
        told.set()
        return own_record_body(tag, "{}")

    monkeypatch.setattr("orgboard._context.record.context_body", endless)
    monkeypatch.setattr("orgboard._log.queue.BESIDE_PATIENCE_S", 0.01)
    with SummaryWriter(tmp_path, context=True) as writer:
        writer.add_scalar("x", 1.0, 1)
    (beside,) = (each for each in threading.enumerate() if each.name == "orgboard-beside")
    known.set()
    beside.join(WAIT_S)

    assert told.is_set()
    assert len(event_files(tmp_path)) == 1
    assert has_ended(tmp_path)
    assert contexts(tmp_path) == []


def test_it_is_gathered_once_for_all_runs_that_begin_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def count() -> dict[str, int]:
        asked.append(1)
        return {"pid": len(asked)}

    monkeypatch.setattr(record, "gather", count)
    monkeypatch.setattr(record, "_recent", record.Recent())
    writers = [SummaryWriter(tmp_path / str(run), context=True) for run in range(20)]
    for writer in writers:
        writer.add_scalar("x", 1.0, 1)
    for writer in writers:
        writer.close()
    monkeypatch.setattr(record, "RECENT_S", -1.0)
    with SummaryWriter(tmp_path / "later", context=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert [contexts(tmp_path / str(run)) for run in range(20)] == [[{"pid": 1}]] * 20
    assert contexts(tmp_path / "later") == [{"pid": 2}]


def test_one_lost_in_a_fork_is_not_waited_for_by_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(record, "LOST_S", 0.01)
    monkeypatch.setattr(record, "gather", dict)
    recent = record.Recent()

    with recent._lock:
        assert recent.get() == "{}"


def test_a_context_that_fails_costs_no_value(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_tag: str) -> bytes:
        raise RuntimeError

    monkeypatch.setattr("orgboard._context.record.context_body", fail)
    with SummaryWriter(tmp_path, context=True, strict=True) as writer:
        writer.add_scalar("x", 1.0, 1)

    assert writer.dropped == 0
    assert contexts(tmp_path) == []
    assert len(events(tmp_path)) == 3


def test_a_part_that_fails_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise OSError

    monkeypatch.setattr("orgboard._context.record.os.getcwd", fail)

    assert "directory" not in gather()
    assert "command" in gather()


# --- the command line ------------------------------------------------------


@pytest.mark.parametrize(
    ("given_arguments", "shown"),
    [
        (["--lr", "0.1"], ["--lr", "0.1"]),
        (["--api-key", "abc"], ["--api-key", "***"]),
        (["--api_key=abc"], ["--api_key=***"]),
        (["--hf-token", "abc", "x"], ["--hf-token", "***", "x"]),
        (["wandb.api_key=abc"], ["wandb.api_key=***"]),
        (["DB_PASSWORD=a b"], ["DB_PASSWORD=***"]),
        (["--password", "--lr"], ["--password", "--lr"]),
        (["--db=postgresql://me:pw@host/db"], ["--db=postgresql://***@host/db"]),
        (["hf_abcdefghijklmnopqrst"], ["***"]),
        (['{"token": "abc", "lr": 1}'], ['{"token": ***, "lr": 1}']),
        (["--token-dim", "5"], ["--token-dim", "5"]),
        (["--tokenizer=bert"], ["--tokenizer=bert"]),
        (["--author", "me"], ["--author", "me"]),
    ],
)
def test_what_looks_like_a_secret_is_not_shown(
    given_arguments: list[str], shown: list[str]
) -> None:
    assert describe_command(given_arguments) == shown


@given(st.lists(st.text(max_size=3000), max_size=30))
def test_any_command_line_can_be_described(arguments: list[str]) -> None:
    shown = describe_command(arguments)

    assert len(shown) == len(arguments)
    assert all(len(argument) <= 1500 for argument in shown)


def test_a_very_long_argument_is_looked_at_in_no_time_to_speak_of() -> None:
    (shown,) = describe_command(["a-" * 1_000_000])

    assert len(shown) == 1000


def test_the_address_of_a_repository_has_no_credentials() -> None:
    assert without_credentials("https://me:token@host/x.git") == "https://host/x.git"
    assert without_credentials("git@host:team/x.git") == "git@host:team/x.git"


# --- the code --------------------------------------------------------------


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Make a repository with one commit of one file of three lines."""
    place = tmp_path / "code"
    place.mkdir()
    (place / "train.py").write_text("1\n2\n3\n")
    _git(place, "init", "--initial-branch", "trunk")
    _git(place, "remote", "add", "origin", "https://me:secret@host/x.git")
    _git(place, "add", ".")
    _git(place, "commit", "--message", "first")
    return place


def _git(place: Path, *arguments: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(place), *who, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_the_commit_of_the_scripts_repository_is_told(repository: Path) -> None:
    found = describe_code(str(repository / "train.py"), os.environ)

    assert found == {
        "commit": _git(repository, "rev-parse", "HEAD").strip(),
        "branch": "trunk",
        "remote": "https://host/x.git",
        "dirty": {"files": 0, "lines_added": 0, "lines_deleted": 0, "untracked": 0},
    }


def test_the_difference_to_the_commit_is_counted(repository: Path) -> None:
    (repository / "train.py").write_text("1\n3\n4\n5\n")
    (repository / "new.py").write_text("")

    found = describe_code(str(repository / "train.py"), os.environ)

    assert found is not None
    changed = len(_git(repository, "diff", "HEAD").encode())
    assert found["dirty"] == {
        "files": 1,
        "lines_added": 2,
        "lines_deleted": 1,
        "bytes": changed,
        "untracked": 1,
    }


def test_the_working_directory_stands_in_for_the_script(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)

    for main_file in (None, str(tmp_path / "elsewhere.py")):
        found = describe_code(main_file, os.environ)
        assert found is not None
        assert found["branch"] == "trunk"


def test_without_a_repository_or_without_git_there_is_no_code(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert describe_code(None, {**os.environ, "GIT_CEILING_DIRECTORIES": str(tmp_path)}) is None

    monkeypatch.chdir(repository)
    monkeypatch.setenv("PATH", "")
    assert describe_code(None, os.environ) is None


def test_a_git_that_does_not_end_is_ended_with_all_that_it_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, started = tmp_path / "git", tmp_path / "started"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! >{started}\nsleep 600\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(code, "BUDGET_S", 1.0)

    assert describe_code(None, os.environ) is None

    number = int(started.read_text())
    wait_until(lambda: not is_running(number), WAIT_S, "its child is gone")


def is_running(number: int) -> bool:
    try:
        # Of a process that ended and was not waited for, it is empty.
        return bool(Path(f"/proc/{number}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def test_after_the_deadline_git_is_not_asked(tmp_path: Path) -> None:
    assert ask_git(tmp_path, ("version",), os.environ, time.monotonic() + WAIT_S) is not None
    assert ask_git(tmp_path, ("version",), os.environ, time.monotonic() - 1) is None


def test_asking_writes_nothing_into_the_repository(repository: Path) -> None:
    def state() -> dict[Path, tuple[int, bytes]]:
        files = (path for path in repository.rglob("*") if path.is_file())
        return {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in files}

    # Newer than the index knows: git would like to note that the content is the same.
    os.utime(repository / "train.py", (2e9, 2e9))
    before = state()

    found = describe_code(str(repository / "train.py"), os.environ)

    assert found is not None
    assert found["dirty"]["files"] == 0
    assert state() == before


# --- packages, devices, job ------------------------------------------------


def test_packages_are_those_that_were_imported() -> None:
    made_up = ModuleType("made_up")
    made_up.__dict__["__version__"] = "1.2"
    lazy = ModuleType("lazy")
    lazy.__dict__["__getattr__"] = pytest.fail
    modules = {
        "made_up": made_up,
        "made_up.part": made_up,
        "_private": made_up,
        "lazy": lazy,
        "json": json,
        "hypothesis": sys.modules["hypothesis"],
        "odd": 3,
    }

    assert imported_packages(modules) == {
        "hypothesis": sys.modules["hypothesis"].__version__,
        "made_up": "1.2",
    }


class Cuda:
    """What torch offers of CUDA, opened or not."""

    def __init__(self, *, opened: bool) -> None:
        self.opened = opened

    def is_initialized(self) -> bool:
        return self.opened

    def device_count(self) -> int:
        assert self.opened, "asking would open CUDA"
        return 2

    def get_device_properties(self, index: int) -> Any:
        assert self.opened, "asking would open CUDA"
        return SimpleNamespace(name=f"GPU {index}", total_memory=1 << 30)


def test_gpus_are_those_that_torch_has_opened(tmp_path: Path) -> None:
    found = describe_devices({"torch": SimpleNamespace(cuda=Cuda(opened=True))}, driver=tmp_path)

    assert found["gpus"] == [{"name": f"GPU {n}", "memory_bytes": 1 << 30} for n in range(2)]


def test_nothing_is_opened_to_find_a_gpu(tmp_path: Path) -> None:
    (tmp_path / "0000:01:00.0").mkdir()
    (tmp_path / "0000:01:00.0" / "information").write_text("Model: \t NVIDIA H200\nIRQ: 5\n")
    bridge = SimpleNamespace(_backends={})
    modules = {"torch": SimpleNamespace(cuda=Cuda(opened=False)), "jax._src.xla_bridge": bridge}

    assert describe_devices(modules, driver=tmp_path)["gpus"] == [{"name": "NVIDIA H200"}]


def test_devices_that_jax_has_opened_are_told(tmp_path: Path) -> None:
    devices = [
        SimpleNamespace(platform="gpu", device_kind="A100"),
        SimpleNamespace(platform="cpu", device_kind="cpu"),
    ]
    backend = SimpleNamespace(local_devices=lambda: devices)
    bridge = SimpleNamespace(_backends={"cuda": backend})

    found = describe_devices({"jax._src.xla_bridge": bridge}, driver=tmp_path)

    assert found["gpus"] == [{"name": "A100"}]


def test_a_machine_that_says_nothing_is_described_all_the_same(tmp_path: Path) -> None:
    found = describe_devices({}, cpuinfo=tmp_path / "none", driver=tmp_path / "none")

    assert found["cpu"]["count"] == os.cpu_count()
    assert "gpus" not in found


def test_only_the_schedulers_variables_are_told() -> None:
    environ = {"RANK": "3", "SLURM_JOB_ID": "77", "WORLD_SIZE": "", "AWS_SECRET_ACCESS_KEY": "x"}

    assert describe_job(environ) == {"RANK": "3", "SLURM_JOB_ID": "77"}
