"""What the program keeps of answers is nobody's way to see what was taken away."""

from __future__ import annotations

import asyncio
import functools
import importlib
import sys
from collections.abc import Callable, Iterator, Mapping
from pkgutil import walk_packages
from typing import Any

import pytest
from sqlalchemy import Connection, delete, insert, update

import orgboard_dashboard
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from support.asgi import OWN_PAGE, Reply, call
from support.boards import Board
from support.permission_actions import ACTIONS, spot_of
from support.permission_askers import Asker, Seat
from support.permission_matrix import ask, web_of
from support.permission_oracle import Need, Rank
from support.permission_world import NOW, RED, World, build_world
from support.signing_in import add_person

SEEN = [action for action in ACTIONS if action.need is Need.SEE and not action.is_stream]
ANA = Asker("ana", teams={RED: Rank.VIEWER})


def _lose_membership(conn: Connection) -> None:
    conn.execute(delete(tables.team_member))


def _become_private(conn: Connection) -> None:
    conn.execute(update(tables.project).values(visibility="private"))


@pytest.mark.parametrize("take_away", [_lose_membership, _become_private])
def test_what_was_asked_before_is_not_there_once_it_was_taken_away(
    any_board: Board, take_away: Callable[[Connection], None]
) -> None:
    world, seat = _world(any_board)
    web, project = web_of(world), world.project(RED, "team")
    spot = spot_of(project, "nosuchown")

    async def ask_all() -> list[Reply]:
        return [await ask(web, action, spot, seat) for action in SEEN]

    async def before_and_after() -> tuple[list[Reply], list[Reply], list[Reply]]:
        # Twice, so that all that is kept was kept, and was found again.
        first, second = await ask_all(), await ask_all()
        with begin_write(world.engine) as conn:
            take_away(conn)
        return first, second, await ask_all()

    first, second, after = asyncio.run(before_and_after())
    for engine in world.opened:
        engine.dispose()

    assert {reply.status for reply in first} == {200}
    assert [reply.body for reply in first] == [reply.body for reply in second]
    assert {reply.status for reply in after} == {404}
    assert len({reply.body for reply in after}) == 1


def test_what_one_asked_is_not_there_for_another_who_may_not_see_it(any_board: Board) -> None:
    world, seat = _world(any_board)
    add_person(any_board, "ben")
    web, project = web_of(world), world.project(RED, "team")
    spot = spot_of(project, "nosuchown")
    other = _seat(world, "ben")

    async def by_turns() -> list[tuple[int, int]]:
        told = []
        for action in SEEN:
            mine = await ask(web, action, spot, seat)
            theirs = await ask(web, action, spot, other)
            told.append((mine.status, theirs.status))
        return told

    told = asyncio.run(by_turns())
    for engine in world.opened:
        engine.dispose()

    assert set(told) == {(200, 404)}


def test_everything_that_the_program_remembers_is_known_here() -> None:
    """A cache that comes to be is looked at: does it hold what somebody may not see any more?"""
    package = f"{orgboard_dashboard.__name__}."
    ours = [module.name for module in walk_packages(orgboard_dashboard.__path__, package)]
    for name in ours:
        importlib.import_module(name)
    found = {
        f"{name.removeprefix('orgboard_dashboard.')}.{kept.__name__}"
        for name in ours
        for kept in _kept_in(vars(sys.modules[name]), name)
    }

    assert found == {
        # Statements without what they find; the condition for the viewer is in each.
        "queries.runs.newest_touch",
        "queries.series._find_runs",
        "queries.visible._find_project",
        # What a statement is about, by its text.
        "queries.guard._touched",
        # Of trees that the caller was given, after the run was found to be visible.
        "graphs.difference.compare",
        # Of the program's own, or of a value and nothing else.
        "front._networks",
        "api.answers._field_names",
        "api.runs._rendered",
        "graphs.columns.listed_shapes",
        "export.elements._small_floats",
        # Whom this machine trusts.
        "provider.asking._trusted",
    }


def _kept_in(names: Mapping[str, Any], module: str) -> Iterator[Any]:
    """Yield what is cached in a module, and in the classes that it makes."""
    for value in list(names.values()):
        if getattr(value, "__module__", "") != module:
            continue
        if isinstance(value, functools._lru_cache_wrapper):
            yield value
        if isinstance(value, type):
            yield from _kept_in(vars(value), module)


def _world(board: Board) -> tuple[World, Seat]:
    world = build_world(board)
    account_id = add_person(board, "ana")
    with begin_write(board.engine) as conn:
        team = conn.scalar(
            tables.team.select()
            .with_only_columns(tables.team.c.team_id)
            .where(tables.team.c.name == RED)
        )
        row = {"team_id": team, "account_id": account_id, "role": 1, "since": NOW}
        conn.execute(insert(tables.team_member), row)
    return world, _seat(world, "ana")


def _seat(world: World, name: str) -> Seat:
    web = web_of(world)
    body = f'{{"name": "{name}", "password": "a sentence that ana knows by heart"}}'.encode()
    sent = OWN_PAGE | {"content-type": "application/json"}
    reply = asyncio.run(call(web.gate, "POST", "/sign-in", sent, body))
    cookies = [said.partition(";")[0] for said in reply.all("set-cookie")]
    csrf = next(cookie.partition("=")[2] for cookie in cookies if cookie.startswith("ob_csrf"))
    headers = {"cookie": "; ".join(cookies), "x-csrftoken": csrf}
    return Seat(ANA, headers, {}, ["nosuchown"] * len(world.projects))
