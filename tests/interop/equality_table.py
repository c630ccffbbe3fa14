"""Prints what `test_equal_to_peers` proves, as a table; with words, only the methods named so.

    .venv-interop/bin/python tests/interop/equality_table.py [METHOD...]

What is not as expected is told in full on standard error, and the exit status is then 1.
"""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

__all__ = ["main"]


def main(methods: list[str]) -> int:
    """Compare all cases, or those of some methods, and print the table."""
    from support.peers.every import every_case
    from support.peers.running import compare
    from support.peers.table import equality_table

    compared = []
    for number, case in enumerate(every_case()):
        if not methods or case.method in methods:
            with tempfile.TemporaryDirectory() as directory:
                compared += list(compare(case, Path(directory, str(number))))
    faulty = [each for each in compared if each.faults]
    for each in faulty:
        print(f"{each.case.method}, {each.case.inputs}, {each.peer}:", file=sys.stderr)  # noqa: T201
        for fault in each.faults:
            print(f"    {fault}", file=sys.stderr)  # noqa: T201
    print(equality_table(compared))  # noqa: T201 (the answer)
    return 1 if faulty else 0


if __name__ == "__main__":
    os.environ.setdefault("MPLBACKEND", "agg")
    warnings.simplefilter("ignore")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    raise SystemExit(main(sys.argv[1:]))
