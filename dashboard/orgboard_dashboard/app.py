"""The app, wired: gate outside, then our routes, then Dash. Nothing is decided here.

Gate ─▶ Outgoing ─▶ FastAPI ─┬─ /healthz /readyz /metrics
                             ├─ /api/ui/v1/…
                             ├─ /  /p/…  /r/…      one page; what it shows, it asks for
                             └─ /_dash-…  /assets  Dash
"""

from __future__ import annotations

import inspect
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, NoReturn, cast

from dash import Dash
from dash._utils import split_callback_id
from dash.backends._fastapi import (
    FastAPIDashServer,
    reset_current_request,
    set_current_request,
)
from dash.exceptions import DependencyException, InvalidResourceError
from fastapi import FastAPI
from sqlalchemy import Engine
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from orgboard_dashboard import pages
from orgboard_dashboard.api import (
    answers,
    comments,
    dictionary,
    directories,
    edits,
    embeds,
    exports,
    expressions,
    feed,
    graph_files,
    graphs,
    group_rules,
    groups,
    health,
    histograms,
    identities,
    ingest,
    mentions,
    metrics,
    moves,
    news,
    own,
    people,
    public,
    records,
    runs,
    scalars,
    second_factors,
    sessions,
    settings,
    shares,
    standings,
    storage,
    summary,
    tokens,
    values,
    views,
)
from orgboard_dashboard.api import live as live_api
from orgboard_dashboard.callbacks import CallShape
from orgboard_dashboard.config import WebConfig
from orgboard_dashboard.embeds import frames
from orgboard_dashboard.front import Front
from orgboard_dashboard.gate import Gate
from orgboard_dashboard.headers import content_security_policy, security_headers
from orgboard_dashboard.identity import CSRF_HEADER, Identity
from orgboard_dashboard.limits import Limits
from orgboard_dashboard.live import Board
from orgboard_dashboard.outgoing import Outgoing
from orgboard_dashboard.pace import Pace
from orgboard_dashboard.policies import rules_for
from orgboard_dashboard.queries.errors import NotFound
from orgboard_dashboard.queries.guard import watch_over
from orgboard_dashboard.refusals import Refusals
from orgboard_dashboard.services import Services
from orgboard_dashboard.shell.bundle import Bundle, leave_out_unused
from orgboard_dashboard.shell.layout import SCRIPTS, STYLES, dash_options, layout
from orgboard_dashboard.signin import by_provider
from orgboard_dashboard.signin import routes as signin
from orgboard_dashboard.unsent import Unsent
from orgboard_dashboard.urls import PAGES

__all__ = ["Web", "create_app"]

log = logging.getLogger(__name__)

_SUITES: Final = "/_dash-component-suites/{package_name}/{fingerprinted_path:path}"

_PAGE_PATHS: Final = (
    "/p/{team}/{project}",
    "/r/{uid}",
    "/account",
    "/account/mentions",
    "/t/{team}/feed",
    "/dictionary",
    "/admin",
    "/admin/{section}",
    *(f"/p/{{team}}/{{project}}/{page}" for page in PAGES),
)


class Web:
    """The app and its parts, as the server and tests need them."""

    def __init__(self, gate: Gate, api: FastAPI, dash_app: Dash, board: Board) -> None:
        self.gate = gate
        self.api = api
        self.dash_app = dash_app
        self.board = board


