"""A run being recorded: its options, its log, its end. Every family of methods stands on this."""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, TypeVar

from orgboard._encoding.records import FILE_VERSION, START, Encode, as_given, session_body
from orgboard._kinds.own import CONTEXT_TAG
from orgboard._log import disk
from orgboard._log.files import MAIN, Item, RunFiles, finish_run
from orgboard._log.guard import Guard
from orgboard._log.outside import Outside
from orgboard._log.queue import THREAD_NAME, EventLog
from orgboard._values.arrays import to_step

if TYPE_CHECKING:
    from orgboard.file_writer import FileWriter

__all__ = ["ITEM_BYTES", "Recorder", "check_tag"]

Self = TypeVar("Self", bound="Recorder")

QUEUE_DEFAULT: Final = 4096
"""Items after which the background thread is woken early. Waking it costs about ten calls."""

ITEM_BYTES: Final = 512
"""What a queued value takes beside its data."""

_NO: Final = frozenset({"0", "false", "no", "off"})


class Nowhere:
    """A log that has never room for what does not come by `put`."""

    def __init__(self) -> None:
        self.queue: deque[Item] = deque()
        self.room = 0


class Recorder:
    """Opens a run's log, takes values for it, ends it; the options are `SummaryWriter`'s."""

    def __init__(
        self,
        log_dir: str | bytes | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = QUEUE_DEFAULT,
        flush_secs: float = 2,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        # tensorboardX's eighth and ninth; its first is torch's `log_dir`.
        logdir: str | bytes | os.PathLike[str] | None = None,
        comet_config: Any = None,
        *,
        strict: bool | None = None,
        context: bool | None = None,
        fsync_secs: float | None = None,
        **others: Any,
    ) -> None:
        del comet_config
        chosen = log_dir if log_dir is not None else logdir
        self._log_dir = disk.given_log_dir(chosen) if chosen else disk.default_log_dir(comment)
        if "://" in self._log_dir:
            raise ValueError(
                f"log_dir must be a local directory, got {self._log_dir!r}; log locally and copy"
            )
        strict = _from_environment("ORGBOARD_STRICT", default=False) if strict is None else strict
        self._options = (max_queue, flush_secs, filename_suffix, write_to_disk, strict, fsync_secs)
        self._guard = Guard(strict=strict)
        if others:
            self._guard.tell_once("arguments", f"ignored unknown arguments: {sorted(others)}")
        files = RunFiles(
            self._log_dir, filename_suffix, self._guard, Outside(), fsync_secs=fsync_secs
        )
        self._log = EventLog(
            files, self._guard, wake_at=int(max_queue), flush_secs=float(flush_secs)
        )
        self._quick = Nowhere() if strict else self._log
        """Where a call may append by itself. A strict writer has each argument checked first."""
        self._muted = not write_to_disk
        self._now = time.time
        self._default_step: Any = None
        self._counted_steps = count()
        """The steps of `log`, where none is given."""
        self._exported: dict[str, int] = {}
        """How far `export_scalars_to_json` has read each file."""
        self._owes_context = False
        self._finalizer = weakref.finalize(self, self._log.close)
        # At exit all logs are closed together (_log.process), not each with a patience of its own.
        self._finalizer.atexit = False
        if not self._muted:
            with suppress(OSError) if _reopening.active else nullcontext():
                files.open_main()
            self._mark_restart(purge_step)
        if context is None:
            context = _from_environment("ORGBOARD_CONTEXT", default=True)
        # From here on: the first value brings it, so that a writer without values leaves none.
        self._owes_context = context

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
        """Values that were given and will not be in a file: wrong, or too many while it failed.

        A dictionary given to `log` that is lost whole counts once.
        """
        return self._guard.dropped

    @property
    def file_writer(self) -> FileWriter:
        """What takes events and summaries as protobuf messages, for this run."""
        from orgboard.file_writer import FileWriter

        return FileWriter.of(self)

    @property
    def all_writers(self) -> dict[str, FileWriter]:
        """The file writer by its directory. Sub-runs are flushed and closed with it."""
        return {self._log_dir: self.file_writer}

    def _get_file_writer(self) -> FileWriter:
        """Give the file writer, by the name that scripts written for torch's class call."""
        return self.file_writer

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

    @contextmanager
    def use_metadata(
        self: Self, *, global_step: Any = None, walltime: float | None = None
    ) -> Iterator[Self]:
        """Give a step, a time or both to every value logged inside that names none itself.

            with writer.use_metadata(global_step=10):
                writer.add_scalar("loss", 3.0)

        It holds for all threads that use the writer meanwhile.
        """
        before = self._default_step, self._now
        with self._guard:
            if global_step is not None:
                self._default_step = to_step(global_step)
            if walltime is not None:
                when = float(walltime)
                self._now = lambda: when
        try:
            yield self
        finally:
            self._default_step, self._now = before

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
        return _reopen, (type(self), self._log_dir, (*self._options, self._owes_context))

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
        check_tag(tag)
        if self._guard.strict and encode is not None and encode is not finish_run:
            # Encoded here and now, so that an error reaches the caller.
            body = encode(tag, value)
            if body is None:
                return
            encode, value = as_given, body
        when = self._now() if wall_time is None else float(wall_time)
        account = size + ITEM_BYTES if size or encode is not None else 0
        step = to_step(self._default_step if step is None else step)
        self._log.put((where, encode, tag, value, step, when, account))
        if self._owes_context:
            self._owes_context = False
            item = (MAIN, _begin_context, CONTEXT_TAG, self._log, 0, time.time(), ITEM_BYTES)
            self._log.put(item)


def _begin_context(tag: str, log: EventLog) -> None:
    """Have it described where the run takes place, beside the training and beside the writing."""
    if threading.current_thread().name == THREAD_NAME:
        log.beside(partial(_context, tag))


def _context(tag: str) -> Item | None:
    try:
        from orgboard._context.record import context_body

        body = context_body(tag)
    except Exception:  # noqa: BLE001 (no value of the caller's: nothing to count)
        return None
    return MAIN, as_given, tag, body, 0, time.time(), len(body) + ITEM_BYTES


def check_tag(tag: Any) -> None:
    """Refuse what is no tag.

    Raises:
        TypeError: it is no string.
    """
    if not isinstance(tag, str):
        raise TypeError(f"a tag must be a string, got {type(tag).__name__}")


def _from_environment(name: str, *, default: bool) -> bool:
    """Read a switch; unset or empty is the default, 0, false, no and off are off."""
    value = os.environ.get(name, "").strip().lower()
    return value not in _NO if value else default


def _reopen(kind: type[Self], log_dir: str, options: tuple[Any, ...]) -> Self:
    max_queue, flush_secs, suffix, write_to_disk, strict, fsync_secs, context = options
    _reopening.active = True
    try:
        return kind(
            log_dir,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=suffix,
            write_to_disk=write_to_disk,
            strict=strict,
            fsync_secs=fsync_secs,
            context=context,
        )
    finally:
        _reopening.active = False


class _Reopening(threading.local):
    """Whether this thread makes a copy of a writer: that is no construction, and never raises."""

    active = False


_reopening: Final = _Reopening()
