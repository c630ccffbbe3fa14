"""Compressed event files: the same points, offsets of what is in them, and bounded work."""

from __future__ import annotations

import gzip
import io
import random
import zlib
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.frames import encode_frame
from orgboard_schema.wire.reader import read, read_file
from orgboard_schema.wire.unpacked import FILLER, Encoding, Marks, Unpacked, encoding_of
from support.event_files import event_file, scalar_event, scalars_of

WHOLE = event_file(*(scalar_event("loss", step, step / 2) for step in range(200)))
SOUND = [(step, 1.5, step / 2) for step in range(200)]
PACKERS: dict[Encoding, Callable[[bytes], bytes]] = {"gzip": gzip.compress, "zlib": zlib.compress}


def view_of(packed: bytes, encoding: Encoding = "gzip", *, settled: bool = False) -> Unpacked:
    return Unpacked(io.BytesIO(packed), encoding, settled=settled)


def read_view(view: Unpacked, offset: int = 0, *, window: int = 1000) -> list[Batch]:
    batches = []
    while True:
        batches.append(read_file(view, offset, {}, max_bytes=window, final=True))  # type: ignore[arg-type] # reads and seeks as one
        if batches[-1].end == offset:
            return batches
        offset = batches[-1].end


@pytest.mark.parametrize("encoding", ["gzip", "zlib"])
def test_a_packed_file_is_told_by_its_first_bytes(encoding: Encoding) -> None:
    packed = PACKERS[encoding](WHOLE)

    assert encoding_of(io.BytesIO(packed)) == encoding
    assert scalars_of(read_view(view_of(packed, encoding)), "loss") == SOUND


@pytest.mark.parametrize("length", [0x088B1F, 0x9C78, 0xDA78, 0x0178, 0x5E78])
def test_a_plain_record_whose_length_looks_like_a_magic_number_stays_plain(length: int) -> None:
    assert encoding_of(io.BytesIO(encode_frame(bytes(length)))) == ""


def test_zlib_that_holds_something_else_is_no_event_file() -> None:
    assert encoding_of(io.BytesIO(zlib.compress(b"<html>" * 99))) == ""


def test_members_one_after_the_other_are_one_stream() -> None:
    packed = b"".join(gzip.compress(WHOLE[at : at + 777]) for at in range(0, len(WHOLE), 777))

    assert scalars_of(read_view(view_of(packed + bytes(512))), "loss") == SOUND


@given(st.integers(0, 10_000), st.sampled_from(["gzip", "zlib"]))
def test_a_cut_stream_is_read_on_when_it_grows(cut: int, encoding: Encoding) -> None:
    packed = PACKERS[encoding](WHOLE)
    cut = min(cut, len(packed))

    early = read_view(view_of(packed[:cut], encoding))
    late = read_view(view_of(packed, encoding), early[-1].end)

    assert [gap for batch in early for gap in batch.gaps] == []
    assert scalars_of([*early, *late], "loss") == SOUND


@given(st.lists(st.tuples(st.integers(0, len(WHOLE)), st.integers(0, 3000)), max_size=20))
def test_any_place_reads_the_same_however_it_is_reached(reads: list[tuple[int, int]]) -> None:
    view = view_of(gzip.compress(WHOLE[:4000]) + gzip.compress(WHOLE[4000:]))

    for start, size in reads:
        view.seek(start)
        assert view.read(size) == WHOLE[start : start + size]


def test_marks_only_save_time() -> None:
    noise = b"".join(encode_frame(random.Random(n).randbytes(50_000)) for n in range(200))
    file, marks, offset, found = io.BytesIO(gzip.compress(noise)), Marks(), 0, b""

    while part := _read_with(file, marks, offset):
        found += part
        offset += len(part)

    assert found == noise


def _read_with(file: io.BytesIO, marks: Marks, offset: int) -> bytes:
    view = Unpacked(file, "gzip", marks.of("file"))
    view.seek(offset)
    part = view.read(700_000)
    marks.keep("file", view, offset + len(part))
    return part


# What is left of the first member unpacks on and on, over the beginning of the second.
@example(at=1270, bit=0)
@given(st.integers(30, 2000), st.integers(0, 7))
def test_damage_in_a_member_is_a_gap_and_the_next_members_are_read(at: int, bit: int) -> None:
    members = [gzip.compress(event_file(*_noisy(start)), 6) for start in (0, 100, 200)]
    first = bytearray(members[0])
    first[at % len(first)] ^= 1 << bit

    # Settled: what a damaged header may have said is waited for while the file grows.
    batches = read_view(view_of(bytes(first) + members[1] + members[2], settled=True))
    steps = [step for step, *_ in scalars_of(batches, "loss")]

    assert set(range(100, 300)) <= set(steps)
    assert steps == sorted(set(steps))
    if len(steps) < 300:
        assert sum(len(batch.gaps) for batch in batches) > 0


def _noisy(start: int) -> list[Event]:
    return [scalar_event("loss", start + n, random.Random(n).random()) for n in range(100)]


def test_what_came_before_damage_is_kept_and_the_end_waits_until_it_is_settled() -> None:
    whole = gzip.compress(WHOLE)
    broken = gzip.compress(WHOLE)[:-8] + b"\xff" * 8

    live = read_view(view_of(broken))
    settled = read_view(view_of(broken, settled=True))
    grown = read_view(view_of(broken + whole), live[-1].end)

    assert scalars_of(live, "loss") == scalars_of(settled, "loss") == SOUND
    assert live[-1].end == len(WHOLE)
    assert next(g for b in settled for g in b.gaps).offset == len(WHOLE)
    assert [g.length for b in grown for g in b.gaps] == [len(FILLER)]
    assert scalars_of(grown, "loss") == SOUND


def test_the_end_is_known_to_the_byte_once_it_was_reached() -> None:
    view = view_of(gzip.compress(WHOLE))

    view.read(10)
    further = view.seek(0, io.SEEK_END)
    view.seek(0)
    view.read(len(WHOLE))

    assert (further, view.seek(0, io.SEEK_END)) == (11, len(WHOLE))


def test_a_bomb_is_unpacked_no_further_than_it_is_read() -> None:
    packed = io.BytesIO(gzip.compress(bytes(64 << 20)))
    batch = read_file(Unpacked(packed, "gzip"), 0, {}, max_bytes=1 << 20, final=True)  # type: ignore[arg-type] # reads and seeks as one

    assert batch.gaps[0].reason == "zero header"
    assert 8 << 20 < batch.end <= 16 << 20
    assert packed.tell() < 64 << 10


def test_bytes_that_are_packed_and_no_event_file_are_named_so() -> None:
    page = b"<!doctype html><title>404</title>" * 9
    unpacked = read_view(view_of(gzip.compress(page)))

    assert unpacked[0].gaps == read(page, 0, {}, final=True).gaps
