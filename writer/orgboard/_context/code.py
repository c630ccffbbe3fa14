"""Which code ran: the git commit, and how far the working tree was from it.

git is a program that may be missing, or take for ever on a large tree. Each call ends with a
common deadline, nothing is asked on the terminal, and nothing in the repository is written.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from orgboard._context.command import without_credentials

__all__ = ["ask_git", "describe_code"]

BUDGET_S: Final = 2.0
"""For all calls together: a program that ends at once waits for its context."""

_PREFIX: Final = (
    "git",
    "--no-pager",
    # Programs that the repository's settings may name: neither needed nor trusted.
    "-c",
    "core.fsmonitor=false",
    "-c",
    "diff.autoRefreshIndex=false",
)
_MOST_CHANGED: Final = 10_000


def describe_code(main_file: str | None, environ: Mapping[str, str]) -> dict[str, Any] | None:
    """Describe the repository of the script, else that of the working directory.

    None: neither is in one, or there is no git, or it does not answer in time.
    """
    deadline = time.monotonic() + BUDGET_S
    quiet = {**environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0", "LC_ALL": "C"}
    places = [Path(main_file).absolute().parent] if main_file else []
    for place in (*places, Path.cwd()):
        commit = ask_git(place, ("rev-parse", "--verify", "HEAD"), quiet, deadline)
        if commit:
            break
    else:
        return None
    branch = ask_git(place, ("rev-parse", "--abbrev-ref", "HEAD"), quiet, deadline)
    remote = ask_git(place, ("config", "--get", "remote.origin.url"), quiet, deadline)
    found = {
        "commit": commit.strip(),
        "branch": (branch or "").strip(),
        "remote": without_credentials((remote or "").strip()),
        "dirty": _describe_changes(place, quiet, deadline),
    }
    return {name: value for name, value in found.items() if value}


def _describe_changes(
    place: Path, environ: Mapping[str, str], deadline: float
) -> dict[str, int] | None:
    """Count what differs from the commit; None when git does not say in time."""
    safe = ("--no-ext-diff", "--no-textconv", "--no-color")
    lines = ask_git(place, ("diff", "HEAD", "--numstat", *safe), environ, deadline)
    if lines is None:
        return None
    changes = [line.split("\t") for line in lines.splitlines()[:_MOST_CHANGED]]
    counts = {
        "files": len(changes),
        "lines_added": sum(int(change[0]) for change in changes if change[0].isdecimal()),
        "lines_deleted": sum(int(change[1]) for change in changes if change[1].isdecimal()),
    }
    if changes:
        patch = ask_git(place, ("diff", "HEAD", *safe), environ, deadline)
        if patch is not None:
            counts["bytes"] = len(patch.encode("utf-8", "surrogateescape"))
    others = ("ls-files", "--others", "--exclude-standard", "--directory", "--full-name", ":/")
    untracked = ask_git(place, others, environ, deadline)
    if untracked is not None:
        counts["untracked"] = len(untracked.splitlines())
    return counts


def ask_git(
    place: Path, question: tuple[str, ...], environ: Mapping[str, str], deadline: float
) -> str | None:
    """Run git in a directory; None when it is missing, refuses, or is not done by `deadline`."""
    left = deadline - time.monotonic()
    if left <= 0:
        return None
    try:
        process = subprocess.Popen(
            [*_PREFIX, "-C", str(place), *question],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environ,
            process_group=0 if hasattr(os, "killpg") else None,
        )
    except (OSError, ValueError, RuntimeError):
        return None
    try:
        output, _ = process.communicate(timeout=left)
    except subprocess.TimeoutExpired:
        _abandon(process)
        return None
    return output.decode("utf-8", "surrogateescape") if process.returncode == 0 else None


def _abandon(process: subprocess.Popen[bytes]) -> None:
    """End git and what it started, without waiting for a program that hangs in the kernel."""
    with suppress(OSError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    with suppress(subprocess.TimeoutExpired):
        process.wait(timeout=0.2)
    if process.stdout is not None:
        process.stdout.close()
