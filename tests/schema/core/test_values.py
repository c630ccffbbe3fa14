"""What the core takes in of values that are no scalars, and what it leaves to protobuf."""

from __future__ import annotations

import struct

import pytest

from orgboard_schema.types import Metadata
from orgboard_schema.wire import gathering, reader
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.gathering import Gathering
from orgboard_schema.wire.summary_pb2 import HistogramProto, Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.both_readers import read_by_both, read_counting
from support.event_files import event_file, value_event
from support.values_by_hand import delimited, record

PICTURE = b"\x89PNG\r\n\x1a\n"
DOUBLES = struct.pack("<2d", 1.0, 2.0)


def _plugin(name: bytes) -> SummaryMetadata:
    return SummaryMetadata(plugin_data=SummaryMetadata.PluginData(plugin_name=name))


def _tensor(dtype: int, shape: list[int], **data: object) -> TensorProto:
    sizes = [TensorShapeProto.Dim(size=size) for size in shape]
    return TensorProto(dtype=dtype, tensor_shape=TensorShapeProto(dim=sizes), **data)  # type: ignore[arg-type] # an enum's number, and any field


_TEXT = Summary.Value(
    tag=b"t", tensor=_tensor(7, [1], string_val=[b"said"]), metadata=_plugin(b"text")
)
_PICTURE = Summary.Value(
    tag=b"p",
    tensor=_tensor(7, [3], string_val=[b"2", b"3", PICTURE]),
    metadata=_plugin(b"images"),
)
_BUCKETS = Summary.Value(
    tag=b"b",
    tensor=_tensor(2, [2, 3], tensor_content=struct.pack("<6d", *range(6))),
    metadata=_plugin(b"histograms"),
)
_HISTOGRAM = Summary.Value(
    tag=b"h", histo=HistogramProto(min=1.0, bucket_limit=[0.0, 1.0], bucket=[2.0, 3.0])
)
_IMAGE = Summary.Value(tag=b"i", image=Summary.Image(width=3, encoded_image_string=PICTURE))
_ALL = [_TEXT, _PICTURE, _BUCKETS, _HISTOGRAM, _IMAGE]


def test_tensors_are_parsed_once_a_tag_and_histograms_never() -> None:
    bare = Summary.Value(tag=b"t", tensor=_TEXT.tensor)

    batch, parsed = read_counting([*_ALL, bare] * 50)

    assert parsed < 10
    read_by_both(event_file(*map(value_event, [*_ALL, bare] * 3)), {})
    kinds = [(point.tag, point.kind) for _, point in batch.points]
    expected = ["t text", "p image", "b histogram", "h histogram", "i image", "t text"]
    assert [" ".join(kind) for kind in kinds] == 50 * expected


def test_histograms_and_images_are_never_parsed_however_large() -> None:
    numbers = [float(number) for number in range(10_000)]
    histogram = HistogramProto(bucket_limit=numbers, bucket=numbers)
    image = Summary.Image(width=3, height=-1, encoded_image_string=PICTURE + bytes(200_000))
    values = [Summary.Value(tag=b"h", histo=histogram), Summary.Value(tag=b"i", image=image)]

    batch, parsed = read_counting(values * 3)

    assert (parsed, len(batch.points)) == (0, 6)
    read_by_both(event_file(*map(value_event, values * 3)), {})


@pytest.mark.parametrize(("mebibytes", "parsed"), [(15, 0), (17, 1)])
def test_only_up_to_a_size_a_value_is_taken_in_unasked(mebibytes: int, parsed: int) -> None:
    """Above it could be a bomb of another form, which Python tells."""
    image = Summary.Image(encoded_image_string=bytes(mebibytes << 20))

    batch, count = read_counting([Summary.Value(tag=b"i", image=image)])

    assert (count, len(batch.points)) == (parsed, 1)


@pytest.mark.parametrize("value", _ALL, ids=lambda value: value.tag.decode())
def test_a_value_counts_as_much_as_one_that_was_parsed(value: Summary.Value) -> None:
    """So that a batch ends at the same record, whoever read the values."""
    plain = Gathering({})
    for _ in range(3):
        plain.add(value_event(value).SerializeToString())
    whole = event_file(*[value_event(value)] * 6)

    for most, records in ((plain.gathered - 1, 3), (plain.gathered, 4)):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(gathering, "MAX_GATHERED_BYTES", most)
            patch.setattr(reader, "MAX_GATHERED_BYTES", most)
            assert read_by_both(whole, {}).records == records


def test_what_a_tag_was_said_to_be_counts_where_a_value_says_nothing() -> None:
    said = Summary.Value(tag=b"t", tensor=_TEXT.tensor, metadata=_plugin(b"text"))
    bare = [Summary.Value(tag=b"t", tensor=each.tensor) for each in (_PICTURE, _TEXT)]

    batch = read_by_both(
        event_file(*map(value_event, [said, *bare, said, *bare])),
        {"t": Metadata(plugin="images")},
    )

    kinds = ["text", "image", "tensor", "text", "image", "tensor"]
    assert [point.kind for _, point in batch.points] == kinds


_SHAPES: tuple[list[int], ...] = (
    [],
    [1],
    [2],
    [1, 3],
    [3, 1],
    [2, 2],
    [3, 2],
    [2, 3, 1],
    [1, 2, 3],
    [6],
    [18],
    [-2, -3],
)


