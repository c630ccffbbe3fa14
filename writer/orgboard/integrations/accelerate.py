"""Accelerate: a tracker.

    from accelerate import Accelerator
    from orgboard.integrations.accelerate import OrgboardTracker

    accelerator = Accelerator(log_with=OrgboardTracker("first", "runs"))
    accelerator.init_trackers("project", config={"lr": 0.1})
    accelerator.log({"loss": 0.25}, step=1)
    accelerator.end_training()

Only the main process writes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from accelerate.tracking import (  # pyright: ignore[reportMissingImports]
    GeneralTracker,
    on_main_process,
)

from orgboard.integrations._session import log_outcome, log_settings
from orgboard.writer import SummaryWriter

__all__ = ["OrgboardTracker"]


class OrgboardTracker(GeneralTracker):
    """Log what `Accelerator.log` is given to the run `logging_dir/run_name`.

    `options` are `SummaryWriter`'s; `tracker` is the open one, for values of other kinds.
    """

    name = "orgboard"
    requires_logging_directory = True
    main_process_only = True

    def __init__(
        self,
        run_name: str,
        logging_dir: str | os.PathLike[str] | None = "runs",
        **options: Any,
    ) -> None:
        super().__init__()
        self.run_name = run_name
        self.logging_dir = Path(logging_dir or "runs", run_name)
        self._options = options
        self._writer: SummaryWriter | None = None

    @property
    def tracker(self) -> SummaryWriter:
        """The open `SummaryWriter`."""
        if self._writer is None:
            self._writer = SummaryWriter(self.logging_dir, **self._options)
        return self._writer

    @on_main_process
    def start(self) -> None:
        """Open the run, when Accelerate knows which process is the main one."""
        # Asking is opening.
        _ = self.tracker

    @on_main_process
    def store_init_configuration(self, values: Mapping[str, Any]) -> None:
        """Log the run's settings."""
        log_settings(self.tracker, values)

    @on_main_process
    def log(self, values: Mapping[str, Any], step: int | None = None, **kwargs: Any) -> None:
        """Log numbers, texts, and dicts of them; see `SummaryWriter.log`."""
        self.tracker.log(values, step)

    @on_main_process
    def log_images(
        self, values: Mapping[str, Sequence[Any]], step: int | None = None, **kwargs: Any
    ) -> None:
        """Log batches of pictures of one size: arrays (height, width, channels) or Pillow's.

        Further arguments go to `SummaryWriter.add_images`, such as `dataformats="NCHW"`.
        """
        for tag, pictures in values.items():
            with self.tracker._guard:
                batch = _stacked(pictures)
                self.tracker.add_images(tag, batch, step, **{"dataformats": "NHWC", **kwargs})

    @on_main_process
    def log_table(
        self,
        table_name: str,
        columns: Sequence[str] | None = None,
        data: Sequence[Sequence[Any]] | None = None,
        dataframe: Any = None,
        step: int | None = None,
        **kwargs: Any,
    ) -> None:
        """Log a table as a text: a Markdown table of `data`, or of a pandas DataFrame."""
        with self.tracker._guard:
            if dataframe is not None:
                columns, data = list(dataframe.columns), dataframe.to_numpy().tolist()
            self.tracker.add_text(table_name, _markdown(columns, data or ()), step)

    @on_main_process
    def finish(self) -> None:
        """Log that the training ended, and close the file."""
        log_outcome(self.tracker, failed=False)
        self.tracker.close()


def _stacked(pictures: Any) -> Any:
    import numpy as np

    batch = pictures if hasattr(pictures, "shape") else [np.asarray(each) for each in pictures]
    array = np.asarray(batch)
    return array[..., np.newaxis] if array.ndim == 3 else array


def _markdown(columns: Sequence[Any] | None, rows: Sequence[Sequence[Any]]) -> str:
    if columns is None:
        columns = [str(at) for at in range(len(rows[0]))] if rows else []
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join("| " + " | ".join(map(_cell, line)) + " |" for line in lines)


def _cell(value: Any) -> str:
    return str(value).replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
