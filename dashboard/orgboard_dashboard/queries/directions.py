"""Which values of a metric are the best ones, as far as its name says so.

It is the last that is asked: the dictionary (`queries.dictionary`) says it of the metrics in it.
"""

from __future__ import annotations

import re
from typing import Final, Literal, TypeAlias

__all__ = ["Direction", "guessed"]

Direction: TypeAlias = Literal["min", "max"]

_END_CHARS: Final = 200

_LESS: Final = re.compile(
    r"(?:^|[^a-z])(?:loss|err|error|nll|ce|ece|mse|rmse|mae|perplexity|ppl|fid|wer|cer|kl)"
    r"(?:[^a-z]|$)",
    re.IGNORECASE | re.ASCII,
)
_MORE: Final = re.compile(
    r"(?:^|[^a-z])(?:acc|accuracy|f1|auc|auroc|ap|map|iou|miou|bleu|rouge|psnr|ssim|precision"
    r"|recall|r2|reward|return|score|top[15])(?:[^a-z]|$)",
    re.IGNORECASE | re.ASCII,
)


def guessed(tag: str) -> Direction | None:
    """Tell by a tag's name which of its values is the best one. Twin of `ob.guessed` (words.js).

    Of a very long name its ends are looked at.
    """
    if len(tag) > 2 * _END_CHARS:
        tag = f"{tag[:_END_CHARS]}/{tag[-_END_CHARS:]}"
    if _LESS.search(tag):
        return "min"
    return "max" if _MORE.search(tag) else None
