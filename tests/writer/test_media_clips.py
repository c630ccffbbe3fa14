"""Videos and sounds: frames side by side, samples as they were, files as they are."""

from __future__ import annotations

import io
import logging
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray
from PIL import Image

from orgboard import SummaryWriter
from orgboard._kinds import film
from orgboard._kinds.audio import check_sound, in_frames
from orgboard._kinds.video import check_clip, to_frames
from orgboard_schema.wire.summary_pb2 import Summary
from support.logged_runs import summaries
from support.pictures import file_of, films, frames_of, images

MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isomiso2" + bytes(range(40))
WEBM = b"\x1aE\xdf\xa3" + bytes(range(40))

CLIP = np.random.default_rng(5).integers(0, 256, (1, 4, 3, 6, 8), dtype=np.uint8)


def video(directory: Path, *arguments: Any, **options: Any) -> Summary.Image:
    """Log a video and read the image it became."""
    with SummaryWriter(directory, strict=True) as writer:
        writer.add_video("clip", *arguments, **options)
    (image,) = images(directory, "clip")
    return image


@pytest.mark.parametrize("axes", ["NTCHW", "NTHWC", "TNCHW", "ntwhc"])
def test_the_order_of_a_videos_axes_is_what_dataformats_says(axes: str, tmp_path: Path) -> None:
    order = ["NTCHW".index(axis) for axis in axes.upper()]
    image = video(tmp_path, CLIP.transpose(order), dataformats=axes)

    frames, times = frames_of(image.encoded_image_string)
    assert np.array_equal(frames, CLIP[0].transpose(0, 2, 3, 1))
    assert times == [250] * 4
    assert (image.height, image.width, image.colorspace) == (6, 8, 3)


@pytest.mark.parametrize(
    ("number", "rows", "columns"),
    [(1, 1, 1), (2, 1, 2), (3, 1, 4), (4, 2, 2), (5, 2, 4), (8, 2, 4), (9, 2, 8), (16, 4, 4)],
)
def test_clips_stand_side_by_side_as_other_writers_place_them(
    number: int, rows: int, columns: int
) -> None:
    clips = np.broadcast_to(
        np.arange(1, number + 1, dtype=np.uint8).reshape(-1, 1, 1, 1, 1), (number, 2, 3, 4, 5)
    )

    frames = to_frames(check_clip(clips, "NTCHW", 4))

    assert frames.shape == (2, rows * 4, columns * 5, 3)
    shown = frames[1, ::4, ::5, 0].reshape(-1).tolist()
    assert shown == [*range(1, number + 1), *[0] * (rows * columns - number)]


def test_a_float_clip_is_taken_from_0_to_1_and_a_grey_one_stays_grey(tmp_path: Path) -> None:
    image = video(tmp_path, np.array([0, 0.5, 2.0, np.nan]).reshape(1, 4, 1, 1, 1), fps=10)

    frames, times = frames_of(image.encoded_image_string)
    assert frames.reshape(4, 3).tolist() == [[0] * 3, [127] * 3, [255] * 3, [0] * 3]
    assert times == [100] * 4
    assert image.colorspace == 1


def test_the_colours_of_a_transparent_clip_are_shown(tmp_path: Path) -> None:
    clip = np.concatenate([CLIP, np.zeros_like(CLIP[:, :, :1])], axis=2)

    frames, _ = frames_of(video(tmp_path, clip).encoded_image_string)

    assert np.array_equal(frames, CLIP[0].transpose(0, 2, 3, 1))


@pytest.mark.parametrize(("data", "kind"), [(MP4, b"video/mp4"), (WEBM, b"video/webm")])
def test_a_film_is_stored_as_it_is_under_our_own_plugin(
    data: bytes, kind: bytes, tmp_path: Path
) -> None:
    path = tmp_path / "film"
    path.write_bytes(data)
    run = tmp_path / "run"
    with SummaryWriter(run, strict=True) as writer:
        writer.add_video("film", data, 3)
        writer.add_video("film", path, 4)
        writer.add_video("film", str(path), 5)

    assert films(run, "film") == [(kind, data)] * 3
    plugins = {value.metadata.plugin_data.plugin_name for _, value in summaries(run)}
    assert plugins == {b"orgboard_video"}


