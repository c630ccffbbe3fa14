"""Which kind a value is, and what it then looks like: one function a kind.

A plugin's name is a claim. Each function returns None when the payload does
not fit it, and the value is then kept as a plain tensor, losing nothing.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from orgboard_schema.types import Blob, Kind, Media, Tensor, TensorHistogram, Value
from orgboard_schema.wire.media import PROTOBUF, media_type

__all__ = ["GRAPH_TAG", "META_GRAPH_TAG", "PLUGIN_KINDS", "as_kind", "kind_of"]

GRAPH_TAG: Final = "__run_graph__"
"""Under which TensorBoard shows an event's graph_def."""
META_GRAPH_TAG: Final = "__meta_graph__"

PLUGIN_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        "scalars": "scalar",
        "histograms": "histogram",
        "images": "image",
        "audio": "audio",
        "text": "text",
        "pr_curves": "pr_curve",
        "mesh": "mesh",
        "custom_scalars": "layout",
        "hparams": "hparams",
        "graphs": "graph",
        "graph_meta": "graph",
        "graph_run_metadata": "graph",
        "graph_run_metadata_graph": "graph",
        "graph_tagged_run_metadata": "graph",
        "graph_keras_model": "graph",
        "orgboard_video": "video",
    }
)

_MAX_BUCKETS: Final = 1_000_000
"""A row of three Python floats takes six times its bytes; more rows than this stay a tensor."""

_MAX_PIXELS_DIGITS: Final = 9
"""A width of more digits is no width."""


def kind_of(plugin: str) -> Kind:
    """Return the kind that a plugin's values claim to be; an unknown plugin's are tensors."""
    return PLUGIN_KINDS.get(plugin, "tensor")


def as_kind(kind: Kind, tensor: Tensor) -> Value | None:
    """Shape a tensor as a value of `kind`, or return None when it is not one."""
    shape = _SHAPERS.get(kind)
    return None if shape is None else shape(tensor)


def _strings(tensor: Tensor) -> tuple[bytes, ...] | None:
    return tensor.data if isinstance(tensor.data, tuple) else None


def _text(tensor: Tensor) -> Tensor | None:
    return None if _strings(tensor) is None else tensor


def _layout(tensor: Tensor) -> Tensor | None:
    strings = _strings(tensor)
    return tensor if strings is not None and len(strings) == 1 else None


def _image(tensor: Tensor) -> Media | None:
    """[width, height, image, image…], the sizes as ASCII digits."""
    strings = _strings(tensor)
    if strings is None or len(strings) < 2 or len(tensor.shape) != 1:
        return None
    width, height, *images = strings
    if not all(size.isdigit() and len(size) <= _MAX_PIXELS_DIGITS for size in (width, height)):
        return None
    return Media(tuple(Blob(data, media_type(data)) for data in images), int(width), int(height))


def _audio(tensor: Tensor) -> Media | None:
    """[clip, clip…], or rows of [clip, label]."""
    strings = _strings(tensor)
    if strings is None:
        return None
    match tensor.shape:
        case (_,):
            return Media(tuple(Blob(data, media_type(data)) for data in strings))
        case (_, 2):
            clips = zip(strings[::2], strings[1::2], strict=True)
            return Media(
                tuple(
                    Blob(data, media_type(data), label.decode("utf-8", "surrogateescape"))
                    for data, label in clips
                )
            )
        case _:
            return None


def _video(tensor: Tensor) -> Media | None:
    """[media type, bytes]: our own record. Only the bytes are believed."""
    strings = _strings(tensor)
    if strings is None or len(strings) != 2:
        return None
    return Media((Blob(strings[1], media_type(strings[1])),))


def _graph(tensor: Tensor) -> Media | None:
    """Blobs: GraphDef, RunMetadata, or a Keras model as JSON."""
    strings = _strings(tensor)
    if strings is None:
        return None
    return Media(
        tuple(
            Blob(data, "application/json" if data.startswith(b"{") else PROTOBUF)
            for data in strings
        )
    )


def _histogram(tensor: Tensor) -> TensorHistogram | None:
    """[k, 3] floats: left, right, count."""
    code = {"float32": "f", "float64": "d"}.get(tensor.dtype)
    if code is None or not isinstance(tensor.data, bytes):
        return None
    match tensor.shape:
        case (rows, 3) if rows <= _MAX_BUCKETS:
            return TensorHistogram(
                tensor.dtype, tuple(struct.iter_unpack(f"<3{code}", tensor.data))
            )
        case _:
            return None


def _pr_curve(tensor: Tensor) -> Tensor | None:
    """[6, thresholds]: true and false positives and negatives, precision, recall."""
    numeric = isinstance(tensor.data, bytes)
    return tensor if numeric and len(tensor.shape) == 2 and tensor.shape[0] == 6 else None


def _mesh(tensor: Tensor) -> Tensor | None:
    """[batch, points, 3]: vertices, faces or colours."""
    numeric = isinstance(tensor.data, bytes)
    return tensor if numeric and len(tensor.shape) == 3 and tensor.shape[2] == 3 else None


_SHAPERS: Final[Mapping[Kind, Callable[[Tensor], Value | None]]] = MappingProxyType(
    {
        "text": _text,
        "layout": _layout,
        "image": _image,
        "audio": _audio,
        "video": _video,
        "graph": _graph,
        "histogram": _histogram,
        "pr_curve": _pr_curve,
        "mesh": _mesh,
        "tensor": lambda tensor: tensor,
    }
)
