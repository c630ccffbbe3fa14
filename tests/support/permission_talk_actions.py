"""What can be asked about what people say to each other, and of what one is told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from support.permission_action import Action
from support.permission_oracle import Need
from support.permission_world import NOW

__all__ = ["actions_on_talk"]

_API: Final = "/api/ui/v1"
_PUBLIC: Final = "/api/v1"
_R: Final = _API + "/r/{uid}"
_P: Final = _API + "/p/{team}/{project}"


def actions_on_talk() -> Iterator[Action]:
    """Give an action for each rule on it."""
    view: dict[str, Any] = {"segments": lambda s: {"key": s.view}}
    of_view = _P + "/views/{key}/comments"
    yield Action("read comments", "GET", _R + "/comments", Need.AMONG)
    yield Action("comment", "POST", _R + "/comments", Need.OWN, body=lambda _: {"text": "seen"})
    yield Action("read comments on a view", "GET", of_view, Need.AMONG, **view)
    yield Action(
        *("comment on a view", "POST", of_view, Need.OWN), body=lambda _: {"text": "seen"}, **view
    )
    yield Action("whom to name", "GET", _P + "/people", Need.ADDRESS)
    yield Action("read earlier notes", "GET", _R + "/note/versions", Need.AMONG)
    yield Action(
        *("read an earlier note", "GET", _R + "/note/versions/{version}", Need.AMONG),
        segments=lambda _: {"version": "1"},
    )
    # Each is taken back once: one on the run, one on the view.
    for place, api, which in (("", _API, ""), (", by the API", _PUBLIC, "v")):
        yield from _by_key(place, api + "/comments/{key}", which)
    yield Action("read comments, by the API", "GET", _PUBLIC + "/runs/{uid}/comments", Need.AMONG)
    yield Action(
        *("comment, by the API", "POST", _PUBLIC + "/runs/{uid}/comments", Need.OWN),
        body=lambda _: {"text": "seen by a program"},
    )
    yield Action(
        *("all comments, by the API", "GET", _PUBLIC + "/projects/{team}/{project}/comments"),
        Need.AMONG,
    )
    # When they were logged, and when people said something of them.
    for at in (1.7e9, NOW):
        yield Action(
            *(f"what all teams did about {at:.0f}", "GET", _API + "/t/{team}/feed", Need.MEMBER),
            query=_days_before(at),
            segments=lambda _: {"team": "*"},
            is_list=True,
        )
    for path in ("/mentions", "/mentions/unseen"):
        yield Action(f"read {path}", "GET", _API + path, Need.ACCOUNT, is_list=True)
    for method, name in (
        ("GET", "look whether one watches"),
        ("POST", "watch"),
        ("DELETE", "leave"),
    ):
        yield Action(f"{name} a run", method, _R + "/watch", Need.WATCH)
    for path in ("/watches", "/news"):
        yield Action(f"read {path}", "GET", _API + path, Need.ACCOUNT, is_list=True)
    yield Action(
        *("see news", "POST", _API + "/news/seen", Need.ACCOUNT),
        body=lambda s: {"news": [f"{s.run.uid}:comment@{s.comment}"]},
    )
    yield Action(
        *("see mentions", "POST", _API + "/mentions/seen", Need.ACCOUNT),
        body=lambda _: {"all": True},
    )


def _days_before(at: float) -> Callable[[Any], dict[str, Any]]:
    return lambda _: {"days": f"{at - 86_400},{at + 86_400}"}


def _by_key(place: str, path: str, which: str) -> Iterator[Action]:
    yield Action(
        *(f"change an own comment{place}", "PATCH", path, Need.OWN),
        body=lambda _: {"text": "seen anew"},
        segments=lambda s: {"key": s.said},
    )
    yield Action(
        *(f"take another's comment back{place}", "DELETE", path, Need.ADMINISTER),
        segments=lambda s: {"key": s.comment + which},
    )
