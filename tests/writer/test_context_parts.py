"""What a run's context is made of: the command line, the code, packages, devices, the job."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard._context import code
from orgboard._context.code import ask_git, describe_code
from orgboard._context.command import describe_command, without_credentials
from orgboard._context.devices import describe_devices
from orgboard._context.machine import describe_job
from orgboard._context.packages import imported_packages
from support.waiting import wait_until

WAIT_S = 30.0


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
