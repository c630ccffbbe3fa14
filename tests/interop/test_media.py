"""Pictures, figures, clips and sounds beside torch's and tensorboardX's, and the real libraries.

`test_equal_to_peers` compares each method; here are every type, order and range of what is shown.
"""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from orgboard import SummaryWriter
from support.frameworks import framework
from support.logged_runs import summaries
from support.peers.cases import EQUAL, WALL, Case, Differs, Raises, Verdict, without_pixels
from support.peers.running import compare
from support.pictures import films, frames_of, images, pixels_of

RANDOM = np.random.default_rng(11)
CHW = RANDOM.integers(0, 256, (3, 6, 8), dtype=np.uint8)

NARROW = Differs("scales in the type that was given, and rounds otherwise", without_pixels)
WRAPS = Differs("does not clip: what is beyond 0..1 wraps around", without_pixels)


def _pictures() -> Iterator[tuple[str, Any, str, Verdict, Verdict]]:
    floats = RANDOM.random((3, 40, 50))
    yield "float64", floats, "CHW", EQUAL, EQUAL
    yield "float16", floats.astype(np.float16), "CHW", EQUAL, NARROW
    yield "float32 with NaN", np.where(floats < 0.1, np.nan, floats), "CHW", EQUAL, EQUAL
    yield "float32 beyond 0..1", (floats * 3 - 1).astype(np.float32), "CHW", EQUAL, WRAPS
    yield "int64 of 0 and 1", (floats > 0.5).astype(np.int64), "CHW", EQUAL, EQUAL
    yield "int32 of 0 to 255", (floats * 255).astype(np.int32), "CHW", EQUAL, WRAPS
    yield "bool", floats > 0.5, "CHW", EQUAL, EQUAL
    for axes in ("CHW", "CWH", "HWC", "HCW", "WHC", "WCH"):
        given = CHW.transpose(["CHW".index(axis) for axis in axes])
        yield f"uint8 {axes}", given, axes, EQUAL, EQUAL
    for axes in ("HW", "WH"):
        yield f"float32 {axes}", floats[0].astype(np.float32), axes, EQUAL, EQUAL
    for channels in (1, 2, 3, 4):
        given = RANDOM.integers(0, 256, (channels, 6, 8), dtype=np.uint8)
        yield f"{channels} channels", given, "CHW", EQUAL, EQUAL


def _batches() -> Iterator[tuple[str, Any, str, Verdict, Verdict]]:
    batch = RANDOM.integers(0, 256, (11, 3, 4, 6), dtype=np.uint8)
    for axes in ("NCHW", "NHWC", "CNHW", "WHCN"):
        given = batch.transpose(["NCHW".index(axis) for axis in axes])
        yield f"batch {axes}", given, axes, EQUAL, EQUAL
    yield "batch float32", batch.astype(np.float32) / 255, "NCHW", EQUAL, EQUAL
    yield (
        "batch of four channels",
        RANDOM.integers(0, 256, (3, 4, 5, 6), dtype=np.uint8),
        "NCHW",
        Raises("takes three channels only", "AssertionError"),
        EQUAL,
    )


def faults(case: Case, directory: Path) -> dict[str, list[str]]:
    """Give what differs unexpectedly from each peer."""
    return {each.peer: each.faults for each in compare(case, directory) if each.faults}


@pytest.mark.parametrize(
    ("picture", "axes", "torch", "tensorboardx"),
    [pytest.param(*rest, id=name) for name, *rest in [*_pictures(), *_batches()]],
)
def test_pixels_equal_the_peers(
    picture: Any, axes: str, torch: Verdict, tensorboardx: Verdict, tmp_path: Path
) -> None:
    case = Case(
        "add_image",
        "",
        lambda writer: writer.add_image("a", picture, 3, WALL, dataformats=axes),
        torch,
        tensorboardx,
    )

    assert faults(case, tmp_path) == {}


@pytest.mark.parametrize("axes", ["CHW", "HWC", "HW"])
@pytest.mark.parametrize("seed", range(4))
def test_boxes_and_labels_equal_the_peers_to_the_pixel(
    axes: str, seed: int, tmp_path: Path
) -> None:
    random = np.random.default_rng(seed)
    shape = {"CHW": (3, 80, 90), "HWC": (80, 90, 3), "HW": (80, 90)}[axes]
    picture = random.integers(0, 256, shape, dtype=np.uint8)
    # Some overlap, some reach out of the picture, some are upside down.
    boxes = random.uniform(-10, 100, (6, 4)).astype(np.float32)
    labels = ["cat 0.97", "", "gÅ", "a label that is too long", "x", "y"]
    case = Case(
        "add_image_with_boxes",
        "",
        lambda writer: writer.add_image_with_boxes(
            "a", picture, boxes, 3, WALL, dataformats=axes, labels=labels
        ),
    )
    reversed_boxes = Case(
        "add_image_with_boxes",
        "",
        lambda writer: writer.add_image_with_boxes(
            "a", picture, boxes[:, [2, 1, 0, 3]], 3, WALL, dataformats=axes
        ),
    )

    assert faults(case, tmp_path / "labels") == {}
    assert faults(reversed_boxes, tmp_path / "reversed") == {}


