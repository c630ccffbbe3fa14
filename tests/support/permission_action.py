"""One thing that can be asked of a board over HTTP, and where."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from support.permission_oracle import Need
from support.permission_world import Run

__all__ = ["Action", "Spot", "nothing"]


@dataclass(frozen=True, slots=True)
class Spot:
    """What a question names."""

    team: str
    project: str
    run: Run
    second: str
    deleted: str
    remark: str
    view: str
    link: str
    share: str
    visibility: str
    own: str
    """A view of the asker's own."""
    comment: str = "nosuchcomment"
    """Of somebody who never asks."""
    file: str = "nosuchfile"
    """An opened graph, and the hash of it."""
    file_sha256: str = "3" * 64
    embed: str = "nosuchembed"
    """A card that other sites' pages may show."""

    @property
    def said(self) -> str:
        """A comment of the asker's own."""
        return self.own.replace("zqme", "zqsa")


_OF_A_PROJECT: Final = (
    *(Need.FRAMED, Need.SEE, Need.WHOLE, Need.MINE, Need.AMONG, Need.WATCH, Need.OVERSEE),
    *(Need.OWN, Need.ADDRESS, Need.EDIT, Need.ADMINISTER, Need.GRANT),
)


def nothing(_: Any) -> dict[str, Any]:
    """Name nothing."""
    return {}


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that can be asked."""

    name: str
    method: str
    path: str
    """As the rule has it."""
    need: Need
    query: Callable[[Spot], dict[str, Any]] = nothing
    body: Callable[[Spot], Any] | None = None
    """As JSON, or the bytes of a file."""
    segments: Callable[[Spot], dict[str, str]] = nothing
    """What stands for a name in `path` beside those of every spot."""
    done: int = 200
    """The status of who may."""
    is_list: bool = False
    """Of what the asker may see, wherever that is."""
    by_key: bool = False
    """Who knows the key of it, and may see the project, was given it."""
    is_page: bool = False
    is_stream: bool = False
    spends_session: bool = False

    @property
    def has_place(self) -> bool:
        """Whether a project's data are asked for."""
        return self.need in _OF_A_PROJECT

    @property
    def is_for_programs(self) -> bool:
        """Whether it is part of the API that is promised to programs."""
        return self.path.startswith("/api/v1/")

    def target(self, spot: Spot) -> str:
        """Return the address with its query part."""
        named = {"team": spot.team, "project": spot.project, "uid": spot.run.uid}
        named |= {"sha256": spot.run.blob, **self.segments(spot)}
        path = self.path.replace(":path}", "}").format(**named)
        query = "&".join(f"{key}={quote(str(to))}" for key, to in self.query(spot).items())
        return f"{path}?{query}" if query else path

    def content(self, spot: Spot) -> bytes:
        """Return the body."""
        if self.method == "GET":
            return b""
        said = self.body(spot) if self.body else {}
        return said if isinstance(said, bytes) else json.dumps(said).encode()
