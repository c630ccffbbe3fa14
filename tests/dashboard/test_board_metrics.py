"""`/metrics` of the web: whom it answers, and what it tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import insert, select

from orgboard_dashboard.accounts.opaque import digest, new_secret, new_token
from orgboard_dashboard.accounts.passwords import hash_of
from orgboard_dashboard.api.metrics import metrics_text
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.people.accounts import add_account, set_password
from orgboard_dashboard.queries.people.links import set_up, use_link
from orgboard_dashboard.queries.people.ways_in import guess_at, open_session
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.sql.flush import NewGap
from support.boards import Board, opened, scalars

NOW = 2e9


@pytest.fixture(scope="module")
def board(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    with opened(str(tmp_path_factory.mktemp("metrics") / "board.db")) as made:
        made.log("secret-run", [scalars("loss", [1.0])], project="hidden/project")
        made.log("other", gaps=[NewGap(10, 3, "damaged")], project="team/other", logdir="/l2")
        with begin_write(made.engine) as conn:
            set_up(conn, "first", NOW)
            use_link(conn, "first", "ana", hash_of("a long password"), NOW, "127.0.0.1")
            set_password(conn, add_account(conn, "ben", NOW), hash_of("a long password"), NOW)
        yield made


@pytest.fixture(scope="module")
def web(board: Board) -> Web:
    config = WebConfig(accounts=True, base_url="https://b.example", trusted_proxies=("127.0.0.1",))
    return create_app(config, board.engine, clock=lambda: NOW + 5)


def _session(board: Board, name: str) -> dict[str, str]:
    secret = new_secret()
    with begin_write(board.engine) as conn:
        open_session(conn, guess_at(conn, name), secret, NOW + 1, address="", agent="")
    return {"cookie": f"__Host-ob_session={secret}", "host": "b.example"}


def _token(board: Board, name: str, **bound: int | None) -> dict[str, str]:
    token = new_token(f"t{name}{len(bound)}")
    with begin_write(board.engine) as conn:
        account = tables.account.c
        owner = conn.scalar(select(account.account_id).where(account.name == name))
        row = {
            "token_id": f"t{name}{len(bound)}",
            "secret_sha256": digest(token),
            "account_id": owner,
            "name": "scrape",
            "scope": "read",
            "created_at": NOW,
            "expires_at": NOW + 1000,
            **bound,
        }
        conn.execute(insert(tables.token), row)
    return {"authorization": f"Bearer {token}", "host": "b.example"}


def _families(text: str) -> dict[str, float]:
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_program_of_this_machine_is_told_numbers_and_nobodys_names(
    board: Board, web: Web
) -> None:
    _session(board, "ben")

    answer = board.ask("GET", "/metrics", web=web, headers={"host": "localhost:7070"})

    told = _families(answer.text)
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert told["orgboard_web_database_up"] == 1
    assert told["orgboard_web_runs"] == 2
    assert told["orgboard_web_logdirs"] == 2
    assert told["orgboard_web_accounts"] == 2
    assert told["orgboard_web_sessions"] >= 1
    assert told["orgboard_web_gaps"] == 1
    for name in ("hidden", "secret-run", "/logs", "ana", "ben", "{"):
        assert name not in answer.text


@pytest.mark.parametrize(
    "said",
    [
        {"x-forwarded-for": "203.0.113.9"},
        {"x-forwarded-for": "127.0.0.1"},
        {"forwarded": "for=127.0.0.1"},
        {"via": "1.1 proxy"},
        {"x-real-ip": "127.0.0.1"},
        # A proxy that says nothing, but passes on what was asked for.
        {"host": "b.example"},
    ],
)
def test_who_comes_through_a_proxy_of_this_machine_is_not_of_it(
    board: Board, web: Web, said: dict[str, str]
) -> None:
    answer = board.ask("GET", "/metrics", web=web, headers={"host": "localhost", **said})

    assert answer.status_code == 401
    assert "orgboard_web" not in answer.text


def test_from_elsewhere_only_who_sees_everything_is_told(board: Board, web: Web) -> None:
    team = {"team_id": 1}

    def status(headers: dict[str, str]) -> int:
        return board.ask("GET", "/metrics", web=web, headers=headers).status_code

    assert status(_session(board, "ana")) == 200
    assert status(_session(board, "ben")) == 404
    assert status(_token(board, "ana")) == 200
    assert status(_token(board, "ben")) == 404
    # An admin's token that is for one team is for no more than that.
    assert status(_token(board, "ana", **team)) == 404
    assert status({"authorization": "Bearer ob_pat_x_y", "host": "b.example"}) == 401


def test_a_board_of_one_person_needs_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    with opened(str(tmp_path_factory.mktemp("own") / "board.db")) as board:
        assert board.ask("GET", "/metrics").status_code == 200


def test_a_database_that_is_away_is_a_number_too() -> None:
    assert _families(metrics_text(None)) == {"orgboard_web_database_up": 0}
