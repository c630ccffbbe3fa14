"""What the operator says of the provider: flags, read, checked, and written for a child."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from orgboard_dashboard.errors import UsageError

__all__ = [
    "SECRET_VARIABLE",
    "ProviderSettings",
    "add_provider_flags",
    "argv_of_provider",
    "is_sound_address",
    "malformed_provider",
    "provider_of",
    "secret_of",
]

SECRET_VARIABLE: Final = "ORGBOARD_OIDC_SECRET"  # noqa: S105  # its name, and no secret
"""Where the client's secret is, when it is in no file. No flag has it: others may list those."""

_MOST_SECRET_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class ProviderSettings:
    """A provider, and whom of those it knows the board lets in."""

    issuer: str
    client_id: str
    name: str
    """What people call it: the word on the button."""
    secret_file: str = ""
    scopes: tuple[str, ...] = ()
    """Asked for beside `openid profile email`."""
    groups_claim: str = ""
    """Where it tells somebody's groups; "": it does not, and no rule on groups is applied."""
    only_groups: tuple[str, ...] = ()
    """Who is in none of these is not let in; none given: everybody is."""
    sign_up: bool = False
    """Whether somebody it knows, and the board does not, gets an account by signing in."""


def add_provider_flags(parser: argparse.ArgumentParser) -> None:
    """Declare the flags."""
    group = parser.add_argument_group("sign-in by your organisation's OpenID Connect provider")
    group.add_argument(
        "--oidc-issuer",
        default="",
        metavar="URL",
        help="the provider's issuer, such as https://login.example/realms/acme; its client's secret"
        f" comes from ${SECRET_VARIABLE} or --oidc-secret-file",
    )
    group.add_argument("--oidc-client-id", default="", metavar="ID", help="the board's name there")
    group.add_argument(
        "--oidc-name", default="", metavar="NAME", help="what people call it (its host)"
    )
    group.add_argument(
        "--oidc-secret-file", default="", metavar="FILE", help="the file that the secret is in"
    )
    group.add_argument(
        "--oidc-scope",
        action="append",
        default=[],
        metavar="SCOPE",
        help="ask for it beside openid, profile and email (may be given again)",
    )
    group.add_argument(
        "--oidc-groups-claim",
        default="",
        metavar="CLAIM",
        help="the claim of the ID token that lists groups, for `orgboard team groups`",
    )
    group.add_argument(
        "--oidc-only-group",
        action="append",
        default=[],
        metavar="GROUP",
        help="let in only who is in this group (may be given again: in one of them)",
    )
    group.add_argument(
        "--oidc-sign-up",
        action="store_true",
        help="make an account for whoever the provider knows; else only who was invited comes in",
    )


def provider_of(options: argparse.Namespace) -> ProviderSettings | None:
    """Return what was given; None when no issuer was.

    Raises:
        UsageError: something was given that only makes sense with an issuer.
    """
    if not options.oidc_issuer:
        given = [name for name, value in vars(options).items() if name[:5] == "oidc_" and value]
        if given:
            flag = "--" + given[0].replace("_", "-")
            raise UsageError(f"{flag} needs --oidc-issuer too: the provider that it is about")
        return None
    return ProviderSettings(
        issuer=options.oidc_issuer,
        client_id=options.oidc_client_id,
        name=options.oidc_name or _host_of(options.oidc_issuer),
        # Who serves may stand elsewhere than who was told.
        secret_file=str(Path(options.oidc_secret_file).absolute())
        if options.oidc_secret_file
        else "",
        scopes=tuple(options.oidc_scope),
        groups_claim=options.oidc_groups_claim,
        only_groups=tuple(options.oidc_only_group),
        sign_up=options.oidc_sign_up,
    )


def argv_of_provider(provider: ProviderSettings | None) -> tuple[str, ...]:
    """Return the arguments that give these settings. The secret is in none of them."""
    if provider is None:
        return ()
    texts = {
        "--oidc-issuer": provider.issuer,
        "--oidc-client-id": provider.client_id,
        "--oidc-name": provider.name,
        "--oidc-secret-file": provider.secret_file,
        "--oidc-groups-claim": provider.groups_claim,
    }
    lists = {"--oidc-scope": provider.scopes, "--oidc-only-group": provider.only_groups}
    return (
        *(f"{flag}={text}" for flag, text in texts.items() if text),
        *(f"{flag}={text}" for flag, several in lists.items() for text in several),
        *(("--oidc-sign-up",) if provider.sign_up else ()),
    )


def malformed_provider(provider: ProviderSettings, base_url: str) -> str | None:
    """Return why a provider cannot be asked so, and what to do; None when it can."""
    if not is_sound_address(provider.issuer, at_home=True):
        return (
            f"--oidc-issuer {provider.issuer} is no issuer: write it as the provider does, with"
            " https:// and nothing behind a ? or #"
        )
    if not provider.client_id:
        return "--oidc-issuer needs --oidc-client-id too: what the board is called there"
    if not base_url:
        return (
            "--oidc-issuer needs --base-url too: the provider sends people back to it, and to no"
            " other address"
        )
    if provider.only_groups and not provider.groups_claim:
        return "--oidc-only-group needs --oidc-groups-claim too: where the provider tells groups"
    wrong = [scope for scope in provider.scopes if not scope.isprintable() or " " in scope]
    return f"--oidc-scope {wrong[0]} is no scope: give each by itself" if wrong else None


def secret_of(provider: ProviderSettings, environ: Mapping[str, str]) -> str:
    """Return the client's secret; "" when it has none, and is known by PKCE alone.

    Raises:
        UsageError: its file cannot be read, or is empty.
    """
    if not provider.secret_file:
        return environ.get(SECRET_VARIABLE, "").strip()
    try:
        with Path(provider.secret_file).open("rb") as file:
            secret = file.read(_MOST_SECRET_BYTES).decode().strip()
    except (OSError, ValueError) as error:
        raise UsageError(f"--oidc-secret-file {provider.secret_file}: {error}") from error
    if not secret:
        raise UsageError(f"--oidc-secret-file {provider.secret_file} is empty")
    return secret


def is_sound_address(address: str, *, at_home: bool) -> bool:
    """Tell whether something secret may be sent to an address: HTTPS, or this very machine.

    `at_home`: whether plain HTTP to this machine will do.
    """
    if not address.isascii() or not address.isprintable() or " " in address:
        return False
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    if not parts.hostname or parts.username is not None or parts.query or "#" in address:
        return False
    return parts.scheme == "https" or (
        at_home and parts.scheme == "http" and _is_this_machine(parts.hostname)
    )


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _host_of(issuer: str) -> str:
    try:
        return urlsplit(issuer).hostname or issuer
    except ValueError:
        return issuer
