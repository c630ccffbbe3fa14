"""The run's own page, as its API tells it: completeness, records of the SDK, hostile ones too."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest

from orgboard_schema.sql.flush import NewGap
from orgboard_schema.types import Tensor
from support.boards import Board, scalars, values
from support.words import HOSTILE


def _page(board: Board, uid: str) -> dict[str, Any]:
    answer = board.ask("GET", f"/api/ui/v1/r/{uid}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def _record(told: Any) -> Tensor:
    text = told if isinstance(told, bytes) else json.dumps(told).encode()
    return Tensor("string", (), (text,))


def test_nan_and_infinities_are_counted_in_blocks_and_in_what_waits(any_board: Board) -> None:
    long = np.ones(3000)
    long[[5, 1500]] = math.nan, math.inf
    any_board.log("run", [scalars("loss", long)])
    uid = any_board.log("run", [scalars("loss", [math.nan, 1.0], step=[4000, 4001])])

    (series,) = _page(any_board, uid)["series"]

    assert series["non_finite"] == 3


def test_files_tell_what_waits_and_what_could_not_be_read(any_board: Board) -> None:
    uid = any_board.log(
        "run", [scalars("loss", [1.0])], gaps=[NewGap(20, 30, "payload crc"), NewGap(60, 5, "x")]
    )

    page = _page(any_board, uid)

    (file,) = page["files"]
    assert (file["offset"], file["size"], file["pending_bytes"]) == (100, 100, 0)
    assert (file["gaps"], file["gap_bytes"], file["lag_s"]) == (2, 35, 0)
    assert [gap["reason"] for gap in page["gaps"]] == ["payload crc", "x"]


def test_the_newest_context_is_told_and_drops_are_added_up_over_the_lives(
    any_board: Board,
) -> None:
    context = {"host": HOSTILE, "git": {"commit": "abc"}, "packages": {"numpy": "2"}}
    uid = any_board.log(
        "run",
        [
            values("orgboard/context", "tensor", [_record({"host": "old"}), _record(context)]),
            values(
                "orgboard/dropped",
                "tensor",
                [
                    _record({"dropped": 3, "reasons": {"disk": 3}}),
                    _record({"dropped": 5, "reasons": {"disk": 3, "queue full": 2}}),
                ],
            ),
            values("orgboard/annotation", "tensor", [_record({"text": HOSTILE})], step=[12]),
        ],
    )
    any_board.log(
        "run",
        [
            values(
                "orgboard/dropped",
                "tensor",
                [_record({"dropped": 1, "reasons": {"disk": 1}})],
                attempt=1,
            ),
            values("orgboard/annotation", "tensor", [_record({"text": "b", "step": None})]),
        ],
    )

    records = _page(any_board, uid)["records"]

    assert records["context"] == context
    assert records["contexts"] == 2
    assert records["dropped"] == {"values": 6, "reasons": {"disk": 4, "queue full": 2}}
    assert [(one["step"], one["text"]) for one in records["remarks"]] == [
        (12, HOSTILE),
        (None, "b"),
    ]


@pytest.mark.parametrize(
    "told",
    [
        b"",
        b"\xff\xfe",
        b"[" * 100_000,
        [1],
        "text",
        {"dropped": "many", "reasons": [1], "text": 5},
        {"dropped": -1, "reasons": {"disk": 1.5, "x": None}},
        {"dropped": True, "text": None},
        b'{"dropped": 1e400}',
    ],
)
def test_records_that_are_none_leave_the_page_whole(board: Board, told: Any) -> None:
    uid = board.log(
        "run",
        [
            values(f"orgboard/{name}", "tensor", [_record(told)])
            for name in ("context", "dropped", "annotation")
        ],
    )

    records = _page(board, uid)["records"]

    assert records["dropped"]["values"] == 0
    assert records["remarks"] == []
