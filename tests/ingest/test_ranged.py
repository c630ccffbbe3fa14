"""A file of a store read by ranges: the same bytes as of a file, by few requests."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard_ingest.ranged import AHEAD_BYTES, FIRST_BYTES, WHOLE_BYTES, Fetch, Ranged

MIB = 1 << 20


@dataclass
class Object:
    """What a store holds, and what was asked of it."""

    data: bytes
    ranges: list[tuple[int, int]] = field(default_factory=list)
    """From, and how many bytes came."""
    sizes: int = 0

    def opened(self, listed: int | None = None) -> Ranged:
        """Open it, with the size that the last listing showed."""
        size = len(self.data) if listed is None else listed
        return Ranged("s3://b/o", size, 1, Fetch(self._range, self._size))

    def _range(self, start: int, end: int) -> bytes:
        found = self.data[start:end]
        self.ranges.append((start, len(found)))
        return found

    def _size(self) -> int:
        self.sizes += 1
        return len(self.data)


def _bytes(size: int) -> bytes:
    return (bytes(range(251)) * (size // 251 + 1))[:size]


_SIZES = st.one_of(
    st.integers(0, 300),
    st.sampled_from([FIRST_BYTES, WHOLE_BYTES, AHEAD_BYTES]).flatmap(
        lambda size: st.integers(size - 2, size + 2)
    ),
    st.just(3 * AHEAD_BYTES + 7),
)


@given(
    size=_SIZES,
    listed=st.one_of(st.none(), _SIZES),
    steps=st.lists(st.tuples(_SIZES, _SIZES), max_size=6),
)
def test_what_is_read_is_what_is_there_whatever_the_last_listing_said(
    size: int, listed: int | None, steps: list[tuple[int, int]]
) -> None:
    """Of a file that grew since it was listed, or that shrank."""
    data = _bytes(size)
    file, truth = Object(data).opened(listed), io.BytesIO(data)
    for at, count in steps:
        file.seek(at)
        truth.seek(at)
        assert file.read(count) == truth.read(count)
        assert file.tell() == at + min(count, max(size - at, 0))


def test_a_small_file_is_one_request() -> None:
    it = Object(_bytes(5000))
    file = it.opened()
    for at, count in ((0, 4096), (0, 100), (0, MIB), (4000, MIB), (5000, MIB)):
        file.seek(at)
        file.read(count)

    assert file.is_still()
    assert (it.ranges, it.sizes) == ([(0, 5000)], 0)


def test_of_a_large_file_only_what_is_new_and_the_first_bytes_are_fetched() -> None:
    it = Object(_bytes(50 * MIB))
    file = it.opened()
    file.read(4096)
    file.seek(0)
    file.read(100)
    file.seek(49 * MIB)

    assert len(file.read(16 * MIB)) == MIB
    assert file.is_still()
    assert it.ranges == [(0, 4096), (49 * MIB, MIB), (0, 4096)]
    assert it.sizes == 0


def test_who_reads_a_large_file_from_its_beginning_needs_no_second_look_at_it() -> None:
    it = Object(_bytes(3 * MIB))
    file = it.opened()
    file.read(4096)
    file.seek(0)
    file.read(8 * MIB)

    assert file.is_still()
    assert it.ranges == [(0, 4096), (0, 3 * MIB)]


def test_small_steps_are_served_from_what_was_fetched_ahead() -> None:
    """As packed files are read."""
    it = Object(_bytes(3 * MIB))
    file = it.opened()
    read = b""
    while piece := file.read(16 * 1024):
        read += piece

    assert read == it.data
    assert len(it.ranges) == 3


@pytest.mark.parametrize("size", [5000, 3 * MIB])
def test_an_object_that_takes_the_name_while_it_is_read_is_noticed(size: int) -> None:
    it = Object(_bytes(size))
    file = it.opened(MIB)
    file.read(4096)
    it.data = b"other" + _bytes(4 * MIB)
    file.seek(MIB // 2)
    file.read(MIB)

    assert not file.is_still()


def test_an_object_that_grew_while_it_was_read_is_the_same() -> None:
    it = Object(_bytes(3 * MIB))
    file = it.opened()
    file.read(4096)
    it.data = _bytes(4 * MIB)
    file.seek(2 * MIB)

    assert file.read(8 * MIB) == it.data[2 * MIB :]
    assert file.is_still()
    assert file.seek(0, os.SEEK_END) == 4 * MIB


def test_a_grown_file_is_known_by_what_the_smaller_one_was_and_another_is_not() -> None:
    """By that, what was unpacked of it is gone on from."""
    one, grown = Object(_bytes(MIB)), Object(_bytes(2 * MIB))
    other = Object(b"x" + _bytes(MIB))

    assert one.opened().key == grown.opened().key
    assert one.opened().key != other.opened().key


def test_the_end_is_asked_for_once() -> None:
    it = Object(_bytes(MIB))
    file = it.opened()
    for _ in range(3):
        file.seek(MIB)
        assert file.read(100) == b""

    assert (it.ranges, it.sizes) == ([], 1)


def test_nothing_is_read_without_a_bound() -> None:
    with pytest.raises(io.UnsupportedOperation):
        Object(b"x").opened().read()
