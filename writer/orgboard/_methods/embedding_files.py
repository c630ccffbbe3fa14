"""An embedding's files in a run's directory. They are complete before the list names them."""

from __future__ import annotations

import os

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

__all__ = ["write_embedding"]


def write_embedding(tag: str, embedding: Embedding) -> None:
    """Write points, labels and sprite, then their entry in the projector's list.

    Nothing goes to the event file: TensorBoard finds embeddings by that list alone.

    Raises:
        OSError: a file cannot be written; those that were are then not listed.
    """
    log_dir = embedding.log_dir
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
