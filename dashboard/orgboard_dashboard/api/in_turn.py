"""Answers that go on for long: sent when it is one's turn, refused in words when it is not."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass

import anyio
from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from orgboard_dashboard.api.answers import refuse
from orgboard_dashboard.turns import Full, Turns
from orgboard_dashboard.viewer import Viewer

__all__ = ["InTurn", "Refused"]


@dataclass(frozen=True, slots=True)
class Refused:
    """What one is told whose turns are all taken, and when all are."""

    yours: str
    all: str
    wait_s: int

    def answer_to(self, full: Full) -> tuple[int, str]:
        """Return the status and the words."""
        return (429, self.yours) if full == "yours" else (503, self.all)


class InTurn(StreamingResponse):
    """An answer that is made while it is sent."""

    def __init__(
        self,
        parts: AsyncGenerator[bytes, None],
        turns: Turns,
        viewer: Viewer,
        refused: Refused,
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(parts, media_type=media_type, headers=headers)
        self._parts = parts
        self._turns = turns
        self._viewer = viewer
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, or that it is not to be had now."""
        # Taken here: between a route and its answer nobody could give a turn back.
        with self._turns.taken(self._viewer) as full:
            if full:
                refused = refuse(*self._refused.answer_to(full))
                refused.headers["retry-after"] = str(self._refused.wait_s)
                await refused(scope, receive, send)
                return
            try:
                await super().__call__(scope, receive, send)
            finally:
                with anyio.CancelScope(shield=True):
                    await self._parts.aclose()
