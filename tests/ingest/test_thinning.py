"""Thinned series are told of everywhere, and files stay the truth: `retain --thin-after`."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import delete, func, select

from orgboard_ingest.commands import ingest, verify
from orgboard_schema.commands import db
from orgboard_schema.sql import tables
from orgboard_schema.sql.check import check_store
from orgboard_schema.sql.engine import begin_read, begin_write, open_engine
from orgboard_schema.sql.packing import BLOCK_POINTS
from orgboard_schema.sql.thinning.marks import load_marks
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.summary_pb2 import Summary
from support.event_files import event_file, scalar_event, value_event
from support.ingested import mark

NAME = "events.out.tfevents.1"
DAY_S = 86_400.0
POINTS = 1100
"""More than a block."""


def picture(step: int, *, tag: str = "picture", look: int | None = None) -> Event:
    """Make an event of a picture; those of the same look are the same."""
    data = b"%d" % (step if look is None else look) * 50
    image = Summary.Image(encoded_image_string=data, width=1, height=1)
    return value_event(Summary.Value(tag=tag.encode(), image=image), step, 100.0 + step)


LOGGED = (
    *(picture(step) for step in range(POINTS)),
    *(picture(step, tag="few") for step in range(7)),
    *(scalar_event("loss", step, step) for step in range(1500)),
)


@dataclass(frozen=True)
class Board:
    """A logdir of one run, and the database that it is stored in."""

    logs: Path
    url: str
    said: Callable[[], str]

    def write(self, *events: Event, name: str = NAME, days: float = 40.0) -> None:
        """Put events at the end of a file that has not grown for so many days since."""
        path = self.logs / "run" / name
        with path.open("ab") as file:
            file.write(event_file(*events))
        self.age(name, days)

    def age(self, name: str = NAME, days: float = 40.0) -> None:
        """Let a file be that old."""
        then = time.time() - days * DAY_S
        os.utime(self.logs / "run" / name, (then, then))

    def ingest(self) -> None:
        """Read what there is."""
        assert ingest([str(self.logs), "--once", "--db", self.url]) == 0
        self.said()

    def thin(self, *options: str, keep_every: int = 10) -> str:
        """Thin, and return what was said."""
        command = ["retain", "--db", self.url, "--thin-after", "30"]
        assert db([*command, "--keep-every", str(keep_every), *options]) == 0
        return self.said()

    def verify(self) -> tuple[int, list[str]]:
        """Compare with the files: the exit status, and the lines."""
        status = verify([str(self.logs), "--db", self.url])
        return status, self.said().splitlines()

    def counts(self) -> tuple[int, int, int]:
        """Return how many points, blobs and marks there are."""
        engine = open_engine(self.url)
        with begin_read(engine) as conn:
            points = conn.scalar(select(func.sum(tables.run.c.points)).where(_SHOWN))
            blobs = conn.scalar(select(func.count()).select_from(tables.blob))
            runs = list(conn.scalars(select(tables.run.c.run_id).where(_SHOWN)))
            marks = sum(map(len, load_marks(conn, runs).values()))
        engine.dispose()
        return int(points or 0), int(blobs or 0), marks

    def assert_sound(self) -> None:
        """See that the store agrees with itself."""
        engine = open_engine(self.url)
        with begin_read(engine) as conn:
            assert [str(damage) for damage in check_store(conn)] == []
        engine.dispose()


_SHOWN = tables.run.c.standing == 0


@pytest.fixture
def board(tmp_path: Path, tables_url: str, capsys: pytest.CaptureFixture[str]) -> Board:
    """Give a run of pictures and scalars that is stored, and that nobody wrote to for long."""
    (tmp_path / "training" / "run").mkdir(parents=True)
    board = Board(tmp_path / "training", tables_url, lambda: capsys.readouterr().out)
    board.write(*LOGGED)
    board.ingest()
    return board


SWEEPING = 100
"""After the last transaction of the run itself: when its blobs are swept."""

KEPT = 110 + 1
"""Of the pictures: every tenth, and the last."""
KEPT_OF_ALL = KEPT + 2 + 1500


def test_it_tells_first_and_changes_nothing(board: Board) -> None:
    before = board.counts()

    told = board.thin().splitlines()

    assert re.fullmatch(
        r"would thin default/training run 'run' \(\w+\): 994 of 1,107 image, ([\d,]+) bytes",
        told[0],
    )
    assert told[1].startswith("default/training: would thin 1 runs, ")
    assert len(told) == 2
    assert board.counts() == before


def test_what_it_told_of_goes_and_scalars_stay(board: Board) -> None:
    (told,) = re.findall(r"([\d,]+) bytes freed", board.thin())

    said = board.thin("--apply")

    assert f"default/training: thinned 1 runs, {told} bytes freed (994 of 1,107 image)" in said
    # All of the other series look like pictures of the first, which are gone but for these.
    assert board.counts() == (KEPT_OF_ALL, KEPT + 1, 2)
    assert board.thin("--apply") == "nothing to do\n"
    board.assert_sound()


def test_verify_knows_what_was_thinned_and_misses_anything_else(board: Board) -> None:
    board.thin("--apply")
    day = time.strftime("%Y-%m-%d", time.gmtime())

    assert board.verify() == (
        0,
        [
            f"run: few (image): 5 points thinned on {day} (1 in 10 kept)",
            f"run: picture (image): {POINTS - KEPT} points thinned on {day} (1 in 10 kept)",
            (
                f"{board.logs}: the database equals the files but for what was thinned of 2 series"
                f" ({KEPT_OF_ALL:,} points of 1 runs)"
            ),
        ],
    )

    engine = open_engine(board.url)
    with begin_write(engine) as conn:
        block = tables.block.c
        first = select(func.min(block.seq)).where(block.kind == 4).scalar_subquery()
        conn.execute(delete(tables.block).where(block.kind == 4, block.seq == first))
    engine.dispose()
    status, lines = board.verify()
    assert status == 1
    left = f"{POINTS - len(range(0, BLOCK_POINTS, 10))} stored or thinned"
    assert any(f"points in the files, {left}" in line for line in lines)


def test_a_row_of_what_was_taken_that_is_lost_is_missed(board: Board) -> None:
    board.thin("--apply")
    engine = open_engine(board.url)
    with begin_write(engine) as conn:
        thinned = tables.thinned.c
        last = select(func.max(thinned.seq)).scalar_subquery()
        conn.execute(delete(tables.thinned).where(thinned.seq == last))
    engine.dispose()

    assert board.verify()[0] == 1


def test_the_same_bytes_bring_nothing_back_and_new_ones_are_added(board: Board) -> None:
    board.thin("--apply")

    board.ingest()
    assert board.counts()[0] == KEPT_OF_ALL

    board.write(*(picture(step) for step in range(POINTS, POINTS + 15)))
    board.ingest()
    assert board.counts()[0] == KEPT_OF_ALL + 15
    assert board.verify()[0] == 0

    # As if all of it had been there the first time.
    board.thin("--apply")
    assert board.counts()[0] == 112 + 1 + 2 + 1500
    assert board.verify()[0] == 0
    board.assert_sound()


def test_a_restart_after_it_is_counted_right(board: Board) -> None:
    board.thin("--apply")

    board.write(
        mark(SessionLog.START, 500, 2000.0),
        *(picture(step, look=-step) for step in range(500, 600)),
        name="events.out.tfevents.2",
    )
    board.ingest()
    board.assert_sound()
    status, lines = board.verify()
    assert (status, len(lines)) == (0, 3)

    board.thin("--apply")
    # Every tenth of the new attempt, and its last.
    assert board.counts()[0] == KEPT_OF_ALL + 11
    board.assert_sound()
    assert board.verify()[0] == 0


def test_a_file_that_was_rewritten_is_read_anew_in_full_and_the_mark_is_gone(board: Board) -> None:
    board.thin("--apply")

    (board.logs / "run" / NAME).unlink()
    board.write(*(picture(step, look=step + 1) for step in range(POINTS + 5)))
    board.ingest()

    assert board.counts() == (POINTS + 5, board.counts()[1], 0)
    status, lines = board.verify()
    assert (status, len(lines)) == (0, 1)
    board.assert_sound()


def test_a_run_that_grows_is_left_alone(board: Board) -> None:
    board.write(picture(POINTS), days=0)
    board.ingest()
    before = board.counts()

    assert db(["retain", "--db", board.url, *_ANY_AGE, "--apply"]) == 0

    assert board.said() == "nothing to do\n"
    assert board.counts() == before


_ANY_AGE = ("--thin-after", "0", "--keep-every", "2")


def test_backups_keep_the_mark_and_a_rebuilt_database_has_everything(
    board: Board, tmp_path: Path
) -> None:
    board.thin("--apply")
    copy, rebuilt = tmp_path / "copy.db", tmp_path / "rebuilt.db"

    assert db(["backup", "--db", board.url, "-o", str(tmp_path / "b.backup")]) == 0
    assert db(["restore", str(tmp_path / "b.backup"), "--db", str(copy)]) == 0
    again = Board(board.logs, str(copy), board.said)
    assert again.counts() == board.counts()
    assert again.verify()[0] == 0

    if not board.url.startswith("postgresql"):
        assert db(["rebuild", "--db", board.url, "--into", str(rebuilt)]) == 0
        whole = Board(board.logs, str(rebuilt), board.said)
        assert whole.counts()[::2] == (POINTS + 7 + 1500, 0)


def test_a_deleted_run_forgets_it_and_comes_back_in_full(board: Board) -> None:
    board.thin("--apply")
    command = [
        "delete",
        "--db",
        board.url,
        "--project",
        "default/training",
        "--run",
        "run",
        "--yes",
    ]

    assert db(command) == 0
    assert db(["compact", "--db", board.url]) == 0
    engine = open_engine(board.url)
    with begin_read(engine) as conn:
        assert conn.execute(select(tables.thinned.c.n)).all() == []
    engine.dispose()

    assert db([*command, "--restore"]) == 0
    board.ingest()
    assert board.counts()[::2] == (POINTS + 7 + 1500, 0)


@pytest.mark.parametrize("tears", [*range(1, 7), SWEEPING])
def test_killed_in_any_transaction_the_next_goes_on_to_the_same_end(
    board: Board, tmp_path: Path, tears: int
) -> None:
    other = Board(board.logs, str(tmp_path / "other.db"), board.said)
    other.ingest()
    other.thin("--apply")

    killed = subprocess.run(
        [sys.executable, "-c", _KILLED, board.url, str(tears)], check=False, capture_output=True
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    board.assert_sound()
    assert board.verify()[0] == 0
    board.thin("--apply")

    assert _everything(board.url) == _everything(other.url)
    board.assert_sound()


_KILLED = """
import os, signal, sys
from orgboard_schema.commands import db
from orgboard_schema.sql import blobs
from orgboard_schema.sql.thinning import doing

