"""Disks that really fail: a full file system, one that may not be written, system calls that fail.

Each training is a process of its own, in a name space or under a tracer of its own.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from support.logged_runs import event_files, scalars

WAIT_S = 50.0
VALUES = 3000

TRAINING = """
import os, sys
from orgboard import SummaryWriter
writer = SummaryWriter(sys.argv[1], flush_secs=0.01)
for step in range(3000):
    writer.add_scalar("x", 1.0, step)
    if step == 2000:
        exec(sys.argv[2])
    if step % 100 == 0:
        writer.flush()
writer.close()
print("dropped", writer.dropped, flush=True)
"""


def train(
    directory: Path, *before: str | Path, then: str = "", program: str = TRAINING
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*before, sys.executable, "-c", program, directory, then],
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )


def assert_all_kept(directory: Path, done: subprocess.CompletedProcess[str]) -> None:
    assert done.stdout.strip() == "dropped 0", done.stderr
    assert [point.step for point in scalars(directory, torn_allowed=True)] == list(range(VALUES))


def tool(name: str, *probe: str) -> str:
    """Find a program of the system, and see that it may do its work here."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run([found, *probe, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"{name} may not work here: {done.stderr.strip()}")
    return found


@pytest.mark.slow
@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EINTR"])
def test_nothing_is_lost_when_the_kernel_refuses_some_writes(error: str, tmp_path: Path) -> None:
    # Counted thread by thread: these are writes of the background thread.
    injected = f"inject=write:error={error}:when=5..14"
    tracer = tool("strace", "-f", "-qq", "-o", os.devnull, "-e", injected)

    done = train(tmp_path, tracer, "-f", "-qq", "-o", os.devnull, "-e", injected)

    assert_all_kept(tmp_path, done)
    assert len(event_files(tmp_path)) > 1 or error == "EINTR"
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_nothing_is_lost_when_syncing_fails(tmp_path: Path) -> None:
    injected = "inject=fsync:error=EIO:when=2+2"
    tracer = tool("strace", "-f", "-qq", "-o", os.devnull, "-e", injected)
    program = TRAINING.replace("flush_secs=0.01", "flush_secs=0.01, fsync_secs=0")

    done = train(tmp_path, tracer, "-f", "-qq", "-o", os.devnull, "-e", injected, program=program)

    assert_all_kept(tmp_path, done)
    assert len(event_files(tmp_path)) > 1


# A file system of 64 KiB in a name space of its own, on which something else lies.
FULL = """
set -e
mount -t tmpfs -o size=64k,mode=777 none "$1"
head -c 40000 /dev/zero > "$1/other"
shift
"$@" || true
mkdir -p "$RESULT" && cp -r "$RUN"/. "$RESULT"
"""


@pytest.mark.slow
def test_a_file_system_that_was_full_gets_everything_once_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = tool("unshare", "-Urm")
    disk, result = tmp_path / "disk", tmp_path / "result"
    disk.mkdir()
    monkeypatch.setenv("RUN", str(disk / "run"))
    monkeypatch.setenv("RESULT", str(result))
    # 3000 values take some 130 kB: what was there first is moved away, and the disk grows.
    then = f"""
writer.flush()
os.system("mount -o remount,size=4m {disk}")
"""
    done = train(disk / "run", unshare, "-Urm", "sh", "-c", FULL, "sh", disk, then=then)

    assert_all_kept(result, done)
    assert "No space left" in done.stderr
    assert len(event_files(result)) > 1


@pytest.mark.slow
def test_a_disk_that_stays_full_costs_only_what_did_not_fit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unshare = tool("unshare", "-Urm")
    disk, result = tmp_path / "disk", tmp_path / "result"
    disk.mkdir()
    monkeypatch.setenv("RUN", str(disk / "run"))
    monkeypatch.setenv("RESULT", str(result))

    done = train(disk / "run", unshare, "-Urm", "sh", "-c", FULL, "sh", disk)

    dropped = int(done.stdout.split()[1])
    kept = [point.step for point in scalars(result, torn_allowed=True)]
    assert kept == list(range(VALUES - dropped))
    assert 0 < dropped < VALUES
    assert len(event_files(result)) < 4, "a full disk was filled with names"


AS_NOBODY = ("--reuid=65534", "--regid=65534", "--clear-groups")


@pytest.fixture
def open_directory() -> Iterator[Path]:
    """Give a directory that everybody may use; those of pytest are its user's alone."""
    with TemporaryDirectory() as directory:
        Path(directory).chmod(0o777)
        yield Path(directory)


@pytest.mark.slow
def test_a_directory_that_may_not_be_written_for_a_while_costs_nothing(
    open_directory: Path,
) -> None:
    # The superuser may write anywhere; somebody else is asked to train.
    before = [tool("setpriv", *AS_NOBODY), *AS_NOBODY] if os.geteuid() == 0 else []
    run = open_directory / "run"
    refuse = "(os.closerange(3, 64), os.chmod(sys.argv[1], 0o500))"
    program = TRAINING.replace("if step == 2000", f"if step == 1000: {refuse}\n    if step == 2000")

    done = train(run, *before, then="os.chmod(sys.argv[1], 0o700)", program=program)

    assert_all_kept(run, done)
    assert "Permission denied" in done.stderr
    assert len(event_files(run)) == 2
