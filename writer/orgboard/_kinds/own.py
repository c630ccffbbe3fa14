"""Records of our own: JSON under a plugin name that no other program shows, and none minds."""

from __future__ import annotations

from typing import Final

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import DT_STRING, metadata

__all__ = ["ANNOTATION_TAG", "CONTEXT_TAG", "DROPPED_TAG", "annotation_body", "own_record_body"]

OWN_PLUGIN: Final = "orgboard"
DROPPED_TAG: Final = "orgboard/dropped"
CONTEXT_TAG: Final = "orgboard/context"
ANNOTATION_TAG: Final = "orgboard/annotation"


def annotation_body(tag: str, remark: tuple[str, bool]) -> bytes:
    """Encode a remark about the run: its text, and whether the event's step is the caller's."""
    import json

    text, has_step = remark
    told: dict[str, str | None] = {"text": text}
    if not has_step:
        told["step"] = None
    return own_record_body(tag, json.dumps(told))


def own_record_body(tag: str, json_text: str) -> bytes:
    """Encode a record of ours: JSON as a string scalar, under a plugin no other program shows."""
    tensor = pb.whole(1, DT_STRING) + pb.blob(2, b"", always=True) + pb.text(8, json_text)
    return summary_body(pb.text(1, tag) + pb.blob(8, tensor) + metadata(OWN_PLUGIN))
