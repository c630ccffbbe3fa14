"""Embeddings as TensorBoard's projector reads them: tables of text, a picture, an entry in a list.

    projector_config.pbtxt                  what there is to show, one entry an embedding
    <step>/<tag>/tensors.tsv                a line a point
    <step>/<tag>/metadata.tsv               a line a point: its label, or labels under a header
    <step>/<tag>/sprite.png                 the points' pictures, in rows, in one square

Nothing here touches a disk; `_log.assets` does.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orgboard._kinds.png import encode_png

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers = NDArray[np.generic]
    Pixels = NDArray[np.uint8]

__all__ = [
    "CONFIG_NAME",
    "Embedding",
    "check_matrix",
    "check_pictures",
    "config_with",
    "label_lines",
    "point_lines",
    "sprite_png",
    "subdirectory",
    "tensor_name",
]

CONFIG_NAME: Final = "projector_config.pbtxt"

MOST_PIXELS: Final = 8192
"""A sprite's side that browsers still take as a texture."""

NUMBERS_AT_ONCE: Final = 2048
"""Formatting holds the interpreter for half a millisecond; then a write lets training have it."""


class Embedding(NamedTuple):
    """Points [number, dimensions], their labels as lines, their pictures [number, C, H, W]."""

    log_dir: str
    step: int
    points: Numbers
    labels: Sequence[str] | None
    pictures: Numbers | None


def check_matrix(points: Numbers) -> Numbers:
    """Give back what can be shown as points.

    Raises:
        ValueError: it is no matrix, or an empty one, which TensorBoard would stumble over.
    """
    if points.ndim != 2 or not points.size:
        raise ValueError(f"mat must have the shape (points, dimensions), got {points.shape}")
    return points


def check_pictures(pictures: Numbers, number: int) -> Numbers:
    """Give back what can be made a sprite of `number` pictures.

    Raises:
        ValueError: it is no batch [N, C, H, W], of other length, or too large together.
    """
    shape = pictures.shape
    if pictures.ndim != 4 or not pictures.size or shape[1] not in (1, 3, 4):
        raise ValueError(f"label_img must have the shape (N, 1, 3 or 4, H, W), got {shape}")
    if shape[0] != number:
        raise ValueError(f"label_img must hold a picture for each of {number} points, got {shape}")
    side = _columns(shape) * shape[3]
    if side > MOST_PIXELS:
        raise ValueError(f"a sprite of {side} pixels a side is more than the {MOST_PIXELS} shown")
    return pictures


def label_lines(metadata: Any, header: Sequence[Any] | None, number: int) -> list[str]:
    """Make the lines of metadata.tsv: a label a point, or a row of them under a header.

    Raises:
        ValueError: there are more or fewer than points, or than the header's columns.
    """
    given = metadata.tolist() if callable(getattr(metadata, "detach", None)) else list(metadata)
    if len(given) != number:
        raise ValueError(f"metadata must hold a label for each of {number} points: {len(given)}")
    if header is None or not len(header):
        return [_one_line(_label(each)) for each in given]
    rows = [list(row) for row in given]
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"each row of metadata must have the header's {len(header)} columns")
    return [
        "\t".join(_one_line(_label(cell)).replace("\t", " ") for cell in row)
        for row in [list(header), *rows]
    ]


