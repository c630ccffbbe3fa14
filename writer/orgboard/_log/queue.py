"""The queue between the training thread and the disk.

    training thread ──append──▶ queue ──▶ background thread ──▶ event files
       (never waits)           bounded     every flush_secs

What waits is bounded in bytes (`account`); beyond it, large values are dropped first and scalars
last. Between the two threads there is no lock that both need for long; what is used (deque,
SimpleQueue, BriefLock) is safe in signal handlers and destructors too. Whoever encodes and writes
has the turn: mostly the background thread, and a caller where no thread can be.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections import deque
from collections.abc import Callable
from operator import itemgetter
from queue import Empty, SimpleQueue
from typing import Any, Final

from orgboard._log import process
from orgboard._log.account import SMALL_BYTES, WAITING_BYTES, Cell
from orgboard._log.brief_lock import BriefLock
from orgboard._log.files import Item, RunFiles, finish_run
from orgboard._log.guard import INTERNAL, QUEUE_FULL, Guard, describe
from orgboard._log.process import PATIENCE_S

__all__ = ["THREAD_NAME", "EventLog"]

THREAD_NAME: Final = "orgboard-writer"

BESIDE_NAME: Final = "orgboard-beside"

BESIDE_PATIENCE_S: Final = 5.0
"""How long closing waits for what is done beside; git alone may take two seconds."""

CROWDED: Final = 32_768
"""From here on a caller gives the background thread a chance at the interpreter."""

GIVE_WAY_S: Final = 0.0005

HANGS_S: Final = 0.02
"""A write that takes longer waits for the disk, and nobody gives way to it any more."""

BATCH: Final = 256
"""Items encoded between two writes; less than half a millisecond of the interpreter's time."""

REFUSED_PATIENCE_S: Final = 1.0
"""How long flush() waits for a disk that is known to refuse."""

START_AGAIN_S: Final = 1.0
"""How often it is tried to start a thread where that failed."""

LONGEST_PAUSE_S: Final = 3600.0

WAKING_BYTES: Final = WAITING_BYTES // 4
"""Arrays and texts that wake the background thread early."""

_ACCOUNT: Final = itemgetter(-1)
"""An item's bytes on the account."""


class Ticket:
    """Asks for a flush, or an end, and says when it is done."""

    __slots__ = ("_done", "_log", "closes")

    def __init__(self, log: EventLog, *, closes: bool) -> None:
        self.closes = closes
        self._log = log
        self._done = threading.Event()

    def finish(self) -> None:
        """Let go who waits."""
        self._done.set()

    def wait(self, seconds: float) -> None:
        """Return when it is done, at the latest after so many seconds."""
        if not self._done.wait(seconds):
            self._log.was_late(seconds)


