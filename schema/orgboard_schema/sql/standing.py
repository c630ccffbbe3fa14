"""How a run stands: shown to people, or one of the three ways in which it is not.

SHOWN      what everybody sees
SHADOW     a run read anew beside the one it will replace (`run.shadow_of`)
DISCARDED  replaced or given up: its points are being removed, then its row
DELETED    somebody deleted it: its points are removed, its row and its files' rows stay,
           so that no ingest reads the files again
"""

from __future__ import annotations

from typing import Final

__all__ = ["DELETED", "DISCARDED", "SHADOW", "SHOWN"]

SHOWN: Final = 0
SHADOW: Final = 1
DISCARDED: Final = 2
DELETED: Final = 3
