"""`GlobalSummaryWriter`: one writer for a whole program, which counts the steps itself.

    from orgboard import GlobalSummaryWriter

    GlobalSummaryWriter.getSummaryWriter().add_scalar("loss", 0.25)

Any part of the program may call it so, and all of them log one run.
"""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any, ClassVar

from orgboard._methods.shared_steps import SharedSteps
from orgboard.file_writer import FileWriter
from orgboard.writer import SummaryWriter

__all__ = ["GlobalSummaryWriter"]


class GlobalSummaryWriter:
    """Logs under tensorboardX's class of that name: no call takes a step.

    Each tag counts its own steps from 0, scalars apart from images and texts. Threads and
    forked processes (a `multiprocessing.Pool`) share the counters, so no step comes twice; each
    process writes a file of its own. The arguments are those of `SummaryWriter`.
    """

    _shared: ClassVar[GlobalSummaryWriter | None] = None
    _making: ClassVar[Any] = threading.RLock()

    def __init__(self, *arguments: Any, coalesce_process: bool = True, **options: Any) -> None:
        del coalesce_process
        self.smw = SummaryWriter(*arguments, **options)
        self._steps = SharedSteps()

    @classmethod
    def getSummaryWriter(cls) -> GlobalSummaryWriter:  # noqa: N802 (tensorboardX's name)
        """Give the program's one writer; the first call makes it, under `runs/`."""
        with cls._making:
            if cls._shared is None:
                cls._shared = cls()
            return cls._shared

    @property
    def dropped(self) -> int:
        """Values that were given and will not be in a file."""
        return self.smw.dropped

    @property
    def file_writer(self) -> FileWriter:
        """What takes events and summaries as protobuf messages, for this run."""
        return self.smw.file_writer

    def get_logdir(self) -> str:
        """Give the directory of the event files."""
        return self.smw.get_logdir()

    def add_scalar(self, tag: str, scalar_value: Any, walltime: float | None = None) -> None:
        """Log a number, or an array or tensor of one element, at the tag's next step."""
        self.smw.add_scalar(tag, scalar_value, self._next("scalar", tag), walltime)

    def add_image(
        self, tag: str, img_tensor: Any, walltime: float | None = None, dataformats: str = "CHW"
    ) -> None:
        """Log a picture at the tag's next step; as `SummaryWriter.add_image`."""
        self.smw.add_image(tag, img_tensor, self._next("image", tag), walltime, dataformats)

    def add_text(self, tag: str, text_string: str, walltime: float | None = None) -> None:
        """Log a text (Markdown) at the tag's next step."""
        self.smw.add_text(tag, text_string, self._next("text", tag), walltime)

    def _next(self, kind: str, tag: Any) -> int:
        # What is no tag is for the writer to refuse; it may raise at a look or when printed.
        with suppress(Exception):
            if isinstance(tag, str):
                return self._steps.next_step(f"{kind} {tag}")
        return 0

    def flush(self) -> None:
        """Return when all that was logged is in the file; waits at most ten seconds."""
        self.smw.flush()

    def close(self) -> None:
        """Write everything, record that the run ended, close the file."""
        self.smw.close()

    def __enter__(self) -> GlobalSummaryWriter:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