@pytest.mark.parametrize("rescale", [0.3, 0.5, 1.7])
def test_a_rescaled_picture_equals_the_peers_to_the_pixel(rescale: float, tmp_path: Path) -> None:
    picture = RANDOM.integers(0, 256, (3, 41, 57), dtype=np.uint8)
    writers = {
        "ours": SummaryWriter,
        "torch": framework("torch.utils.tensorboard").SummaryWriter,
        "tensorboardX": framework("tensorboardX").SummaryWriter,
    }
    for name, make in writers.items():
        with make(str(tmp_path / name)) as writer:
            writer.add_image_with_boxes("a", picture, np.array([[5, 6, 30, 20]]), rescale=rescale)

    found = {name: images(tmp_path / name, "a")[0] for name in writers}
    pixels = {name: pixels_of(image.encoded_image_string) for name, image in found.items()}
    assert np.array_equal(pixels["ours"], pixels["torch"])
    assert np.array_equal(pixels["ours"], pixels["tensorboardX"])
    # The peers declare the size before.
    assert (found["ours"].height, found["ours"].width) == pixels["ours"].shape[:2]


@pytest.mark.parametrize("number", [1, 2, 3, 5, 16])
def test_clips_of_any_number_equal_tensorboardx(number: int, tmp_path: Path) -> None:
    clips = RANDOM.integers(0, 256, (number, 3, 3, 4, 5), dtype=np.uint8) // 64 * 64
    for name, make in _writers().items():
        with make(str(tmp_path / name)) as writer:
            writer.add_video("a", clips, 1, 5)

    ours, theirs = (images(tmp_path / name, "a")[0] for name in _writers())
    assert (ours.height, ours.width, ours.colorspace) == (
        theirs.height,
        theirs.width,
        theirs.colorspace,
    )
    our_frames, our_times = frames_of(ours.encoded_image_string)
    their_frames, their_times = frames_of(theirs.encoded_image_string)
    assert np.array_equal(our_frames, their_frames)
    assert our_times == their_times


