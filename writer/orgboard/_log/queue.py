"""The queue between the training thread and the disk.

    training thread ──append──▶ queue ──▶ background thread ──▶ event files
       (never waits)           bounded     every flush_secs

Bounds: scalars by number, everything else by bytes, so that pictures never push out curves.
When a bound is reached, what comes is dropped and counted. Between the two threads there is no
lock that both need for long; what is used (deque, SimpleQueue, RLock) is safe in signal handlers
and destructors too.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import Final

from orgboard._log import process
from orgboard._log.files import Item, RunFiles
from orgboard._log.guard import Guard, describe, warn

__all__ = ["THREAD_NAME", "EventLog"]

THREAD_NAME: Final = "orgboard-writer"

SCALARS_QUEUED: Final = 262_144
"""64 MiB, at some 250 bytes an item in memory."""

OTHERS_QUEUED_BYTES: Final = 64 << 20
"""Arrays and texts waiting to be encoded; a single larger one is taken when none waits."""

CROWDED: Final = 32_768
"""From here on a caller gives the background thread a chance at the interpreter."""

GIVE_WAY_S: Final = 0.0005

HANGS_S: Final = 0.02
"""A write that takes longer waits for the disk, and nobody gives way to it any more."""

BATCH: Final = 256
"""Items encoded between two writes; less than half a millisecond of the interpreter's time."""

PATIENCE_S: Final = 10.0
"""How long flush() and close() wait for a disk that hangs."""

LONGEST_PAUSE_S: Final = 3600.0

_ACCOUNT: Final = itemgetter(-1)
"""An item's bytes on the account of `OTHERS_QUEUED_BYTES`."""


class Ticket:
    """Asks the background thread for a flush, or an end, and says when it is done."""

    __slots__ = ("closes", "done")

    def __init__(self, *, closes: bool) -> None:
        self.closes = closes
        self.done = threading.Event()


