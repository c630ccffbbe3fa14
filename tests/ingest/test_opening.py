"""Opening what the scan approved: a path that changed in between leads nowhere else."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from orgboard_ingest.opening import open_event_file

NAME = "events.out.tfevents.1"
STRANGER, ATTACKER = 1001, 1002


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def _logdir(tmp_path: Path) -> tuple[Path, Path]:
    logs, secret = tmp_path / "logs", tmp_path / "secret"
    for folder in (logs / "run", secret):
        folder.mkdir(parents=True)
        (folder / NAME).write_bytes(folder.name.encode())
    return logs, secret


def test_a_file_and_one_behind_links_of_ours_are_opened(tmp_path: Path) -> None:
    logs, _ = _logdir(tmp_path)
    (logs / "linked").symlink_to("run")
    (logs / "linked" / "again.tfevents").symlink_to(NAME)

    for name in (NAME, "again.tfevents"):
        with open_event_file(logs / "linked" / name, logs) as file:
            assert file.read() == b"run"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of two other users")
@pytest.mark.parametrize("swapped", ["folder", "file"])
def test_a_link_swapped_in_after_the_scan_does_not_lead_outside(
    tmp_path: Path, swapped: str
) -> None:
    logs, secret = _logdir(tmp_path)
    place = logs / "run" if swapped == "folder" else logs / "run" / NAME
    target = secret if swapped == "folder" else secret / NAME
    place.rename(tmp_path / "was")
    place.symlink_to(target)
    os.chown(place, ATTACKER, ATTACKER, follow_symlinks=False)
    os.chown(target, STRANGER, STRANGER)
    before = _open_files()

    with pytest.raises(PermissionError, match="belongs to someone else"):
        open_event_file(logs / "run" / NAME, logs)

    assert _open_files() == before


@pytest.mark.parametrize("kind", ["pipe", "socket", "folder", "device"])
def test_what_is_no_regular_file_is_refused_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / NAME
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to("/dev/zero")
    before = _open_files()

    with pytest.raises(OSError, match="not a regular file"):
        open_event_file(path, tmp_path)

    assert _open_files() == before


OPENS_AS_NOBODY = """
import os, sys
from pathlib import Path
from orgboard_ingest.opening import open_event_file
path = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
try:
    open_event_file(path).close()
except PermissionError:
    print("denied")
else:
    print("opened")
"""


def test_a_file_without_permission_is_denied_and_opened_once_it_has_it(tmp_path: Path) -> None:
    path = Path("/tmp") / f"orgboard-{os.getpid()}" / NAME
    path.parent.mkdir(mode=0o755)
    path.write_bytes(b"")
    told = []
    try:
        for mode in (0, 0o644):
            path.chmod(mode)
            command = [sys.executable, "-c", OPENS_AS_NOBODY, str(path)]
            told.append(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    finally:
        path.unlink()
        path.parent.rmdir()

    assert told == ["denied\n", "opened\n"]
