"""Who asks. Every query takes a `Viewer` first; without one nothing is read.

The gate makes the viewer of a request and leaves it in a context variable, which
callbacks, API functions and the threads they start all see. Outside a request there
is none, and asking for it is an error: no code path has a viewer by default.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["LOCAL_VIEWER", "SystemViewer", "Viewer", "acting_as", "current_viewer"]


@dataclass(frozen=True, slots=True)
class Viewer:
    """One who asks, and what that one may see."""

    kind: Literal["local", "system"]
    name: str
    logdirs: tuple[str, ...] | None = None
    """Resolved directories: only what was read from them is visible. None: everything is."""
    can_edit: bool = False
    """Whether this one may change what is said of what is visible, and delete it."""


@dataclass(frozen=True, slots=True)
class SystemViewer(Viewer):
    """A command on the host: who can open the database file can read it anyway."""

    kind: Literal["local", "system"] = "system"
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
