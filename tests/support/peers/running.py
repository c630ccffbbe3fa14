"""Runs a case through the three writers and compares what TensorBoard reads of each."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import orgboard
from support.frameworks import framework
from support.peers.cases import WALL, Case, Differs, Equal, Lacks, Raises, Verdict
from support.peers.reading import Seen, read_logdir

__all__ = ["PEERS", "Compared", "compare"]

PEERS = ("torch", "tensorboardx")


class Compared(NamedTuple):
    """What came of one case with one peer: the accepted verdict, and what speaks against it."""

    case: Case
    peer: str
    verdict: Verdict
    faults: list[str]


def compare(case: Case, directory: Path) -> Iterator[Compared]:
    """Call ours and both peers, each in a directory of its own; give what differs unexpectedly."""
    ours: list[Seen] | Exception
    writer, method = _class_and_method(case, orgboard)
    if hasattr(writer, method):
        ours = _logged(writer, case, directory / "ours")
    else:
        ours = NotImplementedError(f"{case.method} is not there")
    for peer, verdict in (("torch", case.torch), ("tensorboardx", case.tensorboardx)):
        if isinstance(ours, Exception):
            yield Compared(case, peer, verdict, [f"ours: {ours!r}"])
            continue
        yield Compared(
            case, peer, verdict, list(_faults(case, peer, verdict, ours, directory / peer))
        )


def _faults(
    case: Case, peer: str, verdict: Verdict, ours: list[Seen], directory: Path
) -> Iterator[str]:
    module = framework("torch.utils.tensorboard" if peer == "torch" else "tensorboardX")
    writer, method = _class_and_method(case, module)
    if isinstance(verdict, Lacks):
        if hasattr(writer, method):
            yield f"{peer} has {case.method} by now"
        return
    theirs = _logged(writer, case, directory)
    if isinstance(verdict, Raises):
        if type(theirs).__name__ != verdict.error:
            yield f"{peer} does not raise {verdict.error} any more: {theirs!r}"[:2000]
        return
    if isinstance(theirs, Exception):
        yield f"{peer} raises {theirs!r}"
        return
    if isinstance(verdict, Equal):
        yield from _differences(ours, theirs)
        return
    if not list(_differences(ours, theirs)):
        yield f"{peer} does not differ any more: {verdict.reason}"
    yield from _differences(_levelled(ours, verdict), _levelled(theirs, verdict))


def _class_and_method(case: Case, module: Any) -> tuple[Any, str]:
    name, _, method = case.method.rpartition(".")
    if case.method == "SummaryWriter":
        name, method = case.method, "__init__"
    return getattr(module, name or "SummaryWriter", None), method


def _logged(writer: Callable[..., Any], case: Case, directory: Path) -> list[Seen] | Exception:
    """Log a case by one writer and read it again; an exception is an answer too."""
    try:
        # torch and tensorboardX print.
        with contextlib.redirect_stdout(io.StringIO()):
            opened = writer(str(directory), **case.options)
            try:
                case.call(opened)
            finally:
                opened.close()
    except Exception as error:  # noqa: BLE001 (whatever a peer raises is what is asked)
        return error
    if getattr(opened, "dropped", 0):
        return ValueError(f"{opened.dropped} values were dropped")
    return read_logdir(directory, WALL)


def _levelled(seen: Iterable[Seen], differs: Differs) -> list[Seen]:
    return [left for each in seen if (left := differs.level(each)) is not None]


def _differences(ours: list[Seen], theirs: list[Seen]) -> Iterator[str]:
    for mine, other in zip_longest(ours, theirs):
        if mine is None or other is None:
            yield f"only {'theirs' if mine is None else 'ours'}: {other or mine}"[:2000]
            continue
        for name, one, two in zip(Seen._fields, mine, other, strict=True):
            if one != two:
                yield f"{mine.run} {mine.tag} {name}: ours {one!r}\n    theirs {two!r}"[:4000]
