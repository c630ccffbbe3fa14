"""Summary.Value -> a scalar or a value of another kind: old and new forms come out the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from orgboard_schema.types import (
    Blob,
    Kind,
    Media,
    Metadata,
    ProtoHistogram,
    Tensor,
    Value,
)
from orgboard_schema.wire.batch import FLOAT32
from orgboard_schema.wire.kinds import as_kind, kind_of
from orgboard_schema.wire.media import media_type
from orgboard_schema.wire.numbers import to_scalar
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from orgboard_schema.wire.tensors import decode_tensor

__all__ = ["Other", "Scalar", "decode_metadata", "decode_text", "decode_value"]

Scalar: TypeAlias = tuple[float, int]
"""A number and its width, FLOAT32 or FLOAT64."""

_NOTHING: Final = Tensor("float32", (0,), b"")
"""A value that came without one. The tag, the step and the time of it are still facts."""


@dataclass(frozen=True, slots=True)
class Other:
    """A value of any kind but scalar."""

    kind: Kind
    value: Value


def decode_text(text: bytes) -> str:
    """Decode text of a log without losing a byte: what is not UTF-8 becomes surrogate escapes."""
    return text.decode("utf-8", "surrogateescape")


def decode_metadata(proto: SummaryMetadata) -> Metadata:
    """Freeze what a writer said about a tag."""
    return Metadata(
        plugin=decode_text(proto.plugin_data.plugin_name),
        content=proto.plugin_data.content,
        display_name=decode_text(proto.display_name),
        description=decode_text(proto.summary_description),
        data_class=proto.data_class,
    )


def decode_value(
    value: Summary.Value, metadata: Metadata | None, limit: int
) -> Scalar | Other | None:
    """Return what a value holds; None when its tensor contradicts itself.

    `metadata` is the value's own or what is remembered of its tag. `limit` bounds
    the bytes that a tensor may claim beyond those that are there.
    """
    match value.WhichOneof("value"):
        case "simple_value":
            return value.simple_value, FLOAT32
        case "tensor":
            return _tensor(value, metadata, limit)
        case "histo":
            return Other("histogram", _histogram(value.histo))
        case "image":
            return Other("image", _image(value.image))
        case "audio":
            return Other("audio", _audio(value.audio))
        case "obsolete_old_style_histogram":
            data = value.obsolete_old_style_histogram
            return Other("tensor", Tensor("string", (), (data,)))
        case _:
            return _hparams(metadata) or Other("tensor", _NOTHING)


def _tensor(value: Summary.Value, metadata: Metadata | None, limit: int) -> Scalar | Other | None:
    kind = kind_of(metadata.plugin) if metadata is not None else "tensor"
    if kind == "hparams":
        return _hparams(metadata)
    tensor = decode_tensor(value.tensor, limit)
    if tensor is None:
        return None
    if kind == "scalar":
        return to_scalar(tensor) or Other("tensor", tensor)
    shaped = as_kind(kind, tensor)
    return Other("tensor", tensor) if shaped is None else Other(kind, shaped)


def _hparams(metadata: Metadata | None) -> Other | None:
    """The content is the data here; the tensor beside it, if any, is a placeholder."""
    if metadata is None or kind_of(metadata.plugin) != "hparams":
        return None
    return Other("hparams", Tensor("string", (), (metadata.content,)))


def _histogram(proto: HistogramProto) -> ProtoHistogram:
    return ProtoHistogram(
        min=proto.min,
        max=proto.max,
        num=proto.num,
        sum=proto.sum,
        sum_squares=proto.sum_squares,
        limits=tuple(proto.bucket_limit),
        counts=tuple(proto.bucket),
    )


def _image(proto: Summary.Image) -> Media:
    data = proto.encoded_image_string
    return Media((Blob(data, media_type(data)),), width=proto.width, height=proto.height)


def _audio(proto: Summary.Audio) -> Media:
    data = proto.encoded_audio_string
    return Media((Blob(data, media_type(data)),), sample_rate=proto.sample_rate)
