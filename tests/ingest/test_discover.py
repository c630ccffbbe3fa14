"""Finding event files: what counts as one, and what a hostile tree cannot do."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

import pytest

from orgboard_ingest.discover import Scan, scan
from support.event_files import event_file, scalar_event
from support.ingested import drain, migrated, new_intake, stored_scalars

NAME = "events.out.tfevents.1"


def _put(path: Path, data: bytes = b"") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def _found(seen: Scan) -> set[tuple[str, str]]:
    return {(file.run, file.name) for file in seen.files}


def test_a_run_is_named_by_its_folder_and_the_root_by_a_dot(tmp_path: Path) -> None:
    _put(tmp_path / NAME)
    _put(tmp_path / "exp" / "seed 1" / NAME)
    _put(tmp_path / "exp" / "notes.txt")

    assert _found(scan(tmp_path)) == {(".", NAME), ("exp/seed 1", NAME)}


def test_size_and_time_come_from_the_file(tmp_path: Path) -> None:
    path = _put(tmp_path / "a" / NAME, b"12345")

    (found,) = scan(tmp_path).files

    assert (found.size, found.mtime_ns) == (5, path.stat().st_mtime_ns)


def test_a_loop_of_links_ends_and_a_run_keeps_its_real_name(tmp_path: Path) -> None:
    _put(tmp_path / "zz" / NAME)
    (tmp_path / "aa").symlink_to("zz")
    (tmp_path / "zz" / "up").symlink_to("..")
    (tmp_path / "self").symlink_to("self")

    assert _found(scan(tmp_path)) == {("zz", NAME)}


def test_a_linked_folder_from_elsewhere_is_a_run(tmp_path: Path) -> None:
    _put(tmp_path / "disk" / NAME)
    logdir = tmp_path / "logs"
    logdir.mkdir()
    (logdir / "linked").symlink_to(tmp_path / "disk")

    assert _found(scan(logdir)) == {("linked", NAME)}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make files of two other users")
def test_a_link_to_what_belongs_to_someone_else_is_not_followed(tmp_path: Path) -> None:
    secret = _put(tmp_path / "secret" / NAME)
    os.chown(secret.parent, 1001, 1001)
    logdir = tmp_path / "logs"
    logdir.mkdir()
    link = logdir / "mine"
    link.symlink_to(secret.parent)
    os.chown(link, 1002, 1002, follow_symlinks=False)

    seen = scan(logdir)

    assert _found(seen) == set()
    assert [problem.path for problem in seen.problems] == [str(link)]


def test_what_is_no_regular_file_is_never_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / NAME)

    assert scan(tmp_path).files == ()


def test_names_that_are_no_utf_8_are_kept(tmp_path: Path) -> None:
    folder = os.fsencode(tmp_path) + b"/run\xff"
    Path(os.fsdecode(folder)).mkdir()
    _put(Path(os.fsdecode(folder)) / NAME)

    assert _found(scan(tmp_path)) == {("run\udcff", NAME)}


def test_the_hostile_tree_gives_its_good_runs(tmp_path: Path, corpus: Path) -> None:
    maker = corpus / "hostile_fs" / "make_fs_cases.py"
    spec = importlib.util.spec_from_file_location("make_fs_cases", maker)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    expected = module.main(str(tmp_path / "logs"))
    engine = migrated(str(tmp_path / "board.db"))

    seen = scan(tmp_path / "logs")
    found = _found(seen)
    drain(new_intake(engine, tmp_path / "logs"), found)

    stored = stored_scalars(engine)
    engine.dispose()
    assert {run: len(points) for (run, _), points in stored.items()} == expected["good_runs"]
    reported = {str(Path(found.path).relative_to(tmp_path / "logs")) for found in seen.problems}
    assert reported == set(expected["reported_not_fatal"])


def test_a_folder_that_was_moved_keeps_its_run(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    _put(logs / "old" / NAME, event_file(scalar_event("loss", 0, 1.0)))
    engine = migrated(str(tmp_path / "board.db"))
    intake = new_intake(engine, logs)
    drain(intake, [("old", NAME)])
    run_id = intake.runs["old"].run_id

    (logs / "old").rename(logs / "new")
    intake.gone = {"old"}
    drain(intake, [("new", NAME)])

    assert {name: run.run_id for name, run in intake.runs.items()} == {"new": run_id}
    assert [len(points) for points in stored_scalars(engine).values()] == [1]
    engine.dispose()


def test_a_copy_of_a_run_is_another_run(tmp_path: Path) -> None:
    logs = tmp_path / "logs"
    data = event_file(scalar_event("loss", 0, 1.0))
    _put(logs / "one" / NAME, data)
    engine = migrated(str(tmp_path / "board.db"))
    intake = new_intake(engine, logs)
    drain(intake, [("one", NAME)])

    _put(logs / "two" / NAME, data)
    drain(intake, [("two", NAME)])

    assert set(stored_scalars(engine)) == {("one", "loss"), ("two", "loss")}
    engine.dispose()


def test_a_logdir_that_is_gone_is_a_problem_and_no_end(tmp_path: Path) -> None:
    seen = scan(tmp_path / "gone")

    assert seen.files == ()
    assert [problem.path for problem in seen.problems] == [str(tmp_path / "gone")]
