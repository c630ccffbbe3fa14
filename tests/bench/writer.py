"""Compare what logging costs a training script: ours, torch's and tensorboardX's writers.

CPU time throughout, on the calling thread and in the whole process with all its threads. All
writers run in one process and in turns, so that a busy machine is busy for everyone; each
figure is the median of five rounds, and the ratios to ours are what to look at. `make
bench-writer` runs this where the others are installed; elsewhere ours stands alone.
"""

from __future__ import annotations

import logging
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from orgboard import SummaryWriter
from orgboard._kinds.histogram import tensorflow_edges

ROUNDS = 5
STARTS = 9
BURST = 2_000
"""Calls between flushes: a training loop does not log flat out."""

REPOSITORY = Path(__file__).resolve().parents[2]
PEERS = ("tensorboardX", "torch.utils.tensorboard")
TAGS = [f"train/metric_{number}" for number in range(10)]
MILLION = np.random.default_rng(0).normal(size=1_000_000).astype(np.float32)
PIXELS = np.random.default_rng(0).integers(0, 255, (3, 256, 256), dtype=np.uint8)
HALF = np.float32(0.5)
DICTIONARY = {f"train/metric_{number}": 0.5 for number in range(10)}

Call: TypeAlias = Callable[[Any, int], object]


class Work(NamedTuple):
    """Something to log, again and again."""

    name: str
    call: Call
    calls: int
    burst: int = BURST
    ours_alone: bool = False


class Cost(NamedTuple):
    """CPU microseconds a call."""

    caller: float
    everything: float


WORK = (
    Work("add_scalar, a float", lambda w, n: w.add_scalar(TAGS[n % 10], 0.5, n), 20_000),
    Work("add_scalar, an int", lambda w, n: w.add_scalar(TAGS[n % 10], n, n), 20_000),
    Work("add_scalar, np.float32", lambda w, n: w.add_scalar(TAGS[n % 10], HALF, n), 20_000),
    Work("log, 10 floats", lambda w, n: w.log(DICTIONARY, n), 20_000, ours_alone=True),
    Work("add_text", lambda w, n: w.add_text("note", "hello", n), 2_000, 500),
    Work("add_histogram, 10^6 float32", lambda w, n: w.add_histogram("h", MILLION, n), 6, 1),
    Work("add_image, 3x256x256 uint8", lambda w, n: w.add_image("i", PIXELS, n), 20, 5),
)

# Not ru_maxrss: a child begins with that of the process it was forked from.
PROBE = """
import time
{statement}
seconds = time.process_time()
with open("/proc/self/status") as status:
    kib = next(line.split()[1] for line in status if line.startswith("VmRSS"))
print(seconds, kib)
"""


def main() -> int:
    """Print the costs of every call, of the import, of the installation and of the context."""
    logging.getLogger("orgboard").setLevel(logging.ERROR)
    writers = dict(_importable())
    for work in WORK:
        _compare(work, writers)
    _compare_with_counting()
    _compare_imports([name for name in PEERS if name in writers])
    _tell_context()
    _tell_installation()
    return 0


def _importable() -> Iterator[tuple[str, Callable[[str], Any]]]:
    yield "orgboard", SummaryWriter
    for name in PEERS:
        try:
            yield name, import_module(name).SummaryWriter
        except ImportError:
            print(f"  {name}: not importable here; `make bench-writer` has it")


def _compare(work: Work, writers: Mapping[str, Callable[[str], Any]]) -> None:
    chosen = {
        name: make for name, make in writers.items() if name == "orgboard" or not work.ours_alone
    }
    rounds: list[dict[str, Cost]] = [
        {name: _log(work, make) for name, make in chosen.items()} for _ in range(ROUNDS)
    ]
    costs = {name: _median([each[name] for each in rounds]) for name in chosen}
    ours = costs["orgboard"]
    print(f"\n  {work.name}: CPU µs a call, on the caller and in all")
    for name, cost in costs.items():
        ratios = (cost.caller / ours.caller, cost.everything / ours.everything)
        print(f"    {name:24}{cost.caller:12.2f}{cost.everything:12.2f}", end="")
        print("" if name == "orgboard" else "   {:6.1f}x{:6.1f}x".format(*ratios))


def _median(costs: list[Cost]) -> Cost:
    callers, everything = zip(*costs, strict=True)
    return Cost(statistics.median(callers), statistics.median(everything))


