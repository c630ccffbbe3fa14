"""Who asks. Every query takes a `Viewer` first; without one nothing is read.

The gate makes the viewer of a request and leaves it in a context variable, which
callbacks, API functions and the threads they start all see. Outside a request there
is none, and asking for it is an error: no code path has a viewer by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

__all__ = ["LOCAL_VIEWER", "SystemViewer", "Viewer", "Within", "acting_as", "current_viewer"]


ViewerKind: TypeAlias = Literal["local", "system", "account", "token", "share", "embed"]


@dataclass(frozen=True, slots=True)
class Within:
    """The only places that exist for who comes by a token, a share link or a card elsewhere."""

    team_id: int | None = None
    project_id: int | None = None
    uids: tuple[str, ...] | None = None
    """Of these runs alone; None: of all there."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who asks, and what that one may see.

    What an account may do where is not in here: the conditions in SQL look it up, in the snapshot
    of the question, so that what was taken away is gone with the next one.
    """

    kind: ViewerKind
    name: str
    logdirs: tuple[str, ...] | None = None
    """Resolved directories: only what was read from them is visible. None: everything is."""
    can_edit: bool = False
    """Whether this one may change anything at all: of what is visible, what its role allows."""
    account_id: int | None = None
    is_admin: bool = False
    """Of the whole installation: may do everything everywhere."""
    within: Within | None = None
    via: str = ""
    """The session, token, share or embedded card that this one came by; "" when by none."""
    proved_at: float = 0.0
    """When the password was last given, epoch seconds."""
    address: str = field(default="", compare=False)
    """Where from; for the audit log."""

    @property
    def may_everything(self) -> bool:
        """Whether roles do not matter: who has the machine, or runs the installation."""
        return self.is_admin or self.kind in ("local", "system")

    @property
    def runs_board(self) -> bool:
        """Whether this one may see and change accounts, and what is written of them.

        No program may by a token: what a token gives is runs.
        """
        return self.may_everything and self.kind in ("local", "system", "account")

    @property
    def like(self) -> Viewer:
        """The one that stands for all who see the same runs of a project, once they see it.

        To see a project is to see all of it, but for runs of other directories than are shown, or
        than were shared. Who is let in by this one has been asked before whether that may be.
        """
        uids = None if self.within is None else self.within.uids
        within = None if uids is None else Within(uids=uids)
        return Viewer("system", "", logdirs=self.logdirs, within=within)


@dataclass(frozen=True, slots=True)
class SystemViewer(Viewer):
    """A command on the host: who can open the database file can read it anyway."""

    kind: ViewerKind = "system"
    name: str = "system"
    can_edit: bool = True


LOCAL_VIEWER: Final = Viewer(kind="local", name="you", can_edit=True)
"""The one person of a board that listens on loopback only."""

_current: ContextVar[Viewer] = ContextVar("orgboard_viewer")


def current_viewer() -> Viewer:
    """Return the viewer of the request being answered.

    Raises:
        LookupError: outside a request.
    """
    return _current.get()


@contextmanager
def acting_as(viewer: Viewer) -> Iterator[None]:
    """Make `viewer` the current one inside the block, in threads started there too."""
    token = _current.set(viewer)
    try:
        yield
    finally:
        _current.reset(token)
