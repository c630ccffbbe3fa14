"""How much of damaged files is recovered: `python tests/bench/damage.py --files 3000`.

Every file is read whole, and again with a window and cut in two by chance: what differs
then counts. `--pure` reads without the compiled core.
"""

from __future__ import annotations

import argparse
import random
import time
from collections import Counter
from itertools import cycle, islice, product
from unittest.mock import patch

from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.reader import read
from support.damage import DAMAGES, EMBEDDED, IN_PLACE, SIZES, WRITERS, Damaged, damaged
from support.event_files import laid_out, read_grown, read_whole, spans_of

__all__: list[str] = []

_COLUMNS = ("bytes", "undamaged", "recovered", "forged", "misplaced", "differing", "enclosed")
_SMALLEST, _LARGEST = 16, 1 << 23


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=3000)
    parser.add_argument("--pure", action="store_true")
    parser.add_argument("--first", type=int, default=0, help="begin with this seed")
    parser.add_argument("--seconds", type=float, default=600.0, help="stop after so long")
    told = parser.parse_args()
    if told.pure:
        with patch("orgboard_schema.wire.reader.load_core", return_value=None):
            _sweep(told.first, told.files, told.seconds)
    else:
        _sweep(told.first, told.files, told.seconds)


def _sweep(first: int, count: int, seconds: float) -> None:
    shapes = {**WRITERS, EMBEDDED[0]: EMBEDDED[1]}
    # What an event file inside a text looks like without its record's bounds, nobody can tell.
    cases = [
        case
        for case in product(DAMAGES, shapes, SIZES)
        if case[1] != EMBEDDED[0] or case[0] in IN_PLACE
    ]
    kinds: dict[str, Counter[str]] = {kind: Counter() for kind in (*DAMAGES, "all")}
    began, until = time.process_time(), time.monotonic() + seconds
    for seed, (kind, shape, size) in enumerate(islice(cycle(cases), first, first + count), first):
        if time.monotonic() > until:
            break
        found = _judge(damaged(kind, shapes[shape], size, seed), seed)
        kinds[kind] += found
        kinds["all"] += found
        if found["undamaged"] != found["recovered"] or found["differing"] or found["misplaced"]:
            print(f"seed {seed}: {kind}, {shape}, {size}: {dict(found)}")
    print(f"{kinds['all']['files']} files, {time.process_time() - began:.1f} s of CPU time")
    print(f"{'':32}{'files':>8}" + "".join(f"{name:>13}" for name in _COLUMNS))
    for kind, sums in kinds.items():
        row = "".join(f"{sums[name]:13,}" for name in _COLUMNS)
        print(f"{kind:32}{sums['files']:8,}{row}")


def _judge(file: Damaged, seed: int) -> Counter[str]:
    """Count values by what became of them; each record of a file has values of its own."""
    batches = read_whole(file.data, final=True)
    values = [Counter(laid_out([read(frame, 0, {})])) for frame in file.frames]
    found = Counter(laid_out(batches))
    wanted: Counter[tuple[object, ...]] = Counter()
    for _, which in (*file.undamaged, *file.mended):
        wanted += values[which]
    return Counter(
        {
            "files": 1,
            "bytes": len(file.data),
            "undamaged": wanted.total(),
            "recovered": (wanted & found).total(),
            "forged": (found - wanted).total(),
            "misplaced": _misplaced(file, batches),
            "differing": _differing(file.data, batches, seed),
            "enclosed": sum(values[which].total() for _, which in file.enclosed),
        }
    )


def _misplaced(file: Damaged, batches: list[Batch]) -> int:
    """Count bytes up to the end that are in no gap and no record, or in two."""
    parts = spans_of(batches)
    parts += [(at, at + len(file.frames[which])) for at, which in file.undamaged]
    parts += [(at + 12, at + len(file.frames[which])) for at, which in file.mended]
    at = wrong = 0
    for start, end in sorted(parts):
        wrong += abs(start - at)
        at = end
    return wrong + abs(batches[-1].end - at)


def _differing(data: bytes, whole: list[Batch], seed: int) -> int:
    """Count the ways of reading, of two, that give other values or gaps than reading it whole."""
    chance = random.Random(seed)
    window = int(_SMALLEST * (_LARGEST / _SMALLEST) ** chance.random())
    wanted = laid_out(whole), spans_of(whole)
    cuts = sorted(chance.randrange(len(data) + 1) for _ in range(3))
    ways = read_whole(data, final=True, max_bytes=window), read_grown(data, cuts, window)
    return sum((laid_out(way), spans_of(way)) != wanted for way in ways)


if __name__ == "__main__":
    _main()
