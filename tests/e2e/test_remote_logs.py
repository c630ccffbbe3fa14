"""Daemons on a bucket: rivals, kills and a store that fails lose and double nothing."""

from __future__ import annotations

import json
import random
import re
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from orgboard_ingest.config import IngestConfig
from orgboard_ingest.verify import differences
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_read
from orgboard_schema.sql.health import logdir_health
from support.daemons import Daemon, daemon
from support.growing import GrowingFiles, Row, stored_rows
from support.ingested import migrated
from support.programs import Start
from support.s3 import Bucket
from support.waiting import wait_until

WITHIN_S = 40.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")
KILLS = 3
POLLED = "polling: s3:// tells of no changes"
AWAY = f"{POLLED}; cannot be listed: told to"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(120)]


@dataclass
class Uploads:
    """Files that grow here, put over what is there whenever they did, as a training job does."""

    files: GrowingFiles
    bucket: Bucket
    _sizes: dict[Path, int] = field(default_factory=dict)

    def put(self) -> None:
        """Put every file that grew since."""
        for path in sorted(self.files.logdir.rglob("events*")):
            size = path.stat().st_size
            if size != self._sizes.get(path, -1):
                self._sizes[path] = size
                key = f"logs/{path.relative_to(self.files.logdir)}"
                self.bucket.put(key, path.read_bytes())

    def grow(self) -> None:
        """Let all of them grow, and put them."""
        self.files.grow(3)
        self.put()


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    """Give an empty database, once on each engine."""
    made = migrated(database_url)
    yield made
    made.dispose()


def _config(url: str, bucket: Bucket) -> IngestConfig:
    return IngestConfig(
        (bucket.url("logs"),),
        url,
        lease_s=1.0,
        flush_every_s=0.0,
        batch_bytes=2000,
        rescan_polling_s=0.05,
    )


def _missing(engine: Engine, truth: Counter[Row]) -> int:
    return (truth - Counter(stored_rows(engine))).total()


def _assert_equal(engine: Engine, uploads: Uploads) -> None:
    """Wait until all that was logged is stored, then prove it: twice by the files, and counted."""
    truth = uploads.files.truth()
    wait_until(lambda: _missing(engine, truth) == 0, WITHIN_S, "all is stored")
    assert Counter(stored_rows(engine)) == truth
    with begin_read(engine) as conn:
        (logdir_id,) = conn.execute(select(tables.logdir.c.logdir_id)).scalars()
        assert list(differences(conn, logdir_id, uploads.bucket.url("logs"))) == []
        assert list(differences(conn, logdir_id, uploads.files.logdir)) == []


@pytest.mark.parametrize("restarts", [False, True])
def test_rivals_that_are_killed_lose_and_double_nothing(
    s3_bucket: Bucket, engine: Engine, database_url: str, tmp_path: Path, restarts: bool
) -> None:
    chance = random.Random(restarts)
    uploads = Uploads(GrowingFiles(tmp_path / "logs", chance, restarts=restarts), s3_bucket)
    config, environment = _config(database_url, s3_bucket), s3_bucket.server.environment()
    logs = (tmp_path / f"{number}.log" for number in range(KILLS + 2))
    with ExitStack() as stack:

        def start() -> Daemon:
            return stack.enter_context(daemon(config, next(logs), environment))

        running = [start(), start()]
        for _ in range(KILLS):
            before = len(list(stored_rows(engine)))
            uploads.grow()
            wait_until(
                lambda before=before: len(list(stored_rows(engine))) > before,  # type: ignore[misc]
                WITHIN_S,
                "something is read",
            )
            uploads.grow()
            running.pop(0).kill()
            running.append(start())
        uploads.files.finish()
        uploads.put()
        _assert_equal(engine, uploads)
        assert [each.stop() for each in running] == [0, 0]


def test_a_store_that_answers_503_for_a_while_is_waited_for_and_told_of_once(
    s3_bucket: Bucket, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    uploads = Uploads(GrowingFiles(tmp_path / "logs", random.Random(5)), s3_bucket)
    uploads.grow()
    # The driver tries each request for seconds on its own.
    environment = s3_bucket.server.environment() | {"AWS_MAX_ATTEMPTS": "1"}
    with daemon(_config(database_url, s3_bucket), tmp_path / "log", environment) as running:
        wait_until(lambda: _missing(engine, uploads.files.truth()) < 20, WITHIN_S, "it reads")
        s3_bucket.server.fail(503)
        try:
            wait_until(lambda: 'event="remote logs away"' in running.output(), WITHIN_S, "told")
            s3_bucket.server.asked()
            wait_until(lambda: len(s3_bucket.server.asked()) > 0, WITHIN_S, "asked again")
        finally:
            s3_bucket.server.fail(0)
        uploads.files.finish()
        uploads.put()
        _assert_equal(engine, uploads)
        assert running.stop() == 0
        assert running.output().count('event="remote logs away"') == 1
        assert running.output().count('event="remote logs back"') == 1
        assert "Traceback" not in running.output()
        assert "testing" not in running.output()


def test_health_says_that_it_is_polled_and_when_it_cannot_be(
    s3_bucket: Bucket, engine: Engine, database_url: str, tmp_path: Path
) -> None:
    uploads = Uploads(GrowingFiles(tmp_path / "logs", random.Random(6)), s3_bucket)
    uploads.grow()
    environment = s3_bucket.server.environment() | {"AWS_MAX_ATTEMPTS": "1"}

    def polling() -> list[str]:
        with begin_read(engine) as conn:
            return [
                f"{ingest.work.watch}: {ingest.work.watch_reason}"
                for logdir in logdir_health(conn)
                for ingest in logdir.alive
            ]

    with daemon(_config(database_url, s3_bucket), tmp_path / "log", environment) as running:
        wait_until(lambda: polling() == [POLLED], WITHIN_S, "it says so")
        s3_bucket.server.fail(500)
        try:
            wait_until(lambda: polling() == [AWAY], WITHIN_S, "and that it is away")
        finally:
            s3_bucket.server.fail(0)
        wait_until(lambda: polling() == [POLLED], WITHIN_S, "and back")
        assert running.stop() == 0


def test_serve_shows_a_bucket_live(
    s3_bucket: Bucket, sqlite_url: str, tmp_path: Path, start_orgboard: Start
) -> None:
    """The pages show what `--logdir` names, and the database calls it the same."""
    uploads = Uploads(GrowingFiles(tmp_path / "logs", random.Random(7), runs=2), s3_bucket)
    uploads.grow()
    engine = migrated(sqlite_url)
    url = s3_bucket.url("logs")
    with start_orgboard("serve", f"{url}/", "--db", sqlite_url, "--port", 0) as program:
        uploads.files.finish()
        uploads.put()
        _assert_equal(engine, uploads)
        found = wait_until(lambda: _ADDRESS.search(program.output()), WITHIN_S, "it serves")
        with urllib.request.urlopen(f"{found[0]}/api/ui/v1/projects") as answer:
            (project,) = json.load(answer)
        assert (project["project"], project["runs"]) == (f"{s3_bucket.name}-logs", 2)
        assert program.stop() == 0
    engine.dispose()