def test_a_gif_file_is_an_image(tmp_path: Path) -> None:
    data = file_of(Image.new("P", (9, 7)), "GIF")

    image = video(tmp_path, data)

    assert (image.encoded_image_string, image.width, image.height) == (data, 9, 7)


def test_without_an_encoder_an_mp4_becomes_a_gif_and_that_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(film, "find_spec", lambda _: None)
    with caplog.at_level(logging.WARNING, "orgboard"):
        image = video(tmp_path, CLIP, format="mp4")

    assert len(frames_of(image.encoded_image_string)[0]) == 4
    assert "pip install orgboard[media]" in caplog.text


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        (CLIP[0], {}, "dataformats NTCHW does not fit an array of shape (4, 3, 6, 8)"),
        (CLIP, {"dataformats": "NTCH"}, "dataformats must be NTCHW in some order"),
        (CLIP[:, :0], {}, "a video needs at least one pixel"),
        (CLIP[:, :, :2], {}, "a video has 1, 3 or 4 channels, got 2"),
        (CLIP, {"fps": 0}, "fps must be a positive number"),
        (CLIP, {"fps": float("nan")}, "fps must be a positive number"),
        (CLIP, {"fps": "fast"}, "could not convert string to float"),
        (CLIP, {"format": "avi"}, 'format must be "gif" or "mp4"'),
        (b"RIFF....AVI ", {}, "a video given as a file must be an MP4, WebM or GIF"),
        ("no such file", {}, "No such file or directory"),
        (None, {}, "TypeError"),
    ],
)
def test_what_is_no_video_is_counted_and_told(
    given: Any,
    options: dict[str, Any],
    reason: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "orgboard"), SummaryWriter(tmp_path) as writer:
        writer.add_video("clip", given, **options)
        writer.flush()
        assert writer.dropped == 1

    assert reason in caplog.text
    assert images(tmp_path, "clip") == []


def sound(directory: Path, *arguments: Any, **options: Any) -> tuple[Summary.Audio, NDArray[Any]]:
    """Log a sound and decode what is in the file: frames, channels."""
    with SummaryWriter(directory, strict=True) as writer:
        writer.add_audio("sound", *arguments, **options)
    ((_, value),) = summaries(directory)
    audio = value.audio
    with wave.open(io.BytesIO(audio.encoded_audio_string)) as file:
        assert file.getsampwidth() == 2
        assert file.getframerate() == audio.sample_rate
        frames = np.frombuffer(file.readframes(1 << 20), "<i2").reshape(-1, file.getnchannels())
    assert (audio.length_frames, audio.num_channels) == frames.shape
    assert audio.content_type == b"audio/wav"
    return audio, frames


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ([0.0, 0.5, -0.5, 1.0, -1.0], [0, 16383, -16383, 32767, -32767]),
        ([2.0, -2.0, np.inf, -np.inf, np.nan], [32767, -32767, 32767, -32767, 0]),
        (np.array([0.5, -0.5], np.float16), [16383, -16383]),
        (np.array([1e300, -1e300], np.longdouble), [32767, -32767]),
        (np.array([1, 0, -1]), [32767, 0, -32767]),
        (np.array([5, -32768], np.int16), [5, -32768]),
        (np.array([0, 128, 255], np.uint8), [-32768, 0, 32512]),
        (np.array([1 << 30, -(1 << 31)], np.int32), [1 << 14, -(1 << 15)]),
        (np.array([True, False]), [32767, 0]),
        ([0.25], [8191]),
    ],
)
def test_samples_are_16_bits_of_what_was_given(
    given: Any, expected: list[int], tmp_path: Path
) -> None:
    audio, frames = sound(tmp_path, given, 1, 8000)

    assert frames[:, 0].tolist() == expected
    assert audio.sample_rate == 8000


