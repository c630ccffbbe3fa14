"""From where a board may be reached: each way to be told so, and what it is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_dashboard.config import WebConfig, is_loopback
from orgboard_dashboard.reach import why_not

BOARD = "https://board.example"
TLS: dict[str, object] = {"tls_cert": "/c", "tls_key": "/k"}
PROXY: dict[str, object] = {"trusted_proxies": ("127.0.0.1",)}

SERVED: list[tuple[dict[str, object], bool]] = [
    # The settings, and whether the database has accounts.
    ({}, False),
    ({}, True),
    ({"host": "localhost"}, False),
    ({"host": "::1", "allow_frame": True}, False),
    ({"accounts": True}, False),
    ({"read_only": True, "logdirs": ("/logs",)}, False),
    (TLS, False),
    ({"base_url": "http://localhost:8080/board"}, False),
    ({"base_url": "https://localhost/board", **PROXY}, False),
    ({"host": "10.0.0.5", "accounts": True, **TLS}, False),
    ({"host": "10.0.0.5", **TLS}, True),
    ({"host": "0.0.0.0", "base_url": BOARD, **TLS}, True),
    ({"host": "::", "base_url": BOARD + "/x", "accounts": True, **TLS}, False),
    ({"base_url": BOARD, "accounts": True, **PROXY}, False),
    ({"base_url": BOARD, **PROXY}, True),
    ({"host": "10.0.0.5", "base_url": BOARD, "trusted_proxies": ("10.0.0.0/8",)}, True),
    ({"base_url": BOARD, "trusted_proxies": ("127.0.0.1", "fd00::/8", "10.1.2.3/8")}, True),
]

REFUSED: list[tuple[dict[str, object], bool, str]] = [
    ({"host": "0.0.0.0"}, False, "needs accounts: add --accounts"),
    ({"host": "example.org"}, False, "needs accounts"),
    ({"host": "::", **TLS}, False, "needs accounts"),
    # A proxy on this machine makes loopback an open door.
    ({"base_url": BOARD, **PROXY}, False, "board.example can be reached from other machines"),
    ({"base_url": BOARD, **TLS}, False, "needs accounts"),
    ({"host": "10.0.0.5"}, True, "nobody signed in over plain HTTP"),
    ({"host": "10.0.0.5", "accounts": True}, False, "--tls-cert and --tls-key"),
    ({"base_url": "http://board.example", **PROXY}, True, "plain HTTP"),
    ({"base_url": BOARD, "accounts": True}, False, "--trusted-proxy with the address"),
    ({"host": "0.0.0.0", **TLS}, True, "say with --base-url by which"),
    ({"host": "0.0.0.0", "allow_frame": True}, True, "--allow-frame is for a board"),
    ({"base_url": BOARD, "allow_frame": True, **PROXY}, True, "--allow-frame is for a board"),
    ({"tls_cert": "/c"}, False, "--tls-cert needs --tls-key too"),
    ({"tls_key": "/k"}, False, "--tls-key needs --tls-cert too"),
    ({"base_url": "board.example"}, True, "it is no address"),
    ({"base_url": "http://board.example", **TLS}, True, "write it with https://"),
    ({"base_url": BOARD, "trusted_proxies": ("10.0.0.0/99",)}, True, "is no network"),
    ({"base_url": BOARD, "trusted_proxies": ("proxy.example",)}, True, "is no network"),
    (PROXY, False, "--trusted-proxy needs --base-url too"),
]


@pytest.mark.parametrize(("settings", "has_accounts"), SERVED)
def test_what_only_this_machine_or_https_reaches_is_served(
    settings: dict[str, object], has_accounts: bool
) -> None:
    assert why_not(WebConfig(**settings), lambda: has_accounts) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(("settings", "has_accounts", "reason"), REFUSED)
def test_what_others_reach_otherwise_is_refused_with_what_to_do(
    settings: dict[str, object], has_accounts: bool, reason: str
) -> None:
    told = why_not(WebConfig(**settings), lambda: has_accounts)  # type: ignore[arg-type]

    assert told is not None
    assert reason in told
    assert "\n" not in told


def test_a_board_of_one_person_asks_the_database_nothing() -> None:
    def asked() -> bool:
        raise AssertionError("the database was asked")

    assert why_not(WebConfig(), asked) is None
    exposed = WebConfig(host="10.0.0.5", accounts=True, tls_cert="c", tls_key="k")
    assert why_not(exposed, asked) is None


HOSTS = st.sampled_from(["127.0.0.1", "localhost", "::1", "0.0.0.0", "::", "10.0.0.5", "b.example"])
URLS = st.sampled_from(["", BOARD, "http://b.example", "http://localhost:1", BOARD + ":8443/x"])


@given(
    HOSTS, URLS, st.booleans(), st.booleans(), st.booleans(), st.sampled_from([(), ("10.0.0.0/8",)])
)
def test_whatever_is_told_no_open_and_no_plain_board_is_exposed(
    host: str, url: str, accounts: bool, tls: bool, has_accounts: bool, proxies: tuple[str, ...]
) -> None:
    given_tls = ("c", "k") if tls else ("", "")
    config = WebConfig(
        host=host,
        base_url=url,
        accounts=accounts,
        tls_cert=given_tls[0],
        tls_key=given_tls[1],
        trusted_proxies=proxies,
    )

    if why_not(config, lambda: has_accounts) is None:
        outside = config.outside
        is_only_here = is_loopback(host) and (outside is None or is_loopback(outside.host))
        assert is_only_here or (accounts or has_accounts)
        assert is_only_here or config.session_cookie.startswith("__Host-")
        assert is_only_here or tls or proxies