real, left = doing.begin_write, int(sys.argv[2])

def begin_write(engine):
    transaction = real(engine)
    global left
    left -= 1
    if left <= 0:
        class Torn:
            def __enter__(self):
                return transaction.__enter__()
            def __exit__(self, *_):
                os.kill(os.getpid(), signal.SIGKILL)
        return Torn()
    return transaction

def sweep_blobs(conn, limit):
    os.kill(os.getpid(), signal.SIGKILL)

doing.begin_write = begin_write
blobs.sweep_blobs = sweep_blobs
doing.thin_run.__kwdefaults__["at_once"] = 1
db(["retain", "--db", sys.argv[1], "--thin-after", "30", "--keep-every", "10", "--apply"])
"""


def _everything(url: str) -> list[object]:
    """Return what is stored and what was taken, without when and in how many steps."""
    engine = open_engine(url)
    with begin_read(engine) as conn:
        found: list[object] = [
            [
                bytes(payload)
                for payload in conn.scalars(select(table.c.payload).order_by(*table.primary_key))
            ]
            for table in (tables.run_head, tables.segment, tables.block)
        ]
        found.append(sorted(map(bytes, conn.scalars(select(tables.blob_ref.c.sha256)))))
        found.append(sorted(map(bytes, conn.scalars(select(tables.blob.c.sha256)))))
        found.append(conn.scalar(select(func.sum(tables.thinned.c.n))))
        found.append(set(conn.scalars(select(tables.thinned.c.settled))))
    engine.dispose()
    return found


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--thin-after", "3"], "needs --keep-every N"),
        (["--thin-after", "3", "--keep-every", "1"], "N being 2 or more"),
        (["--thin-after", "nan", "--keep-every", "3"], "a number of days, 0 or more"),
        (["--delete-after", "3", "--keep-every", "3"], "go with --thin-after DAYS"),
        (
            ["--thin-after", "3", "--keep-every", "3", "--thin-kinds", "image,scalar"],
            "'scalar' is never thinned",
        ),
    ],
)
def test_rules_that_say_nothing_or_nonsense_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], told: str
) -> None:
    assert db(["retain", "--db", str(tmp_path / "board.db"), *arguments]) == 2

    assert told in capsys.readouterr().err
