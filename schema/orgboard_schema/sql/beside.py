"""Runs that are made only to hold what another was trained with.

torch's `add_hparams` (so accelerate, too) writes settings not into the run but into a directory
below it, which it names by the time: `resnet/1795394269.9034734`. What stands there is a run of
its own, and stays one; but the settings are those of the run above.
"""

from __future__ import annotations

import re
from typing import Final

from orgboard_schema.sql.text import sha256

__all__ = ["settings_of"]

_TIME: Final = re.compile(r"[1-9]\d{9}\.\d{1,9}")
"""Seconds since the epoch as Python writes them; of ten digits from 2001 to 2286."""


def settings_of(name: str) -> bytes | None:
    """Return the key of the run whose settings a run of this name would hold; None for most."""
    above, _, last = name.rpartition("/")
    return sha256(above or ".") if _TIME.fullmatch(last) else None
