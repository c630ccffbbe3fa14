"""What can be asked about graphs that people opened from their disks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from support.graph_defs import CHAIN, graph_def
from support.permission_action import Action, Spot, nothing
from support.permission_oracle import Need

__all__ = ["actions_on_files"]

_FILES: Final = "/api/ui/v1/p/{team}/{project}/graphs"
_FILE: Final = "/api/ui/v1/r/{uid}/graphs"


def actions_on_files() -> Iterator[Action]:
    """Give an action for each rule on it, and for those that runs' graphs have."""
    where: dict[str, Any] = {"segments": _named}
    yield Action("read opened files", "GET", _FILES, Need.SEE)
    yield Action("read an opened file's graphs", "GET", _FILE, Need.WHOLE, **where)
    asked: dict[str, Callable[[Spot], dict[str, Any]]] = {
        "scope": nothing,
        "node": lambda _: {"path": "out"},
        "search": lambda _: {"q": "out"},
        "trace": lambda _: {"path": "out"},
        "layers": nothing,
        "difference": lambda s: {"to": s.run.uid, "base": s.run.graph},
    }
    for name, query in asked.items():
        path = _FILE + "/{sha256}/" + name
        yield Action(f"read an opened file's {name}", "GET", path, Need.WHOLE, query, **where)
    yield Action(
        *("compare a run's graph with a file's", "GET", _FILE + "/{sha256}/difference"),
        Need.WHOLE,
        query=lambda s: {"to": f"file.{s.file}", "base": s.file_sha256},
        segments=lambda s: {"sha256": s.run.graph},
    )
    yield Action(
        *("open a file", "POST", _FILES, Need.EDIT),
        query=lambda _: {"name": "net.pb"},
        body=lambda _: graph_def(CHAIN),
    )
    yield Action(
        *("remove a file", "DELETE", _FILES + "/{key}", Need.EDIT),
        segments=lambda s: {"key": s.file},
    )


def _named(spot: Spot) -> dict[str, str]:
    return {"uid": f"file.{spot.file}", "sha256": spot.file_sha256}
