"""Measure the way from event files to a database beside TensorBoard's: `make bench-ingest`.

For each generated logdir, side by side and in this order: TensorBoard's data server until all is
loaded (it checks no checksums and keeps 1000 points a series), its EventAccumulator (on a sample,
it takes minutes otherwise), then `orgboard ingest --once` into a fresh SQLite file and a fresh
PostgreSQL database, which store every point, and once more to see what a restart costs. CPU is
that of all processes, start-up included; PostgreSQL's own is told apart and counted too.

At last the readers alone: ours beside TensorBoard's EventFileLoader, kind by kind.

`ingest.py --quick` takes seconds and shows only that everything runs; `--only b` takes one logdir.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from support.logdirs import FORMS, Form, Scalars, Written, write_scalars
from support.logged_values import Histograms, write_histograms, write_images, write_texts
from support.measured import Cost
from support.sides import (
    PEERS,
    Ingested,
    MakeStore,
    accumulator,
    data_server,
    decoded,
    engines,
    ingested,
    loader,
    start_up,
)

SAMPLE = 100_000
"""Points for EventAccumulator: some seconds."""

Shape = Scalars | Histograms


@dataclass(frozen=True, slots=True)
class Case:
    """A logdir to be read."""

    key: str
    shape: Shape

    def __str__(self) -> str:
        """Say what is in it."""
        shape = self.shape
        what, form = ("scalars", shape.form) if isinstance(shape, Scalars) else ("histograms", "")
        return f"{self.key}: {shape.runs:,} runs x {shape.tags} {what} x {shape.steps:,} {form}"


CASES = (
    Case("a", Scalars(1, 1, 5_000_000)),
    Case("b", Scalars(1_000, 20, 500)),
    Case("c", Scalars(10_000, 10, 20)),
    Case("d", Histograms(50, 100, 20)),
    Case("e", Scalars(20, 20, 5_000, "content")),
    Case("f", Scalars(20, 20, 5_000, "float_val")),
    Case("g", Scalars(20, 20, 5_000, "many")),
)
FULL_HISTOGRAMS = Histograms(50, 100, 200)
"""Ten gigabytes: only asked for. The same in every respect but the number of steps."""


def main() -> int:
    """Print every comparison; return 1 when a point is missing."""
    arguments = _arguments()
    found: Path = arguments.peers
    peers = found if found.exists() else None
    if peers is None:
        print(f"  no TensorBoard at {found}: `make bench-ingest` has it")
    wrong = 0
    with tempfile.TemporaryDirectory(dir=arguments.scratch) as folder:
        scratch = Path(folder)
        with engines(scratch) as makers:
            if len(makers) == 1:
                print("  no PostgreSQL here: SQLite alone")
            bare = [_start_up(make, scratch) for make in makers]
            for case in CASES:
                if not arguments.only or case.key in arguments.only:
                    fitted = _fitted(case, quick=arguments.quick, full=arguments.full)
                    wrong += _compare(fitted, scratch, makers, bare, peers)
        if not arguments.only or "decode" in arguments.only:
            _compare_readers(scratch, peers, 20 if arguments.quick else 1)
    return int(wrong > 0)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="ingest beside TensorBoard's readers")
    keys = [*(case.key for case in CASES), "decode"]
    parser.add_argument("--only", nargs="+", choices=keys, help="logdirs by letter, or decode")
    parser.add_argument("--quick", action="store_true", help="small logdirs, some seconds")
    parser.add_argument("--full", action="store_true", help="10 GB of histograms, not 1")
    parser.add_argument("--peers", type=Path, default=PEERS, help="a Python with TensorBoard")
    parser.add_argument("--scratch", type=Path, help="where logdirs and databases lie meanwhile")
    return parser.parse_args()


def _fitted(case: Case, *, quick: bool, full: bool) -> Case:
    """Give the case at the size that was asked for."""
    shape = case.shape
    if isinstance(shape, Histograms):
        shape = FULL_HISTOGRAMS if full else shape
        return replace(case, shape=replace(shape, runs=2, steps=5) if quick else shape)
    if not quick:
        return case
    runs = max(1, shape.runs // 50)
    return replace(case, shape=replace(shape, runs=runs, steps=min(shape.steps, 20_000)))


def _write(logdir: Path, shape: Shape) -> Written:
    if isinstance(shape, Scalars):
        return write_scalars(logdir, shape)
    return write_histograms(logdir, shape)


def _start_up(make: MakeStore, scratch: Path) -> Ingested:
    with make("bare") as store:
        bare = start_up(store, scratch)
        print(
            f"  starting on {store.name} with nothing to read:"
            f" {bare.cpu_s:.2f} CPU s, {bare.cost.peak_mib:.0f} MiB"
        )
    return bare


def _compare(
    case: Case, scratch: Path, makers: list[MakeStore], bare: list[Ingested], peers: Path | None
) -> int:
    """Measure one logdir by everybody; return on how many engines points are missing."""
    logdir = scratch / f"logs_{case.key}"
    written = _write(logdir, case.shape)
    size = f"{written.octets / 1e6:,.0f} MB in {written.files:,} files"
    print(f"\n  {case}: {written.points:,} points in {written.events:,} events, {size}")
    peer_cpu_s = _tell_peers(case, logdir, written, peers) if peers else None
    wrong = 0
    for make, none in zip(makers, bare, strict=True):
        wrong += _tell_ours(case, logdir, written, make, none, peer_cpu_s)
    shutil.rmtree(logdir)
    return wrong


def _tell_peers(case: Case, logdir: Path, written: Written, peers: Path) -> float:
    """Print what TensorBoard's readers take; return the CPU seconds of its data server."""
    taken = []
    for flags in ((), ("--checksum",)):
        cost = data_server(peers, logdir, *flags)
        # Of what takes less than a tick of the kernel's clock nothing is known.
        taken.append(max(cost.cpu_s, 0.01))
        _tell(" ".join(("data server", *flags)), taken[-1], written.points, cost)
    sample = _sample(case.shape)
    part = logdir.with_name("sample")
    points = _write(part, sample).points
    seconds = accumulator(peers, part) * written.points / points
    shutil.rmtree(part)
    _tell("EventAccumulator, no TensorFlow", seconds, written.points)
    print(f"    {'':32}scaled up from {points:,} points")
    return taken[0]


