"""Images and boxes: the pixels that were given, in every order and type, from files, drawn on."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import plotly.graph_objects as go  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageDraw, ImageFont

from orgboard import SummaryWriter
from orgboard._kinds import drawing
from orgboard._kinds.drawing import draw_boxes
from orgboard._kinds.png import encode_png
from orgboard._kinds.resampling import resize
from orgboard._kinds.typeface import set_line
from support.logged_runs import summaries
from support.pictures import Pixels, file_of, films, images, pixels_of

RANDOM = np.random.default_rng(3)
HWC = RANDOM.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def logged(directory: Path, *arguments: Any, **options: Any) -> Pixels:
    """Log an image and decode what is in the file."""
    with SummaryWriter(directory, strict=True) as writer:
        writer.add_image("picture", *arguments, **options)
    (image,) = images(directory, "picture")
    pixels = pixels_of(image.encoded_image_string)
    assert (image.height, image.width, image.colorspace) == pixels.shape
    return pixels


@pytest.mark.parametrize("axes", ["CHW", "HWC", "WHC", "WCH", "hwc"])
def test_the_order_of_axes_is_what_dataformats_says(axes: str, tmp_path: Path) -> None:
    given = HWC.transpose(["HWC".index(axis) for axis in axes.upper()])

    assert np.array_equal(logged(tmp_path, given, 1, dataformats=axes), HWC)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (np.array([[0, 1]], bool), [0, 255]),
        (np.array([[0.5, 1.5]]), [127, 255]),
        (np.array([[-1.0, np.inf]]), [0, 255]),
        (np.array([[-1e308, 1e308]]), [0, 255]),
        (np.array([[-3e38, 3e38]], np.float32), [0, 255]),
        (np.array([[np.nan, -np.inf]]), [0, 0]),
        (np.array([[0.5, 1]], np.float16), [127, 255]),
        (np.array([[0, 1]], np.int64), [0, 255]),
        (np.array([[0, 2]], np.int8), [0, 255]),
        (np.array([[7, 8]], np.uint8), [7, 8]),
        ([[0.0, 1.0]], [0, 255]),
    ],
)
def test_every_type_but_uint8_is_taken_from_0_to_1_and_clipped(
    given: Any, expected: list[int], tmp_path: Path
) -> None:
    pixels = logged(tmp_path, given, dataformats="HW")

    assert pixels.tolist() == [[[level] * 3 for level in expected]]


@pytest.mark.parametrize("channels", [2, 3, 4])
def test_channels_are_kept(channels: int, tmp_path: Path) -> None:
    given = RANDOM.integers(0, 256, (channels, 3, 4), dtype=np.uint8)

    assert np.array_equal(logged(tmp_path, given), given.transpose(1, 2, 0))


def test_a_batch_is_one_picture_eight_to_a_row(tmp_path: Path) -> None:
    batch = np.arange(1, 11, dtype=np.uint8)[:, np.newaxis, np.newaxis, np.newaxis]
    with SummaryWriter(tmp_path) as writer:
        writer.add_images("batch", np.broadcast_to(batch, (10, 3, 2, 2)))

    (image,) = images(tmp_path, "batch")
    pixels = pixels_of(image.encoded_image_string)[::2, ::2, 0]
    assert pixels.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8], [9, 10, 0, 0, 0, 0, 0, 0]]


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P", "1", "CMYK"])
def test_an_image_of_pillow_is_taken_as_it_looks(mode: str, tmp_path: Path) -> None:
    picture = Image.fromarray(HWC).convert(mode)
    shown = np.asarray(picture if mode in ("LA", "RGBA") else picture.convert("RGB"))

    assert np.array_equal(logged(tmp_path, picture), shown)


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA", "P"])
@pytest.mark.parametrize("form", ["PNG", "GIF", "JPEG"])
def test_a_picture_file_is_stored_as_it_is(form: str, mode: str, tmp_path: Path) -> None:
    if form == "JPEG" and mode not in ("L", "RGB"):
        mode = "CMYK"
    data = file_of(Image.fromarray(HWC).convert(mode), form)
    path = tmp_path / "picture"
    path.write_bytes(data)
    run = tmp_path / "run"
    with SummaryWriter(run, strict=True) as writer:
        for given in (data, bytearray(data), path, str(path)):
            writer.add_image("picture", given)

    found = images(run, "picture")
    assert [image.encoded_image_string for image in found] == [data] * 4
    assert {(image.width, image.height) for image in found} == {(7, 5)}
    channels = {"L": 1, "LA": 2, "RGB": 3, "RGBA": 4, "P": 3, "CMYK": 4}[mode]
    assert {image.colorspace for image in found} == {3 if form == "GIF" else channels}


@pytest.mark.parametrize(
    ("given", "options", "reason"),
    [
        (np.zeros((2, 2)), {}, "dataformats CHW does not fit an array of shape (2, 2)"),
        (np.zeros((3, 0, 2)), {}, "an image needs at least one pixel, got shape (3, 0, 2)"),
        (np.zeros((5, 2, 2)), {}, "an image has 1 to 4 channels, got 5"),
        (np.zeros((3, 2, 2)), {"dataformats": "CHX"}, "dataformats must be HW, CHW or NCHW"),
        (b"GIF89a", {}, "an image given as a file must be a PNG, JPEG or GIF"),
        (b"\x89PNG\r\n\x1a\n....", {}, "an image given as a file must be a PNG, JPEG or GIF"),
        (b"\xff\xd8\xff\xe0\x00\x10JFIF", {}, "must be a PNG, JPEG or GIF"),
        (b"", {}, "an image given as a file must be a PNG, JPEG or GIF"),
        ("no such file", {}, "No such file or directory: 'no such file'"),
        ("/", {}, "Is a directory"),
        ("/dev/zero", {}, "/dev/zero is no regular file"),
        ("\0", {}, "embedded null byte"),
        (None, {}, "TypeError"),
        (object(), {}, "TypeError"),
        (np.array([["a"]]), {"dataformats": "HW"}, "expected an array"),
    ],
)
def test_what_is_no_image_is_counted_and_told(
    given: Any,
    options: dict[str, Any],
    reason: str,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.WARNING, "orgboard"), SummaryWriter(tmp_path) as writer:
        writer.add_image("picture", given, **options)
        writer.flush()
        assert writer.dropped == 1

    assert reason in caplog.text
    assert images(tmp_path, "picture") == []


def test_a_pipe_that_nobody_writes_to_stops_nothing(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with SummaryWriter(tmp_path / "run") as writer:
        writer.add_image("picture", pipe)

        assert writer.dropped == 1


def test_an_image_of_a_gibibyte_is_refused_before_it_is_copied(tmp_path: Path) -> None:
    row = np.zeros((3, 1, 1), np.float32)
    huge = np.broadcast_to(row, (3, 9500, 9500))
    with SummaryWriter(tmp_path, strict=True) as writer:
        with pytest.raises(ValueError, match="1083000000 bytes are more than the 268435456"):
            writer.add_image("picture", huge)
        with pytest.raises(ValueError, match="are more than the"):
            writer.add_video("clip", np.broadcast_to(row, (1, 1, 3, 9500, 9500)))
        with pytest.raises(ValueError, match="are more than the"):
            writer.add_audio("sound", np.broadcast_to(row[0, 0], (1 << 27,)))


@given(
    arrays.arrays(
        np.uint8,
        st.tuples(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4)),
        elements=st.integers(0, 255),
    )
)
def test_png_is_lossless(pixels: Pixels) -> None:
    assert np.array_equal(pixels_of(encode_png(pixels)), pixels)


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_png_is_lossless_where_it_is_made_in_strips(channels: int) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1100, 700, channels), dtype=np.uint8)
    # Three strips for four channels; smooth, so that rows are stored as differences too.
    smooth = np.cumsum(noise >> 6, axis=0, dtype=np.uint8)

    assert np.array_equal(pixels_of(encode_png(noise)), noise)
    assert np.array_equal(pixels_of(encode_png(smooth)), smooth)


def lined(pixels: Pixels, boxes: Any) -> Pixels:
    """Draw boxes with Pillow, as torch's and tensorboardX's writers do."""
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    pen = ImageDraw.Draw(picture)
    for left, top, right, bottom in boxes:
        corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
        pen.line(corners, width=2, fill="Red")
    return np.asarray(picture).reshape(pixels.shape)


side = st.integers(-6, 30) | st.floats(-6, 30)


@given(st.integers(1, 4), st.lists(st.tuples(side, side, side, side), max_size=3))
def test_a_box_is_drawn_as_pillow_draws_it(channels: int, boxes: list[Any]) -> None:
    pixels = np.full((20, 24, channels), 9, np.uint8)

    drawn = draw_boxes(pixels, np.array(boxes).reshape(-1, 4))

    assert np.array_equal(drawn, lined(pixels, boxes))
    assert (pixels == 9).all()


def resized(pixels: Pixels, width: int, height: int) -> Pixels:
    """Resize with Pillow, first across and then down: what it does by itself tells its version."""
    if pixels.shape[:2] == (height, width):
        return pixels
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    mode = picture.mode
    weighed = {"LA": "La", "RGBA": "RGBa"}.get(mode, mode)
    across = picture.convert(weighed).resize((width, pixels.shape[0]), Image.Resampling.LANCZOS)
    down = across.resize((width, height), Image.Resampling.LANCZOS).convert(mode)
    return np.asarray(down).reshape(height, width, pixels.shape[2])


sides = st.tuples(st.integers(1, 30), st.integers(1, 30))


@given(sides, sides, st.integers(1, 4), st.integers(0, 1 << 32))
def test_a_picture_is_resized_as_pillow_does_it(
    old: tuple[int, int], new: tuple[int, int], channels: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (*old, channels), dtype=np.uint8)
    # Where nothing is seen and where all is, other rules hold.
    pixels[: old[0] // 3, :, -1] = 0
    pixels[old[0] // 2 :, :, -1] = 255
    expected = resized(pixels, new[1], new[0])

    assert np.array_equal(resize(pixels, new[1], new[0]), expected)


def boxed(directory: Path, *arguments: Any, **options: Any) -> Pixels:
    """Log an image with boxes and decode what is in the file."""
    with SummaryWriter(directory, strict=True) as writer:
        writer.add_image_with_boxes("boxes", *arguments, **options)
    (image,) = images(directory, "boxes")
    pixels = pixels_of(image.encoded_image_string)
    assert (image.height, image.width, image.colorspace) == pixels.shape
    return pixels


GREY = np.full((40, 60, 3), 90, np.uint8)


def test_boxes_are_drawn_and_then_the_picture_is_rescaled(tmp_path: Path) -> None:
    expected = resized(lined(GREY, [(5, 6, 30, 35)]), 90, 60)

    pixels = boxed(tmp_path, GREY, [[5, 6, 30, 35]], rescale=1.5, dataformats="HWC")

    assert np.array_equal(pixels, expected)


def test_labels_are_written_in_pillows_typeface_where_it_is(tmp_path: Path) -> None:
    drawn = Image.fromarray(lined(GREY, [(5, 6, 50, 35)]))
    left, top, right, bottom = ImageFont.load_default().getbbox("cat 0.9")
    pen = ImageDraw.Draw(drawn)
    pen.rectangle([(5, 35 - (bottom - top) - 2), (5 + right - left, 35)], fill="red")
    pen.text((6, 35 - (bottom - top) - 1), "cat 0.9", fill="black", font=ImageFont.load_default())

    pixels = boxed(tmp_path, GREY, [5, 6, 50, 35], dataformats="HWC", labels="cat 0.9")

    assert np.array_equal(pixels, np.asarray(drawn))


@pytest.mark.parametrize("channels", [2, 3, 4])
@pytest.mark.parametrize("place", [(5, 6, 50, 35), (-20, -9, 2, 3), (50, 30, 70, 45)])
def test_labels_are_written_without_pillow_too(
    channels: int, place: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "find_spec", lambda _: None)
    pixels = np.full((40, 60, channels), 90, np.uint8)
    boxes = np.array([place])

    drawn = draw_boxes(pixels, boxes, ("Cat~é",))

    changed = (drawn != draw_boxes(pixels, boxes)).any(axis=2)
    assert changed.any()
    grey = drawn[changed][:, 0]
    red = 76 if channels == 2 else 255
    assert set(grey.tolist()) == {0, red}


def test_every_sign_of_the_typeface_looks_like_itself_alone() -> None:
    signs = [chr(code) for code in range(32, 97)]
    ink = {set_line(sign).tobytes() for sign in signs}

    assert len(ink) == len(signs)
    assert set_line("a").tobytes() == set_line("A").tobytes()
    assert set_line("").shape == (7, 0)


def test_a_box_with_a_nan_is_left_out_and_an_infinite_one_ends_with_the_picture() -> None:
    boxes = np.array([[1, 2, np.nan, 9], [3.0, -np.inf, 3.0, np.inf]])

    drawn = draw_boxes(GREY, boxes)

    assert np.flatnonzero((drawn != GREY).any(axis=(0, 2))).tolist() == [2, 3, 4]


def test_tensorboardx_order_of_arguments_is_understood(tmp_path: Path) -> None:
    ours = boxed(tmp_path / "a", GREY, [[5, 6, 50, 35]], 1, None, 1, "HWC", ["x"])
    theirs = boxed(tmp_path / "b", GREY, [[5, 6, 50, 35]], 1, None, "HWC", ["x"])

    assert np.array_equal(ours, theirs)


def test_labels_that_do_not_fit_the_boxes_are_left_out_and_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "orgboard"):
        pixels = boxed(tmp_path, GREY, [[5, 6, 50, 35]], dataformats="HWC", labels=["a", "b"])

    assert np.array_equal(pixels, lined(GREY, [(5, 6, 50, 35)]))
    assert "2 labels for 1 boxes: drawn without labels" in caplog.text


@pytest.mark.parametrize(
    ("boxes", "options", "reason"),
    [
        (np.zeros((2, 3)), {}, "boxes are rows of"),
        (np.zeros((1, 2, 4)), {}, "boxes are rows of"),
        ([[1, 2, 3, 4]], {"rescale": 0.001}, "the picture would have 0 x 0 pixels"),
        ([[1, 2, 3, 4]], {"rescale": 1e4}, "the picture would have 600000 x 400000 pixels"),
        ([[1, 2, 3, 4]], {"rescale": "2"}, "dataformats must be"),
    ],
)
def test_wrong_boxes_are_refused(
    boxes: Any, options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    options = {"dataformats": "HWC", **options}
    with (
        SummaryWriter(tmp_path, strict=True) as writer,
        pytest.raises(ValueError, match=reason),
    ):
        writer.add_image_with_boxes("boxes", GREY, boxes, **options)


def test_no_boxes_leave_the_picture_alone(tmp_path: Path) -> None:
    assert np.array_equal(boxed(tmp_path, GREY, [], dataformats="HWC"), GREY)


def test_a_plotly_figure_is_kept_whole_as_it_was_when_it_was_logged(tmp_path: Path) -> None:
    figure = go.Figure(go.Scatter(y=np.arange(5.0)))
    said = str(figure.to_json())
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_figure("plot", figure, 7)
        figure.data[0].y = [1]

    ((kind, text),) = films(tmp_path, "plot")
    ((event, value),) = summaries(tmp_path)
    assert kind == b"application/vnd.plotly.v1+json"
    assert json.loads(text) == json.loads(said)
    assert value.metadata.plugin_data.plugin_name == b"orgboard_figure"
    assert event.step == 7


def test_plotly_figures_in_a_list_are_kept_each_by_itself(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path, strict=True) as writer:
        writer.add_figure("plot", [go.Figure(), go.Figure(go.Bar(y=[1]))])

    (first,), (second,) = (films(tmp_path, f"plot/{at}") for at in (0, 1))
    assert json.loads(first[1])["data"] == []
    assert json.loads(second[1])["data"][0]["type"] == "bar"


@pytest.mark.parametrize("given", [None, 3, "text", [], [None], object()])
def test_what_is_no_figure_is_counted_and_not_raised(given: Any, tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_figure("figure", given)

        assert writer.dropped == 1
