"""What an ingest process is told, once, at its start."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from orgboard_ingest.events import LogStyle

__all__ = ["IngestConfig"]


@dataclass(frozen=True, slots=True)
class IngestConfig:
    """Where to read, where to store, how eagerly."""

    logdirs: tuple[Path | str, ...]
    """Folders, resolved and absolute; URLs of remote logs, normalised, as text."""
    db_url: str
    project: str | None = None
    """TEAM/PROJECT for all logdirs; None gives each a project of its own."""
    once: bool = False
    """Read all there is and stop, instead of following the files."""
    jobs: int = 1
    """Processes that share the runs."""
    shard: int = 0
    """Which of the `jobs` this process is, from 0."""
    owner: str = ""
    """What the leases of this process and its `jobs` are named by; "" chooses a name."""
    lease_s: float = 15.0
    """How soon the runs of a process that vanished are taken over."""
    log: LogStyle = "text"
    """How a line of the log looks."""
    metrics: tuple[str, int] | None = None
    """Host and port to answer scrapes of metrics on; None: nowhere."""
    flush_every_s: float = 0.1
    """At least this long between two commits of one file: fewer, larger rows when it grows fast."""
    poll_every_s: float = 1.0
    """How often live files are looked at, hinted or not."""
    live_within_s: float = 120.0
    """A file that grew this recently counts as live."""
    rescan_every_s: float = 10.0
    """At least this long between two looks at the whole tree; hints get lost on full queues."""
    rescan_polling_s: float = 2.0
    """The same where no hints come at all."""
    rescan_idle_s: float = 30.0
    """Remote logs in which nothing was written for long are listed as seldom as this."""
    rescan_share: float = 0.05
    """Part of the time that looking at the tree may take: big trees are looked at less often."""
    batch_bytes: int = 16 * 1024 * 1024
    """Bytes of a file read, decoded and stored at once: what bounds memory."""
