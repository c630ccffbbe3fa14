"""A plain script's run: opened, and ended as the script ends.

    import orgboard

    with orgboard.run("runs/first", config={"lr": 0.1, "layers": [64, 64]}) as run:
        for step in range(100):
            run.add_scalar("loss", 1 / (step + 1), step)

Its settings are logged at its start. At its end it has succeeded; or, when the block raised,
failed, with the error as an annotation, and the error goes on to the caller.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, TypeVar

from orgboard._log.disk import default_log_dir
from orgboard._log.guard import describe
from orgboard.integrations._session import (
    is_main_process,
    log_outcome,
    log_settings,
    open_run,
)
from orgboard.writer import SummaryWriter

__all__ = ["run"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


class run:  # noqa: N801 (used as a word: `with orgboard.run(...)`)
    """Open a run for a `with` block, or around each call of a function.

    `log_dir` defaults to a new directory under `runs/`, one for each run. `config` holds the
    run's settings: a dict, nested or not, a dataclass, an argparse.Namespace. `options` are
    `SummaryWriter`'s. In a distributed training only the process of rank 0 writes.

    As a decorator it opens a run at each call, and hands it over as the first argument:

        @orgboard.run("runs/first", config={"lr": 0.1})
        def train(run, epochs):
            run.add_scalar("epochs", epochs)

        train(10)

    Raises:
        OSError: the directory cannot be made or written.
    """

    def __init__(
        self, log_dir: str | os.PathLike[str] | None = None, config: Any = None, **options: Any
    ) -> None:
        self._log_dir = log_dir
        self._config = config
        self._options = options
        self._open: list[SummaryWriter] = []

    def __enter__(self) -> SummaryWriter:
        log_dir = self._log_dir
        if log_dir is None and is_main_process():
            log_dir = _new_directory()
        writer = open_run(log_dir, **self._options)
        log_settings(writer, {} if self._config is None else self._config)
        self._open.append(writer)
        return writer

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        writer = self._open.pop()
        failed = error is not None and not _is_orderly(error)
        if error is not None and failed:
            writer.annotate(f"failed: {describe(error)}")
        log_outcome(writer, failed=failed)
        writer.close()

    def __call__(
        self, function: Callable[Concatenate[SummaryWriter, Parameters], Result]
    ) -> Callable[Parameters, Result]:
        """Wrap a function so that each call of it is a run."""

        @wraps(function)
        def recorded(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
            with run(self._log_dir, self._config, **self._options) as writer:
                return function(writer, *args, **kwargs)

        return recorded


def _new_directory() -> str:
    """Make a directory that nobody else has: its usual name tells the second only."""
    name = default_log_dir("")
    for number in count(1):
        path = Path(name if number == 1 else f"{name}-{number}")
        path.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileExistsError):
            path.mkdir()
            return str(path)
    raise AssertionError("count ends never")


def _is_orderly(error: BaseException) -> bool:
    """Tell `sys.exit()` of a script that is done from an error."""
    return isinstance(error, GeneratorExit) or (
        isinstance(error, SystemExit) and error.code in (None, 0)
    )
