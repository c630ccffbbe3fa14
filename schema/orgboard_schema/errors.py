"""What can go wrong that a caller treats in its own way. Standard library only.

    OrgboardError                 one line for people, and the exit status it means
    ├── DatabaseUrlError          2   the URL or path cannot be a database of ours
    ├── DatabaseUnreachable       2   nothing answers there, or it cannot be opened
    ├── DatabaseOlder             2   needs `orgboard db upgrade`
    ├── DatabaseNewer             78  needs a newer orgboard
    ├── CorruptBlock              3   a stored payload is not what was written
    ├── BackupDamaged             3   a backup is not, or not all, of what was written
    ├── TooManyPoints             2   a question would take more points than it may
    ├── RunNotFound               2   no such run, or it stands otherwise
    ├── RunIsLive                 2   a run that is written to cannot be deleted
    ├── RoleUnfit                 2   a role of the database cannot be the web pages'
    └── OffsetMoved               2   a rival stored these bytes of the file first

Bad bytes in an event file are no exception: the reader returns them as gaps.
"""

# ruff: noqa: N818 - the names say what was found, as "database older".

from __future__ import annotations

from typing import ClassVar

__all__ = [
    "BackupDamaged",
    "CorruptBlock",
    "DatabaseNewer",
    "DatabaseOlder",
    "DatabaseUnreachable",
    "DatabaseUrlError",
    "OffsetMoved",
    "OrgboardError",
    "RoleUnfit",
    "RunIsLive",
    "RunNotFound",
    "TooManyPoints",
]


class OrgboardError(Exception):
    """Say in one line what happened and what to do; a command prints it and exits."""

    exit_status: ClassVar[int] = 2


class DatabaseUrlError(OrgboardError, ValueError):
    """The text given as `--db` names no database that orgboard can use."""


class DatabaseUnreachable(OrgboardError, ConnectionError):
    """The database does not answer or cannot be opened."""


class DatabaseOlder(OrgboardError):
    """The tables are missing or of an earlier release."""


class DatabaseNewer(OrgboardError):
    """The tables are of a later release than this program."""

    exit_status = 78


class CorruptBlock(OrgboardError, ValueError):
    """A payload does not decode to what its header promises."""

    exit_status = 3


class BackupDamaged(OrgboardError):
    """The file is no backup, or not all of one, or not what was written."""

    exit_status = 3


class OffsetMoved(OrgboardError):
    """The file's offset is not what this batch started from: look it up, go on from there."""


class RunNotFound(OrgboardError):
    """There is no such run, or it does not stand as the caller thinks."""


class RunIsLive(OrgboardError):
    """The run's files grew a moment ago."""


class TooManyPoints(OrgboardError):
    """To answer, more points would have to be read than the asker allows."""

    def __init__(self, points: int) -> None:
        super().__init__(f"that takes {points} points to be read")
        self.points = points


class RoleUnfit(OrgboardError):
    """A role of the database is not there, sees too much, or lacks what the web pages need."""