def _sample(shape: Shape) -> Shape:
    """Give a logdir of the same form, small enough for TensorBoard's Python."""
    if isinstance(shape, Histograms):
        return replace(shape, runs=1, steps=min(20, shape.steps))
    each = shape.tags * shape.steps
    return replace(
        shape,
        runs=max(1, min(shape.runs, SAMPLE // each)),
        steps=min(shape.steps, SAMPLE // shape.tags),
    )


def _tell(name: str, cpu_s: float, points: int, cost: Cost | None = None, more: str = "") -> None:
    memory = f" {cost.peak_mib:7.0f} MiB {cost.wall_s:7.1f} s wall" if cost else ""
    rate = f"{points / cpu_s / 1e6:8.3f} M points/CPU s"
    print(f"    {name:32}{cpu_s:8.2f} CPU s {rate}{memory}{more}", flush=True)


def _tell_ours(
    case: Case,
    logdir: Path,
    written: Written,
    make: MakeStore,
    bare: Ingested,
    peer_cpu_s: float | None,
) -> int:
    with make(case.key) as store:
        first = ingested(logdir, store)
        again = ingested(logdir, store)
    net = first.cpu_s - bare.cpu_s
    more = ""
    if peer_cpu_s is not None:
        more += f", {peer_cpu_s / first.cpu_s:.2f}x"
        # Where starting is nearly all there is, what remains is chance.
        more += f" ({peer_cpu_s / net:.2f}x without start-up)" if net > bare.cpu_s / 4 else ""
    if first.server_cpu_s:
        more += f", {first.server_cpu_s:.2f} CPU s of it the server's"
    _tell(f"orgboard, {store.name}", first.cpu_s, written.points, first.cost, more)
    per = "a scalar" if isinstance(case.shape, Scalars) else "a histogram"
    print(
        f"    {'':32}{(first.octets - bare.octets) / written.points:.2f} bytes {per} at rest;"
        f" again: {again.cpu_s:.2f} CPU s, {again.cost.wall_s:.2f} s wall",
        flush=True,
    )
    if first.points == again.points == written.points:
        return 0
    print(f"    WRONG: {first.points:,}, then {again.points:,} points are stored")
    return 1


def _compare_readers(scratch: Path, peers: Path | None, divisor: int) -> None:
    """Print what reading files alone takes, ours beside TensorBoard's Python loader."""
    # TensorBoard reads by TensorFlow where that is installed, or without: the faster counts.
    print("\n  reading alone, CPU us an event: ours, TensorBoard's EventFileLoader")
    for name, write in _READ.items():
        folder = scratch / "read"
        folder.mkdir()
        write(folder, divisor)
        paths = sorted(folder.rglob("*tfevents*"))
        events, seconds = decoded(sys.executable, "ours", paths)
        line = f"    {name:32}{1e6 * seconds / events:8.2f}"
        if peers is not None:
            theirs = loader(peers, paths)
            line += f"{1e6 * theirs / events:10.2f} {theirs / seconds:8.1f}x"
        print(line)
        shutil.rmtree(folder)


def _forms(form: Form) -> Callable[[Path, int], object]:
    return lambda to, by: write_scalars(to / form, Scalars(1, 20, 2_500 // by, form))


_READ: dict[str, Callable[[Path, int], object]] = {
    "histograms": lambda to, by: write_histograms(to / "h", Histograms(1, 100, max(1, 30 // by))),
    "texts": lambda to, by: write_texts(to / "texts.tfevents", 20_000 // by),
    "images": lambda to, by: write_images(to / "images.tfevents", 3_000 // by),
    **{f"scalars, {form}": _forms(form) for form in FORMS},
}


if __name__ == "__main__":
    sys.exit(main())