def test_two_channels_are_rounded_down_from_all_16_bits(tmp_path: Path) -> None:
    _, frames = sound(tmp_path, np.array([[1.0, -1.0], [0.3, -0.3], [0.0, np.nan]]))

    assert frames.tolist() == [[32767, -32768], [9830, -9831], [0, 0]]


@pytest.mark.parametrize(
    ("shape", "frames"),
    [
        ((5,), (5, 1)),
        ((1, 5), (5, 1)),
        ((5, 1), (5, 1)),
        ((1, 5, 1), (5, 1)),
        ((5, 2), (5, 2)),
        ((2, 5), (5, 2)),
        ((1, 2, 5), (5, 2)),
        ((2, 2), (2, 2)),
        ((1,), (1, 1)),
        ((), (1, 1)),
    ],
)
def test_channels_are_told_from_frames(shape: tuple[int, ...], frames: tuple[int, int]) -> None:
    given = np.arange(np.prod(shape, dtype=int)).reshape(shape)

    samples = in_frames(check_sound(given, 44100))

    assert samples.shape == frames
    if samples.shape[1] == 2:
        expected = given.reshape(2, -1).T if shape[-1] == 5 else given
        assert np.array_equal(samples, expected)


@given(arrays.arrays(np.int16, st.integers(1, 300)))
def test_16_bit_samples_come_back_exactly(samples: NDArray[np.int16]) -> None:
    from orgboard._kinds.audio import Sound, audio_body
    from orgboard_schema.wire.event_pb2 import Event

    body = audio_body("sound", Sound(samples.reshape(-1, 1), 1))
    (value,) = Event.FromString(body).summary.value

    with wave.open(io.BytesIO(value.audio.encoded_audio_string)) as file:
        assert np.array_equal(np.frombuffer(file.readframes(1000), "<i2"), samples)


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        (np.zeros((3, 4)), {}, "a sound has one or two channels, got shape (3, 4)"),
        (np.zeros((2, 3, 4)), {}, "a sound has one or two channels"),
        (np.zeros(0), {}, "a sound needs at least one sample"),
        (np.zeros(3), {"sample_rate": 0}, "a sample rate is 1 to"),
        (np.zeros(3), {"sample_rate": 1 << 31}, "a sample rate is 1 to"),
        (np.zeros(3), {"sample_rate": None}, "TypeError"),
        ("speech.wav", {}, "Error"),
    ],
)
def test_what_is_no_sound_is_counted_and_told(
    given: Any,
    options: dict[str, Any],
    reason: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "orgboard"), SummaryWriter(tmp_path) as writer:
        writer.add_audio("sound", given, **options)
        writer.flush()
        assert writer.dropped == 1

    assert reason in caplog.text


class Sized(SummaryWriter):
    """Remembers what each value counts in the queue, beside its own object."""

    sizes: list[int]

    def _put(self, *arguments: Any, size: int = 0, **options: Any) -> None:
        self.sizes = [*getattr(self, "sizes", []), size]
        super()._put(*arguments, size=size, **options)


def test_a_waiting_value_counts_with_all_the_memory_it_holds(tmp_path: Path) -> None:
    with Sized(tmp_path) as writer:
        writer.add_image("image", np.zeros((3, 20, 30)))
        writer.add_images("images", np.zeros((2, 3, 20, 30), np.uint8))
        writer.add_image("file", file_of(Image.new("L", (9, 9)), "PNG"))
        writer.add_image_with_boxes("boxes", np.zeros((3, 20, 30)), np.zeros((2, 4)))
        writer.add_video("video", np.zeros((1, 2, 3, 20, 30), np.float32))
        writer.add_video("film", MP4)
        writer.add_audio("sound", np.zeros(100))
        sizes = writer.sizes

    picture = len(file_of(Image.new("L", (9, 9)), "PNG"))
    assert sizes == [14400, 3600, picture, 14400 + 64, 14400, len(MP4), 800]
