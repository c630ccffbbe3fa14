"""Measure what the SDK costs a training script: its import, and one `add_scalar`.

CPU time throughout. The cost "on the training thread" is what the call itself takes; "in all"
adds the background thread that encodes, checksums and writes.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time

from orgboard import SummaryWriter

STARTS = 15
CALLS = 200_000
BURST = 2_000
"""Calls between pauses: a training loop does not log flat out, and a full queue drops."""
ROUNDS = 5

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
    """Print import time and memory over bare Python, and microseconds a call."""
    bare_s, bare_kib = _start("pass")
    with_s, with_kib = _start("from orgboard import SummaryWriter")
    print(f"  import: {1000 * (with_s - bare_s):.0f} ms CPU and ", end="")
    print(f"{(with_kib - bare_kib) / 1024:.1f} MiB over bare Python")
    costs = [_log() for _ in range(ROUNDS)]
    call, everything = (statistics.median(column) for column in zip(*costs, strict=True))
    print(f"  add_scalar: {call:.2f} µs CPU on the training thread, {everything:.2f} µs in all")
    return 0


def _start(statement: str) -> tuple[float, float]:
    """Return the median CPU seconds and resident KiB of a fresh process."""
    probes = []
    for _ in range(STARTS):
        command = [sys.executable, "-c", PROBE.format(statement=statement)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        probes.append([float(word) for word in done.stdout.split()])
    seconds, kib = zip(*probes, strict=True)
    return statistics.median(seconds), statistics.median(kib)


def _log() -> tuple[float, float]:
    """Return the CPU microseconds a call, on this thread and in the whole process."""
    tags = [f"train/metric_{number}" for number in range(10)]
    with tempfile.TemporaryDirectory() as logdir:
        writer = SummaryWriter(logdir)
        on_thread = 0.0
        everything = time.process_time()
        for start in range(0, CALLS, BURST):
            before = time.thread_time()
            for step in range(start, start + BURST):
                writer.add_scalar(tags[step % 10], 0.5, step)
            on_thread += time.thread_time() - before
            writer.flush()
        writer.close()
        everything = time.process_time() - everything
        if writer.dropped:
            raise RuntimeError(f"{writer.dropped} of {CALLS} values were dropped")
    return on_thread / CALLS * 1e6, everything / CALLS * 1e6


if __name__ == "__main__":
    sys.exit(main())
