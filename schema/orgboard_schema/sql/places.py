"""Where a SQLite file may lie: not on a network file system, and readable by its owner alone."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Final

__all__ = ["make_private", "network_filesystem"]

_MOUNTS: Final = Path("/proc/self/mountinfo")
_NETWORK: Final = frozenset(
    {"9p", "afs", "beegfs", "ceph", "cifs", "coda", "davfs", "gfs2", "glusterfs", "gpfs"}
    | {"lustre", "nfs", "nfs4", "ocfs2", "orangefs", "panfs", "pvfs2", "smb3", "smbfs", "wekafs"}
)


def network_filesystem(path: Path, mounts: str | None = None) -> str | None:
    """Name the network file system that `path` lies on, None for a local one.

    SQLite's write-ahead log is shared memory between processes of one host; on these it
    fails or corrupts. `mounts` is the text of mountinfo; systems without it are trusted.
    """
    if mounts is None:
        mounts = _MOUNTS.read_text("utf-8", "surrogateescape") if _MOUNTS.exists() else ""
    resolved = path.resolve()
    found: tuple[int, str] = (-1, "")
    for line in mounts.splitlines():
        before, _, after = line.partition(" - ")
        fields = before.split(" ")
        if len(fields) < 5 or not after:
            continue
        point = Path(re.sub(r"\\([0-7]{3})", lambda m: chr(int(m.group(1), 8)), fields[4]))
        # Of equally deep mounts the later one covers the earlier.
        if resolved.is_relative_to(point) and len(point.parts) >= found[0]:
            found = (len(point.parts), after.split(" ")[0])
    kind = found[1]
    # fuseblk is a local disk (NTFS); the rest of FUSE has no shared memory to rely on.
    return kind if kind in _NETWORK or kind.startswith("fuse.") or kind == "fuse" else None


def make_private(path: Path) -> None:
    """Create the file, readable by its owner alone, and the folders above it that are missing.

    SQLite gives its -wal and -shm files the mode of the file they belong to.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    for folder in reversed(missing):
        folder.mkdir(mode=0o700, exist_ok=True)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    except FileExistsError:
        return
