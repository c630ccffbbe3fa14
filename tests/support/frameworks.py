"""The frameworks that the SDK is used with, for tests in `tests/interop`.

Typed as Any: they are not installed where types are checked.
"""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from support.lacking import lack

__all__ = ["IS_INTEROP", "framework"]

_MADE: Final = Path(sys.prefix, "made-of-interop")
_MISSING: Final = Path(sys.prefix, "missing")

IS_INTEROP: Final = _MADE.exists()
"""Whether this Python is that of `make test-interop`."""


def framework(name: str) -> Any:
    """Import a framework, or a module that needs one; without it the module's tests are skipped.

    Under `CI=true` they fail, unless no index offers it for this machine.
    """
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
    if missing.replace("_", "-") in _left_out():
        pytest.skip(f"no index offers {missing} for this machine", allow_module_level=True)
    return lack(f"{missing} is not installed")


def _left_out() -> list[str]:
    lines = _MISSING.read_text().splitlines() if _MISSING.exists() else []
    return [re.split(r"[^\w-]", line)[0] for line in lines]
