"""A place that is reached by URL: what of it is an event file, and what is done when it is away."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any

import pytest

from orgboard_ingest.bucket import Bucket
from orgboard_ingest.discover import Scan
from orgboard_ingest.roots import Away

NAME = "events.out.tfevents.1"


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def _found(seen: Scan) -> set[tuple[str, str]]:
    return {(file.run, file.name) for file in seen.files}


def test_runs_are_named_below_the_url(memory: Any) -> None:
    memory.pipe_file(f"/logs/{NAME}", b"123")
    memory.pipe_file(f"/logs/exp/seed 1/{NAME}", b"12345")
    memory.pipe_file("/logs/exp/notes.txt", b"1")
    memory.pipe_file(f"/logs-of-others/{NAME}", b"1")
    bucket = Bucket("memory://logs")

    seen = bucket.scan()

    assert _found(seen) == {(".", NAME), ("exp/seed 1", NAME)}
    assert {file.path: file.size for file in seen.files} == {
        f"memory://logs/{NAME}": 3,
        f"memory://logs/exp/seed 1/{NAME}": 5,
    }
    assert (seen.problems, seen.failed) == ((), "")
    assert (str(bucket), tuple(bucket.parts)) == ("memory://logs", ("logs",))


@pytest.mark.parametrize("key", [f"a//{NAME}", f"./{NAME}", f"a/../{NAME}", f"a/./b/{NAME}"])
def test_a_key_that_no_folder_could_have_is_told_and_not_read(
    key: str, memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be another run's name: `.` is the root run, and `a//` is `a` to whoever joins it."""
    told = {"name": f"/logs/{key}", "type": "file", "size": 1, "mtime": 1.0}
    monkeypatch.setattr(type(memory), "find", lambda *_, **__: {told["name"]: told})

    seen = Bucket("memory://logs").scan()

    assert seen.files == ()
    assert [(one.path, one.reason) for one in seen.problems] == [
        (f"memory://logs/{key}", "lies where no folder could be")
    ]


def test_another_object_of_the_same_size_has_another_time(memory: Any) -> None:
    bucket = Bucket("memory://logs")
    memory.pipe_file(f"/logs/{NAME}", b"123")
    (first,) = bucket.scan().files
    memory.pipe_file(f"/logs/{NAME}", b"456")
    (second,) = bucket.scan().files

    assert first.size == second.size
    assert first.mtime_ns != second.mtime_ns


def test_a_file_is_there_or_gone_whatever_the_last_listing_said(memory: Any) -> None:
    bucket = Bucket("memory://logs")
    bucket.scan()
    memory.pipe_file(f"/logs/new/{NAME}", b"123")

    assert bucket.holds(f"memory://logs/new/{NAME}")
    assert bucket.holds("memory://logs/new")
    assert not bucket.holds("memory://logs/old")
    assert bucket.size(f"memory://logs/new/{NAME}") == 3
    with bucket.open(f"memory://logs/new/{NAME}") as file:
        assert file.read(10) == b"123"
    with pytest.raises(FileNotFoundError):
        bucket.open(f"memory://logs/old/{NAME}")
    with pytest.raises(OSError, match="not a regular file"):
        bucket.open("memory://logs/new")


def test_a_place_that_is_away_is_not_asked_again_for_a_while_that_doubles(
    memory: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    memory.pipe_file(f"/logs/{NAME}", b"123")
    caplog.set_level(logging.INFO)
    clock = Clock()
    bucket = Bucket("memory://logs", clock)
    assert bucket.scan().failed == ""
    tries: list[float] = []

    def broken(*_: Any, **__: Any) -> Any:
        tries.append(clock.now)
        raise RuntimeError("503: slow down")

    with monkeypatch.context() as broke:
        broke.setattr(type(memory), "find", broken)
        for _ in range(100):
            seen = bucket.scan()
            assert (seen.failed, seen.files) == ("RuntimeError: 503: slow down", ())
            clock.now += 0.1

    pauses = [round(later - before, 1) for before, later in pairwise(tries)]
    assert pauses == sorted(pauses)
    assert len(tries) < 8
    with pytest.raises(Away, match="slow down"), bucket.open(f"memory://logs/{NAME}") as file:
        file.read(10)
    clock.now += 60
    assert _found(bucket.scan()) == {(".", NAME)}
    said = [record.message for record in caplog.records]
    assert said == ["remote logs away", "remote logs back"]


def test_of_several_requests_that_fail_together_one_counts(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight threads that meet the same outage do not make it longer."""
    # As of drivers that may be asked several things at a time.
    monkeypatch.setattr(type(memory), "async_impl", True)
    monkeypatch.setattr(type(memory), "_find", None, raising=False)
    clock = Clock()
    bucket = Bucket("memory://logs", clock)

    def broken(*_: Any, **__: Any) -> Any:
        # Others that began as early fail before this one does.
        if depth:
            depth.pop()
            bucket.scan()
        raise RuntimeError("away")

    depth = [1] * 7
    with monkeypatch.context() as broke:
        broke.setattr(type(memory), "find", broken)
        bucket.scan()
    clock.now += 0.5

    assert bucket.scan().failed == ""


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("the key does not exist"), FileNotFoundError),
        (PermissionError("Access Denied"), PermissionError),
    ],
)
def test_what_is_wrong_with_one_file_keeps_nobody_from_the_others(
    error: OSError, kind: type[OSError], memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe_file(f"/logs/a/{NAME}", b"123")
    bucket = Bucket("memory://logs")
    bucket.scan()

    def broken(*_: Any, **__: Any) -> Any:
        raise error

    with monkeypatch.context() as broke:
        broke.setattr(type(memory), "cat_file", broken)
        with pytest.raises(kind) as told, bucket.open(f"memory://logs/a/{NAME}") as file:
            file.read(10)
    assert told.value.strerror == str(error)
    assert _found(bucket.scan()) == {("a", NAME)}


def test_a_place_that_may_not_be_listed_is_a_problem_of_its_own(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise PermissionError("Access Denied")

    monkeypatch.setattr(type(memory), "find", broken)
    seen = Bucket("memory://logs").scan()

    assert seen.failed == "Access Denied"
    assert [(one.path, one.reason) for one in seen.problems] == [("memory://logs", "Access Denied")]


def test_a_driver_with_one_connection_is_asked_one_thing_at_a_time(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of SFTP: the answers of two requests at a time come as one."""
    for number in range(8):
        memory.pipe_file(f"/logs/{number}/{NAME}", b"123")
    bucket = Bucket("memory://logs")
    paths = [file.path for file in bucket.scan().files]
    at_work = threading.Semaphore(1)
    cat_file = type(memory).cat_file

    def cat(self: Any, path: str, **more: Any) -> bytes:
        assert at_work.acquire(blocking=False), "two at a time"
        try:
            # Another thread gets its turn here, if it may.
            time.sleep(0)
            return bytes(cat_file(self, path, **more))
        finally:
            at_work.release()

    monkeypatch.setattr(type(memory), "cat_file", cat)

    def read(path: str) -> bytes:
        with bucket.open(path) as file:
            return file.read(10)

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(read, paths * 50)) == [b"123"] * 400