def _log(work: Work, make: Callable[[str], Any]) -> Cost:
    with tempfile.TemporaryDirectory() as logdir:
        writer = make(logdir)
        # What comes once a run is told apart: imports at first use, the context.
        work.call(writer, 0)
        writer.flush()
        on_thread = 0.0
        everything = time.process_time()
        for start in range(0, work.calls, work.burst):
            before = time.thread_time()
            for number in range(start, min(start + work.burst, work.calls)):
                work.call(writer, number)
            on_thread += time.thread_time() - before
            writer.flush()
        writer.close()
        everything = time.process_time() - everything
        if getattr(writer, "dropped", 0):
            raise RuntimeError(f"{writer.dropped} of {work.calls} values were dropped")
    return Cost(on_thread / work.calls * 1e6, everything / work.calls * 1e6)


def _compare_with_counting() -> None:
    """Print a histogram in all beside numpy's own counting, into its bins and into ours."""
    histogram = next(work for work in WORK if "histogram" in work.name)
    edges = tensorflow_edges()
    rounds = [
        (
            _log(histogram, SummaryWriter).everything,
            _cpu_us(lambda: np.histogram(MILLION)),
            _cpu_us(lambda: np.histogram(MILLION, bins=edges)),
        )
        for _ in range(ROUNDS)
    ]
    ours, ten, same = (statistics.median(column) for column in zip(*rounds, strict=True))
    print(
        f"\n  that histogram in all, beside one np.histogram: {ours / ten:.2f}x of its 10 bins",
        end="",
    )
    print(f" ({ten:.0f} µs), {ours / same:.2f}x of the same edges ({same:.0f} µs)")


def _cpu_us(work: Callable[[], object]) -> float:
    before = time.process_time()
    work()
    return (time.process_time() - before) * 1e6


def _compare_imports(peers: list[str]) -> None:
    bare = _start("pass")
    # torch and TensorFlow, where they are installed, are loaded by the others' import.
    print("\n  import, over bare Python: CPU ms and MiB")
    for name in ("orgboard", *peers):
        seconds, kib = _start(f"from {name} import SummaryWriter")
        print(f"    {name:24}{1000 * (seconds - bare[0]):12.0f}{(kib - bare[1]) / 1024:12.1f}")


def _start(statement: str) -> tuple[float, float]:
    """Return the median CPU seconds and resident KiB of a fresh process."""
    probes = []
    for _ in range(STARTS):
        command = [sys.executable, "-c", PROBE.format(statement=statement)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        probes.append([float(word) for word in done.stdout.split()])
    seconds, kib = zip(*probes, strict=True)
    return statistics.median(seconds), statistics.median(kib)


def _tell_context() -> None:
    """Print what describing the process costs, in the background and once a run."""
    statement = "from orgboard._context.record import gather\n"
    seconds = _start(statement + "gather()")[0] - _start("import orgboard")[0]
    print(f"\n  context, once a run and off the training thread: {1000 * seconds:.0f} ms CPU")


def _tell_installation() -> None:
    """Print the distributions of the base install and their size."""
    needed = _needed("orgboard", set())
    size = sum(_size(name) for name in needed)
    print(
        f"\n  base install beside numpy: {len(needed)} distributions, {size / 2**20:.1f} MiB",
        end="",
    )
    print(f" ({', '.join(sorted(needed))})")


def _needed(name: str, known: set[str]) -> set[str]:
    known.add(name)
    for requirement in metadata.requires(name) or ():
        if "extra ==" not in requirement:
            dependency = requirement.split(";")[0].rstrip(" 0123456789.<>=!~,*()")
            if dependency not in known:
                _needed(dependency, known)
    return known


def _size(name: str) -> int:
    """Add up a distribution's files; of our own, installed for development, the wheel's."""
    if name == "orgboard":
        roots = [REPOSITORY / root for root in _packages()]
        files = [
            path for root in roots for path in root.rglob("*") if "__pycache__" not in str(path)
        ]
    else:
        found = metadata.files(name) or []
        files = [Path(str(each.locate())) for each in found if "__pycache__" not in str(each)]
    total = 0
    for path in files:
        with suppress(FileNotFoundError):
            total += path.stat().st_size if path.is_file() else 0
    return total


def _packages() -> list[str]:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    packages: list[str] = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    return packages


if __name__ == "__main__":
    sys.exit(main())