class EventLog:
    """Takes items from any thread, in order for each; writes them on one thread of its own."""

    def __init__(self, files: RunFiles, guard: Guard, *, wake_at: int, flush_secs: float) -> None:
        self.queue: deque[Item] = deque()
        self.room = 0
        """While fewer items wait, a caller may append to `queue` without `put`. 0: not running."""
        self._files = files
        self._guard = guard
        self._wake_at = min(max(wake_at, 1), CROWDED)
        # Not min and max alone: they let a NaN through.
        self._pause_s = min(flush_secs, LONGEST_PAUSE_S) if flush_secs > 0.01 else 0.01
        self._late = False
        self._renew()
        process.watch(self)

    def _renew(self) -> None:
        """Make what a forked child must not share with its parent."""
        self._lock = BriefLock()
        self._turn = threading.Lock()
        self._wake: SimpleQueue[None] = SimpleQueue()
        self._woken = False
        self._tickets: deque[Ticket] = deque()
        self._thread: threading.Thread | None = None
        self._beside: threading.Thread | None = None
        self._start_again_at = 0.0
        self._drained_at = 0.0
        self._writing_since: float | None = None

    # --- the callers' side -------------------------------------------------

    def put(self, item: Item) -> None:
        """Append an item, starting the thread if need be. Drops it when there is no room."""
        waiting = len(self.queue)
        if not self._append(item, waiting):
            self._guard.drop(
                "queue", "logging is faster than the disk, the queue is full", kind=QUEUE_FULL
            )
            self._signal()
            return
        if not self.room and not self._revive():
            self._write_without_thread(waiting)
        elif waiting >= self._wake_at or self._files.account.sized > WAKING_BYTES:
            self._signal()
            if waiting >= CROWDED and not self._disk_hangs():
                # The two threads share one interpreter: a loop that does nothing but log would
                # fill the queue before the other gets its turn. This waits for no disk.
                time.sleep(GIVE_WAY_S)

    def flush(self) -> None:
        """Wait until all that was put is in the file, at most some seconds."""
        ticket = self._ask(closes=False)
        if ticket is not None:
            ticket.wait(REFUSED_PATIENCE_S if self._files.is_refused else PATIENCE_S)

    def close(self) -> None:
        """Write all, record the end, close the files, end the thread. A later `put` reopens."""
        ticket = self.ask_to_close()
        if ticket is not None:
            ticket.wait(PATIENCE_S)

    def ask_to_close(self) -> Ticket | None:
        """Begin to do what `close` does. None: there is nothing to wait for."""
        self.room = 0
        return self._ask(closes=True)

    def beside(self, work: Callable[[], Item | None]) -> None:
        """Queue what comes of work that takes long, without any value waiting for it.

        For the background thread, which waits for the end of it before it closes.
        """

        def run() -> None:
            item = work()
            # Not `put`, which would open a log anew that was closed without waiting any longer.
            if item is not None and self._beside is not None:
                self._append(item, len(self.queue))

        self._beside = threading.Thread(target=run, name=BESIDE_NAME, daemon=True)
        try:
            self._beside.start()
        except (RuntimeError, MemoryError):
            run()  # As while the interpreter ends: nobody else waits then.
            self._beside = None

    def was_late(self, seconds: float) -> None:
        """Note that a ticket was not served in time: nobody waits again before a sign of life."""
        if not self._files.is_refused:
            self._late = True
            self._guard.tell(
                "late",
                f"the disk has not answered for {seconds:.0f} s; {len(self.queue)} values wait, "
                "logging goes on without waiting",
            )

    def forget_parent(self) -> None:
        """Begin anew in a forked child: what is queued is the parent's to write."""
        self.room = 0
        self._late = False
        self.queue.clear()
        self._renew()
        self._guard.forget_parent()
        self._files.forget_parent()

    def _append(self, item: Item, waiting: int) -> bool:
        """Queue an item, if need be instead of larger ones. False: there is no room for it."""
        where, encode, tag, value, step, when, size = item
        account = self._files.account
        if encode is None and len(tag) > SMALL_BYTES // 2:
            size += len(tag)
        if not account.has_room(waiting, size):
            if size > SMALL_BYTES:
                return False
            while not account.has_room(waiting, size):
                with self._lock:
                    if not account.evict():
                        return False
                self._guard.count(QUEUE_FULL)
        if not size or encode is finish_run:
            self.queue.append(item)
            return True
        with self._lock:
            held: Any = account.hold(value, size)
            self.queue.append((where, encode, tag, held, step, when, size))
        return True

    def _disk_hangs(self) -> bool:
        """Tell a write that takes long from one that only waits for the interpreter."""
        since = self._writing_since
        return since is not None and time.monotonic() - since > HANGS_S

    def _signal(self) -> None:
        if not self._woken:
            self._woken = True
            self._wake.put(None)

    def _ask(self, *, closes: bool) -> Ticket | None:
        owes = self._files.owes_report or (closes and self._files.is_open)
        if not (self.queue or self._tickets or self._thread or owes):
            return None
        if not self._revive(runs=not closes):
            self._write_here(closes=closes)
            return None
        thread = self._thread
        ticket = Ticket(self, closes=closes)
        with self._lock:
            # While a disk hangs, a script that flushes at every step must not pile them up.
            if not (self._late and any(each.closes == closes for each in self._tickets)):
                self._tickets.append(ticket)
        self._signal()
        # On its own thread (a destructor may run there) it cannot wait for itself; and who was
        # late once is not waited for again until it shows a sign of life.
        return None if threading.current_thread() is thread or self._late else ticket

    def _revive(self, *, runs: bool = True) -> bool:
        """Have a thread; False when none can be started, as while the interpreter ends.

        With `runs`, callers may append by themselves from then on.
        """
        with self._lock:
            if self._thread is not None and not self._is_alive(self._thread):
                self._thread = None
            if self._thread is None and not self._start():
                self.room = 0
                return False
            if runs:
                self.room = self._wake_at
            return True

    def _start(self) -> bool:
        now = time.monotonic()
        if process.is_exiting() or now < self._start_again_at:
            return False
        # Before it starts: a signal's handler may log meanwhile, and this lock lets it in. It
        # must not start a second one.
        thread = threading.Thread(target=self._work, name=THREAD_NAME, daemon=True)
        self._thread = thread
        try:
            thread.start()
        except (RuntimeError, MemoryError):
            self._thread = None
            self._start_again_at = now + START_AGAIN_S
            return False
        process.close_with_worker(self)
        return True

    def _is_alive(self, thread: threading.Thread) -> bool:
        # One that was not started yet is being started, below on this very stack.
        return thread.ident is None or thread.is_alive()

    def _write_without_thread(self, waiting: int) -> None:
        """Do the thread's work, as often as it would; at exit at once, for nobody comes later."""
        is_due = time.monotonic() - self._drained_at >= self._pause_s
        if is_due or waiting >= self._wake_at or process.is_exiting():
            self._write_here()

    def _write_here(self, *, closes: bool = False) -> None:
        """Write on the caller's thread, unless somebody is writing; that one takes it along."""
        again = True
        while again:
            if not self._turn.acquire(blocking=False):
                return
            try:
                self._drain(urgent=closes)
                if closes:
                    self._files.finish()
                closes = False
                # Somebody else's values, who found the turn taken.
                again = bool(self.queue)
            except Exception as error:  # noqa: BLE001 (whoever it is writes beside its own work)
                self._tell_unforeseen(error)
                return
            finally:
                self._turn.release()

    # --- the background thread's side --------------------------------------

    def _work(self) -> None:
        while True:
            tickets: list[Ticket] = []
            closes = False
            try:
                with contextlib.suppress(Empty):
                    self._wake.get(timeout=self._pause_s)
                # Cleared before the queue is looked at: who appends later signals anew.
                self._woken = False
                tickets += [self._tickets.popleft() for _ in range(len(self._tickets))]
                closes = any(ticket.closes for ticket in tickets)
                with self._turn:
                    self._drain(urgent=bool(tickets), unforeseen=BaseException)
                    if closes:
                        self._await_beside()
                        self._files.finish()
            except BaseException as error:  # noqa: BLE001 (the thread must outlive what nobody foresaw)
                self._tell_unforeseen(error)
            self._late = False
            for ticket in tickets:
                ticket.finish()
            if closes and self._retire():
                return

    def _await_beside(self) -> None:
        if self._beside is not None:
            self._beside.join(BESIDE_PATIENCE_S)
            self._beside = None
            self._drain(urgent=True, unforeseen=BaseException)

    def _drain(self, *, urgent: bool, unforeseen: type[BaseException] = Exception) -> None:
        """Encode and write what is queued now; what is put meanwhile waits for the next turn."""
        left = len(self.queue)
        while left > 0:
            take = self.queue.popleft
            batch = [take() for _ in range(min(left, BATCH))]
            left -= len(batch)
            sized = sum(map(_ACCOUNT, batch))
            if sized:
                batch, sized = self._claim(batch)
            self._files.encode(batch, unforeseen)
            if sized:
                del batch
                with self._lock:
                    self._files.account.taken(sized)
            self._write(urgent=urgent)
            if left < CROWDED and left:
                # Lets a training thread that waits for the interpreter have it.
                time.sleep(0.000001)
        self._write(urgent=urgent)
        self._drained_at = time.monotonic()

    def _claim(self, batch: list[Item]) -> tuple[list[Item], int]:
        """Take the values of a batch; without those that had to give way meanwhile."""
        claimed: list[Item] = []
        sized = 0
        with self._lock:
            for item in batch:
                where, encode, tag, value, step, when, size = item
                if type(value) is Cell:
                    if not value:
                        continue
                    item = (where, encode, tag, value.pop(), step, when, size)
                if encode is not finish_run:
                    sized += size
                claimed.append(item)
        return claimed, sized

    def _tell_unforeseen(self, error: BaseException) -> None:
        self._guard.drop("thread", f"writing failed: {describe(error)}", kind=INTERNAL)

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
