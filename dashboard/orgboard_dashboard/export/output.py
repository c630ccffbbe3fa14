"""Where an export goes: a file that is there whole or not at all, a pipe, standard output."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO, Final

from orgboard_dashboard.export.choice import CannotExport

__all__ = ["is_file", "opened", "replacing"]

BUFFER_BYTES: Final = 1024 * 1024
"""Written at once: slices are smaller."""


def is_file(path: Path | None) -> bool:
    """Tell whether `path` will be a file of its own: neither standard output, pipe nor device."""
    return path is not None and (path.is_file() or path.is_dir() or not path.exists())


@contextmanager
def opened(path: Path | None) -> Iterator[BinaryIO]:
    """Open what to write to; a file takes its place at the end, when all went well.

    Raises:
        CannotExport: It cannot be written.
        BrokenPipeError: Whoever reads has enough: `orgboard export … | head`.
    """
    try:
        if path is None:
            with _written(_stdout()) as stream:
                yield stream
        elif not is_file(path):
            # A pipe or a device: what stands for a place to write to must stay what it is.
            with _written(path) as stream:
                yield stream
        else:
            with replacing(path.resolve()) as stream:
                yield stream
    except BrokenPipeError:
        raise
    except OSError as error:
        place = "to standard output" if path is None else str(path)
        raise CannotExport(f"cannot write {place}: {error.strerror or error}") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Write beside `path`, and take its place once all is written and on the disk."""
    # Two exports to one place do not mix: the last to end stays.
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with _written(part) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)


def _stdout() -> int:
    if sys.stdout is None:
        raise OSError(errno.EBADF, "it is closed")
    return sys.stdout.fileno()


def _written(file: Path | int) -> BinaryIO:
    return open(file, "wb", buffering=BUFFER_BYTES, closefd=not isinstance(file, int))
