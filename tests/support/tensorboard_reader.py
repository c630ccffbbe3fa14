"""Runs inside TensorBoard's environment: prints as JSON what its own readers make of a logdir."""

from __future__ import annotations

import base64
import json
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["main"]


def main(logdir: str) -> None:
    """Print every run's values by TensorBoard's event file loader and by its accumulator."""
    runs = {
        os.path.relpath(folder, logdir): _read_run(folder)
        for folder, _, names in os.walk(logdir)
        if any("tfevents" in name for name in names)
    }
    print(json.dumps(runs))  # noqa: T201 (the answer to the test)


def _read_run(folder: str) -> dict[str, Any]:
    plain = _processing("event_accumulator").EventAccumulator(folder, {"scalars": 0})
    by_plugin = _processing("plugin_event_accumulator").EventAccumulator(folder, {"tensors": 0})
    plain.Reload()
    by_plugin.Reload()
    has_graph = by_plugin.Tags()["graph"]
    return {
        "values": [value for path in _files(folder) for value in _load(path)],
        "scalars": {
            tag: [[point.wall_time, point.step, point.value] for point in plain.Scalars(tag)]
            for tag in plain.Tags()["scalars"]
        },
        "tags": sorted(by_plugin.Tags()["tensors"]),
        "nodes": [node.name for node in by_plugin.Graph().node] if has_graph else [],
    }


def _processing(module: str) -> Any:
    # By name: where the tests are type-checked there is no TensorBoard.
    return import_module(f"tensorboard.backend.event_processing.{module}")


def _files(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).iterdir() if "tfevents" in path.name)


def _load(path: str) -> list[dict[str, Any]]:
    to_array = import_module("tensorboard.util.tensor_util").make_ndarray
    return [
        {
            "tag": value.tag,
            "step": event.step,
            "wall_time": event.wall_time,
            "plugin": value.metadata.plugin_data.plugin_name,
            "content": base64.b64encode(value.metadata.plugin_data.content).decode(),
            "value": _plain(to_array(value.tensor)) if value.HasField("tensor") else None,
        }
        for event in _processing("event_file_loader").EventFileLoader(path).Load()
        for value in event.summary.value
    ]


def _plain(array: Any) -> Any:
    if array.dtype == object:
        return [base64.b64encode(each).decode() for each in array.reshape(-1)]
    return array.tolist()


if __name__ == "__main__":
    main(sys.argv[1])
