"""Runs apart, in our environment or in TensorBoard's: reads files, prints events and CPU seconds.

`decoding.py ours|loader|accumulator PATH…`: our reader, TensorBoard's EventFileLoader over files,
or its EventAccumulator over a logdir's runs. Where TensorFlow is installed TensorBoard reads by
it; `loader-alone` and `accumulator-alone` let it do without, which is faster for some files and
slower for others. Imports are not counted, and neither is what the first events bring with them:
both are paid once a process.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from importlib import import_module
from itertools import chain, islice
from pathlib import Path
from types import ModuleType
from typing import Any

__all__ = ["main"]


def main(reader: str, paths: list[str]) -> None:
    """Read every path by one reader."""
    name, _, alone = reader.partition("-")
    if alone:
        # TensorBoard's own way to be told that there is no TensorFlow.
        sys.modules["tensorboard.compat.notf"] = ModuleType("notf")
    read = READERS[name]()
    began = time.process_time()
    events = sum(read(path) for path in paths)
    print(events, time.process_time() - began)  # noqa: T201 (the answer to who asked)


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
    _warm_up()
    return lambda path: sum(1 for _ in load(path).Load())


def _accumulator() -> Callable[[str], int]:
    accumulator = _tensorboard("event_accumulator").EventAccumulator
    _warm_up()

    def read(logdir: str) -> int:
        # No event is counted here: whoever asks knows how many there are.
        for folder in sorted({str(Path(path).parent) for path in _files([logdir])}):
            accumulator(folder).Reload()
        return 0

    return read


def _warm_up() -> None:
    """Let TensorBoard load what it loads only when the first value comes."""
    load = _tensorboard("event_file_loader").EventFileLoader
    for _ in islice(load(_files(sys.argv[2:])[0]).Load(), 3):
        pass


def _files(paths: list[str]) -> list[str]:
    found = (Path(path) for path in paths)
    each = (path.rglob("*tfevents*") if path.is_dir() else (path,) for path in found)
    return sorted(str(path) for path in chain.from_iterable(each))


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
