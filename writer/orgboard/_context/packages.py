"""Versions of the packages that the training imported."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Final

__all__ = ["imported_packages"]

BUDGET_S: Final = 1.0
"""For the lookups on disk; a version that the module itself names costs nothing."""

_MOST: Final = 1000
_LONGEST: Final = 100
_INSTALLED: Final = ("site-packages", "dist-packages")


def imported_packages(modules: Mapping[str, Any]) -> dict[str, str]:
    """Give the versions of all top-level packages in `modules`, by import name, sorted.

    The module's own `__version__` comes first, else the distribution of the same name. Nothing
    is imported, and no attribute is asked for that a module would make up on the spot.
    """
    deadline = time.monotonic() + BUDGET_S
    versions = {}
    for name in sorted(set(modules) - sys.stdlib_module_names)[: 100 * _MOST]:
        module = modules[name]
        if "." in name or name.startswith("_") or not isinstance(module, ModuleType):
            continue
        version = vars(module).get("__version__")
        if not isinstance(version, str):
            version = _look_up(name, module) if time.monotonic() < deadline else None
        if version:
            versions[name] = version[:_LONGEST]
        if len(versions) == _MOST:
            break
    return versions


def _look_up(name: str, module: ModuleType) -> str | None:
    if not any(place in str(vars(module).get("__file__")) for place in _INSTALLED):
        return None
    # Imported here: half of what a context costs, and most packages name their version.
    from importlib import metadata

    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None
