"""What `serve`, `demo` and `web --workers` run: children, one socket, the word that it works."""

from __future__ import annotations

import http.client
import shutil
import socket
import ssl
import sys
import tempfile
import time
import webbrowser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import Engine

from orgboard_dashboard.accounts.opaque import new_secret
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.flags import argv_of
from orgboard_dashboard.queries.announced import own_role
from orgboard_dashboard.queries.errors import Conflict
from orgboard_dashboard.queries.people.links import set_up
from orgboard_dashboard.queries.people.ways_in import has_accounts
from orgboard_dashboard.signin.places import welcome_address
from orgboard_dashboard.sockets import address_of
from orgboard_dashboard.supervise import Child, Family, rest, stop_signals
from orgboard_schema.errors import DatabaseOlder, RoleUnfit
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.migrate import check_version, upgrade

__all__ = [
    "announce",
    "demo_home",
    "first_link",
    "has_accounts_in",
    "ingest_child",
    "keep_up",
    "training_child",
    "upgrade_database",
    "web_child",
]

# -P: the folder that somebody happens to stand in must not shadow a module.
_PYTHON: Final = (sys.executable, "-P", "-m")


def web_child(database: str, config: WebConfig, listener: socket.socket) -> Child:
    """Return a web process that serves on `listener`."""
    fd = listener.fileno()
    argv = (*_PYTHON, "orgboard", "web", "--db", database, "--listener", str(fd))
    return Child("web", (*argv, *argv_of(config)), pass_fds=(fd,))


def ingest_child(database: str, logdirs: Sequence[str]) -> Child:
    """Return the ingest of these directories, as a daemon; the terminal is for all to share."""
    return Child(
        "ingest", (*_PYTHON, "orgboard", "ingest", *logdirs, "--db", database, "--log", "text")
    )


def training_child(logdir: Path) -> Child:
    """Return the demo's training, which ends by itself."""
    argv = (*_PYTHON, "orgboard.demo_training", str(logdir))
    return Child("training", argv, keep_alive=False)


def upgrade_database(database: str, config: WebConfig) -> str | None:
    """Create the database or bring it to this program's version; return what `first_link` does."""
    engine = open_engine(database)
    upgrade(engine)
    link = first_link(engine) if config.accounts else None
    engine.dispose()
    return link


def look_at_role(engine: Engine, config: WebConfig) -> None:
    """Refuse a role of PostgreSQL that cannot serve the pages; say when nothing would hold it.

    Raises:
        RoleUnfit: it lacks rights.
    """
    role = own_role(engine)
    if role.lacks:
        more = f" and {len(role.lacks) - 3} more" if len(role.lacks) > 3 else ""
        raise RoleUnfit(
            f"the role {engine.url.username!r} may not {', '.join(role.lacks[:3])}{more}:"
            f" run `orgboard db web-role {engine.url.username}` as the owner of the tables"
        )
    if config.accounts and engine.dialect.name == "postgresql" and not role.is_held:
        _say(
            f"The database's own policies do not hold the role {engine.url.username!r}:"
            " `orgboard db web-role` gives the web pages one that they do."
        )


def has_accounts_in(database: str, *, make: bool) -> bool:
    """Tell whether a database has accounts; `make`: one that is to be made or upgraded has none.

    Raises:
        DatabaseUnreachable: it does not answer, or is not there.
        DatabaseOlder, DatabaseNewer: it is not of this program's version.
    """
    engine = open_engine(database, create=make)
    try:
        check_version(engine)
        with begin_read(engine) as conn:
            return has_accounts(conn)
    except DatabaseOlder:
        if make:
            return False
        raise
    finally:
        engine.dispose()


def keep_up(
    children: Sequence[Child],
    listener: socket.socket,
    config: WebConfig,
    link: str | None = None,
    *,
    open_page: bool = False,
) -> int:
    """Run `children` until told to stop. Say where the board is once it really answers."""
    with stop_signals() as is_told:
        family = Family(children, say=_say)
        try:
            is_announced = False
            while not is_told():
                status = family.tend()
                if status is not None:
                    return status
                if not is_announced and _answers(listener, config):
                    is_announced = True
                    announce(listener, config, link)
                    if open_page:
                        # Not the link: what a browser is started with, others here may read.
                        webbrowser.open(config.base_url or _listens_at(listener, config))
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


def announce(listener: socket.socket, config: WebConfig, link: str | None) -> None:
    """Say where the board is, and how its first admin comes in when there is none."""
    at = _listens_at(listener, config)
    if config.base_url:
        _say(f"orgboard is at {config.base_url}, and listens at {at}")
    else:
        _say(f"orgboard is at {at}")
    if link:
        _say("It has no account yet. Who opens this link first, within an hour, makes the first:")
        _say(f"  {welcome_address(config.base_url.rstrip('/') or at, link)}")


def first_link(engine: Engine) -> str | None:
    """Make the secret of a new link to the first account, and void those before it.

    Returns None when the board has an account.
    """
    secret = new_secret()
    try:
        with begin_write(engine) as conn:
            set_up(conn, secret, time.time())
    except Conflict:
        return None
    return secret


def _listens_at(listener: socket.socket, config: WebConfig) -> str:
    return address_of(listener, is_tls=config.is_tls)


def _answers(listener: socket.socket, config: WebConfig) -> bool:
    host, port = listener.getsockname()[:2]
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    if config.is_tls:
        # Its certificate is for the name that browsers know, and this is our own socket.
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        connection = http.client.HTTPSConnection(host, port, timeout=1.0, context=context)
    try:
        connection.request("GET", f"{config.base}readyz", headers={"host": "localhost"})
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
