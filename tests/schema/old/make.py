"""Keep a release: fill a board with everything by its own code, on both engines.

    python tests/schema/old/make.py tests/schema/old/v0_3

With the packages of that release on PYTHONPATH. Needs `pg_dump` beside the tests' PostgreSQL.
"""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import head
from support.filled import Contents, contents, fill
from support.people_rows import add_people
from support.postgres import binaries, fresh_database, server
from support.words import say

__all__ = ["keep"]


def keep(to: Path) -> None:
    """Write `board.db`, `postgres.sql` and the truth about each into the folder `to`.

    Raises:
        ValueError: The folder is not named after the release.
    """
    if to.name != head():
        raise ValueError(f"the code is of {head()}, the folder is named {to.name}")
    to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, server() as url, fresh_database(url) as database:
        board = f"{folder}/board.db"
        truth = {"sqlite": _filled(board, Path(folder, "1"))}
        (to / "board.db").unlink(missing_ok=True)
        with sqlite3.connect(board) as connection:
            # Compact, and without the log of writes beside it.
            connection.execute("VACUUM INTO ?", [str(to / "board.db")])
        connection.close()
        truth["postgres"] = _filled(database, Path(folder, "2"))
        (to / "postgres.sql").write_text(_dump(database), encoding="utf-8")
    text = json.dumps(truth, indent=1, ensure_ascii=False)
    (to / "truth.json").write_text(text + "\n", encoding="utf-8")


def _filled(url: str, logs: Path) -> Contents:
    fill(url, logs)
    engine = open_engine(url)
    try:
        say(engine, "long")
        add_people(engine)
        return contents(engine)
    finally:
        engine.dispose()


def _dump(url: str) -> str:
    found = binaries()
    if found is None:
        raise FileNotFoundError("pg_dump")
    options = ("--inserts", "--no-owner", "--no-privileges", "--no-comments")
    done = subprocess.run(
        [str(found / "pg_dump"), *options, f"--dbname={url}"],
        check=True,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    # What begins with a backslash is for psql; the rest any driver runs.
    lines = done.stdout.splitlines(keepends=True)
    return "".join(line for line in lines if line.strip() and not line.startswith(("\\", "--")))


if __name__ == "__main__":
    keep(Path(sys.argv[1]).absolute())
