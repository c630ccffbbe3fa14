"""What was logged, as a file for other programs."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

from orgboard._log.disk import host_name
from orgboard._methods.recorder import Recorder

if TYPE_CHECKING:
    from orgboard_schema.wire.batch import ScalarColumns

__all__ = ["Exports"]


class Exports(Recorder):
    """Exports."""

    def export_scalars_to_json(self, path: str | os.PathLike[str]) -> None:
        """Write the scalars that this process logged under the log directory to a JSON file.

            {"runs/first/loss/train": [[wall_time, step, value], ...], ...}

        As with tensorboardX, a key is the log directory, the tag, and for `add_scalars` the
        name within it, and a later call writes only what was logged since the last. Values are
        as stored, so mostly float32; NaN and infinities are JavaScript's words for them. All is
        read back from the event files: nothing is kept in memory meanwhile.
        """
        with self._guard:
            import json

            self.flush()
            gathered: dict[str, Series] = {}
            exported = dict(self._exported)
            for directory, columns in _read_back(self._log_dir, exported):
                _gather(
                    columns, [self._series_name(directory, tag) for tag in columns.tags], gathered
                )
            told = {
                name: [list(point) for point in zip(*series, strict=True)]
                for name, series in gathered.items()
            }
            with open(path, "w", encoding="utf-8") as file:  # noqa: PTH123 (pathlib is 10 ms of import)
                json.dump(told, file)
            self._exported = exported

    def _series_name(self, directory: str, tag: str) -> str:
        run = os.path.relpath(directory, self._log_dir).replace(os.sep, "/")
        stem = tag.replace("/", "_") + "_"
        if run.startswith(stem):
            return f"{self._log_dir}/{tag}/{run[len(stem) :]}"
        return f"{self._log_dir}/{tag}" if run == "." else f"{self._log_dir}/{run}/{tag}"


class Series(NamedTuple):
    """The points of one series, in file order."""

    walls: array[float]
    steps: array[int]
    values: array[float]


def _gather(columns: ScalarColumns, names: list[str], gathered: dict[str, Series]) -> None:
    for tag, wall, step, value in zip(
        columns.tag, columns.wall, columns.step, columns.value, strict=True
    ):
        series = gathered.get(names[tag])
        if series is None:
            series = gathered[names[tag]] = Series(array("d"), array("q"), array("d"))
        series.walls.append(wall)
        series.steps.append(step)
        series.values.append(value)


def _read_back(log_dir: str, offsets: dict[str, int]) -> Iterator[tuple[str, ScalarColumns]]:
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
