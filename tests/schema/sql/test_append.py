from __future__ import annotations

import hashlib
import threading
from typing import Any

import numpy as np
import pytest
from sqlalchemy import Engine, event, func, select

from orgboard_schema.blocks import ScalarSeries, SeriesHead, StoredMedia, head_rows
from orgboard_schema.blocks.heads import decode_tag_set
from orgboard_schema.errors import OffsetMoved
from orgboard_schema.sql import read, tables
from orgboard_schema.sql.append import append, append_all
from orgboard_schema.sql.dictionary import load_metadata
from orgboard_schema.sql.engine import begin_read, begin_write
from orgboard_schema.sql.flush import NewChunk, NewGap
from orgboard_schema.sql.packing import BLOCK_POINTS, MAX_SEGMENTS
from orgboard_schema.types import Blob, Media, Metadata, ProtoHistogram, Tensor
from support.points import bits
from support.stores import Feed, new_feed, restart, scalars, values


def _row(feed: Feed, *columns: str) -> dict[str, Any]:
    with begin_read(feed.engine) as conn:
        row = conn.execute(select(tables.run).where(tables.run.c.run_id == feed.run_id)).one()
        return {name: row._mapping[name] for name in columns}


def _rows(feed: Feed, table: Any) -> list[dict[str, Any]]:
    with begin_read(feed.engine) as conn:
        return [dict(row._mapping) for row in conn.execute(select(table))]


def _head(feed: Feed, tag: str) -> SeriesHead:
    with begin_read(feed.engine) as conn:
        heads = read.heads(conn, [feed.run_id])[feed.run_id]
    return next(row for row in head_rows(heads) if row.tag_id == feed.tag(tag))


def test_points_and_offset_are_stored_together(engine: Engine) -> None:
    feed = new_feed(engine)

    feed.store([scalars("loss", [1, 2, 3], [0.5, float("nan"), float("-inf")])])

    found = feed.read("loss")
    assert found is not None
    assert found.step.tolist() == [1, 2, 3]
    assert bits(found.value) == bits(np.array([0.5, np.nan, -np.inf], np.float32))
    assert found.attempt.tolist() == [0, 0, 0]
    assert not found.superseded.any()
    assert [row["offset"] for row in _rows(feed, tables.source_file)] == [feed.offset]
    assert _row(feed, "points", "revision", "last_step") == {
        "points": 3,
        "revision": 1,
        "last_step": 3,
    }


def test_a_batch_from_an_offset_that_moved_changes_nothing(engine: Engine) -> None:
    feed = new_feed(engine)
    stale = feed.flush([scalars("late", [9])])
    feed.store([scalars("loss", [1])])

    with pytest.raises(OffsetMoved), begin_write(engine) as conn:
        append(conn, stale)

    assert feed.read("late") is None
    assert _row(feed, "points", "revision") == {"points": 1, "revision": 1}


