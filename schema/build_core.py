"""Build the compiled core while the package is built or installed; go on without where it fails.

A hatch build hook, and a command: `python schema/build_core.py` says what it did.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any, Final

__all__ = ["CoreHook", "build"]

_CORE: Final = Path(__file__).parent / "orgboard_schema" / "core"
SOURCE: Final = _CORE / "core.c"
TARGET: Final = _CORE / "_core.so"

FLAGS: Final = (
    *("-O3", "-std=gnu11", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra"),
    # Sums round in every step, as numpy's do.
    "-ffp-contract=off",
)
"""No flag for the processor at hand: what it can do is asked when the library is loaded."""


def build(source: Path, target: Path) -> str:
    """Compile `source`; return "" or why there is no library now."""
    compiler = os.environ.get("CC") or next(filter(shutil.which, ("cc", "gcc", "clang")), "")
    if not compiler:
        return "no C compiler"
    # Renamed into its place: a process that has the old one open keeps it.
    with tempfile.TemporaryDirectory(dir=target.parent) as scratch:
        made = Path(scratch, target.name)
        command = [*compiler.split(), *FLAGS, "-o", str(made), str(source), "-lm"]
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)
        except OSError as error:
            return f"{compiler}: {error.strerror}"
        if done.returncode:
            return f"{' '.join(command)}: {done.stderr.strip()}"
        made.replace(target)
    return ""


try:
    # There where the package is built, and not where it is developed.
    from hatchling.builders.hooks.plugin.interface import (  # pyright: ignore[reportMissingImports]
        BuildHookInterface,
    )
except ImportError:
    # Run by hand: nobody will ask for the hook.
    BuildHookInterface = object


class CoreHook(BuildHookInterface):  # type: ignore[misc]
    """Put the library into the wheel, which then is one for this platform."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, unless it is a source distribution that is made."""
        if self.target_name != "wheel":
            return
        trouble = build(SOURCE, TARGET)
        if trouble:
            TARGET.unlink(missing_ok=True)
            self.app.display_warning(f"without the compiled core: {trouble}")
            return
        if version == "standard":
            inside = "orgboard_schema/core/_core.so"
            build_data["force_include"][str(TARGET)] = inside
            build_data["pure_python"] = False
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            # By ctypes: any Python 3, one platform.
            build_data["tag"] = f"py3-none-{platform}"


if __name__ == "__main__":
    failed = build(SOURCE, TARGET)
    sys.stdout.write(f"{failed or f'built {TARGET}'}\n")
    sys.exit(bool(failed))
