"""TensorBoard itself, from PyPI, in an environment of its own, to read what our writer wrote.

It is kept between runs in `.tensorboard_cache` at the repository's root, which git ignores.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path
from typing import Any

import pytest

__all__ = ["TensorBoard", "tensorboard"]

REPOSITORY = Path(__file__).resolve().parents[2]

# tensorboard imports pkg_resources, which newer setuptools do not have; tensorboardX is the peer
# whose results ours are compared with.
PACKAGES = ("tensorboard>=2.21,<3", "tensorboardX>=2.6.5,<3", "setuptools<81", "pillow")

READER = Path(__file__).with_name("tensorboard_reader.py")

INSTALL_S = 600


class TensorBoard:
    """Runs programs in TensorBoard's environment."""

    def __init__(self, python: Path) -> None:
        self._python = python

    def read(self, logdir: Path) -> dict[str, Any]:
        """Load a logdir by both of TensorBoard's Python readers; see `tensorboard_reader`."""
        result: dict[str, Any] = json.loads(self.run(READER.read_text(), logdir))
        return result

    def run(self, program: str, *arguments: Path) -> str:
        """Run a program with TensorBoard importable and give what it printed."""
        done = subprocess.run(
            [str(self._python), "-W", "ignore", "-c", program, *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=50,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="session")
def tensorboard() -> TensorBoard:
    """Give TensorBoard; skip with the reason where it cannot be installed."""
    place = REPOSITORY / ".tensorboard_cache"
    ready = place / "ready"
    python = place / "bin" / "python"
    if not ready.exists() or ready.read_text() != " ".join(PACKAGES):
        shutil.rmtree(place, ignore_errors=True)
        try:
            venv.create(place, with_pip=True)
            _install(python)
        except (OSError, subprocess.SubprocessError) as error:
            detail = str(getattr(error, "stderr", "") or error).strip().splitlines()[-1:]
            pytest.skip(f"TensorBoard cannot be installed from PyPI: {' '.join(detail)}")
        ready.write_text(" ".join(PACKAGES))
    return TensorBoard(python)


def _install(python: Path) -> None:
    subprocess.run(
        [str(python), "-m", "pip", "install", "--quiet", *PACKAGES],
        capture_output=True,
        text=True,
        check=True,
        timeout=INSTALL_S,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )


if sys.platform == "win32":
    raise RuntimeError("the environment's layout is that of POSIX systems")
