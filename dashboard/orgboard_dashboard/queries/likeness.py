"""Which tags are likely to mean the same: by the words in them, whatever stands between. Pure.

eval_loss   val/loss   validation_loss   Loss/Eval     ->  loss val
val_acc_percent                                        ->  accuracy val, in percent
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["Likeness", "likeness_of", "together"]

_MAX_CHARS: Final = 200
"""Of a tag; what is longer is like no other."""
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[^\W\d_]+|\d+|%")

_SAME: Final[Mapping[str, str]] = {
    **dict.fromkeys(("val", "valid", "validation", "eval", "evaluation", "dev", "devel"), "val"),
    **dict.fromkeys(("train", "training", "trn"), "train"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
    **dict.fromkeys(("acc", "accuracy"), "accuracy"),
    **dict.fromkeys(("err", "error"), "error"),
    **dict.fromkeys(("ppl", "perplexity"), "perplexity"),
    **dict.fromkeys(("prec", "precision"), "precision"),
    **dict.fromkeys(("lr", "learningrate"), "lr"),
}
_EMPTY: Final = frozenset({"metric", "metrics", "epoch", "avg", "average", "mean", "score"})
"""Words that say nothing of what is measured."""
_PERCENT: Final = frozenset({"%", "pct", "percent", "percentage"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """What tags are compared by."""

    words: tuple[str, ...]
    """In order of the alphabet, each once; empty: it is like no other."""
    in_percent: bool


def likeness_of(tag: str) -> Likeness:
    """Return what a tag is compared by."""
    if len(tag) > _MAX_CHARS:
        return Likeness((), in_percent=False)
    found: list[str] = [word.lower() for word in _WORD.findall(tag)]
    kept: set[str] = {_SAME.get(word, word) for word in found} - _PERCENT
    told = kept - _EMPTY or kept
    return Likeness(tuple(sorted(told)), in_percent=not _PERCENT.isdisjoint(found))


def together(tags: Iterable[str]) -> dict[tuple[str, ...], list[str]]:
    """Return the tags that are like each other, in the order given, by what is in all of them."""
    found: dict[tuple[str, ...], list[str]] = {}
    for tag in tags:
        words = likeness_of(tag).words
        if words:
            found.setdefault(words, []).append(tag)
    return found