def test_a_batch_of_another_generation_changes_nothing(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.generation = 1

    with pytest.raises(OffsetMoved):
        feed.store([scalars("loss", [1])])

    assert feed.read("loss") is None


def test_points_without_bytes_are_refused(engine: Engine) -> None:
    feed = new_feed(engine)
    flush = feed.flush([scalars("loss", [1])])
    stuck = type(flush)(**{**_fields(flush), "file": _standing(flush.file)})

    with pytest.raises(ValueError, match="need bytes"), begin_write(engine) as conn:
        append(conn, stuck)


def _fields(flush: Any) -> dict[str, Any]:
    return {name: getattr(flush, name) for name in flush.__dataclass_fields__}


def _standing(file: Any) -> Any:
    return type(file)(**{**_fields(file), "new_offset": file.old_offset})


def test_of_two_rivals_with_the_same_bytes_exactly_one_wins_each_round(engine: Engine) -> None:
    rounds, feed = 20, new_feed(engine)
    barrier = threading.Barrier(2)
    won: list[int] = []
    wrong: list[Exception] = []

    def compete(rival: int) -> None:
        mine = new_feed(engine)
        for step in range(rounds):
            barrier.wait(timeout=30)
            try:
                mine.store([scalars(f"tag{tag}", [step], [rival]) for tag in (rival, 5, 1 - rival)])
                won.append(step)
            except OffsetMoved:
                mine.offset += 10
            except Exception as error:  # noqa: BLE001 - the test reports it
                wrong.append(error)
                barrier.abort()
                return

    threads = [threading.Thread(target=compete, args=(rival,)) for rival in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
    assert sorted(won) == list(range(rounds))
    for tag in ("tag0", "tag1", "tag5"):
        found = feed.read(tag)
        assert found is not None
        assert found.step.tolist() == list(range(rounds))


def test_many_files_of_one_run_can_be_stored_at_once(engine: Engine) -> None:
    feeds = [new_feed(engine, file=f"file{number}") for number in range(4)]
    wrong: list[Exception] = []

    def work(number: int, feed: Feed) -> None:
        try:
            for step in range(15):
                names = [f"tag{(step + number + shift) % 7}" for shift in range(5)]
                picture = Media((Blob(b"%d" % (step % 3), "image/png"),))
                chunks = [scalars(name, [step]) for name in names]
                feed.store(
                    [*chunks, values("picture", "image", [picture])],
                    metadata={(name, "scalar"): Metadata(description=name) for name in names},
                )
        except Exception as error:  # noqa: BLE001 - the test reports it
            wrong.append(error)

    threads = [threading.Thread(target=work, args=pair) for pair in enumerate(feeds)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert not wrong
    assert _row(feeds[0], "points", "revision", "files") == {
        "points": 4 * 15 * 6,
        "revision": 4 * 15,
        "files": 4,
    }
    found = [feeds[0].read(f"tag{number}") for number in range(7)]
    assert sum(len(data) for data in found if data is not None) == 4 * 15 * 5


def test_a_large_batch_goes_straight_to_blocks_behind_what_waited(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", range(3)), scalars("lr", range(3))])

    feed.store([scalars("loss", range(3, 3000))])

    found = feed.read("loss")
    assert found is not None
    assert found.step.tolist() == list(range(3000))
    assert [row["n"] for row in _rows(feed, tables.block)] == [BLOCK_POINTS, BLOCK_POINTS]
    assert [row["n"] for row in _rows(feed, tables.segment)] == [3000 - 2 * BLOCK_POINTS + 3]
    assert _head(feed, "loss").waiting == 3000 - 2 * BLOCK_POINTS
    assert _head(feed, "lr").waiting == 3


def test_few_segments_wait_however_many_flushes_there_were(engine: Engine) -> None:
    feed = new_feed(engine)

    for step in range(60):
        feed.store([scalars("loss", [step]), scalars("lr", [step], dtype="float64")])
        assert len(_rows(feed, tables.segment)) <= MAX_SEGMENTS
        assert _row(feed, "segments") == {"segments": len(_rows(feed, tables.segment))}

    for tag in ("loss", "lr"):
        found = feed.read(tag)
        assert found is not None
        assert found.step.tolist() == list(range(60))


def test_a_series_that_changes_its_type_keeps_every_value(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1], [0.1]), scalars("loss", [2], [0.1], dtype="float64")])
    feed.store([scalars("loss", range(3, 1100))])

    found = feed.read("loss")

    assert found is not None
    assert found.value[:2].tolist() == [float(np.float32(0.1)), 0.1]
    assert found.step.tolist() == list(range(1, 1100))


def test_large_values_fill_a_block_before_there_are_many(engine: Engine) -> None:
    feed = new_feed(engine)
    large = [Tensor("uint8", (100_000,), bytes([n]) * 100_000) for n in range(4)]

    feed.store([values("weights", "tensor", large), scalars("loss", [1])])

    found = feed.read("weights", "tensor")
    assert found is not None
    assert found.values == tuple(large)
    assert [row["n"] for row in _rows(feed, tables.block)] == [3]
    assert _head(feed, "weights").waiting == 1


def test_values_of_every_form_come_back_and_blobs_are_stored_once(engine: Engine) -> None:
    feed = new_feed(engine)
    histogram = ProtoHistogram(0.0, 1.0, 2.0, 1.0, 1.0, (0.5, 1.0), (1.0, 1.0))
    picture = Media((Blob(b"png", "image/png", "cat"), Blob(b"png", "image/png")), 3, 4)

    feed.store([values("h", "histogram", [histogram]), values("i", "image", [picture, picture])])
    other = new_feed(engine, run="other")
    other.store([values("i", "image", [picture])])

    pictures = feed.read("i", "image")
    histograms = feed.read("h", "histogram")
    assert histograms is not None
    assert histograms.values == (histogram,)
    assert pictures is not None
    stored = pictures.values[0]
    assert isinstance(stored, StoredMedia)
    assert [blob.label for blob in stored.blobs] == ["cat", ""]
    assert (stored.width, stored.height) == (3, 4)
    key = stored.blobs[0].sha256
    assert [row["sha256"] for row in _rows(feed, tables.blob)] == [key]
    stranger = new_feed(engine, run="stranger")
    with begin_read(engine) as conn:
        for run_id in (feed.run_id, other.run_id):
            blob = read.load_blob(conn, run_id, key)
            assert blob is not None
            assert (blob.data, blob.media_type) == (b"png", "image/png")
        assert read.load_blob(conn, stranger.run_id, key) is None


def test_a_series_keeps_the_first_metadata_it_was_given(engine: Engine) -> None:
    feed = new_feed(engine)
    first = Metadata("scalars", b"\0\xff", "Loss\0", "what \udcff", 1)

    feed.store([scalars("loss", [1])])
    feed.store([scalars("loss", [2])], metadata={("loss", "scalar"): first})
    feed.store([scalars("loss", [3])], metadata={("loss", "scalar"): Metadata("other")})

    number = _head(feed, "loss").metadata_id
    with begin_read(engine) as conn:
        assert load_metadata(conn, [number]) == {number: first}


def test_a_restart_hides_what_it_repeats_and_deletes_nothing(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1, 2, 3, 4]), scalars("lr", [1, 5], [9, 9])])

    feed.store([scalars("loss", [3, 4], [7, 8], attempt=1)], restarts=(restart(1, 3),))

    found, rate = feed.read("loss"), feed.read("lr")
    assert found is not None
    assert found.step.tolist() == [1, 2, 3, 4, 3, 4]
    assert found.superseded.tolist() == [False, False, True, True, False, False]
    assert found.attempt.tolist() == [0, 0, 0, 0, 1, 1]
    assert rate is not None
    assert rate.superseded.tolist() == [False, True]
    head = _head(feed, "loss")
    assert (head.n, head.n_all, head.last_step, head.last_value, head.max_value) == (4, 6, 4, 8, 8)
    assert (_head(feed, "lr").n, _head(feed, "lr").last_step) == (1, 1)
    assert _row(feed, "attempts", "points", "last_step") == {
        "attempts": 2,
        "points": 8,
        "last_step": 4,
    }


