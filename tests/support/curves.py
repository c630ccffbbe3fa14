"""Curves asked for over the API, unpacked."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from orgboard_dashboard.api.codec import column, decode
from support.boards import Board

__all__ = ["ROUTE", "Drawn", "tag_id"]

ROUTE = "/api/ui/v1/p/default/board/scalars"


class Drawn:
    """An answer, unpacked."""

    def __init__(self, board: Board, tag: str, **question: Any) -> None:
        asked = {
            "cards": [{"tag": tag_id(board, tag)}],
            "runs": list(board.uids.values()),
            **question,
        }
        answer = board.ask("POST", ROUTE, json=asked)
        assert answer.status_code == 200, answer.text
        self.header, self.data = decode(answer.content)
        self.lines: list[dict[str, Any]] = self.header["cards"][0]["lines"]

    def column(self, name: str, line: int = 0) -> NDArray[Any]:
        """Return a column of a line."""
        return column(self.lines[line]["blocks"][name], self.data)

    def at(self, name: str, line: int = 0) -> NDArray[np.float64]:
        """Return a column of a line as doubles."""
        return self.column(name, line).astype(np.float64)


def tag_id(board: Board, name: str) -> int:
    """Look up the number of a tag."""
    tags = board.ask("GET", "/api/ui/v1/p/default/board/tags?kind=scalar").json()["tags"]
    return next(int(tag["id"]) for tag in tags if tag["name"] == name)
