"""Host, user, interpreter, and the job that a scheduler knows this process by."""

from __future__ import annotations

import getpass
import os
import platform
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from orgboard._log.disk import host_name

__all__ = ["describe_job", "describe_machine", "describe_python"]

_JOB_VARIABLES: Final = (
    "SLURM_JOB_ID",
    "SLURM_ARRAY_JOB_ID",
    "SLURM_ARRAY_TASK_ID",
    "SLURM_PROCID",
    "SLURM_NTASKS",
    "SLURM_NNODES",
    "PBS_JOBID",
    "LSB_JOBID",
    "RANK",
    "LOCAL_RANK",
    "WORLD_SIZE",
)
"""No others are read: environments hold secrets."""


def describe_machine() -> dict[str, Callable[[], Any]]:
    """Name what can be asked of the machine, each on its own."""
    return {"host": host_name, "user": getpass.getuser, "system": platform.platform}


def describe_job(environ: Mapping[str, str]) -> dict[str, str]:
    """Give the variables by which schedulers and launchers tell processes apart."""
    return {name: environ[name][:100] for name in _JOB_VARIABLES if environ.get(name)}


def describe_python() -> dict[str, str]:
    """Give the interpreter's version, implementation and path."""
    return {
        "version": platform.python_version(),
        "implementation": platform.python_implementation(),
        "executable": sys.executable or "",
        "prefix": os.fspath(sys.prefix),
    }
