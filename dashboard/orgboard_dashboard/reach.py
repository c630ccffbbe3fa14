"""From where a board may be reached: the one place of the rules, pure.

    loopback only                           no account needed, plain HTTP
    anything that others reach              accounts, and HTTPS: our own TLS, or a proxy's
                                            that `--base-url` and `--trusted-proxy` name

Browsers keep no session over plain HTTP (its cookies begin with `__Host-`), and whoever listens
on the way would have it. So such a board is not started.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Final

from orgboard_dashboard.config import WebConfig, is_loopback
from orgboard_dashboard.provider.settings import malformed_provider

__all__ = ["why_not"]

_TUNNEL: Final = (
    "or leave --host and --base-url out, and reach the board through"
    " `ssh -L 7070:localhost:7070 THIS_MACHINE`"
)


def why_not(config: WebConfig, has_accounts: Callable[[], bool]) -> str | None:
    """Return why a board must not be served so, and what to do; None when it may.

    `has_accounts` tells whether the database has some; asked only where that matters.
    """
    malformed = _malformed(config)
    if malformed or not config.is_exposed:
        return malformed
    if config.allow_frame:
        return "--allow-frame is for a board that only this machine can reach: leave it out"
    where = config.host if not is_loopback(config.host) else config.outside_host
    if not config.accounts and not has_accounts():
        return (
            f"{where} can be reached from other machines, and that needs accounts: add --accounts,"
            f" and a link for the first one is printed here; {_TUNNEL}"
        )
    return _not_https(config, where) or _nameless(config)


def _malformed(config: WebConfig) -> str | None:
    if bool(config.tls_cert) != bool(config.tls_key):
        given, other = ("cert", "key") if config.tls_cert else ("key", "cert")
        return f"--tls-{given} needs --tls-{other} too: a certificate and its key go together"
    try:
        outside = config.outside
    except ValueError as error:
        return f"--base-url {config.base_url}: {error}"
    if config.is_tls and outside and outside.scheme == "http":
        return (
            f"--base-url {config.base_url} is plain HTTP and --tls-cert is not:"
            " write it with https://"
        )
    for network in config.trusted_proxies:
        try:
            ipaddress.ip_network(network, strict=False)
        except ValueError:
            return (
                f"--trusted-proxy {network} is no network: give the address of the proxy, such as"
                " 127.0.0.1, or a network, such as 10.0.0.0/8"
            )
    if config.provider:
        problem = malformed_provider(config.provider, config.base_url)
        if problem:
            return problem
    if config.trusted_proxies and not outside:
        return (
            "--trusted-proxy needs --base-url too: the address, such as https://board.example, by"
            " which browsers reach the board through the proxy"
        )
    return None


def _not_https(config: WebConfig, where: str) -> str | None:
    if config.is_tls or (config.is_https and config.trusted_proxies):
        return None
    if config.is_https:
        return (
            f"--base-url {config.base_url} needs who speaks HTTPS: give --tls-cert and --tls-key,"
            " or --trusted-proxy with the address of the proxy that does"
        )
    return (
        f"{where} can be reached from other machines, and browsers keep nobody signed in over plain"
        " HTTP: give --tls-cert and --tls-key, or, behind a proxy that speaks HTTPS, --base-url"
        f" https://… and --trusted-proxy; {_TUNNEL}"
    )


def _nameless(config: WebConfig) -> str | None:
    if config.base_url or config.host not in ("0.0.0.0", "::"):  # noqa: S104  # it is refused
        return None
    return (
        f"{config.host} is every address of this machine and no name: say with --base-url by which"
        " one browsers reach the board, such as https://board.example:7070"
    )
