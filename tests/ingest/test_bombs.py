"""Files made to take memory: `orgboard ingest --once` of each stays within its bound."""

from __future__ import annotations

import gzip
import random
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import HEADER, LENGTH, encode_frame, masked_crc
from orgboard_schema.wire.summary_pb2 import Summary
from orgboard_schema.wire.varints import encode_varint
from support.event_files import event_file, scalar_event

MIB = 1 << 20
MOST_BYTES = 300 * MIB
AFTER = event_file(scalar_event("loss", 1, 1.0))

MEASURED = """
import sys
from pathlib import Path
from orgboard_ingest.commands import ingest
status = ingest([sys.argv[1], "--once", "--db", sys.argv[2]])
print(status, Path("/proc/self/status").read_text())
"""


def nested(content: bytes, *numbers: int) -> bytes:
    for number in reversed(numbers):
        content = encode_varint(number << 3 | 2) + encode_varint(len(content)) + content
    return content


def _header(length: int) -> bytes:
    return HEADER.pack(length, masked_crc(LENGTH.pack(length)))


def _garbage_record() -> Iterator[bytes]:
    chance = random.Random(1)
    yield _header(256 * MIB)
    for _ in range(256):
        yield chance.randbytes(MIB)
    yield b"none"


def _zeros_packed() -> Iterator[bytes]:
    yield gzip.compress(bytes(256 * MIB), 1)


def _hole() -> Iterator[bytes]:
    for _ in range(200):
        yield bytes(MIB)


def _tags() -> Iterator[bytes]:
    values = [Summary.Value(tag=b"tag %d" % n, simple_value=n) for n in range(100_000)]
    yield event_file(Event(wall_time=1.0, step=1, summary=Summary(value=values)))


def _record(payload: bytes) -> Callable[[], Iterator[bytes]]:
    return lambda: iter((encode_frame(payload),))


def _deep() -> bytes:
    payload = b""
    for _ in range(50_000):
        payload = b"\x43" + payload + b"\x44"
    return nested(payload, 5, 1, 8)


def _node(name: bytes) -> bytes:
    return nested(nested(name, 1) + nested(b"NoOp", 2), 1)


BOMBS: dict[str, Callable[[], Iterator[bytes]]] = {
    "empty submessages": _record(nested(b"\x0a\x00" * (2 * MIB), 5)),
    "deep nesting": _record(_deep()),
    "packed zeros": _record(nested(bytes(16 * MIB), 5, 1, 8, 10)),
    "huge shape": _record(
        nested(
            b"\x0a\x01t" + nested(b"\x08\x01" + nested(b"\x08\x80\x80\x80\x80\x08", 2, 2), 8), 5, 1
        )
    ),
    "garbage record": _garbage_record,
    "packed bomb": _zeros_packed,
    "hole": _hole,
    "many tags": _tags,
    "declared blob": lambda: iter((_header(1 << 30), bytes(range(256)) * 1000)),
    "graph of empty nodes": _record(nested(b"\x0a\x00" * (2 * MIB), 4)),
    "graph of many nodes": _record(nested(b"".join(_node(b"%d" % n) for n in range(300_000)), 4)),
}


def _peak(logs: Path, db: str) -> tuple[int, int]:
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, str(logs), db], capture_output=True, text=True, check=True
    )
    found = re.search(r"^(\d).*?VmHWM:\s*(\d+) kB", done.stdout, re.DOTALL | re.MULTILINE)
    assert found is not None
    return int(found[1]), int(found[2]) * 1024


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_takes_no_more_memory_than_is_promised(
    name: str, tmp_path: Path, sqlite_url: str
) -> None:
    run = tmp_path / "logs" / "run"
    run.mkdir(parents=True)
    with (run / "events.out.tfevents.1").open("wb") as file:
        for part in BOMBS[name]():
            file.write(part)
        file.write(AFTER)

    status, peak = _peak(tmp_path / "logs", sqlite_url)

    assert status in (0, 3)
    assert peak < MOST_BYTES