class EventLog:
    """Takes items from any thread, in order for each; writes them on one thread of its own."""

    def __init__(self, files: RunFiles, guard: Guard, *, wake_at: int, flush_secs: float) -> None:
        self.queue: deque[Item] = deque()
        self.room = 0
        """While fewer items wait, a caller may append to `queue` without `put`. 0: not running."""
        self._files = files
        self._guard = guard
        self._wake_at = min(max(wake_at, 1), CROWDED)
        self._pause_s = min(max(flush_secs, 0.01), LONGEST_PAUSE_S)
        self._others_bytes = 0
        self._late = False
        self._renew()
        process.watch(self)

    def _renew(self) -> None:
        """Make what a forked child must not share with its parent."""
        self._lock = threading.RLock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._tickets: deque[Ticket] = deque()
        self._thread: threading.Thread | None = None
        self._writing_since: float | None = None

    # --- the callers' side -------------------------------------------------

    def put(self, item: Item) -> None:
        """Append an item, starting the thread if need be. Drops it when the queue is full."""
        size = item[-1]
        waiting = len(self.queue)
        if not self._has_room(waiting, size):
            self._guard.drop("queue", "logging is faster than the disk, the queue is full")
            self._signal()
            return
        if size:
            with self._lock:
                self._others_bytes += size
        self.queue.append(item)
        if not self.room and not self._revive():
            self._drain_here()
        elif waiting >= self._wake_at or self._others_bytes > OTHERS_QUEUED_BYTES // 4:
            self._signal()
            if waiting >= CROWDED and not self._disk_hangs():
                # The two threads share one interpreter: a loop that does nothing but log would
                # fill the queue before the other gets its turn. This waits for no disk.
                time.sleep(GIVE_WAY_S)

    def flush(self) -> None:
        """Wait until all that was put is in the file, at most some seconds."""
        self._ask(Ticket(closes=False))

    def close(self) -> None:
        """Write all, record the end, close the files, end the thread. A later `put` reopens."""
        self.room = 0
        self._ask(Ticket(closes=True))

    def forget_parent(self) -> None:
        """Begin anew in a forked child: what is queued is the parent's to write."""
        self.room = 0
        self.queue.clear()
        self._others_bytes = 0
        self._renew()
        self._guard.forget_parent()
        self._files.forget_parent()

    def _has_room(self, waiting: int, size: int) -> bool:
        if size and self._others_bytes:
            return self._others_bytes + size <= OTHERS_QUEUED_BYTES
        return waiting < SCALARS_QUEUED

    def _disk_hangs(self) -> bool:
        """Tell a write that takes long from one that only waits for the interpreter."""
        since = self._writing_since
        return since is not None and time.monotonic() - since > HANGS_S

    def _signal(self) -> None:
        if not self._woken:
            self._woken = True
            self._wake.put(None)

    def _ask(self, ticket: Ticket) -> None:
        with self._lock:
            if self._thread is None:
                if self.queue or ticket.closes:
                    self._drain_here(closes=ticket.closes)
                return
            thread = self._thread
            self._tickets.append(ticket)
        self._signal()
        # On its own thread (a destructor may run there) it cannot wait for itself; and who was
        # late once is not waited for again until it shows a sign of life.
        if threading.current_thread() is thread or self._late:
            return
        if not ticket.done.wait(PATIENCE_S):
            self._late = True
            warn(
                f"the disk has not answered for {PATIENCE_S:.0f} s; logging goes on without waiting"
            )

    def _revive(self) -> bool:
        """Start the thread; False when none can be started, as while the interpreter ends."""
        thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        exiting = process.is_exiting()
        with self._lock:
            if self._thread is None and not exiting:
                # Before it starts: a signal's handler may log meanwhile, and this lock lets
                # it in. It must not start a second one.
                self._thread = thread
                try:
                    thread.start()
                except RuntimeError:
                    self._thread = None
                    self.room = 0
                    return False
                process.close_with_worker(self)
            if self._thread is not None:
                self.room = self._wake_at
            return self._thread is not None

    def _drain_here(self, *, closes: bool = False) -> None:
        with self._lock:
            self._drain(urgent=True)
            if closes:
                self._files.finish()

    # --- the background thread's side --------------------------------------

    def _work(self) -> None:
        while True:
            with contextlib.suppress(Empty):
                self._wake.get(timeout=self._pause_s)
            # Cleared before the queue is looked at: who appends later signals anew.
            self._woken = False
            tickets = [self._tickets.popleft() for _ in range(len(self._tickets))]
            closes = any(ticket.closes for ticket in tickets)
            try:
                self._drain(urgent=bool(tickets))
                if closes:
                    self._files.finish()
            except Exception as error:  # noqa: BLE001 (the thread must outlive what nobody foresaw)
                self._guard.drop("thread", f"writing failed: {describe(error)}")
            self._late = False
            for ticket in tickets:
                ticket.done.set()
            if closes and self._retire():
                return

    def _drain(self, *, urgent: bool) -> None:
        """Encode and write what is queued now; what is put meanwhile waits for the next turn."""
        left = len(self.queue)
        while left > 0:
            take = self.queue.popleft
            batch = [take() for _ in range(min(left, BATCH))]
            left -= len(batch)
            self._files.encode(batch)
            freed = sum(map(_ACCOUNT, batch))
            if freed:
                with self._lock:
                    self._others_bytes -= freed
            self._write(urgent=urgent)
            if left < CROWDED and left:
                # Lets a training thread that waits for the interpreter have it.
                time.sleep(0.000001)
        self._write(urgent=urgent)

    def _write(self, *, urgent: bool) -> None:
        self._writing_since = time.monotonic()
        try:
            self._files.write(urgent=urgent)
        finally:
            self._writing_since = None

    def _retire(self) -> bool:
        """End the thread, unless something was put or asked since the end was asked for."""
        with self._lock:
            if self.queue or self._tickets or self.room:
                self.room = self._wake_at
                return False
            self._thread = None
            return True