def point_lines(points: Numbers) -> Iterator[bytes]:
    """Write points as lines of numbers, each the shortest text that reads back as the same."""
    rows_at_once = max(1, NUMBERS_AT_ONCE // points.shape[1])
    for start in range(0, len(points), rows_at_once):
        rows = points[start : start + rows_at_once].tolist()
        yield "".join("\t".join(map(str, row)) + "\n" for row in rows).encode()


def sprite_png(pictures: Numbers) -> bytes:
    """Arrange pictures in rows from the top left of a black square; uint8 as it is, else 0..1."""
    import numpy as np

    number, channels, height, width = pictures.shape
    columns = _columns(pictures.shape)
    side = columns * width
    canvas = np.zeros((side, side, 1 if channels == 1 else channels), np.uint8)
    for row, start in enumerate(range(0, number, columns)):
        tiles = _to_bytes(pictures[start : start + columns]).transpose(2, 0, 3, 1)
        strip = tiles.reshape(height, -1, channels)
        canvas[row * height : (row + 1) * height, : strip.shape[1]] = strip
    return encode_png(canvas if channels > 1 else canvas.repeat(3, axis=2))


def subdirectory(tag: str, step: int) -> str:
    """Name the directory of an embedding's files, relative to the run's, with "/"."""
    escaped = tag.replace("%", "%25").replace("/", "%2f").replace("\\", "%5c")
    if escaped.strip(".") == "":
        # "", "." and ".." are other directories.
        escaped = escaped.replace(".", "%2e") or "%"
    return f"{str(step).zfill(5)}/{escaped}"


def tensor_name(tag: str, step: int) -> str:
    """Name an embedding in the projector's list."""
    return f"{tag}:{str(step).zfill(5)}"


def config_with(config: str, tag: str, embedding: Embedding) -> str:
    """Add an embedding's entry to the projector's list, in place of an older one of its name.

    What else is in the list stays, byte for byte, whoever wrote it.
    """
    name = tensor_name(tag, embedding.step)
    kept, end = [], 0
    for start, stop in _entries(config):
        found = _TENSOR_NAME.search(config, start, stop)
        if found is not None and found[1] in (_quoted(name), f'"{name}"'):
            kept.append(config[end:start])
            end = stop
    kept.append(config[end:])
    others = "".join(kept)
    return (
        others
        + ("\n" if others and not others.endswith("\n") else "")
        + _entry(name, tag, embedding)
    )


def _entry(name: str, tag: str, embedding: Embedding) -> str:
    """Write an entry as protobuf's text format does, fields in order of their numbers."""
    place = subdirectory(tag, embedding.step)
    lines = [f"tensor_name: {_quoted(name)}"]
    if embedding.labels is not None:
        lines.append(f"metadata_path: {_quoted(place + '/metadata.tsv')}")
    if embedding.pictures is not None:
        height, width = embedding.pictures.shape[2:]
        lines.append("sprite {")
        lines.append(f"  image_path: {_quoted(place + '/sprite.png')}")
        lines += [f"  single_image_dim: {width}", f"  single_image_dim: {height}", "}"]
    lines.append(f"tensor_path: {_quoted(place + '/tensors.tsv')}")
    return "embeddings {\n" + "".join(f"  {line}\n" for line in lines) + "}\n"


_TOKEN: Final = re.compile(
    r"""(?P<skip>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\#[^\n]*)|(?P<word>\w+)|(?P<brace>[{}<>])"""
)
_TENSOR_NAME: Final = re.compile(r'\btensor_name\s*:\s*("(?:\\.|[^"\\\n])*")')


def _entries(config: str) -> Iterator[tuple[int, int]]:
    """Find the entries of a projector's list: from `embeddings` to behind its closing brace."""
    depth, start = 0, -1
    for token in _TOKEN.finditer(config):
        if token["word"] and depth == 0:
            start = token.start() if token["word"] == "embeddings" else -1
        elif token["brace"] and token["brace"] in "{<":
            depth += 1
        elif token["brace"]:
            depth -= 1
            if depth == 0 and start >= 0:
                stop = token.end()
                yield start, stop + (config[stop : stop + 1] == "\n")
                start = -1


_ESCAPES: Final = {
    **{sign: f"\\{sign:03o}" for sign in (*range(0x20), 0x7F)},
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    **{ord(sign): f"\\{sign}" for sign in "\"'\\"},
}
"""What protobuf's text format writes otherwise; all else stands for itself."""


def _quoted(value: str) -> str:
    return f'"{value.translate(_ESCAPES)}"'


def _label(value: Any) -> str:
    if isinstance(value, str):
        return value
    if callable(getattr(value, "detach", None)):
        return str(value.tolist())
    return str(value)


def _one_line(label: str) -> str:
    return " ".join(label.splitlines()) if "\n" in label or "\r" in label else label


def _columns(shape: Sequence[int]) -> int:
    """Count the pictures of a row: the square must be as high as its rows, and browsers divide
    its side by a picture's width to find this number."""
    number, _, height, width = shape
    columns = math.isqrt(number - 1) + 1
    while -(-number // columns) * height > columns * width:
        columns += 1
    return columns


def _to_bytes(pictures: Numbers) -> Pixels:
    import numpy as np

    if pictures.dtype == np.uint8:
        return pictures  # type: ignore[return-value] # the comparison is the check
    with np.errstate(invalid="ignore"):
        scaled = np.nan_to_num(pictures.astype(np.float64) * 255, nan=0.0)
    return scaled.clip(0, 255).astype(np.uint8)
