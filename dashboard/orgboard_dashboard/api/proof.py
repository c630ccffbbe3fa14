"""What is delicate wants the password to be fresh: a browser left open is not its owner."""

from __future__ import annotations

from typing import Final

import anyio.to_thread
from starlette.responses import Response

from orgboard_dashboard.accounts.passwords import is_right
from orgboard_dashboard.api.answers import refuse
from orgboard_dashboard.queries.errors import Forbidden, NotFound, Unproved
from orgboard_dashboard.queries.people.ways_in import Guess, admit_guess, refuse_proof
from orgboard_dashboard.services import Services
from orgboard_dashboard.signin.routes import too_early
from orgboard_dashboard.viewer import Viewer, current_viewer

__all__ = ["FRESH_S", "prove", "require_proof"]

FRESH_S: Final = 600.0
"""How long a password counts as just given: one sitting at a task, and no coffee break."""

_ONLY_PEOPLE: Final = (
    "People who are signed in say who may what; and who has the host, by `orgboard user`, `team`"
    " and `project`."
)


def require_proof(now: float) -> None:
    """Let through who gave the password just now.

    Raises:
        Forbidden: nobody is signed in: it is a token, or a board without accounts.
        Unproved: the password was given too long ago.
    """
    viewer = current_viewer()
    if viewer.kind != "account":
        raise Forbidden(_ONLY_PEOPLE)
    if viewer.proved_at < now - FRESH_S:
        raise Unproved


async def prove(services: Services, viewer: Viewer, password: str) -> Response | None:
    """Compare a password with the viewer's own; return why it does not do, None when it does.

    It counts as a guess, like one at the sign-in: who found a browser open cannot try for long.

    Raises:
        NotFound: nobody is signed in.
    """
    if viewer.kind != "account":
        raise NotFound
    name, address = viewer.name, viewer.address
    guess = await services.edit_unknown(admit_guess, name, address, services.now())
    if not isinstance(guess, Guess):
        return too_early(guess)
    if await anyio.to_thread.run_sync(is_right, guess.kept_hash, password):
        return None
    await services.edit(refuse_proof, services.now())
    # Not 401: that is for who is not signed in, and leads away.
    return refuse(403, "That is not your password.")
