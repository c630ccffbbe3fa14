"""Values that are no scalars, as writers put them into records: for property tests of readers.

Of every form that the compiled core takes in, and of others that are nearly so.
"""

from __future__ import annotations

import struct

from hypothesis import strategies as st

from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto

__all__ = ["other_values"]

_PLUGINS = {"s": b"text", "p": b"images", "b": b"histograms"}
"""By form: without its plugin no tensor is taken in."""
_OTHERS = [*_PLUGINS.values(), b"scalars", b"hparams", b"of no kind", b""]

_doubles = st.binary(min_size=8, max_size=8).map(lambda bits: struct.unpack("<d", bits)[0])
_few = st.lists(_doubles | st.integers(0, 3).map(float), max_size=5)
_limits = st.sampled_from([[0.0, 1.0], [0.0, 2.0], [-0.0, 1.0]]) | _few
_int32s = st.sampled_from([0, 1, 28, 2**31 - 1, -1, -(2**31)])
_bytes = st.sampled_from([b"", b"\x89PNG\r\n\x1a\nxx", b"GIF89a", b"**bold** \xff"])
_sizes = st.sampled_from([b"3", b"028", b"999999999", b"1234567890", b"", b"x"])
_strings = st.lists(_bytes | _sizes, max_size=4) | st.builds(
    lambda *parts: list(parts), _sizes, _sizes, _bytes
)
_shapes = st.sampled_from(
    [None, [], [1], [3], [1, 1], [0], [2, 3], [1, 3], [3, 1], [2, 3, 1], [-1, 3], [0, 3]]
)


@st.composite
def other_values(draw: st.DrawFn, tags: st.SearchStrategy[bytes]) -> Summary.Value:
    """Draw a value of one of these tags."""
    value = Summary.Value(tag=draw(tags))
    form = draw(st.sampled_from("hissppbb"))
    match form:
        case "h":
            _fill_histogram(draw, value)
        case "i":
            _fill_image(draw, value)
        case "s":
            value.tensor.CopyFrom(_tensor(7, draw(st.sampled_from([None, [], [1]]) | _shapes)))
            value.tensor.string_val.extend(draw(_bytes.map(lambda text: [text]) | _strings))
        case "p":
            value.tensor.CopyFrom(_tensor(7, draw(st.sampled_from([None, [3], [], [4]]))))
            value.tensor.string_val.extend([draw(_sizes), draw(_sizes), draw(_bytes)])
        case _:
            _fill_buckets(draw, value)
    # Mostly the first of these, and nothing said of what says itself what it is.
    said = draw(st.sampled_from("mmmmmnno"))
    if said == "o" or (said == "m" and form in _PLUGINS):
        name = draw(st.sampled_from(_OTHERS)) if said == "o" else _PLUGINS[form]
        content = draw(st.sampled_from([b"", b"", b"", b"c"]))
        data = SummaryMetadata.PluginData(plugin_name=name, content=content)
        value.metadata.CopyFrom(SummaryMetadata(plugin_data=data))
    return value


def _fill_histogram(draw: st.DrawFn, value: Summary.Value) -> None:
    histogram = value.histo
    histogram.SetInParent()
    for name in ("min", "max", "num", "sum", "sum_squares"):
        if draw(st.booleans()):
            setattr(histogram, name, draw(_doubles))
    histogram.bucket_limit.extend(draw(_limits))
    histogram.bucket.extend(draw(_few))


def _fill_image(draw: st.DrawFn, value: Summary.Value) -> None:
    image = value.image
    image.SetInParent()
    for name in ("height", "width", "colorspace"):
        if draw(st.booleans()):
            setattr(image, name, draw(_int32s))
    image.encoded_image_string = draw(_bytes)


def _fill_buckets(draw: st.DrawFn, value: Summary.Value) -> None:
    dtype = draw(st.sampled_from([1, 2, 2, 9, 102]))
    rows = draw(st.integers(0, 2))
    shape = draw(st.sampled_from([[rows, 3]] * 3 + [[rows, 3, 1], [3, rows]]) | _shapes)
    value.tensor.CopyFrom(_tensor(dtype, shape))
    unit = 4 if dtype == 1 else 8
    size = 3 * unit * rows + draw(st.sampled_from([0, 0, 0, 0, 1, unit]))
    value.tensor.tensor_content = draw(st.binary(min_size=size, max_size=size))


def _tensor(dtype: int, shape: list[int] | None) -> TensorProto:
    tensor = TensorProto(dtype=dtype)  # type: ignore[arg-type] # an enum's number
    if shape is not None:
        sizes = [TensorShapeProto.Dim(size=size) for size in shape]
        tensor.tensor_shape.CopyFrom(TensorShapeProto(dim=sizes))
    return tensor
