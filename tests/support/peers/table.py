"""The comparison as a Markdown table, a line a method."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from support.peers.cases import Differs, Equal, Lacks, Raises
from support.peers.running import PEERS, Compared

__all__ = ["equality_table"]

_WORDS: Final = {
    Equal: "equal",
    Differs: "with a difference",
    Raises: "refused",
    Lacks: "unknown",
}
_HEAD: Final = ("method", "inputs compared", *PEERS, "remarks")


def equality_table(compared: Iterable[Compared]) -> str:
    """Lay out what was compared: how many inputs a method, how many equal, and what is not, why."""
    by_method: dict[str, list[Compared]] = {}
    for each in compared:
        by_method.setdefault(each.case.method, []).append(each)
    rows = [_row(method, found) for method, found in by_method.items()]
    return "\n".join(map(_line, [_HEAD, ["---"] * len(_HEAD), *rows]))


def _row(method: str, compared: Sequence[Compared]) -> list[str]:
    inputs = [each.case.inputs for each in compared if each.peer == PEERS[0]]
    by_peer = [_count([each for each in compared if each.peer == peer]) for peer in PEERS]
    return [f"`{method}`", ", ".join(inputs), *by_peer, "; ".join(_remarks(compared))]


def _count(compared: Sequence[Compared]) -> str:
    """Count the inputs by how they came out, those that nobody accepted first."""
    found = Counter(
        "NOT AS EXPECTED" if each.faults else _WORDS[type(each.verdict)] for each in compared
    )
    words = ("NOT AS EXPECTED", *_WORDS.values())
    return ", ".join(f"{found[word]} {word}" for word in words if found[word])


def _remarks(compared: Iterable[Compared]) -> Iterator[str]:
    """Say what is not equal and why, each reason once, with who and the inputs it holds for."""
    found: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for case, peer, verdict, _ in compared:
        if not isinstance(verdict, Equal):
            peers, inputs = found.setdefault(verdict.reason, ({}, {}))
            peers[peer] = inputs[case.inputs] = None
    for reason, (peers, inputs) in found.items():
        yield f"{', '.join(peers)}: {reason} ({', '.join(inputs)})"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |"
