from __future__ import annotations

import pytest
from sqlalchemy import Engine

from orgboard_schema.sql.dictionary import load_metadata, metadata_ids
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.registry import (
    ensure_file,
    ensure_logdir,
    ensure_project,
    ensure_run,
    files,
    parse_project,
    replace_file,
    runs,
)
from orgboard_schema.types import Metadata
from support.stores import NOW, new_feed, scalars


def test_a_project_is_written_with_or_without_its_team() -> None:
    assert parse_project("vision/mnist") == ("vision", "mnist")
    assert parse_project("mnist") == ("default", "mnist")


@pytest.mark.parametrize("text", ["", "/", "a/", "/a", "a/b/c"])
def test_any_other_writing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="TEAM/PROJECT"):
        parse_project(text)


def test_what_exists_is_found_and_what_does_not_is_made(engine: Engine) -> None:
    with begin_write(engine) as conn:
        project = ensure_project(conn, "team/project", now=NOW)
        logdir = ensure_logdir(conn, project, "/logs/\udcff")
        made = [ensure_run(conn, logdir, name, now=NOW) for name in (".", "a\0", "b")]

    with begin_write(engine) as conn:
        assert ensure_project(conn, "team/project", now=NOW) == project
        assert ensure_project(conn, "other/project", now=NOW) != project
        assert ensure_logdir(conn, project, "/logs/\udcff") == logdir
        assert [ensure_run(conn, logdir, run.name, now=NOW) for run in made] == made
        assert runs(conn, logdir) == made

    assert [run.name for run in made] == [".", "a\0", "b"]
    assert [run.color for run in made] == [0, 1, 2]
    assert len({run.uid for run in made}) == 3
    assert all(len(run.uid) == 12 and run.uid.isalnum() for run in made)


def test_colours_count_up_within_a_project_across_its_logdirs(engine: Engine) -> None:
    with begin_write(engine) as conn:
        project = ensure_project(conn, "project", now=NOW)
        logdirs = [ensure_logdir(conn, project, path) for path in ("/a", "/b")]
        elsewhere = ensure_logdir(conn, ensure_project(conn, "other", now=NOW), "/a")

        colors = [ensure_run(conn, logdir, "run", now=NOW).color for logdir in logdirs]

        assert colors == [0, 1]
        assert ensure_run(conn, elsewhere, "run", now=NOW).color == 0


def test_a_file_keeps_the_head_it_was_made_with(engine: Engine) -> None:
    run_id = new_feed(engine).run_id

    with begin_write(engine) as conn:
        made = ensure_file(conn, run_id, "f\udcff", head_sha256=b"1" * 32, head_bytes=24)
        again = ensure_file(conn, run_id, "f\udcff", head_sha256=b"2" * 32, head_bytes=48)

        assert again == made
        assert (made.name, made.head_sha256, made.offset) == ("f\udcff", b"1" * 32, 0)
        assert made in files(conn, [run_id])


def test_another_file_of_the_same_name_starts_a_generation(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1])])
    with begin_read(engine) as conn:
        (before,) = files(conn, [feed.run_id])

    with begin_write(engine) as conn:
        assert replace_file(conn, before, head_sha256=b"2" * 32, head_bytes=24, new_generation=True)
        assert not replace_file(
            conn, before, head_sha256=b"3" * 32, head_bytes=24, new_generation=True
        )
        (after,) = files(conn, [feed.run_id])

    assert (after.generation, after.offset, after.records) == (1, 0, 0)
    assert after.head_sha256 == b"2" * 32


def test_a_longer_head_leaves_the_offset(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1])])

    with begin_write(engine) as conn:
        (before,) = files(conn, [feed.run_id])
        replace_file(conn, before, head_sha256=b"2" * 32, head_bytes=99, new_generation=False)
        (after,) = files(conn, [feed.run_id])

    assert (after.generation, after.offset, after.head_bytes) == (0, feed.offset, 99)


def test_metadata_that_differs_anywhere_has_its_own_id(engine: Engine) -> None:
    different = [
        Metadata(),
        Metadata("a"),
        Metadata(content=b"a"),
        Metadata(display_name="a"),
        Metadata(description="a\0"),
        Metadata(data_class=1),
    ]

    with begin_write(engine) as conn:
        ids = metadata_ids(conn, different)
        assert metadata_ids(conn, different) == ids

    assert len(set(ids.values())) == len(different)
    assert 0 not in ids.values()
    with begin_read(engine) as conn:
        assert load_metadata(conn, list(ids.values())) == {ids[one]: one for one in different}
