"""Ask everything as somebody, everywhere; tell where the board answers otherwise than the rules.

asker x project x action ──▶ the whole app ──▶ allowed? invisible? forbidden? sign in?
                         └─▶ the oracle   ──▶ the same, or a deviation
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any, Final

from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.queries.guard import watch_over
from support.asgi import OWN_PAGE, Reply, call
from support.permission_action import Action, Spot
from support.permission_actions import ACTIONS, NOWHERE, spot_of
from support.permission_askers import Asker, Seat
from support.permission_oracle import Answer, Need, Place, Principal, Rank, answer, effective
from support.permission_world import BLUE, NOW, RED, Project, World
from support.web_role import web_engine

__all__ = ["Cell", "ask", "cells_of", "deviations", "web_of"]

_OWN_VIEW: Final = re.compile(rb"zqme(\d+)p")


@dataclass(frozen=True, slots=True)
class Cell:
    """One place of the matrix."""

    action: Action
    project: Project | None
    """None: what is asked is nowhere."""
    expected: Answer


def web_of(world: World, **settings: Any) -> Web:
    """Return the whole app on the world, at its time, guarded as a web process is."""
    engine = web_engine(world.engine)
    world.opened.append(engine)
    watch_over(engine, strict=True)
    # Everybody asks everything within seconds: of limits `test_limits.py` knows.
    hours = count(step=3600)
    return create_app(
        WebConfig(**settings), engine, clock=lambda: NOW, monotonic=lambda: float(next(hours))
    )


def cells_of(asker: Asker, principal: Principal, world: World) -> Iterator[Cell]:
    """Give the cells of somebody, project by project."""
    for action in ACTIONS:
        if _is_asked_once(action):
            expected = answer(principal, action.need, None, in_api=action.is_for_programs, team=RED)
            yield Cell(action, None, expected)
    for project in world.projects:
        for action in ACTIONS:
            if _is_asked_once(action):
                continue
            if not action.has_place and (project.team, project.visibility) != (BLUE, "private"):
                # What knows nothing of this one knows none of the others either.
                continue
            place = _place(principal, project) if action.has_place else None
            expected = answer(principal, action.need, place, in_api=action.is_for_programs)
            yield Cell(action, project, expected)


def _is_asked_once(action: Action) -> bool:
    """Tell whether it is the same wherever it is asked, or makes something each time."""
    return action.spends_session or action.need not in (Need.KNOWN, *_OF_A_PROJECT)


def _place(principal: Principal, project: Project) -> Place:
    # What is asked of a project by the link to a run is asked of that run.
    run = principal.share.run if principal.share is not None else None
    mine = run if run in (project.first.uid, None) else None
    return Place(project.name, project.team, project.visibility, mine or project.first.uid)


async def deviations(web: Web, world: World, seat: Seat) -> tuple[list[str], int]:
    """Ask all cells of somebody; return what the rules want otherwise, and how many they are."""
    found: list[str] = []
    principal = seat.asker.principal(world)
    foreign = tuple(_foreign(principal, seat, world))
    own = seat.owns[0].encode() if seat.owns else b""
    number = _OWN_VIEW.match(own)
    nowhere: dict[str, Reply] = {}
    asked = 0
    before, may_change, at = world.state(), False, None
    for cell in cells_of(seat.asker, principal, world):
        if cell.project is not at:
            found += _after(world, before, may_change, seat, at)
            may_change, at = False, cell.project
        action = cell.action
        spot = _spot(cell.project, seat, world)
        if action.name not in nowhere:
            nowhere[action.name] = await ask(web, action, NOWHERE, seat)
        reply = await ask(web, action, spot, seat) if cell.project else nowhere[action.name]
        asked += 1
        may_change |= cell.expected is Answer.ALLOWED and action.need in _CHANGING
        wrong = _wrong(cell, reply, nowhere[action.name], principal)
        said = reply.body + repr(reply.headers).encode()
        is_given = action.by_key and principal.share is not None
        if (action.has_place or not cell.project) and not is_given:
            others = {own for own in _OWN_VIEW.findall(said) if not number or own != number[1]}
            wrong += [f"tells {mark!r}" for mark in foreign if mark in said]
            wrong += [f"tells of the view of {other!r}" for other in others]
        where = f"{cell.project.team}/{cell.project.visibility}" if cell.project else "nowhere"
        found += [f"{seat.asker.name}: {action.name} in {where}: {each}" for each in wrong]
    found += _after(world, before, may_change, seat, at)
    return found + await _of_several(web, world, seat, principal, foreign), asked


async def _of_several(
    web: Web, world: World, seat: Seat, principal: Principal, foreign: tuple[bytes, ...]
) -> list[str]:
    """Ask of all projects together, naming what is in one that is hidden if there is one."""
    ranks = [effective(principal, _place(principal, project)) for project in world.projects]
    at = ranks.index(min(ranks))
    spot = replace(_spot(world.projects[at], seat, world), team="*", project="*")
    sees = any(ranks)
    found, before = [], world.state()
    for action in ACTIONS:
        if not action.has_place or "{project}" not in action.path:
            continue
        reply = await ask(web, action, spot, seat)
        told = _told(action, reply)
        expected = answer(principal, action.need, _NOWHERE, in_api=action.is_for_programs)
        allowed = {expected}
        if expected is not Answer.SIGN_IN and (sees or action.need in _CHANGING):
            # That several are not changed together, is told before it is looked at which.
            refusals = {Answer.FORBIDDEN, Answer.INVISIBLE}
            allowed = refusals if action.need in _CHANGING else {Answer.ALLOWED, *refusals}
        if told not in allowed:
            found.append(f"{seat.asker.name}: {action.name} of several: {told} ({reply.status})")
        said = reply.body + repr(reply.headers).encode()
        # Who names a run may be told its name.
        named = spot.run.uid.encode()
        marks = [mark for mark in foreign if mark in said and not action.by_key and mark != named]
        found += [f"{seat.asker.name}: {action.name} of several tells {mark!r}" for mark in marks]
    if world.state() != before:
        world.restore()
        found.append(f"{seat.asker.name}: something was changed in several at once")
    return found


_NOWHERE: Final = Place("no-project", "no-team", "private")

_NONCE: Final = re.compile(rb'"end_id":"[^"]*"')
"""What Dash draws anew for each page that it writes."""

_CHANGING: Final = (*(Need.OWN, Need.WATCH, Need.ADDRESS, Need.EDIT, Need.ADMINISTER, Need.GRANT),)
_OF_A_PROJECT: Final = (
    *(Need.FRAMED, Need.SEE, Need.WHOLE, Need.MINE, Need.AMONG, Need.OVERSEE),
    *_CHANGING,
)


def _after(
    world: World, before: list[Any], may_change: bool, seat: Seat, at: Project | None
) -> list[str]:
    """Put the world back; tell when it was changed by who may not."""
    if world.state() == before:
        return []
    world.restore()
    place = "nowhere" if at is None else f"{at.team}/{at.visibility}"
    return [] if may_change else [f"{seat.asker.name}: something was changed in {place}"]


def _spot(project: Project | None, seat: Seat, world: World) -> Spot:
    if project is None:
        return NOWHERE
    spot = spot_of(project, seat.owns[world.projects.index(project)])
    is_framed = seat.embed and (project.team, project.visibility) == seat.asker.shared
    return replace(spot, embed=seat.embed) if is_framed else spot


async def ask(web: Web, action: Action, spot: Spot, seat: Seat) -> Reply:
    """Ask one thing of one place, as somebody."""
    sent = seat.spare if action.spends_session else seat.headers
    headers = {**OWN_PAGE, **sent}
    content = action.content(spot)
    if action.method != "GET":
        is_json = content[:1] in b"{["
        headers["content-type"] = "application/json" if is_json else "application/octet-stream"
    if action.is_page:
        headers["accept"] = "text/html"
    return await call(
        web.gate,
        action.method,
        action.target(spot),
        headers,
        content,
        first_part_only=action.is_stream,
    )


def _wrong(cell: Cell, reply: Reply, nowhere: Reply, principal: Principal) -> list[str]:
    """Tell what is wrong with an answer."""
    told = _told(cell.action, reply)
    is_refused = cell.expected is Answer.FORBIDDEN and reply.status in (403, 404)
    # What names nothing that is there, is done with the status of what is invisible.
    is_hidden = cell.expected is Answer.INVISIBLE and reply.status == 404
    is_right = told is cell.expected or is_hidden or (is_refused and not cell.action.has_place)
    wrong = [] if is_right else [f"{told} ({reply.status}), not {cell.expected}"]
    if cell.project is None:
        return wrong
    if not cell.action.has_place:
        # It repeats the names that were asked for, and knows nothing of what they name.
        names = ((cell.project.name, NOWHERE.project), (cell.project.team, NOWHERE.team))
        body, other_body = (_NONCE.sub(b"", each.body) for each in (reply, nowhere))
        for name, other in names:
            body = body.replace(name.encode(), other.encode())
        if not cell.action.is_list and body != other_body:
            wrong.append("knows a project by its name alone")
    elif effective(principal, _place(principal, cell.project)) is Rank.NONE and reply != nowhere:
        wrong.append(f"is not as if there was nothing: {reply.body[:80]!r}, {nowhere.body[:80]!r}")
    return wrong


def _told(action: Action, reply: Reply) -> Answer | str:
    if reply.status == action.done or (action.need is Need.OPEN and reply.status == 303):
        return Answer.ALLOWED
    if reply.status == 303 and reply.header("location").startswith("/sign-in"):
        return Answer.SIGN_IN
    of_status = {401: Answer.SIGN_IN, 403: Answer.FORBIDDEN, 404: Answer.INVISIBLE}
    return of_status.get(reply.status, f"answers {reply.body[:120]!r}")


def _foreign(principal: Principal, seat: Seat, world: World) -> Iterator[bytes]:
    """Give what is found in no answer to somebody."""
    ranks = {
        project: effective(principal, _place(principal, project)) for project in world.projects
    }
    for project, rank in ranks.items():
        yield project.private_view.encode()
        if rank is Rank.NONE:
            yield from project.marks()
        elif principal.share is not None:
            yield project.view.encode()
            if principal.share.run is not None:
                yield from project.marks_beside(principal.share.run)
    sees_blue = any(rank for project, rank in ranks.items() if project.team == BLUE)
    if not sees_blue and BLUE not in principal.teams:
        yield BLUE.encode()
