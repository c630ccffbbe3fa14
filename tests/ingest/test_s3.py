"""Logs in a real S3 server: as a folder holds them, at a price in requests that is known."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, select

from orgboard import SummaryWriter
from orgboard_ingest.bucket import Bucket as Root
from orgboard_ingest.commands import ingest, verify
from orgboard_ingest.config import IngestConfig
from orgboard_ingest.hints import Hints
from orgboard_ingest.projects import settle_logdir
from orgboard_ingest.run import make_daemon
from orgboard_ingest.source import Source
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from support.event_files import event_file, scalar_event
from support.ingested import migrated, stored_scalars
from support.s3 import S3, Bucket
from support.socket_proxy import proxy_to
from support.waiting import free_port

NAME = "events.out.tfevents.1"
MIB = 1 << 20

CASES = (
    *("accelerate", "keras_tensorflow", "lightning", "optuna", "tb_demo_pr_curve", "tb_demos"),
    *("tf2_summary", "torch_profiler", "torch_tb"),
    *("hostile/bad_histograms", "hostile/gzip_records", "hostile/mixed_kinds_same_tag"),
    *("hostile/corrupt_length_crc_middle", "hostile/malformed_proto_in_valid_record"),
    *("hostile/names_that_are_not_runs", "hostile/run_names"),
    *("hostile/trunc_in_length", "hostile/zero_length"),
)
"""Not those with damage at their ends, which is waited for while a file is new."""


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    """Give an empty database."""
    made = migrated(sqlite_url)
    yield made
    made.dispose()


def _points(*steps: int) -> bytes:
    return event_file(*(scalar_event("loss", step, step / 2, 1.0 + step) for step in steps))


def _logdirs(url: str) -> dict[int, tuple[str, str]]:
    engine = open_engine(url)
    with begin_read(engine) as conn:
        query = select(tables.logdir.c.logdir_id, tables.logdir.c.path, tables.project.c.name)
        rows = conn.execute(query.join_from(tables.logdir, tables.project)).all()
    engine.dispose()
    return {number: (path, name) for number, path, name in rows}


def test_what_the_sdk_wrote_is_read_from_a_bucket_and_proven_equal(
    s3_bucket: Bucket, tmp_path: Path, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with SummaryWriter(tmp_path / "logs" / "seed 1") as writer:
        for step in range(200):
            writer.add_scalar("train/loss", 1 / (step + 1), step)
        writer.add_text("note", "**hello**")
        writer.add_histogram("weights", np.arange(100.0), 1)
        writer.add_image("noise", np.zeros((3, 8, 8), np.uint8), 1)
        writer.add_hparams({"lr": 0.1}, {"accuracy": 0.5})
    s3_bucket.upload(tmp_path / "logs", "team/logs")
    url = s3_bucket.url("team/logs")

    assert ingest([f"{url}/", "--once", "--db", sqlite_url]) == 0
    assert f"{url}: " in capsys.readouterr().err
    assert verify([url.replace("s3://", "S3A://"), "--db", sqlite_url]) == 0
    assert f"{url}: the database equals the files" in capsys.readouterr().out
    # `logs` says nothing, so its parent's name goes in front.
    assert _logdirs(sqlite_url) == {1: (url, "team-logs")}


@pytest.mark.parametrize("case", CASES)
def test_a_bucket_gives_what_the_same_files_in_a_folder_give(
    case: str, corpus: Path, s3_bucket: Bucket, sqlite_url: str
) -> None:
    logs = corpus / case / "logs"
    s3_bucket.upload(logs, "logs")

    assert ingest([s3_bucket.url("logs"), "--once", "--db", sqlite_url]) in (0, 3)
    assert verify([s3_bucket.url("logs"), "--db", sqlite_url]) == 0
    # And what the folder holds, kind by kind, is what was stored of the bucket.
    engine = open_engine(sqlite_url)
    with begin_read(engine) as conn:
        assert list(differences(conn, 1, logs)) == []
    engine.dispose()


def _source(engine: Engine, url: str) -> Source:
    config = IngestConfig((url,), "", "tests/ingest", once=True)
    return make_daemon(config, engine, Hints()).sources[0]


def test_looking_at_a_hundred_idle_runs_is_one_request(
    s3_bucket: Bucket, engine: Engine, sqlite_url: str
) -> None:
    for number in range(100):
        s3_bucket.put(f"logs/run{number}/{NAME}", b"")
    config = IngestConfig((s3_bucket.url("logs"),), sqlite_url, "tests/ingest", once=True)
    make_daemon(config, engine, Hints()).run_once(lambda _: None)
    source = _source(engine, s3_bucket.url("logs"))
    s3_bucket.server.asked()

    assert len(source.scan().files) == 100
    assert list(source.changed()) == []
    assert list(source.poll()) == []
    assert [(one["method"], one["path"]) for one in s3_bucket.server.asked()] == [
        ("GET", f"/{s3_bucket.name}")
    ]


def test_of_a_large_object_that_grew_only_what_is_new_is_fetched(
    s3_bucket: Bucket, engine: Engine
) -> None:
    record = event_file(scalar_event("loss", 1, 0.5, 1.0))
    whole = record * (51 * MIB // len(record))
    s3_bucket.put(f"logs/run/{NAME}", whole[: 50 * MIB])
    config = IngestConfig((s3_bucket.url("logs"),), "", "tests/ingest", once=True)
    make_daemon(config, engine, Hints()).run_once(lambda _: None)
    s3_bucket.put(f"logs/run/{NAME}", whole)
    s3_bucket.server.asked()

    make_daemon(config, engine, Hints()).run_once(lambda _: None)

    asked = s3_bucket.server.asked()
    read = [one for one in asked if one["range"]]
    assert len(asked) == 4
    # What is new, from the last whole record on, and the first bytes before and after it.
    assert (
        sum(one["bytes"] for one in read)
        == len(whole) - 50 * MIB // len(record) * len(record) + 2 * 4096
    )
    assert [one["range"] for one in read if one["bytes"] == 4096] == ["bytes=0-4095"] * 2


def test_a_small_object_is_one_request(s3_bucket: Bucket, engine: Engine) -> None:
    s3_bucket.put(f"logs/run/{NAME}", _points(*range(500)))
    config = IngestConfig((s3_bucket.url("logs"),), "", "tests/ingest", once=True)
    s3_bucket.server.asked()

    make_daemon(config, engine, Hints()).run_once(lambda _: None)

    assert [one["range"] for one in s3_bucket.server.asked()] == ["", "bytes=0-65535"]


def test_several_processes_share_a_bucket(s3_bucket: Bucket, sqlite_url: str) -> None:
    for number in range(30):
        s3_bucket.put(f"run{number}/{NAME}", _points(*range(number + 1)))
    arguments = [s3_bucket.url(), "--once", "--jobs", "2", "--db", sqlite_url]
    program = [sys.executable, "-m", "orgboard", "ingest", *arguments]

    done = subprocess.run(program, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert f"{s3_bucket.url()}: {sum(range(31))} points of 30 runs in 30 files" in done.stderr
    assert verify([s3_bucket.url(), "--db", sqlite_url]) == 0


_FORKED = """
import os, sys
from orgboard_ingest.bucket import Bucket
bucket = Bucket(sys.argv[1])
assert len(bucket.scan().files) == 1
child = os.fork()
seen = bucket.scan()
with bucket.open(seen.files[0].path) as file:
    ok = len(seen.files) == 1 and len(file.read(10)) == 10
