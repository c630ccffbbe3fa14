"""Embeddings as TensorBoard's projector reads them: tables of text, a picture, an entry in a list.

    projector_config.pbtxt                  what there is to show, one entry an embedding
    <step>/<tag>/tensors.tsv                a line a point; of many, tensors.bytes in binary
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
from orgboard._values.late import Late

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
    "is_text",
    "label_text",
    "point_chunks",
    "points_name",
    "sprite_png",
    "subdirectory",
    "tensor_name",
]

CONFIG_NAME: Final = "projector_config.pbtxt"

MOST_PIXELS: Final = 8192
"""A sprite's side that browsers still take as a texture."""

NUMBERS_AT_ONCE: Final = 1024
"""Formatting holds the interpreter for half a millisecond; then a write lets training have it."""

NUMBERS_AS_TEXT: Final = 1 << 18
"""Text of more would keep the background thread from writing scalars for seconds, and training
from the interpreter. As binary it takes a fifth of the space and TensorBoard less to read."""

_HEAD_BYTES: Final = 1 << 16
_BYTES_AT_ONCE: Final = 1 << 20


class Embedding(NamedTuple):
    """Points [number, dimensions], metadata.tsv's text, pictures [number, C, H, W]."""

    log_dir: str
    step: int
    points: Numbers
    labels: str | None
    pictures: Numbers | None


def check_matrix(points: Numbers | Late) -> None:
    """Refuse what cannot be shown as points.

    Raises:
        ValueError: it is no matrix, or an empty one, which TensorBoard would stumble over.
    """
    if points.ndim != 2 or not points.size:
        raise ValueError(f"mat must have the shape (points, dimensions), got {points.shape}")


def check_pictures(pictures: Numbers | Late, number: int) -> None:
    """Refuse what cannot be made a sprite of `number` pictures.

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


def label_text(metadata: Any, header: Sequence[Any] | None, number: int) -> str:
    """Make the text of metadata.tsv: a label a point, or a row of them under a header.

    Raises:
        ValueError: there are more or fewer than points, or than the header's columns.
    """
    given = metadata.tolist() if callable(getattr(metadata, "detach", None)) else list(metadata)
    if len(given) != number:
        raise ValueError(f"metadata must hold a label for each of {number} points: {len(given)}")
    if header is None or not len(header):
        return _lines(given)
    rows = [list(header), *map(list, given)]
    if any(len(row) != len(header) for row in rows):
        raise ValueError(f"each row of metadata must have the header's {len(header)} columns")
    return _lines(["\t".join(_label(cell).replace("\t", " ") for cell in row) for row in rows])


def is_text(points: Numbers) -> bool:
    """Tell whether points are written as text: few ones, or such as read as text in binary too.

    TensorBoard tells binary by its not being UTF-8, in the first line that it reads.
    """
    if points.size <= NUMBERS_AS_TEXT:
        return True
    head = _float32(points[: -(-_HEAD_BYTES // (4 * points.shape[1]))])[:_HEAD_BYTES]
    line = head.partition(b"\n")[0]
    try:
        line.decode()
    except UnicodeDecodeError as error:
        # A sign that is cut off at the end says nothing.
        return error.start > len(line) - 4
    return True


def point_chunks(points: Numbers) -> Iterator[bytes]:
    """Write points: as lines of numbers, each of which reads back as the same, or as float32."""
    as_text = is_text(points)
    per_row = points.shape[1]
    rows_at_once = max(1, (NUMBERS_AT_ONCE if as_text else _BYTES_AT_ONCE // 4) // per_row)
    for start in range(0, len(points), rows_at_once):
        rows = points[start : start + rows_at_once]
        yield _text_lines(rows) if as_text else _float32(rows)


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


def points_name(embedding: Embedding) -> str:
    """Name the file of an embedding's points."""
    return "tensors.tsv" if is_text(embedding.points) else "tensors.bytes"


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
    if not is_text(embedding.points):
        lines += [f"tensor_shape: {size}" for size in embedding.points.shape]
    if embedding.pictures is not None:
        height, width = embedding.pictures.shape[2:]
        lines.append("sprite {")
        lines.append(f"  image_path: {_quoted(place + '/sprite.png')}")
        lines += [f"  single_image_dim: {width}", f"  single_image_dim: {height}", "}"]
    lines.append(f"tensor_path: {_quoted(f'{place}/{points_name(embedding)}')}")
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


def _lines(labels: list[Any]) -> str:
    """Write labels a line each. A line's end within one would move all others down."""
    try:
        # A million of plain ones in one go.
        text = "\n".join(labels)
    except TypeError:
        labels = list(map(_label, labels))
        text = "\n".join(labels)
    if text.count("\n") >= len(labels) or "\r" in text:
        text = "\n".join(" ".join(label.splitlines()) for label in labels)
    return text + "\n"


def _text_lines(points: Numbers) -> bytes:
    return "".join("\t".join(map(str, row)) + "\n" for row in points.tolist()).encode()


def _float32(points: Numbers) -> bytes:
    import numpy as np

    with np.errstate(over="ignore"):
        return points.astype("<f4").tobytes()


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
