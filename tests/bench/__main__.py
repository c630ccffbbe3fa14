"""Run benchmarks: `python tests/bench` for all, `python tests/bench live` for one by name.

A benchmark is a file of this folder: a program that measures one promise and prints what it
found, in CPU time or as a ratio where it can, because wall time is also the machine's. Each
runs in a fresh process. Only by name: `live` and `ui` open a browser, `ingest` needs TensorBoard,
and `kill_ingest` and `scale` take long.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
ONLY_BY_NAME = {"hung_disk", "ingest", "kill_ingest", "kill_writer", "live", "scale", "ui"}


def main(names: Sequence[str]) -> int:
    """Run the named benchmarks, or all; return how many failed."""
    known = {path.stem: path for path in sorted(FOLDER.glob("[!_]*.py"))}
    unknown = [name for name in names if name not in known]
    if unknown:
        print(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    print(f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores")
    chosen = names or [name for name in known if name not in ONLY_BY_NAME]
    return sum(_run(known[name]) != 0 for name in chosen)


def _run(program: Path) -> int:
    print(f"\n{program.stem}", flush=True)
    environment = {**os.environ, "PYTHONPATH": str(FOLDER.parent)}
    return subprocess.run([sys.executable, program], check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