def create_app(
    config: WebConfig,
    engine: Engine,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Web:
    """Return the whole app over a database that is at this program's version.

    `monotonic` is what the limits of requests go by.
    """
    watch_over(engine, strict=False)
    services = Services(engine, clock, limits=Limits(monotonic))
    identity = Identity(services, config)
    refusals = Refusals(services)
    board = Board(engine, clock, config.poll_every_s, Pace(services.work, time.monotonic))
    # Its documentation pages load scripts from elsewhere, and tell who may not know.
    api = FastAPI(
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=_closing(board, refusals),
        title="orgboard",
    )
    answers.register_errors(api)
    guide = by_provider.Guide(services, config, identity)
    api.include_router(signin.routes(services, config, identity))
    api.include_router(by_provider.routes(guide))
    api.include_router(identities.routes(services, guide))
    api.include_router(second_factors.routes(services, config))
    api.include_router(group_rules.routes(services, config))
    api.include_router(health.routes(services))
    api.include_router(metrics.routes(services))
    api.include_router(public.routes(services))
    api.include_router(own.routes(services, config))
    api.include_router(tokens.routes(services))
    api.include_router(directories.routes(services))
    api.include_router(dictionary.routes(services))
    api.include_router(people.routes(services, config))
    api.include_router(records.routes(services))
    api.include_router(sessions.routes(services))
    api.include_router(storage.routes(services))
    api.include_router(ingest.routes(services))
    api.include_router(runs.routes(services))
    api.include_router(scalars.routes(services))
    api.include_router(summary.routes(services))
    api.include_router(settings.routes(services))
    api.include_router(standings.routes(services))
    api.include_router(exports.routes(services))
    api.include_router(groups.routes(services))
    api.include_router(expressions.routes(services))
    api.include_router(values.routes(services))
    api.include_router(histograms.routes(services))
    api.include_router(graphs.routes(services))
    api.include_router(graph_files.routes(services))
    api.include_router(edits.routes(services))
    api.include_router(moves.routes(services))
    api.include_router(comments.routes(services))
    api.include_router(mentions.routes(services))
    api.include_router(news.routes(services))
    api.include_router(feed.routes(services))
    api.include_router(views.routes(services))
    api.include_router(shares.routes(services, config))
    api.include_router(embeds.routes(services, config))
    api.include_router(frames.routes(services))
    api.include_router(live_api.routes(services, board, config.heartbeat_every_s))
    dash_app = _dash(api, config)
    gate = Gate(
        Outgoing(api, Unsent()),
        rules=rules_for(PAGES, frames=not config.no_embeds),
        hosts=config.allowed_hosts(),
        identity=identity,
        callbacks=_callable_callbacks(dash_app, pages.CALLBACK_POLICIES),
        headers=security_headers(
            content_security_policy(dash_app.csp_hashes(), allow_frame=config.allow_frame),
            allow_frame=config.allow_frame,
            https_only=config.https_only,
        ),
        front=Front(config.base, config.is_exposed and not config.is_tls, config.trusted_proxies),
        own_origin=config.own_origin,
        refused=refusals.note,
        limits=services.limits,
    )
    return Web(gate, api, dash_app, board)


def _closing(board: Board, refusals: Refusals) -> Callable[[FastAPI], Any]:
    @asynccontextmanager
    async def lifespan(_api: FastAPI) -> AsyncIterator[None]:
        yield
        board.close()
        await refusals.tell(rest=True)

    return lifespan


def _dash(api: FastAPI, config: WebConfig) -> Dash:
    """Mount Dash with the pages on `api`."""

    async def page(request: Request) -> Response:
        # Dash reads the address of the page from here.
        token = set_current_request(request)  # type: ignore[no-untyped-call]  # Dash has no types
        try:
            index: str = dash_app.index()  # type: ignore[no-untyped-call]  # Dash has no types
            return HTMLResponse(index)
        finally:
            reset_current_request(token)  # type: ignore[no-untyped-call]  # Dash has no types

    async def component_suite(
        request: Request, package_name: str, fingerprinted_path: str
    ) -> Response:
        try:
            backend = cast("FastAPIDashServer", dash_app.backend)
            file = backend.serve_component_suites(
                dash_app, package_name, fingerprinted_path, request
            )
        except (DependencyException, InvalidResourceError, OSError) as error:
            raise NotFound from error
        return cast("Response", file)

    for path in _PAGE_PATHS:
        api.add_api_route(path, page, methods=["GET"])
    for bundle in (SCRIPTS, STYLES, frames.SCRIPTS, frames.STYLES):
        api.add_api_route(bundle.path, _serving(bundle), methods=["GET"])
    # Before Dash's own, which answers 500 for what is not there.
    api.add_api_route(_SUITES, component_suite, methods=["GET"])
    leave_out_unused()
    dash_app = Dash(
        "orgboard_dashboard",
        server=api,  # type: ignore[arg-type]  # Dash's hint forgets its own FastAPI backend
        pages_folder="",
        include_pages_meta=False,
        serve_locally=True,
        add_log_handler=False,
        websocket_callbacks=False,
        on_error=_tell_operator,
        csrf_token_name=config.csrf_cookie,
        csrf_header_name=CSRF_HEADER,
        **dash_options(config.base),
    )
    dash_app.layout = layout()
    pages.register(dash_app)
    # Dash looks for scripts and styles at the first request of its own routes, which a page
    # is not: the first visitor would get a page without them.
    dash_app._setup_server()  # type: ignore[no-untyped-call]  # Dash has no types
    return dash_app


def _serving(bundle: Bundle) -> Callable[[Request], Awaitable[Response]]:
    headers = {"cache-control": "public, max-age=31536000, immutable", "vary": "accept-encoding"}

    async def serve(request: Request) -> Response:
        if "gzip" in request.headers.get("accept-encoding", ""):
            packed = {**headers, "content-encoding": "gzip"}
            return Response(bundle.packed, media_type=bundle.media_type, headers=packed)
        return Response(bundle.body, media_type=bundle.media_type, headers=headers)

    return serve


def _tell_operator(error: Exception) -> NoReturn:
    """Log what a callback raised: Dash answers 500 without a word to anybody."""
    log.error("a callback failed", exc_info=error)
    raise error


def _callable_callbacks(dash_app: Dash, policies: Mapping[str, str]) -> dict[str, CallShape]:
    """Return the callbacks that the server may be asked to run, and how they are called.

    Raises:
        RuntimeError: one has no policy, or would block the event loop.
    """
    called = {output: spec for output, spec in dash_app.callback_map.items() if "callback" in spec}
    for output, spec in called.items():
        if output not in policies:
            raise RuntimeError(f"callback {output!r} has no policy in pages.CALLBACK_POLICIES")
        if not inspect.iscoroutinefunction(inspect.unwrap(spec["callback"])):
            raise RuntimeError(f"callback {output!r} is not a coroutine: it would block everybody")
    return {
        output: CallShape(_named(_outputs(output)), _named(spec["inputs"]), _named(spec["state"]))
        for output, spec in called.items()
    }


def _outputs(output: str) -> list[dict[str, str]]:
    named: Any = split_callback_id(output)  # type: ignore[no-untyped-call]  # Dash has no types
    return named if isinstance(named, list) else [named]


def _named(parts: list[dict[str, str]]) -> tuple[tuple[str, str], ...]:
    return tuple((part["id"], part["property"]) for part in parts)
