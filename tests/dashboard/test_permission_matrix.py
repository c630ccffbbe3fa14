"""Who may do what: everybody, everywhere, everything, against an oracle that knows only the rules.

Each test is one asker's part of the matrix: every action of every rule of the gate, in projects of
each visibility of one's own team and of another one. See `support.permission_oracle` for the rules,
`permission_askers` for who asks, `permission_actions` for what.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from orgboard_dashboard.policies import rules_for
from orgboard_dashboard.urls import PAGES
from support.boards import opened
from support.permission_actions import ACTIONS
from support.permission_askers import ACCOUNTS, LOCAL, Asker, Seat, seat, seat_everybody
from support.permission_matrix import cells_of, deviations, web_of
from support.permission_world import World, build_world
from support.postgres import fresh_database

RULES = rules_for(PAGES)
ENGINES = ("sqlite", "postgres")


@pytest.fixture(scope="module", params=ENGINES)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    if request.param == "sqlite":
        yield str(tmp_path_factory.mktemp("matrix") / "board.db")
        return
    with fresh_database(request.getfixturevalue("postgres_url")) as url:
        yield url


@pytest.fixture(scope="module")
def world(database: str) -> Iterator[World]:
    with opened(database) as board:
        yield build_world(board)


@pytest.fixture(scope="module")
def local(world: World) -> Seat:
    # Asked first, while the board has no accounts.
    return seat(world, LOCAL[0])


@pytest.fixture(scope="module")
def seats(world: World) -> dict[str, Seat]:
    return seat_everybody(world)


@pytest.mark.parametrize("asker", LOCAL, ids=lambda asker: asker.name)
def test_a_board_without_accounts_is_its_one_persons(
    world: World, local: Seat, asker: Asker
) -> None:
    web = web_of(world, read_only=asker.kind == "reader")
    here = Seat(asker, local.headers, local.spare, local.owns)

    found, asked = asyncio.run(deviations(web, world, here))

    assert found == []
    assert asked > 300


@pytest.mark.parametrize("asker", ACCOUNTS, ids=lambda asker: asker.name)
def test_everybody_may_do_what_the_rules_say_and_nothing_else(
    world: World, seats: dict[str, Seat], asker: Asker
) -> None:
    found, asked = asyncio.run(deviations(web_of(world), world, seats[asker.name]))

    assert found == []
    assert asked > 300


def test_the_matrix_has_five_thousand_cells_and_every_answer(world: World) -> None:
    cells = [
        cell
        for asker in (*LOCAL, *ACCOUNTS)
        for cell in cells_of(asker, asker.principal(world), world)
    ]

    assert len(cells) >= 5000
    assert len({cell.expected for cell in cells}) == 4
