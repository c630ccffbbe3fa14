"""What this process logged, read back from its event files."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from orgboard._log.disk import host_name

if TYPE_CHECKING:
    from orgboard_schema.wire.batch import ScalarColumns
    from orgboard_schema.wire.compiled import HeldColumns

__all__ = ["Series", "read_scalars"]


class Series(NamedTuple):
    """The points of one series, in file order."""

    walls: array[float]
    steps: array[int]
    values: array[float]


def read_scalars(log_dir: str, offsets: dict[str, int]) -> dict[str, Series]:
    """Read the scalars that this process's files hold beyond `offsets`, and move those.

    A series is called by its log directory, its tag, and for `add_scalars` the name within it.

    Raises:
        OSError: a file cannot be read.
    """
    gathered: dict[str, Series] = {}
    for directory, columns in _read_back(log_dir, offsets):
        names = [_series_name(log_dir, directory, tag) for tag in columns.tags]
        _gather(columns, names, gathered)
    return gathered


def _series_name(log_dir: str, directory: str, tag: str) -> str:
    run = os.path.relpath(directory, log_dir).replace(os.sep, "/")
    stem = tag.replace("/", "_") + "_"
    if run.startswith(stem):
        return f"{log_dir}/{tag}/{run[len(stem) :]}"
    return f"{log_dir}/{tag}" if run == "." else f"{log_dir}/{run}/{tag}"


def _gather(
    columns: ScalarColumns | HeldColumns, names: list[str], gathered: dict[str, Series]
) -> None:
    for tag, wall, step, value in zip(
        columns.tag, columns.wall, columns.step, columns.value, strict=True
    ):
        series = gathered.get(names[tag])
        if series is None:
            series = gathered[names[tag]] = Series(array("d"), array("q"), array("d"))
        series.walls.append(wall)
        series.steps.append(step)
        series.values.append(value)


def _read_back(
    log_dir: str, offsets: dict[str, int]
) -> Iterator[tuple[str, ScalarColumns | HeldColumns]]:
    """Read what this process's files hold beyond `offsets`, and move those."""
    from orgboard_schema.wire.reader import read_file

    # As `create_event_file` names them.
    ours = f".{host_name()}.{os.getpid()}."
    for directory, _, names in os.walk(log_dir):
        for name in sorted(name for name in names if "tfevents" in name and ours in name):
            path = os.path.join(directory, name)  # noqa: PTH118 (pathlib is 10 ms of import)
            with open(path, "rb") as file:  # noqa: PTH123 (as above)
                while True:
                    batch = read_file(file, offsets.get(path, 0), {})
                    if batch.end == batch.start:
                        break
                    offsets[path] = batch.end
                    yield directory, batch.scalars
