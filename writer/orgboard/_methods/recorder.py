"""A run being recorded: its options, its log, its end. Every family of methods stands on this."""

from __future__ import annotations

import os
import time
import weakref
from types import TracebackType
from typing import Any, Final, TypeVar

from orgboard._encoding.records import FILE_VERSION, START, Encode, as_given, session_body
from orgboard._log import disk
from orgboard._log.files import MAIN, RunFiles, finish_run
from orgboard._log.guard import Guard
from orgboard._log.queue import EventLog
from orgboard._log.run_file import Outside
from orgboard._values.arrays import to_step

__all__ = ["Recorder"]

Self = TypeVar("Self", bound="Recorder")

_now = time.time

QUEUE_DEFAULT: Final = 4096
"""Items after which the background thread is woken early. Waking it costs about ten calls."""

ITEM_BYTES: Final = 512
"""What a queued value takes beside its data."""


class Recorder:
    """Opens a run's log, takes values for it, ends it; the options are `SummaryWriter`'s."""

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = QUEUE_DEFAULT,
        flush_secs: float = 2,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        *,
        logdir: str | os.PathLike[str] | None = None,
        strict: bool = False,
        **others: Any,
    ) -> None:
        chosen = log_dir if log_dir is not None else logdir
        self._log_dir = disk.default_log_dir(comment) if not chosen else os.fspath(chosen)
        if "://" in self._log_dir:
            raise ValueError(
                f"log_dir must be a local directory, got {self._log_dir!r}; log locally and copy"
            )
        self._options = (max_queue, flush_secs, filename_suffix, write_to_disk, strict)
        self._guard = Guard(strict=strict)
        if others.keys() - {"comet_config"}:
            self._guard.tell_once("arguments", f"ignored unknown arguments: {sorted(others)}")
        outside = Outside(time.time, time.monotonic, os.write)
        files = RunFiles(self._log_dir, filename_suffix, self._guard, outside)
        self._log = EventLog(
            files, self._guard, wake_at=int(max_queue), flush_secs=float(flush_secs)
        )
        self._muted = not write_to_disk
        self._finalizer = weakref.finalize(self, self._log.close)
        if not self._muted:
            files.open_main()
            self._mark_restart(purge_step)

    @property
    def log_dir(self) -> str:
        """Directory of the event files, as it was given."""
        return self._log_dir

    @property
    def logdir(self) -> str:
        """Directory of the event files, by tensorboardX's name."""
        return self._log_dir

    @property
    def dropped(self) -> int:
        """Values that were given and will not be in a file: wrong, or too many while it failed."""
        return self._guard.dropped

    def get_logdir(self) -> str:
        """Give the directory of the event files."""
        return self._log_dir

    def flush(self) -> None:
        """Return when everything logged so far is in the file, for other programs to read.

        Waits at most ten seconds, and not at all for a disk known to refuse.
        """
        self._log.flush()

    def close(self) -> None:
        """Write everything, record that the run ended, close the file. Twice is no error."""
        self._log.close()

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, in another process or this one, is a writer with a file of its own.
        return _reopen, (type(self), self._log_dir, self._options)

    def _mark_restart(self, purge_step: int | None) -> None:
        if purge_step is None:
            return
        for body in (FILE_VERSION, session_body(START)):
            self._put(as_given, "", body, purge_step, None, size=len(body))

    def _put(
        self,
        encode: Encode | None,
        tag: str,
        value: Any,
        step: Any,
        wall_time: float | None,
        *,
        size: int = 0,
        where: str = MAIN,
    ) -> None:
        if self._muted:
            return
        if not isinstance(tag, str):
            raise TypeError(f"a tag must be a string, got {type(tag).__name__}")
        if self._guard.strict and encode is not None and encode is not finish_run:
            # Encoded here and now, so that an error reaches the caller.
            body = encode(tag, value)
            if body is None:
                return
            encode, value = as_given, body
        when = _now() if wall_time is None else float(wall_time)
        account = size + ITEM_BYTES if size or encode is not None else 0
        self._log.put((where, encode, tag, value, to_step(step), when, account))


def _reopen(kind: type[Self], log_dir: str, options: tuple[int, float, str, bool, bool]) -> Self:
    max_queue, flush_secs, suffix, write_to_disk, strict = options
    return kind(
        log_dir,
        max_queue=max_queue,
        flush_secs=flush_secs,
        filename_suffix=suffix,
        write_to_disk=write_to_disk,
        strict=strict,
    )
