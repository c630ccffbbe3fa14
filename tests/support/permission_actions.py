"""Everything that can be asked of a board over HTTP: one action or more for each rule of the gate.

An action says what it needs in the words of the oracle, and how it is asked in one place or in
another: a project that is there, one that is not, or a project whose runs are another one's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Final

from orgboard_dashboard import pages
from orgboard_dashboard.urls import PAGES
from support.permission_action import Action, Spot, nothing
from support.permission_file_actions import actions_on_files
from support.permission_oracle import Need
from support.permission_people_actions import actions_on_people
from support.permission_talk_actions import actions_on_talk
from support.permission_world import NOW, Project, Run

__all__ = ["ACTIONS", "NOWHERE", "Action", "Spot", "spot_of", "swapped"]


_API: Final = "/api/ui/v1"
_P: Final = _API + "/p/{team}/{project}"
_R: Final = _API + "/r/{uid}"
_OUTPUT: Final = next(iter(pages.CALLBACK_POLICIES))
_PARTS: Final = ("ob-page", "ob-crumb", "ob-tabs", "ob-bar")


def spot_of(project: Project, own: str) -> Spot:
    """Return the place of a project that is there."""
    return Spot(
        *(project.team, project.name, project.first, project.second.uid, project.deleted.uid),
        *(project.remark, project.view, project.link, project.share, project.visibility, own),
        *(project.comment, project.file, project.file_sha256, project.embed),
    )


_NO_RUN: Final = Run("nosuchrun000", "", 999_999, 999_998, "0" * 64, "1" * 64, "2" * 64)

NOWHERE: Final = Spot(
    *("no-team", "no-project", _NO_RUN, "nosuchrun001", "nosuchrun002"),
    *("nosuchremark", "nosuchview", "nosuchlink", "nosuchshare", "team", "nosuchown"),
)
"""A place in which there is nothing."""


def swapped(mine: Spot, theirs: Spot) -> Spot:
    """Return a project of one's own, asked for what is another project's."""
    there = replace(theirs, team=mine.team, project=mine.project)
    return replace(there, visibility=mine.visibility)


def _runs(spot: Spot) -> str:
    return f"{spot.run.uid},{spot.second}"


def _curves(spot: Spot) -> dict[str, Any]:
    return {"cards": [{"tag": spot.run.tag}], "runs": [spot.run.uid, spot.second]}


def _open() -> Iterator[Action]:
    # The matrix asks from this machine, where whoever is on it may read the metrics
    # (`test_operating_page.py` asks from elsewhere).
    for path in ("/healthz", "/readyz", "/metrics", "/_favicon.ico", "/welcome", "/s"):
        yield Action(path, "GET", path, Need.OPEN, is_page=True)
    for path in ("/sign-in", "/sign-in/back"):
        yield Action("sign-in page", "GET", path, Need.OPEN, is_page=True)
    yield Action(
        *("an asset", "GET", "/assets/{path:path}", Need.OPEN),
        segments=lambda _: {"path": "ob/boot.js"},
    )
    yield Action(
        *("scripts", "GET", "/_dash-component-suites/{package_name}/{fingerprinted_path:path}"),
        Need.OPEN,
        segments=lambda _: {
            "package_name": "dash",
            "fingerprinted_path": "deps/react@18.3.1.min.js",
        },
    )


def _framed() -> Iterator[Action]:
    yield Action(
        *("a frame", "GET", "/embed/{embed_id}", Need.OPEN),
        # Whose pages may show it is told to everybody, and of the card nothing.
        segments=lambda _: {"embed_id": "zqem0zq"},
        is_page=True,
    )
    yield Action(
        *("a card in a frame", "GET", "/embed/{embed_id}/card", Need.FRAMED),
        segments=lambda s: {"embed_id": s.embed},
    )


def _door() -> Iterator[Action]:
    # What comes to the door with nothing in its hands is told so: it got that far.
    for path in (
        "/sign-in",
        "/sign-in/provider",
        "/sign-in/back",
        "/welcome",
        "/welcome/look",
        "/s",
    ):
        yield Action(f"knock at {path}", "POST", path, Need.DOOR, body=lambda _: [], done=400)
    yield Action("sign out", "POST", "/sign-out", Need.KNOWN, spends_session=True)


def _pages() -> Iterator[Action]:
    project_pages = ("", *(f"/{page}" for page in PAGES))
    yield Action(
        *("admin page", "GET", "/admin/{section}", Need.KNOWN),
        segments=lambda _: {"section": "people"},
        is_page=True,
    )
    for path in (
        "/",
        "/account",
        "/account/mentions",
        "/t/{team}/feed",
        "/dictionary",
        "/admin",
        "/r/{uid}",
        *("/p/{team}/{project}" + page for page in project_pages),
    ):
        yield Action(f"page {path}", "GET", path, Need.KNOWN, is_page=True)
    for path in ("/_dash-layout", "/_dash-dependencies"):
        yield Action(path, "GET", path, Need.KNOWN)
    yield Action(
        *("callback " + _OUTPUT, "POST", "/_dash-update-component", Need.KNOWN),
        body=lambda spot: {
            "output": _OUTPUT,
            "outputs": [{"id": part, "property": "children"} for part in _PARTS],
            "inputs": [
                {
                    "id": "ob-page",
                    "property": "data-path",
                    "value": f"/p/{spot.team}/{spot.project}/runs",
                }
            ],
            "changedPropIds": ["ob-page.data-path"],
        },
    )
    yield Action("projects", "GET", _API + "/projects", Need.KNOWN, is_list=True)


def _seen_of_project() -> Iterator[Action]:
    def get(name: str, query: Callable[[Spot], dict[str, Any]] = nothing, **more: Any) -> Action:
        return Action(f"read {name}", "GET", f"{_P}/{name}", Need.SEE, query, **more)

    def post(name: str, body: Callable[[Spot], Any]) -> Action:
        return Action(f"ask {name}", "POST", f"{_P}/{name}", Need.SEE, body=body)

    yield get("runs", lambda _: {"q": "lr < 1", "m": "last:loss"})
    yield get("fields")
    yield get("tags", lambda _: {"kind": "scalar"})
    yield get("export", lambda s: {"tags": s.run.tag, "runs": _runs(s)})
    for name in ("annotations", "remarks"):
        yield get(name, lambda s: {"runs": _runs(s)})
    for name in ("layouts", "me", "run-tags", "deleted", "views"):
        yield get(name)
    yield get("metrics", lambda s: {"runs": _runs(s)})
    yield get("values", lambda s: {"kind": "text", "runs": _runs(s)})
    yield get("hparams", lambda s: {"runs": _runs(s)})
    yield get("live", is_stream=True)
    yield post("scalars", _curves)
    yield post("summary", _curves)
    yield post("groups", lambda s: {"runs": [s.run.uid, s.second], "by": "hp:lr"})
    yield post("bands", lambda s: _curves(s) | {"groups": [{"id": "g", "runs": [s.run.uid]}]})
    yield post("expressions", lambda s: _curves(s) | {"chart": "loss"})
    yield post("histograms", lambda s: _curves(s) | {"cards": [{"tag": s.run.histogram}]})
    yield post("layers", lambda s: {"run": s.run.uid, "other": s.second})
    yield post("settings", lambda s: {"runs": [s.run.uid, s.second], "axes": ["hp:lr"]})
    yield post("standings", lambda _: {"key": "last:loss"})
    yield post("deletion/preview", lambda s: {"runs": [s.run.uid]})
    yield Action(
        *("read a team's view", "GET", _P + "/views/{key}", Need.SEE),
        segments=lambda s: {"key": s.view},
        by_key=True,
    )
    yield Action(
        *("follow a long link", "GET", _P + "/views/{key}", Need.SEE),
        segments=lambda s: {"key": s.link},
        by_key=True,
    )


def _seen_of_run() -> Iterator[Action]:
    yield Action("read a run", "GET", _R, Need.SEE)
    yield Action("read a picture", "GET", _R + "/blob/{sha256}", Need.SEE)
    yield Action("read graphs", "GET", _R + "/graphs", Need.SEE)
    asked: dict[str, Callable[[Spot], dict[str, Any]]] = {
        "scope": nothing,
        "node": lambda s: {"path": f"{s.run.mark}/out"},
        "search": lambda _: {"q": "out"},
        "trace": lambda s: {"path": f"{s.run.mark}/out"},
        "layers": nothing,
        "difference": lambda s: {"to": s.run.uid, "base": s.run.graph},
        "measured": lambda s: {"stats": s.run.stats},
    }
    for name, query in asked.items():
        yield Action(
            *(f"read a graph's {name}", "GET", _R + "/graphs/{sha256}/" + name, Need.SEE, query),
            segments=lambda s: {"sha256": s.run.graph},
        )


def _changes() -> Iterator[Action]:
    yield Action(
        *("star a run", "POST", _P + "/edits", Need.EDIT),
        body=lambda s: {"edits": [{"runs": [s.second], "starred": True}]},
    )
    yield Action(
        *("remark", "POST", _P + "/remarks", Need.EDIT),
        body=lambda s: {"run": s.run.uid, "step": 1, "text": "seen"},
    )
    yield Action(
        *("change a remark", "PATCH", _P + "/remarks/{key}", Need.EDIT),
        body=lambda _: {"text": "seen anew"},
        segments=lambda s: {"key": s.remark},
    )
    yield Action(
        *("write a note", "POST", _R + "/note", Need.EDIT),
        # Of another run than by the API: no program gets here to have written it before.
        body=lambda _: {"text": "noted", "read": NOW - 100},
        segments=lambda s: {"uid": s.second},
    )
    yield Action(
        *("delete a run", "POST", _P + "/deletion", Need.ADMINISTER),
        body=lambda s: {"runs": [s.second]},
    )
    yield Action(
        *("move a run", "POST", _P + "/moves", Need.ADMINISTER),
        body=lambda s: {"runs": [s.second], "to": f"{s.team}/{s.project}"},
    )
    yield Action(
        *("bring a run back", "POST", _P + "/restoration", Need.ADMINISTER),
        body=lambda s: {"runs": [s.deleted]},
    )


def _kept_views() -> Iterator[Action]:
    yield Action(
        *("read an own view", "GET", _P + "/views/{key}", Need.MINE),
        segments=lambda s: {"key": s.own},
    )
    yield from _changed_views("a team's", Need.EDIT, lambda s: {"key": s.view}, for_team=True)
    yield from _changed_views("an own", Need.OWN, lambda s: {"key": s.own}, for_team=False)
    for name, need, key in (
        # Somebody who never asks said something of it.
        ("a team's view, with what others said", Need.ADMINISTER, lambda s: {"key": s.view}),
        ("a team's view", Need.EDIT, lambda s: {"key": f"{s.view}q"}),
        ("an own view", Need.OWN, lambda s: {"key": s.own}),
    ):
        yield Action(f"remove {name}", "DELETE", _P + "/views/{key}", need, segments=key)


def _changed_views(
    whose: str, need: Need, key: Callable[[Spot], dict[str, str]], *, for_team: bool
) -> Iterator[Action]:
    new = {"page": "scalars", "state": "q=a", "name": f"new, {whose}", "for_team": for_team}
    path = _P + "/views"
    yield Action(f"save {whose} view", "POST", path, need, body=lambda _: new)
    yield Action(
        *(f"rename {whose} view", "PATCH", path + "/{key}", need),
        body=lambda _: {"name": f"renamed, {whose}"},
        segments=key,
    )


def _shares() -> Iterator[Action]:
    path = _P + "/shares"
    yield Action("read share links", "GET", path, Need.OVERSEE)
    yield Action(
        *("make a share link", "POST", path, Need.GRANT),
        body=lambda s: {
            "path": f"/p/{s.team}/{s.project}/scalars",
            "title": "a link",
            "runs": [s.run.uid],
        },
    )
    yield Action(
        *("revoke a share link", "DELETE", path + "/{share_id}", Need.ADMINISTER),
        segments=lambda s: {"share_id": s.share},
    )


def _embeds() -> Iterator[Action]:
    path = _P + "/embeds"
    yield Action("read cards elsewhere", "GET", path, Need.OVERSEE)
    yield Action(
        *("embed a card", "POST", path, Need.ADMINISTER),
        body=lambda s: {
            "tag": "loss",
            "title": "a card",
            "origins": ["https://wiki.example"],
            "runs": [s.run.uid],
        },
    )
    yield Action(
        *("revoke a card elsewhere", "DELETE", path + "/{embed_id}", Need.ADMINISTER),
        segments=lambda s: {"embed_id": s.embed},
    )


def _for_programs() -> Iterator[Action]:
    api = "/api/v1"
    project, run = api + "/projects/{team}/{project}", api + "/runs/{uid}"
    yield Action("the API's document", "GET", api + "/openapi.json", Need.KNOWN)
    yield Action("projects, by the API", "GET", api + "/projects", Need.KNOWN, is_list=True)
    yield Action("runs, by the API", "GET", project + "/runs", Need.SEE)
    yield Action("tags, by the API", "GET", project + "/tags", Need.SEE)
    yield Action(
        *("points, by the API", "GET", project + "/points", Need.SEE),
        query=lambda s: {"run": s.run.uid},
    )
    yield Action("a run, by the API", "GET", run, Need.SEE)
    yield Action(
        *("star a run, by the API", "POST", project + "/edits", Need.EDIT),
        body=lambda s: {"edits": [{"runs": [s.second], "starred": False}]},
    )
    yield Action(
        *("write a note, by the API", "POST", run + "/note", Need.EDIT),
        body=lambda _: {"text": "noted by a program", "read": NOW - 100},
    )


ACTIONS: Final[tuple[Action, ...]] = (
    *(*_open(), *_framed(), *_door(), *_pages()),
    # What is said of a view before the view is removed.
    *(
        *_seen_of_project(),
        *_seen_of_run(),
        *actions_on_talk(),
        *actions_on_files(),
        *_changes(),
        *_kept_views(),
    ),
    *(*_shares(), *_embeds(), *_for_programs(), *actions_on_people()),
)
