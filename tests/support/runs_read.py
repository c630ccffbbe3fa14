"""What a run's event files say, read by the one reader of the format."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.hparams import SessionEnd, SessionStart, parse_hparams
from support.event_files import read_whole

_NUMBER = re.compile(r"\d+")

__all__ = ["RunRead", "as_stored", "read_run", "runs_below"]


@dataclass(frozen=True, slots=True)
class RunRead:
    """One run, all its files in the order of their names."""

    scalars: Mapping[str, list[tuple[int, float]]]
    """(step, value) of each tag, in file order."""
    points: Mapping[str, list[tuple[int, Any]]]
    """(step, point) of each other tag but those of the SDK itself, in file order."""
    hparams: Mapping[str, Any]
    """The settings that were said last."""
    outcome: str | None
    """How it says it ended: "success", "failure"."""
    is_closed: bool
    """Whether the last word is that it ended."""
    restarts: list[int]
    """The steps from which a later life says that it takes over."""


def read_run(directory: Path) -> RunRead:
    """Read a run. A damaged file fails the test."""
    scalars: dict[str, list[tuple[int, float]]] = {}
    points: dict[str, list[tuple[int, Any]]] = {}
    hparams: Mapping[str, Any] = {}
    outcome: str | None = None
    is_closed = False
    restarts: list[int] = []
    for batch in _batches(directory):
        assert not batch.gaps
        columns = batch.scalars
        for tag, step, value in zip(columns.tag, columns.step, columns.value, strict=True):
            scalars.setdefault(columns.tags[tag], []).append((step, value))
        for _, point in batch.points:
            points.setdefault(point.tag, []).append((point.step, point))
            if point.kind == "hparams" and point.metadata is not None:
                said = parse_hparams(point.metadata.content)
                hparams = said.hparams if isinstance(said, SessionStart) else hparams
                outcome = said.status if isinstance(said, SessionEnd) else outcome
        restarts += [mark.step for mark in batch.sessions if mark.status == "start"]
        is_closed = any(mark.status == "stop" for mark in batch.sessions)
    return RunRead(scalars, points, hparams, outcome, is_closed, restarts)


def as_stored(steps: Iterable[int], values: Iterable[float]) -> list[tuple[int, float]]:
    """Give points as a float32 scalar keeps them."""
    narrow = struct.Struct("<f")
    return [
        (step, narrow.unpack(narrow.pack(value))[0])
        for step, value in zip(steps, values, strict=True)
    ]


def runs_below(directory: Path) -> list[str]:
    """Name the directories that hold event files, relative to this one; itself is "."."""
    files = directory.rglob("events.out.tfevents.*")
    return sorted({file.parent.relative_to(directory).as_posix() for file in files})


def _batches(directory: Path) -> Iterator[Batch]:
    files = directory.glob("events.out.tfevents.*")
    for file in sorted(files, key=lambda file: [int(part) for part in _NUMBER.findall(file.name)]):
        batches = read_whole(file.read_bytes(), final=True)
        yield from (batch for batch in batches if batch.end > batch.start)
