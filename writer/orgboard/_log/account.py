"""How much may wait, in bytes of memory, and who gives way when it is too much.

    queued scalars · queued arrays and texts · records that a disk refuses  ≤  WAITING_BYTES

Curves are what a run is looked at for: a scalar that finds no room pushes out the oldest array,
picture or long text that waits, and is itself the last to be dropped.
"""

from __future__ import annotations

from collections import deque
from typing import Any, Final

__all__ = ["SCALAR_BYTES", "SMALL_BYTES", "WAITING_BYTES", "Account", "Cell"]

WAITING_BYTES: Final = 64 << 20

LITTLE_BYTES: Final = WAITING_BYTES // 8
"""While no more than this waits, one value may go beyond the bound: a picture of 100 MB."""

SMALL_BYTES: Final = 4096
"""What is no larger does not give way: scalars, and the texts and settings that explain them."""

SCALAR_BYTES: Final = 256
"""What a queued scalar takes in memory, about: a tuple, two floats, a number, its place."""


class Cell(list[Any]):
    """Holds a large value until it is taken, for its file, or has to give way."""

    __slots__ = ()


class Account:
    """Counts what waits. Its callers hold the log's lock where two threads may meet."""

    __slots__ = ("_cells", "kept", "sized")

    def __init__(self) -> None:
        self.sized = 0
        """Bytes of queued values other than scalars."""
        self.kept = 0
        """Bytes of records that a disk refused."""
        self._cells: deque[tuple[Cell, int]] = deque()

    def has_room(self, waiting: int, size: int) -> bool:
        """Tell whether a value may be queued beside `waiting` others; a scalar's `size` is 0."""
        used = waiting * SCALAR_BYTES + self.sized + self.kept
        if used + (size or SCALAR_BYTES) <= WAITING_BYTES:
            return True
        # What is large beside the bound is taken while little waits, or could never be.
        return size > WAITING_BYTES // 2 and used <= LITTLE_BYTES

    def may_keep(self, size: int) -> bool:
        """Tell whether one more record may be kept while its disk refuses."""
        return self.kept + size <= WAITING_BYTES

    def hold(self, value: Any, size: int) -> Any:
        """Take a value of so many bytes onto the account; give what is to be queued for it."""
        self.sized += size
        if size <= SMALL_BYTES:
            return value
        cell = Cell([value])
        self._cells.append((cell, size))
        return cell

    def evict(self) -> bool:
        """Let go of the oldest held value that nobody took yet; tell whether there was one."""
        while self._cells:
            cell, size = self._cells.popleft()
            if cell:
                cell.clear()
                self.sized -= size
                return True
        return False

    def taken(self, size: int) -> None:
        """Note that values of so many bytes were taken from their cells and are done with."""
        self.sized -= size
        while self._cells and not self._cells[0][0]:
            self._cells.popleft()
