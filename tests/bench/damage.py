"""How much of damaged files is recovered: `python tests/bench/damage.py --files 2000`."""

from __future__ import annotations

import argparse
import time
from collections import Counter
from itertools import cycle, islice, product

from orgboard_schema.wire.reader import read
from support.damage import DAMAGES, SIZES, WRITERS, damaged
from support.event_files import laid_out, read_whole

__all__: list[str] = []


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--files", type=int, default=2000)
    count = parser.parse_args().files
    told: Counter[str] = Counter()
    began = time.process_time()
    cases = islice(cycle(product(DAMAGES, WRITERS, SIZES)), count)
    for seed, (kind, shape, size) in enumerate(cases):
        told += _judge(kind, shape, size, seed)
    print(f"{count} files, {time.process_time() - began:.1f} s of CPU time")
    for name in ("bytes", "undamaged", "recovered", "forged", "misplaced bytes"):
        print(f"{name:>16}: {told[name]:,}")


def _judge(kind: str, shape: str, size: int, seed: int) -> Counter[str]:
    """Count values by what became of them; each record of a file has values of its own."""
    file = damaged(kind, WRITERS[shape], size, seed)
    batches = read_whole(file.data, final=True)
    values = [Counter(laid_out([read(frame, 0, {})])) for frame in file.frames]
    found = Counter(laid_out(batches))
    wanted: Counter[tuple[object, ...]] = Counter()
    for _, which in (*file.undamaged, *file.mended):
        wanted += values[which]
    covered = sum(gap.length for batch in batches for gap in batch.gaps)
    covered += sum(len(file.frames[which]) for _, which in file.undamaged)
    covered += sum(len(file.frames[which]) - 12 for _, which in file.mended)
    return Counter(
        {
            "bytes": len(file.data),
            "undamaged": wanted.total(),
            "recovered": (wanted & found).total(),
            "forged": (found - wanted).total(),
            "misplaced bytes": abs(covered - batches[-1].end),
        }
    )


if __name__ == "__main__":
    _main()