@pytest.mark.parametrize("taught", [_TEXT, _PICTURE, _BUCKETS], ids=["text", "image", "buckets"])
def test_any_shape_gives_what_protobuf_makes_of_it(taught: Summary.Value) -> None:
    forms: list[dict[str, object]] = [
        {"string_val": [b"said"]},
        {"string_val": [b"2", b"3", PICTURE]},
        {"string_val": [b"2", b"3", PICTURE, PICTURE]},
        {"string_val": [b"2", b"\xff", PICTURE]},
        {"tensor_content": bytes(48), "double_val": [1.0]},
        {"tensor_content": bytes(8)},
        {"tensor_content": bytes(16)},
        {"tensor_content": bytes(24)},
        {"tensor_content": bytes(32)},
        {"tensor_content": bytes(48)},
        {"tensor_content": bytes(144)},
        {"tensor_content": bytes(48), "string_val": [b"said"]},
    ]
    values = [
        Summary.Value(
            tag=taught.tag, tensor=_tensor(dtype, shape, **form), metadata=taught.metadata
        )
        for form in forms
        for shape in _SHAPES
        for dtype in (1, 2, 7)
    ]
    for value in values:
        read_by_both(event_file(*map(value_event, [taught, value, taught])), {})


_LIMITS, _COUNTS = delimited(6, DOUBLES), delimited(7, DOUBLES)
_ODD_HISTOGRAMS = {
    "empty": b"",
    "limits alone": _LIMITS,
    "counts alone": _COUNTS,
    "the other way round": _COUNTS + _LIMITS,
    "limits twice": _LIMITS + _COUNTS + _LIMITS,
    "counts twice": _COUNTS + _COUNTS,
    "a moment twice": b"\x09" + DOUBLES[:8] + b"\x09" + DOUBLES[8:],
    "not packed": b"\x31" + DOUBLES[:8] + b"\x31" + DOUBLES[8:],
    "half a number": delimited(6, DOUBLES[:12]),
    "a longer list than is there": b"\x32\x7f" + DOUBLES,
    "a moment cut off": b"\x09" + DOUBLES[:7],
    "a moment as varint": b"\x08\x01",
    "an unknown field": b"\x40\x01" + _LIMITS,
    "a key of two octets": b"\xb2\x00\x10" + DOUBLES,
    "a length of two octets": b"\x32\x90\x00" + DOUBLES,
}
_ODD_IMAGES = {
    "empty": b"",
    "a width twice": b"\x10\x01\x10\x02",
    "bytes twice": delimited(4, PICTURE) + delimited(4, b"GIF89a"),
    "colours alone": b"\x18\x03",
    "a width beyond 32 bits": b"\x10\x81\x80\x80\x80\x10",
    "a width cut off": b"\x10\x81",
    "a width of eleven octets": b"\x10" + b"\x81" * 10 + b"\x01",
    "a width as bytes": delimited(2, b"1"),
    "an unknown field": b"\x28\x01",
    "field 33": b"\x88\x02\x01",
    "no end": b"\x22\x7f",
}


@pytest.mark.parametrize("odd", _ODD_HISTOGRAMS.values(), ids=_ODD_HISTOGRAMS)
def test_odd_histograms_are_what_protobuf_makes_of_them(odd: bytes) -> None:
    values = delimited(1, b"h") + delimited(5, odd)

    read_by_both(event_file(*[record(values)] * 2, value_event(_HISTOGRAM)), {})


@pytest.mark.parametrize("odd", _ODD_IMAGES.values(), ids=_ODD_IMAGES)
def test_odd_images_are_what_protobuf_makes_of_them(odd: bytes) -> None:
    values = delimited(1, b"i") + delimited(4, odd)

    read_by_both(event_file(*[record(values)] * 2, value_event(_IMAGE)), {})


def test_odd_values_are_what_protobuf_makes_of_them() -> None:
    tag, histogram, image = delimited(1, b"h"), delimited(5, _LIMITS), delimited(4, b"\x10\x01")
    metadata = delimited(9, _plugin(b"text").SerializeToString())
    for value in (
        histogram,  # without a name
        histogram + tag,
        tag + tag + histogram,
        tag + histogram + histogram,
        tag + histogram + image,
        tag + image + histogram,
        tag + image + b"\x15\0\0\x80\x3f",
        tag + b"\x15\0\0\x80\x3f" + image,
        tag + histogram + metadata,
        tag + histogram + delimited(7, b"node"),
        tag + metadata,
        tag,
    ):
        read_by_both(event_file(record(value), value_event(_HISTOGRAM), record(value)), {})


def test_a_record_that_breaks_off_leaves_no_value_behind() -> None:
    whole = Event(summary=Summary(value=_ALL)).SerializeToString()
    torn = whole + b"\x2a\x05"

    batch = read_by_both(event_file(*map(value_event, _ALL), torn, whole), {})

    assert len(batch.points) == 10
    assert [gap.reason for gap in batch.gaps] == ["not a protobuf"]


def test_large_records_of_many_values_are_asked_whether_they_unfold_too_far() -> None:
    many = Summary(value=[Summary.Value(tag=b"h", histo=HistogramProto())] * 700_000)

    batch = read_by_both(event_file(Event(summary=many)), {})

    assert [gap.reason for gap in batch.gaps] == ["unfolds too far"]
    assert not len(batch.points)
