"""A run as an integration logs it: its settings at its start, how it went at its end.

Both are records of TensorBoard's HParams page, in the run's own file. The third, which announces
what settings and metrics an experiment has, is left out on purpose: without it TensorBoard takes
all settings and all scalars there are, and at the start of a run nobody knows its metrics.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from orgboard._log.guard import describe, warn
from orgboard.writer import SummaryWriter

__all__ = [
    "is_main_process",
    "log_outcome",
    "log_settings",
    "open_run",
    "open_run_midway",
]

_SUCCESS, _FAILURE = 1, 2
"""Statuses of a session's end."""


def open_run(log_dir: str | os.PathLike[str] | None, **options: Any) -> SummaryWriter:
    """Open a run; in every process of a distributed training but the first it writes nothing.

    `options` are `SummaryWriter`'s.

    Raises:
        OSError: its directory cannot be made or written.
    """
    if not is_main_process():
        options["write_to_disk"] = False
    return SummaryWriter(log_dir, **options)


def open_run_midway(log_dir: str | os.PathLike[str], **options: Any) -> SummaryWriter:
    """Open a run in the middle of work that must not be lost: without a disk it writes nothing."""
    try:
        return open_run(log_dir, **options)
    except OSError as error:
        warn(f"{os.fspath(log_dir)} is not logged, training goes on: {describe(error)}")
        return SummaryWriter(log_dir, **{**options, "write_to_disk": False})


def is_main_process() -> bool:
    """Tell whether this is the process of rank 0, or the only one."""
    rank = _initialised_rank()
    if rank is None:
        rank = _announced_rank(os.environ)
    return rank in (None, 0)


def log_settings(writer: SummaryWriter, settings: Any) -> None:
    """Log what the run was given: a mapping, nested or not. None in it means "not set"."""
    with writer._guard:
        from orgboard._kinds.hparams import HParams, flat, hparams_bodies, read_setting

        given = {name: value for name, value in flat(settings) if value is not None}
        read = {name: read_setting(value) for name, value in given.items()}
        _put(writer, hparams_bodies(HParams(read, {}, ()))[1])


def log_outcome(writer: SummaryWriter, *, failed: bool) -> None:
    """Log that the run ended, well or not."""
    with writer._guard:
        from orgboard._encoding import protobuf as pb
        from orgboard._encoding.records import summary_body
        from orgboard._kinds.metadata import metadata

        status = pb.blob(4, pb.whole(1, _FAILURE if failed else _SUCCESS))
        tag = pb.text(1, "_hparams_/session_end_info")
        _put(writer, summary_body(tag + metadata("hparams", status)))


def _put(writer: SummaryWriter, body: bytes) -> None:
    from orgboard._encoding.records import as_given

    writer._put(as_given, "", body, None, None, size=len(body))


def _initialised_rank() -> int | None:
    """Ask the frameworks that are loaded, and have processes that know of one another."""
    torch = sys.modules.get("torch.distributed")
    if torch is not None and torch.is_available() and torch.is_initialized():
        return int(torch.get_rank())
    jax = sys.modules.get("jax")
    # Asking JAX for its rank before would choose its devices, which is the script's to do.
    if jax is not None and jax.distributed.is_initialized():
        return int(jax.process_index())
    return None


def _announced_rank(environment: Mapping[str, str]) -> int | None:
    """Read what launchers say: torchrun, Accelerate and others RANK, TensorFlow TF_CONFIG."""
    try:
        if "TF_CONFIG" in environment:
            task = json.loads(environment["TF_CONFIG"])["task"]
            return 0 if task["type"] in ("chief", "master") else _worker_rank(environment)
        return int(environment["RANK"])
    except (KeyError, ValueError, TypeError):
        return None


def _worker_rank(environment: Mapping[str, str]) -> int:
    config = json.loads(environment["TF_CONFIG"])
    has_chief = not {"chief", "master"}.isdisjoint(config["cluster"])
    is_first = config["task"]["type"] == "worker" and int(config["task"]["index"]) == 0
    return 0 if is_first and not has_chief else 1
