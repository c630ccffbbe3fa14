"""The settings of a web process as flags: a child is told exactly what its parent was."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.errors import UsageError
from orgboard_dashboard.flags import add_web_flags, argv_of, config_of
from orgboard_dashboard.provider.settings import ProviderSettings

WORDS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=12)
# No file is named "." or "..".
FILES = st.just("") | WORDS.map(lambda name: f"/of {name.replace('/', '_')}")


PROVIDERS = st.builds(
    ProviderSettings,
    issuer=WORDS,
    client_id=st.just("") | WORDS,
    name=WORDS,
    secret_file=FILES,
    scopes=st.lists(WORDS, max_size=3).map(tuple),
    groups_claim=st.just("") | WORDS,
    only_groups=st.lists(WORDS, max_size=3).map(tuple),
    sign_up=st.booleans(),
)


def _read(argv: tuple[str, ...]) -> WebConfig:
    parser = argparse.ArgumentParser()
    add_web_flags(parser)
    parser.add_argument("--logdir", action="append")
    options = parser.parse_args(argv)
    # The directories of these settings are nowhere.
    config = config_of(options, None)
    return replace(config, logdirs=tuple(options.logdir) if options.logdir else None)


@given(
    st.builds(
        WebConfig,
        host=WORDS,
        logdirs=st.none() | st.lists(WORDS, min_size=1, max_size=3).map(tuple),
        allow_frame=st.booleans(),
        read_only=st.booleans(),
        accounts=st.booleans(),
        base_url=st.just("") | WORDS.map(lambda text: text.rstrip("/")),
        tls_cert=FILES,
        tls_key=FILES,
        trusted_proxies=st.lists(WORDS, max_size=3).map(tuple),
        provider=st.none() | PROVIDERS,
        no_embeds=st.booleans(),
    )
)
def test_a_child_is_told_exactly_what_its_parent_was(config: WebConfig) -> None:
    assert _read(argv_of(config)) == config


def test_every_setting_that_a_flag_may_change_reaches_the_child() -> None:
    # One that is added and forgotten in `argv_of` would be lost on the way.
    bare, own = WebConfig(), {"poll_every_s", "heartbeat_every_s"}
    provider = ProviderSettings("https://i", "c", "n", "/s", ("s",), "g", ("o",), True)
    other = WebConfig(
        *("h", ("/l",), True, True, True, "https://u", "/c", "/k", ("10.0.0.1",), provider, True)
    )
    changed = {name for name in WebConfig.__slots__ if getattr(other, name) != getattr(bare, name)}

    assert changed == set(WebConfig.__slots__) - own
    assert _read(argv_of(other)) == other


def test_files_and_directories_are_those_of_who_gave_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "logs").mkdir()
    parser = argparse.ArgumentParser()
    add_web_flags(parser)
    options = parser.parse_args(["--tls-cert", "c.pem", "--tls-key", "k.pem"])

    config = config_of(options, ["logs"])

    assert config.tls_cert == str(tmp_path / "c.pem")
    assert config.logdirs == (str((tmp_path / "logs").resolve()),)
    with pytest.raises(UsageError, match="does not exist"):
        config_of(options, ["nowhere"])


def test_remote_logs_are_called_what_ingest_calls_them() -> None:
    parser = argparse.ArgumentParser()
    add_web_flags(parser)

    config = config_of(parser.parse_args([]), ["S3A://bucket/logs/"])

    assert config.logdirs == ("s3://bucket/logs",)
    assert "--logdir=s3://bucket/logs" in argv_of(config)
