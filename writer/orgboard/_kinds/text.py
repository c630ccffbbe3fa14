"""Texts, as torch's and tensorboardX's writers store them."""

from __future__ import annotations

from typing import Final

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_STRING, metadata

__all__ = ["text_body", "text_value"]

_ONE_STRING: Final = pb.whole(1, DT_STRING) + pb.blob(2, pb.blob(2, pb.whole(1, 1)))
"""The type and the shape, [1], of the tensor."""

_ABOUT: Final = metadata("text")


def text_body(tag: str, content: str) -> bytes:
    """Encode one text (Markdown) as a string tensor of one element."""
    return summary_body(text_value(tag, content))


def text_value(tag: str, content: str) -> bytes:
    """Encode one text as a summary's value."""
    return pb.text(1, tag) + pb.blob(8, _ONE_STRING + pb.text(8, content, always=True)) + _ABOUT
