"""Where things are by default. Standard library only; the environment is passed in."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

__all__ = ["blob_root", "data_directory", "default_url"]


def data_directory(environ: Mapping[str, str]) -> Path:
    """Return the directory of this user's own board, by the XDG rules."""
    given = environ.get("XDG_DATA_HOME", "")
    # The XDG rules say that a relative path is to be ignored.
    base = Path(given) if Path(given).is_absolute() else Path("~/.local/share").expanduser()
    return base / "orgboard"


def default_url(environ: Mapping[str, str]) -> str:
    """Return the database for no `--db`: $ORGBOARD_DB, else the user's own file."""
    return environ.get("ORGBOARD_DB") or str(data_directory(environ) / "board.db")


def blob_root(url: str, environ: Mapping[str, str]) -> Path | None:
    """Return where large media lie: $ORGBOARD_BLOBS, else beside a SQLite file, else nowhere."""
    given = environ.get("ORGBOARD_BLOBS")
    if given:
        return Path(given).expanduser().absolute()
    scheme, separator, place = url.partition("://")
    if not separator:
        return Path(f"{Path(url).expanduser().absolute()}.blobs")
    # sqlite:///relative and sqlite:////absolute: one slash belongs to the form.
    return Path(f"{Path(place[1:]).absolute()}.blobs") if scheme.startswith("sqlite") else None
