"""What an account may do in a place, and who may see a project. Each role may do all that is below.

VIEWER   see runs, export them, keep views of one's own
EDITOR   and say things of runs: names, notes, tags; put them aside; share views
ADMIN    and delete and move runs, say who else may what, share by link
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, Literal

__all__ = ["ORGANISATION", "PRIVATE", "TEAM", "VISIBILITIES", "Role", "Visibility"]


class Role(IntEnum):
    """What one may do in a team or a project."""

    VIEWER = 1
    EDITOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """Return how people write it."""
        return self.name.lower()


Visibility = Literal["private", "team", "organisation"]

PRIVATE: Final[Visibility] = "private"
"""Seen by whom it was granted to, one by one."""
TEAM: Final[Visibility] = "team"
"""Seen by the members of its team, too, in their roles."""
ORGANISATION: Final[Visibility] = "organisation"
"""And by every account, as a viewer."""

VISIBILITIES: Final[tuple[Visibility, ...]] = (PRIVATE, TEAM, ORGANISATION)
