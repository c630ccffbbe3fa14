"""Names of event files."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["host_in_name", "is_event_file", "new_event_file_name"]

_HOST: Final = re.compile(
    r"tfevents\.\d+\.(?P<host>(?:\d{1,3}\.){3}\d{1,3}(?=\.|$)|.+?)(?:\.\d+(?:\..*)?|\.v2)?$"
)
"""After the time: the host, then numbers that tell writers apart, then whatever else."""


def is_event_file(name: str) -> bool:
    """Tell whether a file of this name, or path, holds events: TensorBoard's own rule."""
    # Not by pathlib: a scan asks a hundred thousand times.
    base = name.rpartition("/")[2]
    return "tfevents" in base and not base.endswith(".profile-empty")


def host_in_name(name: str) -> str | None:
    """Return the host that every writer puts into the name of an event file; None: there is none.

    `events.out.tfevents.1700000000.gpu-7.example.org.4242.0.v2` came from `gpu-7.example.org`.
    """
    found = _HOST.search(name.rpartition("/")[2])
    return found["host"] if found else None


def new_event_file_name(
    unix_seconds: float, host: str, pid: int, counter: int, suffix: str = ""
) -> str:
    """Name an event file so that the files of a run sort by the time they were begun.

    `counter` tells files of one process and second apart.
    """
    # A host name goes into a file name: whatever could leave the directory is replaced.
    safe = "".join("-" if sign in "/\\\0" else sign for sign in host) or "localhost"
    return f"events.out.tfevents.{int(unix_seconds):010d}.{safe}.{pid}.{counter}{suffix}"
