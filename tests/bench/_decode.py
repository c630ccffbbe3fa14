"""Runs apart, in our environment or in TensorBoard's: reads files, prints events and CPU seconds.

`_decode.py ours|loader|accumulator PATH…`: our reader, TensorBoard's EventFileLoader over files, or
its EventAccumulator over a logdir's runs. Imports are not counted: they are paid once a process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any


def main(reader: str, paths: list[str]) -> None:
    """Read every path by one reader."""
    read = READERS[reader]()
    began = time.process_time()
    events = sum(read(path) for path in paths)
    print(events, time.process_time() - began)


def _ours() -> Callable[[str], int]:
    read_file = import_module("orgboard_schema.wire.reader").read_file

    def read(path: str) -> int:
        events = offset = 0
        with Path(path).open("rb") as file:
            while (batch := read_file(file, offset, {})).end > offset:
                events, offset = events + batch.records, batch.end
        return events

    return read


def _loader() -> Callable[[str], int]:
    load = _tensorboard("event_file_loader").EventFileLoader
    return lambda path: sum(1 for _ in load(path).Load())


def _accumulator() -> Callable[[str], int]:
    accumulator = _tensorboard("event_accumulator").EventAccumulator

    def read(logdir: str) -> int:
        # No event is counted here: whoever asks knows how many there are.
        for folder in sorted({path.parent for path in Path(logdir).rglob("*tfevents*")}):
            accumulator(str(folder)).Reload()
        return 0

    return read


def _tensorboard(module: str) -> Any:
    # By name: where this is type-checked there is no TensorBoard.
    return import_module(f"tensorboard.backend.event_processing.{module}")


READERS: dict[str, Callable[[], Callable[[str], int]]] = {
    "ours": _ours,
    "loader": _loader,
    "accumulator": _accumulator,
}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
