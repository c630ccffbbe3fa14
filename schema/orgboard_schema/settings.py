"""Where things are by default. Standard library only; the environment is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["blob_root", "data_directory", "default_blobs", "default_url"]


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

    A folder, or a URL for fsspec. None, for PostgreSQL: they stay in the database, which
    every host reaches.
    """
    beside = None if sqlite is None else f"{sqlite}.blobs"
    return environ.get("ORGBOARD_BLOBS") or beside


def blob_root(url: str, environ: Mapping[str, str]) -> Path | None:
    """Return the folder where large blobs of that database lie; None: in it, or in a bucket."""
    scheme, separator, place = url.partition("://")
    sqlite = None if separator else Path(url).expanduser().absolute()
    if separator and scheme.startswith("sqlite"):
        # sqlite:///relative and sqlite:////absolute: one slash belongs to the form.
        sqlite = Path(place[1:]).absolute()
    root = default_blobs(environ, sqlite)
    return None if root is None or "://" in root else Path(root).expanduser().absolute()