def test_a_restart_of_one_series_leaves_the_others_alone(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1, 2]), scalars("lr", [1, 2])])

    feed.store([scalars("loss", [2], attempt=1)], restarts=(restart(1, 2, "loss", "scalar"),))

    loss, rate = feed.read("loss"), feed.read("lr")
    assert loss is not None
    assert loss.superseded.tolist() == [False, True, False]
    assert rate is not None
    assert not rate.superseded.any()


def test_late_points_of_an_earlier_attempt_are_hidden_too(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", [1])])
    feed.store([scalars("loss", [2], [5], attempt=1)], restarts=(restart(1, 2),))

    feed.store([scalars("loss", [3], [99])])

    found = feed.read("loss")
    assert found is not None
    assert found.step.tolist() == [1, 3, 2]
    assert found.superseded.tolist() == [False, True, False]
    head = _head(feed, "loss")
    assert (head.n, head.n_all, head.last_step, head.max_value) == (2, 3, 2, 5)


def test_the_earliest_step_of_a_restart_counts(engine: Engine) -> None:
    feed = new_feed(engine)
    feed.store([scalars("loss", range(10))])
    feed.store([scalars("loss", [8], attempt=1)], restarts=(restart(1, 8, "loss", "scalar"),))
    feed.store([scalars("loss", [5], attempt=1)], restarts=(restart(1, 5, "loss", "scalar"),))
    feed.store([scalars("loss", [7], attempt=1)], restarts=(restart(1, 7, "loss", "scalar"),))

    found = feed.read("loss")

    assert found is not None
    assert found.superseded.tolist() == [False] * 5 + [True] * 5 + [False] * 3
    assert _head(feed, "loss").n == 8


def test_gaps_and_what_a_run_says_of_itself_are_stored(engine: Engine) -> None:
    feed = new_feed(engine)

    feed.store(gaps=(NewGap(24, 7, "payload crc"),), finished="stop", hparams='{"lr": 0.1}')

    assert _row(feed, "gaps", "finished", "hparams") == {
        "gaps": 1,
        "finished": "stop",
        "hparams": '{"lr": 0.1}',
    }
    assert [(row["offset"], row["length"]) for row in _rows(feed, tables.gap)] == [(24, 7)]

    feed.store(finished="running")

    assert _row(feed, "finished", "hparams") == {"finished": None, "hparams": '{"lr": 0.1}'}


def test_runs_with_the_same_series_share_their_set(engine: Engine) -> None:
    feeds = [new_feed(engine, run=f"run{number}") for number in range(2)]
    for feed in feeds:
        feed.store([scalars("loss", [1]), scalars("lr", [1])])

    sets = [_row(feed, "tag_set_id")["tag_set_id"] for feed in feeds]
    feeds[1].store([scalars("new", [2])])

    assert sets[0] == sets[1]
    assert _row(feeds[1], "tag_set_id")["tag_set_id"] != sets[0]
    by_id = {row["tag_set_id"]: row["payload"] for row in _rows(feeds[0], tables.tag_set)}
    assert {tag for tag, _ in decode_tag_set(by_id[sets[0]])} == {
        feeds[0].tag("loss"),
        feeds[0].tag("lr"),
    }


def test_wall_times_that_are_no_numbers_are_kept_in_points_and_left_out_of_columns(
    engine: Engine,
) -> None:
    feed = new_feed(engine)
    chunk = scalars("loss", range(1100))
    chunk.series.wall[5] = np.nan

    feed.store([chunk])

    found = feed.read("loss")
    assert found is not None
    assert np.flatnonzero(np.isnan(found.wall)).tolist() == [5]
    with begin_read(engine) as conn:
        walls = select(func.min(tables.block.c.wall_min), func.max(tables.block.c.wall_max))
        low, high = conn.execute(walls).one()
    assert (low, high) == (chunk.series.wall[0], chunk.series.wall[BLOCK_POINTS - 1])


def test_a_signalling_nan_is_stored_like_any_other(engine: Engine) -> None:
    feed = new_feed(engine)
    signalling = np.array([0x7F800001] * 3, np.uint32).view(np.float32)
    step = np.arange(3, dtype=np.int64)
    chunk = NewChunk(0, "loss", "scalar", ScalarSeries(step, step.astype(float), signalling))

    feed.store([chunk])

    found = feed.read("loss")
    assert found is not None
    assert bits(found.value) == bits(signalling)


def test_blobs_of_runs_stored_together_are_locked_in_one_order(engine: Engine) -> None:
    feeds = [new_feed(engine, run=name) for name in "abcdef"]
    blobs = [bytes(size) for size in range(1, len(feeds) + 1)]
    flushes = [
        feed.flush([values("image", "image", [Media((Blob(blob, "image/png"),))])])
        for feed, blob in zip(feeds, blobs, strict=True)
    ]
    locked: list[bytes] = []

    def note(_conn: object, _cursor: object, sql: str, given: Any, *_more: object) -> None:
        if "INTO blob " in sql:
            size = given["size"] if isinstance(given, dict) else given[1]
            locked.append(hashlib.sha256(bytes(size)).digest())

    event.listen(engine, "before_cursor_execute", note)
    with begin_write(engine) as conn:
        append_all(conn, flushes[::-1])

    assert len(locked) == len(feeds)
    assert locked == sorted(locked)


def test_of_runs_stored_together_none_is_when_one_offset_moved(engine: Engine) -> None:
    fresh, stale = new_feed(engine, run="fresh"), new_feed(engine, run="stale")
    late = stale.flush([scalars("late", [9])])
    stale.store([scalars("loss", [1])])

    with pytest.raises(OffsetMoved), begin_write(engine) as conn:
        append_all(conn, [fresh.flush([scalars("loss", [1])]), late])

    assert [fresh.read("loss"), stale.read("late")] == [None, None]
    assert _row(fresh, "points", "revision") == {"points": 0, "revision": 0}
    fresh.store([scalars("loss", [1])])
