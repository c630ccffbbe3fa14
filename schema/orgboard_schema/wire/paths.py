"""Names of event files."""

from __future__ import annotations

__all__ = ["is_event_file", "new_event_file_name"]


def is_event_file(name: str) -> bool:
    """Tell whether a file of this name, or path, holds events: TensorBoard's own rule."""
    # Not by pathlib: a scan asks a hundred thousand times.
    base = name.rpartition("/")[2]
    return "tfevents" in base and not base.endswith(".profile-empty")


def new_event_file_name(
    unix_seconds: float, host: str, pid: int, counter: int, suffix: str = ""
) -> str:
    """Name an event file so that the files of a run sort by the time they were begun.

    `counter` tells files of one process and second apart.
    """
    # A host name goes into a file name: whatever could leave the directory is replaced.
    safe = "".join("-" if sign in "/\\\0" else sign for sign in host) or "localhost"
    return f"events.out.tfevents.{int(unix_seconds):010d}.{safe}.{pid}.{counter}{suffix}"
