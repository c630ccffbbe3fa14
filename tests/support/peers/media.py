"""Images, figures, videos, audio."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from support.frameworks import framework
from support.peers.cases import CLEANED, WALL, Case, Differs, Raises, calling
from support.peers.reading import Seen

__all__ = ["cases"]


def cases() -> Iterator[Case]:
    """Give the cases of this family."""
    yield from _images()
    yield from _batches()
    yield from _boxes()
    yield from _figures()
    yield from _videos()
    yield from _audio()


def _images() -> Iterator[Case]:
    torch = framework("torch")
    random = np.random.default_rng(7)
    whole = random.integers(0, 256, size=(3, 6, 8), dtype=np.uint8)
    parts = random.random((3, 6, 8))
    given: list[tuple[str, Any, str]] = [
        ("uint8 CHW", whole, "CHW"),
        ("uint8 HWC", whole.transpose(1, 2, 0), "HWC"),
        ("uint8 HW", whole[0], "HW"),
        ("uint8 WH", whole[0].T, "WH"),
        ("float64 CHW", parts, "CHW"),
        ("float32 CHW", parts.astype(np.float32), "CHW"),
        ("float32 HWC", parts.astype(np.float32).transpose(1, 2, 0), "HWC"),
        ("float32 HW", parts.astype(np.float32)[0], "HW"),
        ("one channel", parts[:1], "CHW"),
        ("four channels", random.integers(0, 256, size=(4, 6, 8), dtype=np.uint8), "CHW"),
        ("float32 tensor", torch.from_numpy(parts).float(), "CHW"),
        ("uint8 tensor", torch.from_numpy(whole), "CHW"),
        ("bool", whole > 100, "CHW"),
    ]
    for name, picture, axes in given:
        yield Case(
            "add_image",
            name,
            calling("add_image", "a", picture, 3, WALL, dataformats=axes),
        )
    yield Case(
        "add_image",
        "a tag of many signs",
        lambda w: w.add_image("a b", whole, 3, WALL),
        tensorboardx=CLEANED,
    )


def _batches() -> Iterator[Case]:
    random = np.random.default_rng(7)
    for number in (1, 5, 8, 11):
        batch = random.integers(0, 256, size=(number, 3, 4, 6), dtype=np.uint8)
        yield Case("add_images", f"{number} of uint8", calling("add_images", "a", batch, 3, WALL))
    parts = random.random((5, 4, 6, 3)).astype(np.float32)
    yield Case(
        "add_images",
        "float32 NHWC",
        lambda w: w.add_images("a", parts, 3, WALL, dataformats="NHWC"),
    )
    yield Case(
        "add_images", "one channel", lambda w: w.add_images("a", parts.transpose(0, 3, 1, 2)[:, :1])
    )


def _boxes() -> Iterator[Case]:
    random = np.random.default_rng(7)
    picture = random.integers(0, 256, size=(3, 40, 50), dtype=np.uint8)
    boxes = np.array([[5, 6, 30, 25], [1, 1, 10, 35]])
    yield Case(
        "add_image_with_boxes",
        "two boxes",
        lambda w: w.add_image_with_boxes("a", picture, boxes, 3, WALL),
    )
    yield Case(
        "add_image_with_boxes",
        "float boxes on a float picture, HWC",
        lambda w: w.add_image_with_boxes(
            "a",
            picture.transpose(1, 2, 0) / 255,
            boxes.astype(np.float32),
            3,
            WALL,
            dataformats="HWC",
        ),
    )
    yield Case(
        "add_image_with_boxes",
        "dataformats as tensorboardX's sixth",
        lambda w: w.add_image_with_boxes("a", picture.transpose(1, 2, 0), boxes, 3, WALL, "HWC"),
        torch=Raises("takes it for rescale", "ValueError"),
    )
    yield Case(
        "add_image_with_boxes",
        "labels",
        lambda w: w.add_image_with_boxes("a", picture, boxes, 3, WALL, labels=["cat", "dog"]),
    )
    yield Case(
        "add_image_with_boxes",
        "rescale=2",
        lambda w: w.add_image_with_boxes("a", picture, boxes, 3, WALL, rescale=2),
        _UNSCALED,
        _UNSCALED,
    )


def _without_size(seen: Seen) -> Seen:
    """Leave the pixels, and the number of colours."""
    (_, _, pictures), stored = seen.value
    return seen._replace(value=(pictures, stored[-1]))


_UNSCALED: Final = Differs(
    "states the size before scaling; ours that of the picture", _without_size
)


def _figures() -> Iterator[Case]:
    def figure() -> Any:
        pyplot = framework("matplotlib.pyplot")
        drawn, axes = pyplot.subplots(figsize=(2, 1))
        axes.plot([1, 3, 2])
        return drawn

    yield Case("add_figure", "one", lambda w: w.add_figure("a", figure(), 3, walltime=WALL))
    yield Case(
        "add_figure", "a list", lambda w: w.add_figure("a", [figure(), figure()], 3, walltime=WALL)
    )
    yield Case(
        "add_figure",
        "close=False",
        lambda w: w.add_figure("a", figure(), 3, close=False, walltime=WALL),
    )


def _videos() -> Iterator[Case]:
    random = np.random.default_rng(7)
    whole = random.integers(0, 256, size=(1, 4, 3, 8, 10), dtype=np.uint8)
    parts = random.random((3, 4, 3, 8, 10)).astype(np.float32)
    nothing = Differs("writes an empty value, because it does not know moviepy 2", _as_empty)
    given: list[tuple[str, Any, int]] = [
        ("uint8", whole, 4),
        ("float32, three clips", parts, 10),
        ("one channel", whole[:, :, :1], 4),
    ]
    for name, clips, fps in given:
        yield Case("add_video", name, calling("add_video", "a", clips, 3, fps, WALL), torch=nothing)
    yield Case(
        "add_video",
        "dataformats='NTHWC'",
        lambda w: w.add_video(
            "a", whole.transpose(0, 1, 3, 4, 2), 3, walltime=WALL, dataformats="NTHWC"
        ),
        torch=Raises("has no such parameter", "TypeError"),
    )


def _as_empty(seen: Seen) -> Seen:
    assert seen.plugin in ("", "images")
    return seen._replace(plugin="", content=None, display_name="", data_class=0, value=None)


def _audio() -> Iterator[Case]:
    torch = framework("torch")
    wave = np.sin(np.linspace(0, 60, 500))
    given: list[tuple[str, Any, int]] = [
        ("float64", wave, 44100),
        ("float32, 8 kHz", wave.astype(np.float32), 8000),
        ("too loud", wave * 2, 44100),
    ]
    for name, samples, rate in given:
        yield Case(
            "add_audio",
            name,
            calling("add_audio", "a", samples, 3, rate, WALL),
            tensorboardx=_SCALED,
        )
    yield Case(
        "add_audio",
        "tensor [1, frames]",
        lambda w: w.add_audio("a", torch.from_numpy(wave)[None], 3, walltime=WALL),
        tensorboardx=Raises("takes [frames, channels] only", "AssertionError"),
    )
    yield Case(
        "add_audio",
        "stereo [frames, 2]",
        lambda w: w.add_audio("a", np.stack([wave, -wave], axis=1), 3, walltime=WALL),
        torch=Raises("takes one channel only", "AssertionError"),
    )


def _without_samples(seen: Seen) -> Seen:
    """Leave rate, frames, channels and what the format says of them."""
    clips, stored = seen.value
    return seen._replace(value=([clip[:2] for clip in clips], stored))


_SCALED: Final = Differs("scales by 32768 and rounds; ours, as torch's, by 32767", _without_samples)