if not child:
    os._exit(0 if ok else 1)
sys.exit(os.waitpid(child, 0)[1] or not ok)
"""


def test_a_forked_process_asks_by_a_driver_of_its_own(s3_bucket: Bucket) -> None:
    """The threads of the first are not there in the second: it would wait for ever."""
    s3_bucket.put(f"run/{NAME}", _points(1))

    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _FORKED, s3_bucket.url()],
        capture_output=True,
        timeout=40,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()


def test_a_key_that_may_not_be_read_holds_up_no_other(
    s3_bucket: Bucket, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of an object that was put away in an archive."""
    for run in ("bad", "good"):
        s3_bucket.put(f"logs/{run}/{NAME}", _points(1))
    config = IngestConfig((s3_bucket.url("logs"),), "", "tests/ingest", once=True)
    daemon = make_daemon(config, engine, Hints())
    ranges = Root._range

    def refused(self: Root, path: str, *given: int) -> bytes:
        if "/bad/" in path:
            raise PermissionError(13, "Access Denied")
        return ranges(self, path, *given)

    monkeypatch.setattr(Root, "_range", refused)
    daemon.run_once(lambda _: None)

    assert set(stored_scalars(engine)) == {("good", "loss")}
    assert daemon.unreadable == {f"{s3_bucket.url('logs')}/bad/{NAME}": "Access Denied"}


@pytest.mark.parametrize("command", [ingest, verify])
def test_a_bucket_that_nobody_has_is_one_line_and_status_2(
    command: Any, s3_bucket: Bucket, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    s3_bucket.put(f"{NAME}", _points(1))
    url = "s3://nobody-has-this/logs"
    assert ingest([s3_bucket.url(), "--once", "--db", sqlite_url]) == 0
    engine = open_engine(sqlite_url)
    with begin_write(engine) as conn:
        settle_logdir(conn, Root(url), None, now=1.0)
    engine.dispose()
    capsys.readouterr()

    once = ["--once"] if command is ingest else []
    assert command([url, "--db", sqlite_url, *once]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.endswith(f"{url} cannot be listed: The specified bucket does not exist")


def test_a_server_that_is_not_there_ends_who_reads_once_with_status_2(
    s3: S3, sqlite_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in s3.environment(free_port()).items():
        monkeypatch.setenv(name, value)
    # The driver tries for some seconds else.
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    assert ingest(["s3://bucket/logs", "--once", "--db", sqlite_url]) == 2
    line = capsys.readouterr().err.splitlines()[-1]
    assert line.startswith("orgboard ingest: s3://bucket/logs cannot be listed: Endpoint")


def test_a_password_in_a_url_is_refused_and_not_repeated(
    sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ingest(["s3://key:hunter2@bucket/logs", "--once", "--db", sqlite_url]) == 2
    said = capsys.readouterr().err
    assert said.startswith("orgboard ingest: a s3:// URL is stored and shown, so it may hold no")
    assert "hunter2" not in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("command", [ingest, verify])
def test_a_driver_that_is_not_installed_is_named_and_status_2(
    command: Any,
    sqlite_url: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3", raising=False)

    assert command(["s3://bucket/logs", "--db", sqlite_url]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "s3:// cannot be read: Install s3fs to access S3" in line


def test_a_slow_store_is_waited_for(
    s3_bucket: Bucket, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3_bucket.put(f"logs/run/{NAME}", _points(1, 2))
    with proxy_to(s3_bucket.server.port) as proxy:
        proxy.latency_s = 0.2
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{proxy.port}")
        config = IngestConfig((s3_bucket.url("logs"),), "", "tests/ingest", once=True)
        make_daemon(config, engine, Hints()).run_once(lambda _: None)

    assert set(stored_scalars(engine)) == {("run", "loss")}
