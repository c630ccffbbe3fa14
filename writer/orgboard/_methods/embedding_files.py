"""An embedding's files in a run's directory. They are complete before the list names them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from orgboard._kinds.embedding import (
    CONFIG_NAME,
    Embedding,
    config_with,
    point_chunks,
    points_name,
    sprite_png,
    subdirectory,
)
from orgboard._log.assets import change_text, write_file
from orgboard._values.late import Late, settle

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.generic] | Late

__all__ = ["Waiting", "write_embedding"]


class Waiting(NamedTuple):
    """An embedding on the queue: its arrays may yet have to come from a device."""

    log_dir: str
    step: int
    points: Numbers
    labels: str | None
    pictures: Numbers | None


def write_embedding(tag: str, waiting: Waiting) -> None:
    """Write points, labels and sprite, then their entry in the projector's list.

    Nothing goes to the event file: TensorBoard finds embeddings by that list alone.

    Raises:
        OSError: a file cannot be written; those that were are then not listed.
    """
    log_dir, step, points, labels, pictures = waiting
    shown = None if pictures is None else settle(pictures)
    embedding = Embedding(log_dir, step, settle(points), labels, shown)
    place = os.path.join(log_dir, *subdirectory(tag, embedding.step).split("/"))  # noqa: PTH118 (pathlib is 10 ms of import)
    if embedding.labels is not None:
        text = embedding.labels.encode("utf-8", "replace")
        write_file(os.path.join(place, "metadata.tsv"), [text])  # noqa: PTH118 (as above)
    if embedding.pictures is not None:
        write_file(os.path.join(place, "sprite.png"), [sprite_png(embedding.pictures)])  # noqa: PTH118 (as above)
    write_file(os.path.join(place, points_name(embedding)), point_chunks(embedding.points))  # noqa: PTH118 (as above)
    change_text(
        os.path.join(log_dir, CONFIG_NAME),  # noqa: PTH118 (as above)
        lambda config: config_with(config, tag, embedding),
    )