@pytest.mark.parametrize("noise", [0, 8])
def test_a_clip_of_many_colours_is_as_close_as_tensorboardx_makes_it(
    noise: int, tmp_path: Path
) -> None:
    y, x = np.mgrid[:90, :120]
    smooth = np.stack([np.stack([x * 2, y * 2 + t, x * y // 50]) for t in range(5)])
    rough = smooth + RANDOM.normal(0, noise, smooth.shape)
    clip = rough.clip(0, 255).astype(np.uint8)[np.newaxis]
    for name, make in _writers().items():
        with make(str(tmp_path / name)) as writer:
            writer.add_video("a", clip)

    ours, theirs = (
        frames_of(images(tmp_path / name, "a")[0].encoded_image_string)[0] for name in _writers()
    )
    given = clip[0].transpose(0, 2, 3, 1).astype(float)
    assert ((ours - given) ** 2).mean() <= 1.05 * ((theirs - given) ** 2).mean()


def _writers() -> dict[str, Any]:
    return {"ours": SummaryWriter, "tensorboardX": framework("tensorboardX").SummaryWriter}


def test_an_array_becomes_an_mp4_that_plays(tmp_path: Path) -> None:
    reader = framework("imageio_ffmpeg")
    clip = np.zeros((1, 12, 3, 31, 45), np.uint8)
    clip[:, 6:, 0] = 200
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_video("a", clip, 2, 6, format="mp4")

    ((kind, data),) = films(tmp_path, "a")
    path = tmp_path / "film.mp4"
    path.write_bytes(data)
    played = reader.read_frames(str(path))
    about = next(played)
    shown = [np.frombuffer(frame, np.uint8).reshape(32, 46, 3) for frame in played]
    assert kind == b"video/mp4"
    assert (about["fps"], about["codec"], len(shown)) == (6, "h264", 12)
    assert shown[0].max() < 30
    assert abs(int(shown[-1][15, 20, 0]) - 200) < 30


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("loudness", [0.001, 1.0, 1.5])
def test_samples_equal_torch_in_one_channel_and_tensorboardx_in_two(
    dtype: Any, loudness: float, tmp_path: Path
) -> None:
    soundfile = framework("soundfile")
    torch_writer = framework("torch.utils.tensorboard").SummaryWriter
    sound = (RANDOM.uniform(-1, 1, (2000, 2)) * loudness).astype(dtype)
    for name, make in {**_writers(), "torch": torch_writer}.items():
        with make(str(tmp_path / name)) as writer:
            writer.add_audio("one", sound[:, 0], 1, 8000)
            if name != "torch":
                writer.add_audio("two", sound, 1, 8000)

    def samples(name: str, tag: str) -> Any:
        data = _sound(tmp_path / name, tag)
        return soundfile.read(io.BytesIO(data), dtype="int16")[0].astype(int)

    assert np.array_equal(samples("ours", "one"), samples("torch", "one"))
    assert np.array_equal(samples("ours", "two"), samples("tensorboardX", "two"))
    assert np.abs(samples("ours", "one") - samples("tensorboardX", "one")).max() <= 2


def _sound(directory: Path, tag: str) -> bytes:
    (found,) = (value for _, value in summaries(directory) if value.tag == tag.encode())
    return found.audio.encoded_audio_string


def figure(width: float = 2) -> Any:
    """Draw a small figure."""
    drawn, axes = framework("matplotlib.pyplot").subplots(figsize=(width, 1))
    axes.plot([1, 3, 2])
    return drawn


def test_a_logged_figure_is_closed_unless_asked_not_to(tmp_path: Path) -> None:
    pyplot = framework("matplotlib.pyplot")
    closed, kept = figure(), figure()
    canvas = kept.canvas
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_figure("closed", closed)
        writer.add_figure("kept", kept, close=False)

    assert not pyplot.fignum_exists(closed.number)
    assert pyplot.fignum_exists(kept.number)
    assert kept.canvas is canvas
    pyplot.close(kept)


def test_a_writer_that_writes_nothing_closes_figures_too(tmp_path: Path) -> None:
    pyplot = framework("matplotlib.pyplot")
    single, listed = figure(), figure()
    with SummaryWriter(tmp_path, write_to_disk=False) as writer:
        writer.add_figure("one", single)
        writer.add_figure("list", [listed])

    assert not pyplot.fignum_exists(single.number)
    assert not pyplot.fignum_exists(listed.number)
    assert writer.dropped == 0


def test_a_figure_is_kept_as_it_was_when_it_was_logged(tmp_path: Path) -> None:
    drawn = figure()
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_figure("a", drawn, 0, close=False)
        drawn.axes[0].plot([9, 9, 9])
        writer.add_figure("a", drawn, 1)

    before, after = (pixels_of(image.encoded_image_string) for image in images(tmp_path, "a"))
    assert before.shape == after.shape == (100, 200, 3)
    assert not np.array_equal(before, after)


def test_axes_stand_for_their_figure(tmp_path: Path) -> None:
    drawn = figure()
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_figure("axes", drawn.axes[0], close=False)
        writer.add_figure("figure", drawn)

    one, two = (images(tmp_path, tag)[0].encoded_image_string for tag in ("axes", "figure"))
    assert one == two


def test_figures_of_different_sizes_are_told_and_closed(tmp_path: Path) -> None:
    pyplot = framework("matplotlib.pyplot")
    figures = [figure(), figure(3)]
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises(ValueError, match="of one size, got 200 x 100, 300 x 100"),
    ):
        writer.add_figure("a", figures)

    assert [each.number for each in figures if pyplot.fignum_exists(each.number)] == []


WITHOUT_PYPLOT = """
import sys
from matplotlib.figure import Figure
from orgboard import SummaryWriter
figure = Figure((2, 1))
figure.add_subplot().plot([1, 2])
with SummaryWriter(sys.argv[1], strict=True) as writer:
    writer.add_figure("a", figure)
assert "matplotlib.pyplot" not in sys.modules
"""


def test_a_figure_needs_neither_pyplot_nor_a_display_nor_a_backend(tmp_path: Path) -> None:
    environment = {"MPLBACKEND": "tkagg", "MPLCONFIGDIR": str(tmp_path)}
    subprocess.run(
        [sys.executable, "-c", WITHOUT_PYPLOT, str(tmp_path / "run")],
        check=True,
        timeout=50,
        env=environment,
    )

    (image,) = images(tmp_path / "run", "a")
    assert (image.width, image.height) == (200, 100)
