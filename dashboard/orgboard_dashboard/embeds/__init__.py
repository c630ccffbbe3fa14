"""One card in a page of another site: read-only, live, in a frame of the origins that were named.

    wiki page ─▶ frame of /embed/ID ─▶ who may frame it is in the header; nothing else is told
                   └─▶ /embed/ID/card, with the secret behind the # ─▶ runs, curves

A frame has no cookie of the board and needs none. What is refused is refused in the same words
whatever the reason: no such card, revoked, over, the wrong secret, or a maker who sees it no more.
"""

from typing import Final

__all__ = ["ENDED"]

ENDED: Final = "This card is not shown any more, or never was. Ask who put it here."
