"""The small parts: turns, names of projects, endings, progress, complaints, an open file."""

from __future__ import annotations

import io
import json
import logging
import os
from collections import Counter
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_ingest.complaints import Complaints, printable
from orgboard_ingest.ending import Ending, hparams_json, latest_ending, said_to_end
from orgboard_ingest.events import Lines
from orgboard_ingest.opening import open_event_file
from orgboard_ingest.progress import Done, Progress
from orgboard_ingest.projects import candidate_names, settle_logdir
from orgboard_ingest.queue import Waiting
from orgboard_ingest.roots import root_of
from orgboard_ingest.share import Share, owner_of
from orgboard_ingest.tail import NO_HEAD, read_on
from orgboard_schema.sql import tables
from orgboard_schema.sql.engine import begin_write
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.hparams_pb2 import HParamsPluginData, SessionEndInfo, SessionStartInfo
from orgboard_schema.wire.reader import read
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from support.event_files import event_file, scalar_event, value_event
from support.ingested import mark, migrated


class _Terminal(io.StringIO):
    """What is written to a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that is told the time."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _hparams(data: HParamsPluginData, wall: float) -> Event:
    metadata = SummaryMetadata(
        plugin_data=SummaryMetadata.PluginData(
            plugin_name=b"hparams", content=data.SerializeToString()
        )
    )
    return value_event(Summary.Value(tag=b"_hparams_/x", metadata=metadata), 0, wall)


def test_runs_take_turns_and_a_run_reads_its_files_by_name() -> None:
    waiting = Waiting(Clock())
    for key in [(0, "big", "2"), (0, "big", "1"), (0, "small", "1"), (1, "big", "1")]:
        waiting.add(key)

    assert list(waiting.turns()) == [(0, "big", "1"), (0, "small", "1"), (1, "big", "1")]
    waiting.discard((0, "big", "1"))
    waiting.discard((0, "small", "1"))
    assert list(waiting.turns()) == [(0, "big", "2"), (1, "big", "1")]
    assert (0, "small") not in waiting


def test_a_failing_file_waits_longer_each_time_and_holds_up_no_other() -> None:
    clock = Clock()
    waiting = Waiting(clock)
    bad, good = (0, "run", "bad"), (0, "run", "good")
    waiting.add(bad)
    waiting.add(good)

    waiting.fail(bad)
    first = waiting.next_due()
    assert list(waiting.turns()) == [good]
    waiting.discard(good)
    pauses = []
    for _ in range(12):
        clock.now = waiting.next_due() or 0.0
        assert list(waiting.turns()) == [bad]
        waiting.fail(bad)
        pauses.append((waiting.next_due() or 0.0) - clock.now)

    assert first == 0.0
    assert pauses[0] < pauses[4] <= max(pauses) <= 300 * 1.2


def test_a_poison_file_among_a_thousand_runs_delays_no_other() -> None:
    clock = Clock()
    waiting = Waiting(clock)
    keys = [(0, f"run{number}", "a") for number in range(1000)]
    for key in keys:
        waiting.add(key)
    poison, turns = keys[500], Counter[tuple[int, str, str]]()

    for tick in range(50):
        clock.now = tick / 10
        for key in waiting.turns():
            turns[key] += 1
            if key == poison:
                waiting.fail(key)

    assert {turns[key] for key in keys if key != poison} == {50}
    assert turns[poison] <= 4


_Operation = st.tuples(
    st.sampled_from(["add", "discard", "rest", "pass"]),
    st.sampled_from("ab"),
    st.sampled_from("123"),
)


@given(st.lists(_Operation, max_size=60))
def test_the_first_due_file_of_each_run_is_next_whatever_came_before(
    operations: list[tuple[str, str, str]],
) -> None:
    clock = Clock()
    waiting, there = Waiting(clock), set[tuple[int, str, str]]()
    not_before: dict[tuple[int, str, str], float] = {}

    for operation, run, name in operations:
        key = (0, run, name)
        if operation == "add":
            waiting.add(key)
            there.add(key)
        elif operation == "discard":
            waiting.discard(key)
            there.discard(key)
        elif operation == "rest":
            waiting.rest(key, 1.5)
            not_before[key] = clock.now + 1.5
        elif operation == "pass":
            clock.now += 1.0
        due = sorted(key for key in there if not_before.get(key, 0.0) <= clock.now)
        expected = {min(key for key in due if key[1] == run) for run in {key[1] for key in due}}
        assert set(waiting.turns()) == expected
        assert (len(waiting), bool(waiting)) == (len(there), bool(there))


@given(st.text(min_size=1), st.sets(st.text(min_size=1), min_size=1, max_size=8))
def test_a_run_belongs_to_exactly_one_of_those_who_share(run: str, owners: set[str]) -> None:
    shares = [Share(owner, sorted(owners)) for owner in owners]

    assert [run in share for share in shares].count(True) == 1


@given(st.text(min_size=1), st.sets(st.text(min_size=1), min_size=2, max_size=8))
def test_when_one_goes_only_its_runs_change_hands(run: str, owners: set[str]) -> None:
    owner = owner_of(run, sorted(owners))

    for gone in owners - {owner}:
        assert owner_of(run, sorted(owners - {gone})) == owner


def test_runs_are_shared_about_evenly() -> None:
    counts = Counter(owner_of(f"sweep/run-{n}", ["a", "b", "c"]) for n in range(3000))

    assert min(counts.values()) > 900


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("/data/vision", ["vision", "data-vision", "vision-2"]),
        ("/corpus/accelerate/logs", ["accelerate-logs", "corpus-accelerate-logs"]),
        ("/logs", ["logs", "logs-2"]),
        ("/", ["root", "root-2"]),
    ],
)
def test_a_project_is_named_after_its_folder(path: str, names: list[str]) -> None:
    assert list(islice(candidate_names(Path(path)), len(names))) == names


@pytest.mark.parametrize(
    ("url", "names"),
    [
        ("s3://bucket/team/vision", ["vision", "team-vision", "bucket-team-vision", "vision-2"]),
        ("s3://bucket/runs", ["bucket-runs", "bucket-runs-2"]),
        ("gs://bucket", ["bucket", "bucket-2"]),
        ("sftp://me@host/logs", ["host-logs"]),
    ],
)
def test_a_project_is_named_after_the_last_part_of_a_url(url: str, names: list[str]) -> None:
    assert list(islice(candidate_names(root_of(url)), len(names))) == names


def test_a_taken_name_gets_the_parent_in_front_and_stays(sqlite_url: str) -> None:
    engine = migrated(sqlite_url)
    paths = [Path("/a/vision"), Path("/b/vision"), Path("/a/vision"), Path("/b/vision")]

    with begin_write(engine) as conn:
        ids = [settle_logdir(conn, path, None, now=1.0) for path in paths]
        names = [row.name for row in conn.execute(tables.project.select())]

    engine.dispose()
    assert ids[:2] == ids[2:]
    assert ids[0] != ids[1]
    assert names == ["vision", "b-vision"]


def test_a_run_that_said_it_ended_has_ended_unless_something_newer_came() -> None:
    batch = read(event_file(scalar_event("a", 0, 1.0, 5.0), mark(SessionLog.STOP, 0, 6.0)), 0, {})

    ending = said_to_end(batch)

    assert ending == Ending("stop", 6.0)
    assert Ending("stop", 6.0).holds(6.5)
    assert not Ending("stop", 6.0).holds(60.0)


def test_a_run_that_failed_has_failed_although_its_files_are_closed_after_that() -> None:
    info = SessionEndInfo(status=2)  # type: ignore[arg-type]
    failure = _hparams(HParamsPluginData(session_end_info=info), 5.0)
    closed = mark(SessionLog.STOP, 0, 5.5)

    at_once = said_to_end(read(event_file(failure, closed), 0, {}))
    later = said_to_end(read(event_file(failure, mark(SessionLog.STOP, 0, 60.0)), 0, {}))

    assert at_once == Ending("failed", 5.5)
    assert latest_ending(Ending("failed", 5.0), Ending("stop", 5.5)) == at_once
    assert later == Ending("stop", 60.0)


@pytest.mark.parametrize(("status", "ends"), [(1, True), (2, True), (3, False), (0, False)])
def test_a_session_that_still_runs_is_no_ending(status: int, ends: bool) -> None:
    info = SessionEndInfo(status=status)  # type: ignore[arg-type]
    batch = read(event_file(_hparams(HParamsPluginData(session_end_info=info), 5.0)), 0, {})

    assert (said_to_end(batch) is not None) == ends


def test_hyperparameters_are_strict_json_even_where_json_has_no_number() -> None:
    info = SessionStartInfo()
    info.hparams["lr"].number_value = float("nan")
    info.hparams["depth"].number_value = 3.0
    info.hparams["name"].string_value = "é"
    info.hparams["bias"].bool_value = True
    batch = read(event_file(_hparams(HParamsPluginData(session_start_info=info), 5.0)), 0, {})

    text = hparams_json(batch)

    assert text is not None
    assert json.loads(text) == {"bias": True, "depth": 3.0, "lr": "NaN", "name": "é"}


def test_the_bar_says_how_far_and_how_fast() -> None:
    clock = Clock()
    terminal = _Terminal()
    progress = Progress(terminal, clock)

    clock.now += 2.0
    progress.show(Done(5_000_000, 10_000_000, 1, 4, 2_000))

    line = terminal.getvalue().removeprefix("\r")
    assert line == "[############............]  50%  5.0 of 10.0 MB  1 of 4 files  1,000 points/s"


def test_progress_is_silent_where_there_is_no_terminal() -> None:
    stream = io.StringIO()

    progress = Progress(stream)
    progress.show(Done(1, 2, 0, 1, 1))
    progress.clear()

    assert stream.getvalue() == ""


def test_a_complaint_is_repeated_after_a_minute_and_not_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    complaints = Complaints(logging.getLogger("orgboard.ingest"), clock)

    for now in (0.0, 1.0, 59.0, 61.0):
        clock.now = now
        complaints.say("/logs/a", "no permission")
    complaints.say("/logs/b", "no permission")

    lines = [Lines("logfmt").format(record).partition(" event=")[2] for record in caplog.records]
    assert lines == [
        '"cannot be read" path=/logs/a reason="no permission"',
        '"cannot be read" path=/logs/a reason="no permission"',
        '"cannot be read" path=/logs/b reason="no permission"',
    ]


def test_a_storm_of_complaints_is_a_hundred_lines_a_minute_and_a_count(
    caplog: pytest.LogCaptureFixture,
) -> None:
    clock = Clock()
    complaints = Complaints(logging.getLogger("orgboard.ingest"), clock)

    for minute in range(3):
        for file in range(5000):
            clock.now = 61.0 * minute + file / 100
            complaints.say(f"/logs/{file}", "poison")
    clock.now += 61
    complaints.say("/logs/after", "poison")

    lines = [Lines("logfmt").format(record).partition(" event=")[2] for record in caplog.records]
    told = [int(line.partition("withheld=")[2]) for line in lines if "withheld" in line]
    assert len(lines) - len(told) == sum(1 for line in lines if "cannot be read" in line)
    assert len(lines) <= 3 * 101 + 1
    assert sum(told) + len(lines) - len(told) == 3 * 5000 + 1


def test_any_path_can_be_printed_on_one_line() -> None:
    assert printable("a\nb\udcff") == "a\\nb\\udcff"


def test_a_pipe_with_an_event_files_name_blocks_nobody(tmp_path: Path) -> None:
    pipe = tmp_path / "events.out.tfevents.1"
    os.mkfifo(pipe)

    with pytest.raises(OSError, match="not a regular file"):
        open_event_file(pipe)


def test_a_file_is_known_by_bytes_that_were_read_and_not_by_what_follows(tmp_path: Path) -> None:
    path = tmp_path / "events.out.tfevents.1"
    whole = event_file(scalar_event("a", 0, 1.0))
    path.write_bytes(whole + bytes(100))
    first = read_on(path, 0, NO_HEAD, {}, max_bytes=1 << 20)

    path.write_bytes(whole * 3)
    second = read_on(path, len(whole), first.head, {}, max_bytes=1 << 20)

    assert first.head.size == len(whole)
    assert second.replaced is None
    assert second.batch is not None
    assert second.batch.records == 2


def test_a_run_that_was_done_with_and_came_again_has_one_turn() -> None:
    """Two batches of one run in one transaction would both begin at the same offset."""
    waiting = Waiting(lambda: 0.0)
    waiting.add((0, "run", "file"))
    waiting.discard((0, "run", "file"))
    waiting.add((0, "run", "file"))

    assert list(waiting.turns()) == [(0, "run", "file")]
