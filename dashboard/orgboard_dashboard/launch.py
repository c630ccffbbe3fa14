"""What `serve`, `demo` and `web --workers` run: children, one socket, the word that it works."""

from __future__ import annotations

import http.client
import shutil
import socket
import sys
import tempfile
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from orgboard_dashboard.sockets import address_of
from orgboard_dashboard.supervise import Child, Family, rest, stop_signals
from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.migrate import upgrade

__all__ = [
    "demo_home",
    "ingest_child",
    "keep_up",
    "training_child",
    "upgrade_database",
    "web_child",
]

# -P: the folder that somebody happens to stand in must not shadow a module.
_PYTHON: Final = (sys.executable, "-P", "-m")


def web_child(
    database: str,
    host: str,
    listener: socket.socket,
    logdirs: Sequence[str] | None,
    *,
    allow_frame: bool = False,
    read_only: bool = False,
) -> Child:
    """Return a web process that serves on `listener`."""
    shown = [part for path in logdirs or () for part in ("--logdir", path)]
    shown += ["--allow-frame"] if allow_frame else []
    shown += ["--read-only"] if read_only else []
    fd = listener.fileno()
    argv = (*_PYTHON, "orgboard", "web", "--db", database, "--host", host, "--listener", str(fd))
    return Child("web", (*argv, *shown), pass_fds=(fd,))


def ingest_child(database: str, logdirs: Sequence[str]) -> Child:
    """Return the ingest of these directories, as a daemon; the terminal is for all to share."""
    return Child(
        "ingest", (*_PYTHON, "orgboard", "ingest", *logdirs, "--db", database, "--log", "text")
    )


def training_child(logdir: Path) -> Child:
    """Return the demo's training, which ends by itself."""
    argv = (*_PYTHON, "orgboard.demo_training", str(logdir))
    return Child("training", argv, keep_alive=False)


def upgrade_database(database: str) -> None:
    """Create the database or bring it to this program's version."""
    engine = open_engine(database)
    upgrade(engine)
    engine.dispose()


def keep_up(children: Sequence[Child], listener: socket.socket, *, open_page: bool = False) -> int:
    """Run `children` until told to stop. Say where the board is once it really answers."""
    address = address_of(listener)
    with stop_signals() as is_told:
        family = Family(children, say=_say)
        try:
            is_announced = False
            while not is_told():
                status = family.tend()
                if status is not None:
                    return status
                if not is_announced and _answers(listener):
                    is_announced = True
                    _say(f"orgboard is at {address}")
                    if open_page:
                        webbrowser.open(address)
                rest()
        finally:
            family.stop()
    return 0


@contextmanager
def demo_home(named: str | None, *, keep: bool) -> Iterator[Path]:
    """Give the directory of a demo; delete it afterwards unless it was named or is to be kept."""
    home = Path(named).absolute() if named else Path(tempfile.mkdtemp(prefix="orgboard-demo-"))
    home.mkdir(parents=True, exist_ok=True)
    home = home.resolve()
    try:
        yield home
    finally:
        if named or keep:
            _say(f"kept in {home}")
        else:
            shutil.rmtree(home, ignore_errors=True)


def _answers(listener: socket.socket) -> bool:
    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
