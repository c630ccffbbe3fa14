"""Where things are by default. Standard library only; the environment is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["data_directory", "default_blobs", "default_url"]


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory of this user's own board, by the XDG rules."""
    given = environ.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    base = Path(given) if Path(given).is_absolute() else Path("~/.local/share").expanduser()
    return base / "orgboard"


def default_url(environ: Mapping[str, str]) -> str:
    """Return the database for no `--db`: $ORGBOARD_DB, else the user's own file."""
    return environ.get("ORGBOARD_DB") or str(data_directory(environ) / "board.db")


def default_blobs(environ: Mapping[str, str], sqlite: Path | None) -> str | None:
    """Return where large blobs go when nobody says: $ORGBOARD_BLOBS, else beside the SQLite file.

    None, for PostgreSQL: they stay in the database, which every host reaches.
    """
    beside = None if sqlite is None else f"{sqlite}.blobs"
    return environ.get("ORGBOARD_BLOBS") or beside
