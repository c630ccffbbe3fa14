"""Who may do what: everybody, everywhere, everything, against an oracle that knows only the rules.

Each test is one asker's part of the matrix: every action of every rule of the gate, in projects of
each visibility of one's own team and of another one. See `support.permission_oracle` for the rules,
`permission_askers` for who asks, `permission_actions` for what.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from orgboard_dashboard import pages
from orgboard_dashboard.app import Web
from orgboard_dashboard.policies import Rule, RuleTable, _pattern, rules_for
from orgboard_dashboard.urls import PAGES
from support.asgi import Reply
from support.boards import opened
from support.permission_action import Spot
from support.permission_actions import ACTIONS, NOWHERE, spot_of, swapped
from support.permission_askers import ACCOUNTS, LOCAL, Asker, Seat, seat, seat_everybody
from support.permission_matrix import ask, cells_of, deviations, web_of
from support.permission_oracle import Need
from support.permission_world import BLUE, RED, World, build_world
from support.postgres import fresh_database

pytestmark = pytest.mark.slow

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
        made = build_world(board)
        yield made
        for engine in made.opened:
            engine.dispose()


@dataclass(frozen=True, slots=True)
class People:
    """Everybody, in front of the board on which they have accounts."""

    web: Web
    seats: dict[str, Seat]
    runner: asyncio.Runner
    """One event loop for all of them, as the app has."""


@pytest.fixture(scope="module")
def local(world: World) -> Seat:
    # Asked first, while the board has no accounts.
    return seat(world, LOCAL[0])


@pytest.fixture(scope="module")
def people(world: World) -> Iterator[People]:
    seats = seat_everybody(world)
    with asyncio.Runner() as runner:
        yield People(web_of(world), seats, runner)


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
    world: World, people: People, asker: Asker
) -> None:
    found, asked = people.runner.run(deviations(people.web, world, people.seats[asker.name]))

    assert found == []
    assert asked > 300


def test_nobody_reaches_what_is_elsewhere_through_a_project_of_ones_own(
    world: World, people: People
) -> None:
    found = [
        wrong
        for name in ("team-admin", "token-write-team")
        for wrong in people.runner.run(_through_ones_own(people.web, world, people.seats[name]))
    ]

    assert found == []


async def _through_ones_own(web: Web, world: World, seat: Seat) -> list[str]:
    """Ask for runs, remarks and views of hidden projects by the name of one that is seen."""
    mine = spot_of(world.project(RED, "team"), seat.owns[1])
    before, found = world.state(), []
    for action in ACTIONS:
        if not action.has_place or "{project}" not in action.path:
            continue
        for hidden in (world.project(BLUE, "private"), world.project(BLUE, "team")):
            theirs = replace(spot_of(hidden, hidden.private_view), remark=f"{hidden.remark}0")
            run = theirs.run
            nothing_there = replace(NOWHERE.run, tag=run.tag, histogram=run.histogram)
            nobodys = replace(NOWHERE, run=nothing_there)
            reply = await ask(web, action, swapped(mine, theirs), seat)
            if action.method != "GET" and world.state() != before:
                # Of one's own one may save and change what names nothing of theirs.
                found += [f"{action.name} changed {mark}" for mark in _changed(world, before)]
                world.restore()
            nothing = await ask(web, action, swapped(mine, nobodys), seat)
            if action.need is not Need.SEE:
                world.restore()
            if _words_of(reply, theirs) != _words_of(nothing, nobodys):
                found.append(f"{seat.asker.name}: {action.name}: {reply.body[:200]!r}")
    return found


def _words_of(reply: Reply, spot: Spot) -> bytes:
    """Return an answer without the names that it only repeats, and what each save makes anew."""
    said = reply.body
    for text in (spot.run.uid, spot.second):
        said = said.replace(text.encode(), b"?")
    return str(reply.status).encode() + re.sub(rb'"id":"[0-9A-Za-z]+"', b"", said)


def _changed(world: World, before: list[Any]) -> set[str]:
    """Return the marks of hidden projects that are in rows that are not as they were."""
    rows = {repr(row) for table in before for row in table}
    rows ^= {repr(row) for table in world.state() for row in table}
    hidden = [project for project in world.projects if project.team == BLUE]
    texts = {mark.decode() for project in hidden for mark in project.marks()}
    return {text for text in texts if any(text in row for row in rows)}


def test_a_view_of_ones_own_is_nobody_elses(world: World, people: People) -> None:
    project = world.project(RED, "team")
    actions = [action for action in ACTIONS if action.name.endswith("an own view")]

    async def ask_for(key: str, name: str) -> list[Reply]:
        spot = spot_of(project, key)
        asked = [action for action in actions if not action.name.startswith("save")]
        return [await ask(people.web, action, spot, people.seats[name]) for action in asked]

    for name in ("team-viewer", "team-admin", "instance-admin", "token-write-unbound"):
        others = people.runner.run(ask_for(project.private_view, name))
        assert {reply.status for reply in others} == {404}
        assert others == people.runner.run(ask_for("nosuchview", name))


def test_a_rule_without_a_place_in_the_matrix_is_found() -> None:
    asked = {(action.method, action.path) for action in ACTIONS}
    rules = {(rule.method, rule.path) for rule in RULES.rules}

    assert rules - asked == set()
    assert asked - rules == set()
    assert all(any(key in action.name for action in ACTIONS) for key in pages.CALLBACK_POLICIES)


def test_each_rule_that_is_left_out_is_missed(world: World, people: People) -> None:
    web, admin = people.web, people.seats["instance-admin"]
    spot = spot_of(world.projects[0], admin.owns[0])
    actions = {(action.method, action.path): action for action in ACTIONS}

    framed = people.seats["embed-of-a-viewer"]

    async def replies(left_out: Rule) -> tuple[Reply, Reply]:
        action = actions[left_out.method, left_out.path]
        is_card = left_out.policy == "embed"
        who, at = (framed, replace(spot, embed=framed.embed)) if is_card else (admin, spot)
        whole = await ask(web, action, at, who)
        kept = [rule for rule in RULES.rules if rule != left_out]
        web.gate._rules = RuleTable(tuple(kept), tuple(map(_pattern, (r.path for r in kept))))
        lacking = await ask(web, action, at, who)
        web.gate._rules = RULES
        world.restore()
        return whole, lacking

    for rule in RULES.rules:
        if rule.path == "/sign-out":
            continue
        whole, lacking = people.runner.run(replies(rule))
        done = actions[rule.method, rule.path].done
        # 409: it is there already, from the last time.
        assert whole.status in (done, 200, 303, 409), rule
        assert lacking.status in (404, 405), rule
        assert lacking.body != whole.body, rule


def test_the_matrix_has_five_thousand_cells_and_every_answer(world: World) -> None:
    cells = [
        cell
        for asker in (*LOCAL, *ACCOUNTS)
        for cell in cells_of(asker, asker.principal(world), world)
    ]

    assert len(cells) >= 5000
    assert len({cell.expected for cell in cells}) == 4
