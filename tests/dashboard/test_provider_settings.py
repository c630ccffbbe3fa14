"""What the operator may say of the provider, and what is refused before anybody signs in."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

import pytest

from orgboard_dashboard.commands import _allowed
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.errors import UsageError
from orgboard_dashboard.flags import add_web_flags, argv_of, config_of
from orgboard_dashboard.provider.settings import SECRET_VARIABLE, ProviderSettings, secret_of
from orgboard_dashboard.reach import why_not

ISSUER: Final = "https://login.acme.example/realms/ml"
BASE: Final = ("--base-url", "http://localhost:7070")
WHOLE: Final = ("--oidc-issuer", ISSUER, "--oidc-client-id", "board")


def read(*argv: str) -> WebConfig:
    parser = argparse.ArgumentParser()
    add_web_flags(parser)
    return config_of(parser.parse_args(argv), None)


def test_a_child_is_told_the_same_and_never_the_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SECRET_VARIABLE, "very secret")
    file = tmp_path / "secret"
    file.write_text("very secret")
    config = read(
        *(*WHOLE, *BASE, "--oidc-name", "-Acme & Co", "--oidc-secret-file", str(file)),
        *("--oidc-scope", "groups", "--oidc-scope=-x", "--oidc-groups-claim", "groups"),
        *("--oidc-only-group", "a b", "--oidc-only-group", "c", "--oidc-sign-up"),
    )

    assert config.provider is not None
    assert config.provider.only_groups == ("a b", "c")
    argv = argv_of(config)
    assert read(*argv) == config
    assert "very secret" not in " ".join(argv)
    assert secret_of(config.provider, {}) == "very secret"


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ((*WHOLE, *BASE), None),
        (("--oidc-issuer", "http://127.0.0.1:8080/r", "--oidc-client-id", "b", *BASE), None),
        (("--oidc-issuer", "http://login.example", "--oidc-client-id", "b", *BASE), "https://"),
        (("--oidc-issuer", "https://u:p@login.example", "--oidc-client-id", "b", *BASE), "issuer"),
        (("--oidc-issuer", ISSUER + "?a=b", "--oidc-client-id", "b", *BASE), "no issuer"),
        (("--oidc-issuer", ISSUER + "#", "--oidc-client-id", "b", *BASE), "no issuer"),
        (("--oidc-issuer", "https://login example", "--oidc-client-id", "b", *BASE), "no issuer"),
        (("--oidc-issuer", "https://a:b:c", "--oidc-client-id", "b", *BASE), "no issuer"),
        (("--oidc-issuer", ISSUER, *BASE), "--oidc-client-id"),
        (WHOLE, "--base-url"),
        ((*WHOLE, *BASE, "--oidc-only-group", "ml"), "--oidc-groups-claim"),
        ((*WHOLE, *BASE, "--oidc-scope", "a b"), "each by itself"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(
    flags: tuple[str, ...], said: str | None
) -> None:
    reason = why_not(read(*flags), lambda: True)

    assert reason is None if said is None else said in (reason or "")


def test_flags_about_a_provider_that_is_not_named_are_refused() -> None:
    with pytest.raises(UsageError, match="--oidc-sign-up needs --oidc-issuer"):
        read("--oidc-sign-up")


def test_a_secret_that_is_not_there_is_no_empty_one(tmp_path: Path) -> None:
    empty, binary = tmp_path / "empty", tmp_path / "binary"
    empty.write_text(" \n")
    binary.write_bytes(b"\xff\xfe")
    for file in (empty, binary, tmp_path / "none"):
        provider = ProviderSettings(ISSUER, "b", "Acme", secret_file=str(file))
        with pytest.raises(UsageError, match="--oidc-secret-file"):
            secret_of(provider, {SECRET_VARIABLE: "another"})
    plain = ProviderSettings(ISSUER, "b", "Acme")
    assert secret_of(plain, {SECRET_VARIABLE: " a secret\n"}) == "a secret"
    assert secret_of(plain, {}) == ""


def test_a_board_with_a_provider_has_people_from_the_first_moment(tmp_path: Path) -> None:
    database = str(tmp_path / "board.db")

    assert _allowed(read(*WHOLE, *BASE), database, make_database=True).accounts
    assert not _allowed(read(), database, make_database=True).accounts
