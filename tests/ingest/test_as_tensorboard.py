"""What TensorBoard would show: its rules replayed event by event, its own measured answers."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, select

from orgboard_schema.blocks import head_rows
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.as_tensorboard import (
    Purges,
    kept_by_data_server,
    kept_by_python,
    load_purges,
)
from orgboard_schema.sql.dictionary import tag_names
from orgboard_schema.sql.engine import begin_read, open_engine
from orgboard_schema.sql.read import SeriesData
from orgboard_schema.sql.standing import SHOWN
from orgboard_schema.sql.supersede import Mask
from orgboard_schema.sql.text import from_sql
from orgboard_schema.wire.event_pb2 import Event, SessionLog
from orgboard_schema.wire.paths import is_event_file
from support.corpus import FRAMEWORK_CASES
from support.event_files import event_file, scalar_event
from support.ingested import drain, mark, migrated, new_intake, stored_scalars, version_event

START = SessionLog.START

Steps = Mapping[str, list[int]]
"""Of each tag, the steps that are shown."""


Rule = Callable[[SeriesData, Purges, bool], Mask]


def _python(data: SeriesData, purges: Purges, described: bool) -> Mask:
    return kept_by_python(data, purges, described=described)


def _data_server(data: SeriesData, _: Purges, _described: bool) -> Mask:
    return kept_by_data_server(data)


def _stored(root: Path, engine: Engine, files: Sequence[Sequence[Event]]) -> None:
    run = root / "run"
    run.mkdir(parents=True)
    names = [f"events.out.tfevents.{number}" for number in range(len(files))]
    for name, events in zip(names, files, strict=True):
        (run / name).write_bytes(event_file(*events))
    drain(new_intake(engine, root), [("run", name) for name in names])


def _kept(conn: Connection, run: str, rule: Rule) -> dict[str, Any]:
    """Return by tag which of a run's points are kept, in stored order: (step, kept) each."""
    columns = tables.run.c
    runs = conn.execute(select(columns.run_id, columns.name).where(columns.standing == SHOWN))
    run_id = next(number for number, name in runs if from_sql(name) == run)
    purges = load_purges(conn, [run_id])[run_id]
    heads = head_rows(read.heads(conn, [run_id])[run_id])
    described: dict[read.SeriesKey, bool] = {
        (head.tag_id, head.kind): head.metadata_id > 0 for head in heads
    }
    names = tag_names(conn, {head.tag_id for head in heads})
    series = read.series(conn, run_id, described.keys())
    found: dict[str, Any] = {}
    for key, data in series.items():
        pairs = zip(data.step.tolist(), rule(data, purges, described[key]).tolist(), strict=True)
        found.setdefault(names[key[0]], []).extend(pairs)
    return found


def _shown(engine: Engine, rule: Rule) -> Steps:
    with begin_read(engine) as conn:
        kept = _kept(conn, "run", rule)
    shown = {tag: [step for step, is_kept in pairs if is_kept] for tag, pairs in kept.items()}
    return {tag: steps for tag, steps in shown.items() if steps}


def _first(start: int | None) -> list[Event]:
    opened = [mark(START, start, 100.5)] if start is not None else []
    return [
        version_event(100.0),
        *opened,
        *(scalar_event("a", step, 1.0, 101.0 + step) for step in range(10)),
    ]


def _second(start: int | None, tag: str = "a") -> list[Event]:
    opened = [mark(START, start, 200.5)] if start is not None else []
    again = [scalar_event(tag, step, 2.0, 200.0 + step) for step in (5, 6)]
    return [version_event(200.0), *opened, *again]


ALL = [*range(10), 5, 6]
CUT = [0, 1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("files", "by_python", "by_server"),
    [
        ([_first(None), _second(None)], {"a": ALL}, {"a": CUT}),
        ([_first(None), _second(5)], {"a": ALL}, {"a": CUT}),
        ([_first(0), _second(5)], {"a": CUT}, {"a": CUT}),
        (
            [_first(0), _second(5, "b")],
            {"a": [0, 1, 2, 3, 4], "b": [5, 6]},
            {"a": list(range(10)), "b": [5, 6]},
        ),
        # Without the event that says version 2, steps alone tell of a restart.
        ([_first(None)[1:], _second(None)[1:]], {"a": CUT}, {"a": CUT}),
    ],
)
def test_what_tensorboard_was_measured_to_show_after_a_restart(
    tmp_path: Path, files: list[list[Event]], by_python: Steps, by_server: Steps
) -> None:
    engine = migrated(str(tmp_path / "board.db"))
    _stored(tmp_path / "logs", engine, files)

    shown = _shown(engine, _python), _shown(engine, _data_server)

    engine.dispose()
    assert shown == (by_python, by_server)


@pytest.mark.parametrize("first", [None, 0])
@pytest.mark.parametrize("second", [None, 5])
def test_orgboard_keeps_it_all_and_hides_what_was_logged_again(
    tmp_path: Path, first: int | None, second: int | None
) -> None:
    engine = migrated(str(tmp_path / "board.db"))
    _stored(tmp_path / "logs", engine, [_first(first), _second(second)])

    points = stored_scalars(engine)["run", "a"]

    engine.dispose()
    assert [point.step for point in points] == ALL
    assert [point.attempt for point in points] == [0] * 10 + [1] * 2
    assert [point.step for point in points if not point.superseded] == CUT


