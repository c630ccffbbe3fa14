"""The settings of a web process as flags: declared, read, and written for a child, in one place.

argv ──add_web_flags──▶ options ──config_of──▶ WebConfig ──argv_of──▶ the argv of a child
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from orgboard_dashboard.config import DEFAULT_PORT, WebConfig
from orgboard_dashboard.errors import UsageError
from orgboard_dashboard.provider.settings import (
    add_provider_flags,
    argv_of_provider,
    provider_of,
)
from orgboard_schema.remote import is_url, normalised
from orgboard_schema.settings import default_url

__all__ = ["add_database", "add_web_flags", "argv_of", "config_of", "resolved"]


def add_database(parser: argparse.ArgumentParser) -> None:
    """Declare which database a command is about."""
    parser.add_argument(
        "--db",
        default=default_url(os.environ),
        metavar="URL",
        help="the database: a file (SQLite) or postgresql://user@host/name "
        "(default: $ORGBOARD_DB, else board.db in your data directory)",
    )


def add_web_flags(parser: argparse.ArgumentParser) -> None:
    """Declare what `web`, `serve` and `demo` have in common."""
    parser.add_argument(
        "--host", default=WebConfig().host, help="address to listen at, of this machine (127.0.0.1)"
    )
    parser.add_argument(
        "--port", type=int, default=DEFAULT_PORT, help=f"({DEFAULT_PORT}; 0 picks a free one)"
    )
    parser.add_argument(
        "--read-only",
        action="store_true",
        help="let nobody rename, tag, annotate, archive or delete runs in the browser",
    )
    parser.add_argument(
        "--allow-frame",
        action="store_true",
        help="let pages that this machine serves to itself, such as a notebook's, frame the board",
    )
    others = parser.add_argument_group("for a board that others reach")
    others.add_argument(
        "--accounts",
        action="store_true",
        help="who looks must sign in; while there is no account, a link for the first is printed",
    )
    others.add_argument(
        "--no-embeds",
        action="store_true",
        help="let no page of another site show a card of the board in a frame, whoever made one",
    )
    others.add_argument(
        "--tls-cert", default="", metavar="FILE", help="speak HTTPS, with this certificate (PEM)"
    )
    others.add_argument("--tls-key", default="", metavar="FILE", help="and this key of it (PEM)")
    others.add_argument(
        "--base-url",
        default="",
        metavar="URL",
        help="how browsers reach the board: https://board.example, or https://host/board to serve"
        " all of it below a path",
    )
    others.add_argument(
        "--trusted-proxy",
        action="append",
        default=[],
        metavar="CIDR",
        help="address or network of a proxy that speaks HTTPS for the board and tells who asks"
        " (may be given again)",
    )
    add_provider_flags(parser)


def config_of(options: argparse.Namespace, logdirs: Sequence[str] | None) -> WebConfig:
    """Return the settings that were given.

    Raises:
        UsageError: one of `logdirs` is no directory, or a flag lacks another that it needs.
    """
    return WebConfig(
        host=options.host,
        logdirs=resolved(logdirs) if logdirs else None,
        allow_frame=options.allow_frame,
        no_embeds=options.no_embeds,
        read_only=options.read_only,
        accounts=options.accounts,
        base_url=options.base_url.rstrip("/"),
        # Who serves may stand elsewhere than who was told.
        tls_cert=_absolute(options.tls_cert),
        tls_key=_absolute(options.tls_key),
        trusted_proxies=tuple(options.trusted_proxy),
        provider=provider_of(options),
    )


def argv_of(config: WebConfig) -> tuple[str, ...]:
    """Return the arguments of `orgboard web` that give these settings."""
    lists = {"--logdir": config.logdirs or (), "--trusted-proxy": config.trusted_proxies}
    texts = {
        "--host": config.host,
        "--base-url": config.base_url,
        "--tls-cert": config.tls_cert,
        "--tls-key": config.tls_key,
    }
    switches = {
        "--allow-frame": config.allow_frame,
        "--no-embeds": config.no_embeds,
        "--read-only": config.read_only,
        "--accounts": config.accounts,
    }
    # With "=": a value may begin with a hyphen.
    return (
        *(f"{flag}={text}" for flag, text in texts.items() if text),
        *(f"{flag}={text}" for flag, several in lists.items() for text in several),
        *(flag for flag, is_given in switches.items() if is_given),
        *argv_of_provider(config.provider),
    )


def resolved(names: Sequence[str]) -> tuple[str, ...]:
    """Return directories and remote logs by what the database calls them.

    Raises:
        UsageError: one is no directory.
        OrgboardError: one is a URL that holds a secret, or names no place.
    """
    return tuple(_resolved(name) for name in names)


def _resolved(name: str) -> str:
    if is_url(name):
        return normalised(name)
    if not Path(name).is_dir():
        reason = "is not a directory" if Path(name).exists() else "does not exist"
        raise UsageError(f"{name} {reason}: give the directory that your runs log to")
    return str(Path(name).resolve())


def _absolute(file: str) -> str:
    return str(Path(file).absolute()) if file else ""
