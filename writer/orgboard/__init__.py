"""The training side: what a script imports to log.

    from orgboard import SummaryWriter

Call-compatible with torch's and tensorboardX's class of that name. Importing this loads no
numpy, no protobuf and no server library.
"""

from __future__ import annotations

from orgboard._version import __version__
from orgboard.writer import SummaryWriter

__all__ = ["SummaryWriter", "__version__"]
