"""Where tests keep their files: in memory where there is room for all of them.

A database of each test's own is hundreds of files on PostgreSQL, and on SQLite a wait for the
disk at each commit. Nothing that is tested survives a power cut anyway: programs are killed,
and what they wrote is the kernel's to keep, on either file system.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Final

__all__ = ["work_in_memory"]

MEMORY: Final = Path("/dev/shm")
ROOM: Final = 4 << 30
"""Bytes that must be free: a container's few MiB are not enough."""


def work_in_memory() -> None:
    """Let temporary files of this process and its children be there, unless TMPDIR is set."""
    if "TMPDIR" in os.environ or not os.access(MEMORY, os.W_OK | os.X_OK):
        return
    if shutil.disk_usage(MEMORY).free >= ROOM:
        os.environ["TMPDIR"] = str(MEMORY)
        # It may have been asked for already.
        tempfile.tempdir = None
