"""Who asks for what he may not do is written down: at once, and then as a count a minute.

    refused ─▶ the first of an account and an action ─▶ a row of the audit log
           └─▶ more within a minute                  ─▶ counted ─▶ one row for all of them

So however often somebody asks, the log grows by a row a minute for each account and action, of
which there are few, in each web process. What is counted when a process is killed is lost; that
somebody was refused is not.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from orgboard_dashboard.queries.people.refusals import note_refusal
from orgboard_dashboard.services import Services
from orgboard_dashboard.viewer import Viewer, acting_as
from orgboard_schema.errors import DatabaseUnreachable

__all__ = ["EVERY_S", "Refusals"]

EVERY_S: Final = 60.0
"""How often the same refusal is written down: who looks at the log wants to see that it goes on."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Window:
    """A minute of refusals of one account and action, the first of which was written down."""

    began: float
    viewer: Viewer
    named: Mapping[str, str]
    more: int = 0


class Refusals:
    """Writes refusals down, of one web process."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._windows: dict[tuple[str, str], _Window] = {}
        self._timer: asyncio.TimerHandle | None = None
        self._telling: asyncio.Task[None] | None = None

    async def note(self, viewer: Viewer, action: str, named: Mapping[str, str]) -> None:
        """Take down that `viewer` was refused an action on what is `named`."""
        if viewer.kind in ("local", "system"):
            # Has the machine; what is refused there nobody may do in a browser.
            return
        await self.tell()
        key, now = (str(viewer.account_id or viewer.via), action), self._services.now()
        window = self._windows.get(key)
        if window is not None:
            window.viewer, window.named = viewer, named
            window.more += 1
            self._wake()
            return
        self._windows[key] = began = _Window(now, viewer, named)
        if not await self._write(began, action, 1) and self._windows.get(key) is began:
            del self._windows[key]

    async def tell(self, *, rest: bool = False) -> None:
        """Write down what was counted in minutes that are over; with `rest`, all of it."""
        now = self._services.now()
        over = [key for key, one in self._windows.items() if rest or abs(now - one.began) > EVERY_S]
        for key in over:
            window = self._windows.pop(key, None)
            if window is not None and window.more:
                # As much as it was, it goes on from here: the next minute begins.
                self._windows[key] = _Window(now, window.viewer, window.named)
                await self._write(window, key[1], window.more)

    def _wake(self) -> None:
        """See to it that what is counted is written down though nobody should ask again."""
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(EVERY_S, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._telling = asyncio.get_running_loop().create_task(self.tell(rest=True))

    async def _write(self, window: _Window, action: str, times: int) -> bool:
        try:
            with acting_as(window.viewer):
                # Who tried and was put to sleep since is noted all the same.
                return await self._services.write_down(
                    note_refusal, action, window.named, self._services.now(), times=times
                )
        except (SQLAlchemyError, DatabaseUnreachable) as error:
            # The refusal stands all the same.
            _log.warning("a refusal was not written down: %s", error)
            return False
