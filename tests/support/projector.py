"""TensorBoard's list of embeddings, read by protobuf's own text parser."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format

__all__ = ["Listed", "listed", "parse_list"]

_FIELDS = {
    "SpriteMetadata": [("image_path", 1, "string"), ("single_image_dim", 2, "uint32*")],
    "EmbeddingInfo": [
        ("tensor_name", 1, "string"),
        ("metadata_path", 2, "string"),
        ("bookmarks_path", 3, "string"),
        ("tensor_shape", 4, "uint32*"),
        ("sprite", 5, "SpriteMetadata"),
        ("tensor_path", 6, "string"),
    ],
    "ProjectorConfig": [
        ("model_checkpoint_path", 1, "string"),
        ("embeddings", 2, "EmbeddingInfo*"),
        ("model_checkpoint_dir", 3, "string"),
    ],
}
"""Names, numbers and types of the projector's messages; * is repeated."""


class Listed(NamedTuple):
    """One entry, as the files that it names: points, labels, sprite and the size of a picture."""

    name: str
    tensors: str
    labels: str
    sprite: str
    picture: tuple[int, ...]
    shape: tuple[int, ...] = ()


def listed(log_dir: Path) -> list[Listed]:
    """Read the list of a run. Entries must name files that exist."""
    entries = parse_list((log_dir / "projector_config.pbtxt").read_text(encoding="utf-8"))
    for entry in entries:
        named = filter(None, (entry.tensors, entry.labels, entry.sprite))
        assert all((log_dir / path).is_file() for path in named), entry
    return entries


def parse_list(text: str) -> list[Listed]:
    """Parse a list strictly.

    Raises:
        text_format.ParseError: it is no such list.
    """
    config: Any = text_format.Parse(text, _CONFIG())
    return [
        Listed(
            each.tensor_name,
            each.tensor_path,
            each.metadata_path,
            each.sprite.image_path,
            tuple(each.sprite.single_image_dim),
            tuple(each.tensor_shape),
        )
        for each in config.embeddings
    ]


def _message_class() -> Any:
    file = descriptor_pb2.FileDescriptorProto(
        name="tests/projector.proto", package="orgboard.tests", syntax="proto3"
    )
    for name, fields in _FIELDS.items():
        message = file.message_type.add(name=name)
        for field, number, kind in fields:
            plain = kind.rstrip("*")
            described: Any = message.field.add(name=field, number=number)
            described.label = 3 if kind.endswith("*") else 1
            described.type = {"string": 9, "uint32": 13}.get(plain, 11)
            if described.type == 11:
                described.type_name = f".orgboard.tests.{plain}"
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(
        pool.FindMessageTypeByName("orgboard.tests.ProjectorConfig")
    )


_CONFIG = _message_class()
