"""Nothing is open by accident: every route and every callback has a declared policy."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount, Route, WebSocketRoute

from orgboard_dashboard import pages
from orgboard_dashboard.app import Web, create_app
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.policies import CHANGING, REFUSED, Rule, rules_for
from orgboard_dashboard.urls import PAGES
from support.boards import Board

RULES = rules_for(PAGES)


@pytest.fixture
def web(board: Board) -> Web:
    made = board.web()
    # Dash adds its catch-all when the server starts.
    made.dash_app.backend._setup_catchall()  # type: ignore[attr-defined]
    return made


def test_every_route_has_a_policy_or_is_refused_by_name(web: Web) -> None:
    unknown = [
        (method, path)
        for method, path in _routes(web)
        if RULES.match(method, _example(path)) is None and path not in REFUSED
    ]

    assert unknown == []


def test_every_rule_is_of_a_route_that_exists(web: Web) -> None:
    # Another rule may name the same routes with fewer words; none may name nothing.
    routes = set(_routes(web))
    idle = [
        rule
        for rule in RULES.rules
        if not any(method == rule.method and _meets(rule, path) for method, path in routes)
    ]

    assert idle == []


def test_what_is_refused_has_no_rule() -> None:
    kept_out = [path for path in REFUSED if "{" not in path]

    assert kept_out
    assert all(RULES.match("GET", path) is None for path in kept_out)


def test_only_what_tells_nothing_of_anyones_is_open() -> None:
    open_paths = {rule.path for rule in RULES.rules if rule.policy == "open"}

    assert open_paths == {
        "/healthz",
        "/readyz",
        "/assets/{path:path}",
        "/_dash-component-suites/{package_name}/{fingerprinted_path:path}",
        "/_favicon.ico",
        "/embed/{embed_id}",
        "/s",
        "/sign-in",
        "/sign-in/back",
        "/welcome",
    }


def test_every_callback_has_a_policy_and_is_a_coroutine(web: Web) -> None:
    callbacks = {
        output: spec["callback"]
        for output, spec in web.dash_app.callback_map.items()
        if "callback" in spec
    }

    assert callbacks.keys() <= pages.CALLBACK_POLICIES.keys()
    blocking = [
        output
        for output, callback in callbacks.items()
        if not inspect.iscoroutinefunction(inspect.unwrap(callback))
    ]
    assert blocking == []


def test_an_app_with_an_undeclared_callback_does_not_start(
    board: Board, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pages, "CALLBACK_POLICIES", {})

    with pytest.raises(RuntimeError, match="has no policy"):
        create_app(WebConfig(), board.engine)


def test_what_is_asked_by_nobody_yet_only_opens_the_door() -> None:
    doors = {(rule.method, rule.path) for rule in RULES.rules if rule.policy == "door"}

    assert {method for method, _ in doors} == {"POST"}
    assert {path for _, path in doors} == {
        *("/sign-in", "/sign-in/provider", "/sign-in/back"),
        *("/s", "/welcome", "/welcome/look"),
    }


def test_whatever_writes_asks_for_who_may_edit() -> None:
    # Everything else that is asked with a body only reads.
    reading = {
        "/_dash-update-component",
        "scalars",
        "summary",
        "groups",
        "bands",
        "expressions",
        "settings",
        "preview",
        "histograms",
        "layers",
        "standings",
    }
    open_to_all = {
        rule.path
        for rule in RULES.rules
        if rule.method != "GET"
        and rule.policy not in CHANGING
        and rule.path not in reading
        and rule.path.rpartition("/")[2] not in reading
    }

    assert open_to_all == set()


def test_changing_requests_have_a_body_limit() -> None:
    unlimited = [rule for rule in RULES.rules if rule.method != "GET" and not rule.body_limit_bytes]

    assert unlimited == []


def _routes(web: Web) -> Iterator[tuple[str, str]]:
    for route in _flat(web.api.routes):
        if isinstance(route, Route | APIRoute):
            yield from ((method, route.path) for method in (route.methods or {"GET"}) - {"HEAD"})
        elif isinstance(route, WebSocketRoute):
            yield "WEBSOCKET", route.path
        elif isinstance(route, Mount):
            yield "GET", route.path + "/{path:path}"
        else:
            raise TypeError(f"a route of an unknown sort: {route!r}")


def _flat(routes: Any) -> Iterator[Any]:
    for route in routes:
        inner = getattr(route, "original_router", None)
        if inner is not None:
            yield from _flat(inner.routes)
        else:
            yield route


def _example(path: str) -> str:
    return re.sub(r"\{\w+:path\}", "a/b", re.sub(r"\{\w+\}", "a", path))


def _meets(rule: Rule, path: str) -> bool:
    match = RULES.match(rule.method, _example(path))
    return match == rule