def test_a_start_hides_what_other_series_logged_at_its_step_and_after(tmp_path: Path) -> None:
    engine = migrated(str(tmp_path / "board.db"))
    _stored(tmp_path / "logs", engine, [_first(0), _second(5, "b")])

    stored = stored_scalars(engine)

    engine.dispose()
    assert [point.step for point in stored["run", "a"] if not point.superseded] == [0, 1, 2, 3, 4]
    assert len(stored["run", "a"]) == 10
    assert [point.step for point in stored["run", "b"]] == [5, 6]


def _replayed_by_python(files: Iterable[Sequence[Event]]) -> Steps:
    """Do with each event what TensorBoard's event accumulator does."""
    shown: dict[str, list[int]] = {}
    is_new = started = False
    last_step = -1
    for event in (event for events in files for event in events):
        is_new = is_new or bool(event.file_version)
        if is_new and event.session_log.status == START:
            if started:
                shown = {tag: [s for s in steps if s < event.step] for tag, steps in shown.items()}
            started = True
        if not event.summary.value:
            continue
        tag = event.summary.value[0].tag.decode()
        if not is_new and event.step < last_step:
            shown[tag] = [step for step in shown.get(tag, []) if step < event.step]
        last_step = event.step
        shown.setdefault(tag, []).append(event.step)
    return {tag: steps for tag, steps in shown.items() if steps}


def _replayed_by_data_server(files: Iterable[Sequence[Event]]) -> Steps:
    shown: dict[str, list[int]] = {}
    for event in (event for events in files for event in events):
        for value in event.summary.value:
            tag = value.tag.decode()
            before = [step for step in shown.get(tag, []) if step < event.step]
            shown[tag] = [*before, event.step]
    return shown


@st.composite
def _logs(draw: st.DrawFn, *, is_new: bool) -> list[list[Event]]:
    """Draw the files of a run, one after the other or side by side."""
    files: list[list[Event]] = []
    wall = 100.0
    for _ in range(draw(st.integers(1, 3))):
        # An event of an old version is known by its time.
        wall = wall + 1 if not is_new else float(draw(st.integers(0, 60)))
        events = [version_event(wall)] if is_new else []
        for _ in range(draw(st.integers(0, 9))):
            wall += 1
            step = draw(st.integers(0, 6))
            if draw(st.integers(0, 4)) == 0:
                events.append(mark(START, step, wall))
            else:
                events.append(scalar_event(draw(st.sampled_from("ab")), step, wall, wall))
        files.append(events)
    return files


@settings(deadline=None, max_examples=50)
@given(st.booleans().flatmap(lambda is_new: _logs(is_new=is_new)))
def test_both_readers_are_followed_whatever_the_files(
    empty_board: Path, files: list[list[Event]]
) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        engine = open_engine(str(shutil.copy(empty_board, Path(scratch, "board.db"))))
        _stored(Path(scratch, "logs"), engine, files)

        by_python, by_server = _shown_of_any(engine, files)
        engine.dispose()

    assert by_python == _replayed_by_python(files)
    assert by_server == _replayed_by_data_server(files)


def _shown_of_any(engine: Engine, files: Sequence[Sequence[Event]]) -> tuple[Steps, Steps]:
    if not any(event.summary.value for events in files for event in events):
        return {}, {}
    return _shown(engine, _python), _shown(engine, _data_server)


def _files_of(logs: Path) -> list[tuple[str, str]]:
    return [
        (path.parent.relative_to(logs).as_posix(), path.name)
        for path in sorted(logs.rglob("*"))
        if path.is_file() and is_event_file(path.name)
    ]


@pytest.mark.parametrize("case", [*FRAMEWORK_CASES, "hostile/steps_out_of_order_duplicated"])
def test_real_runs_show_what_tensorboard_keeps_of_them(
    corpus: Path, case: str, tmp_path: Path
) -> None:
    truth = json.loads((corpus / case / "truth.json").read_text())
    logs = corpus / case / "logs"
    engine = migrated(str(tmp_path / "board.db"))
    drain(new_intake(engine, logs), _files_of(logs))

    compared = 0
    with begin_read(engine) as conn:
        for run, told in truth["runs"].items():
            if not told["tags"]:
                continue
            kept = _kept(conn, run, _python)
            for tag, points in told["tags"].items():
                wanted = points.get("tensorboard_keeps", range(points["count"]))
                got = kept.get(tag, [])
                assert [at for at, (_, is_kept) in enumerate(got) if is_kept] == list(wanted), tag
                compared += 1
        _compare_with_data_server(conn, truth)
    engine.dispose()
    assert compared


def _compare_with_data_server(conn: Connection, truth: Mapping[str, Any]) -> None:
    """Compare with what the data server shows of scalars, where it shows the tag at all."""
    differs = {(each["run"], each.get("tag")): each for each in truth["data_server"]["differences"]}
    for run, told in truth["runs"].items():
        if (run, None) in differs or not told["tags"]:
            continue
        kept = _kept(conn, run, _data_server)
        for tag, points in told["tags"].items():
            if points["plugin"] != "scalars":
                continue
            steps = [point[0] for point in points["points"]]
            by_python = [steps[at] for at in points.get("tensorboard_keeps", range(len(steps)))]
            wanted = differs.get((run, tag), {}).get("server_steps", by_python)
            got = [step for step, is_kept in kept[tag] if is_kept]
            assert got == wanted, (run, tag)
