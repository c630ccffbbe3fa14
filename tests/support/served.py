"""A stored board behind a real web server, as a browser meets it."""

from __future__ import annotations

import math
import re
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from orgboard_schema.sql.engine import open_engine
from orgboard_schema.sql.flush import NewGap
from orgboard_schema.sql.migrate import upgrade
from orgboard_schema.types import Blob, Media, Tensor
from support.boards import Board, scalars, values
from support.forks import forked, preload
from support.waiting import wait_until

__all__ = ["HOSTILE", "POINTS", "PROJECT", "Served", "log_example", "serve_example"]

preload("orgboard_dashboard.commands", "orgboard_dashboard.serving")

PROJECT = "/p/default/board"
HOSTILE = "<img src=x onerror=alert(1)>"
"""A name that is markup to whoever takes it for markup."""

POINTS = 5000
"""Of the longest curve: more than any card draws."""

START_WITHIN_S = 30.0
_ADDRESS = re.compile(r"http://\S+:\d+")


@dataclass(frozen=True, slots=True)
class Served:
    """Where the board answers, and the database behind it."""

    address: str
    board: Board

    def page(self, name: str) -> str:
        """Return the address of a page of the project."""
        return f"{self.address}{PROJECT}/{name}"


@contextmanager
def serve_example(folder: Path, *flags: str) -> Iterator[Served]:
    """Store some runs, and serve them while the block runs; `flags` of `orgboard web` besides."""
    database = folder / "board.db"
    engine = open_engine(str(database))
    upgrade(engine)
    board = Board(engine)
    log_example(board)
    log = folder / "web.log"
    log.touch()
    with forked(["web", "--db", database, "--port", 0, *flags], log):
        found = wait_until(lambda: _ADDRESS.search(log.read_text()), START_WITHIN_S, "an address")
        yield Served(found.group(), board)
    engine.dispose()


def log_example(board: Board) -> None:
    """Store three runs, one with a name that is markup."""
    loss = 2 * np.exp(-np.arange(POINTS) / 1000)
    # One point that every honest picture shows.
    loss[3333] = 9.0
    board.log(
        "cosine/a",
        [
            scalars("train/loss", loss),
            scalars("train/accuracy", 1 - loss / 10),
            scalars("val/loss", loss[::10], step=range(0, POINTS, 10)),
            values("notes", "text", [_text("# First\n\n**bold** <script>alert(1)</script>")]),
            values("sample", "image", [_image(0), _image(255)], step=[0, 10]),
        ],
        hparams='{"lr": 0.1, "width": 64}',
    )
    board.log(
        "cosine/b",
        [
            scalars("train/loss", loss[:1000] * 1.2),
            scalars("train/grad", [1, math.nan, math.nan, 2]),
        ],
        hparams='{"lr": 0.01, "width": 64}',
    )
    board.log(
        HOSTILE,
        [scalars("train/loss", loss[:500]), scalars(f"evil/{HOSTILE}", [1, 2, 3])],
        gaps=[NewGap(48_104, 312, "payload checksum differs")],
    )


def _text(text: str) -> Tensor:
    return Tensor("string", (1,), (text.encode(),))


def _image(level: int) -> Media:
    return Media((Blob(_png(8, 8, level), "image/png"),), 8, 8)


def _png(width: int, height: int, level: int) -> bytes:
    """Return a grey picture."""
    rows = b"".join(b"\0" + bytes([level]) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in parts
    )
