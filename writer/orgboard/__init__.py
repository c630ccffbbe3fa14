"""The training side: what a script imports to log.

    from orgboard import SummaryWriter

Call-compatible with torch's and tensorboardX's class of that name. Importing this loads no
numpy, no protobuf and no server library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from orgboard._version import __version__

if TYPE_CHECKING:
    from orgboard.file_writer import FileWriter
    from orgboard.global_writer import GlobalSummaryWriter
    from orgboard.integrations.script import run
    from orgboard.writer import SummaryWriter

__all__ = ["FileWriter", "GlobalSummaryWriter", "SummaryWriter", "__version__", "run"]

_LATER = {
    "FileWriter": "file_writer",
    "GlobalSummaryWriter": "global_writer",
    "SummaryWriter": "writer",
    "load_ipython_extension": "integrations.ipython",
    "run": "integrations.script",
    "unload_ipython_extension": "integrations.ipython",
}
"""Names, and the modules that hold them: a command starts without any."""


def __getattr__(name: str) -> Any:
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{_LATER[name]}"), name)
    globals()[name] = value
    return value
