"""Hand-made hostile files: what each case expects of a good reader.

Left to ingest, for what they ask is not of one file's bytes: `run_names`,
`names_that_are_not_runs`, `rotated_1000` and `zero_length` are read here too,
but that their runs keep their names is tested there.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from orgboard_schema.types import Media, ProtoHistogram
from orgboard_schema.wire.batch import Batch
from orgboard_schema.wire.histograms import buckets
from orgboard_schema.wire.paths import is_event_file
from support.event_files import read_whole, scalars_of

CASES = (
    "bad_histograms",
    "corrupt_length_crc_middle",
    "declared_8gib",
    "garbage_named_tfevents",
    "garbage_tail",
    "graph_malformed",
    "gzip_records",
    "image_payloads",
    "malformed_proto_in_valid_record",
    "mixed_kinds_same_tag",
    "names_that_are_not_runs",
    "nan_inf_scalars",
    "negative_steps",
    "rotated_1000",
    "run_names",
    "steps_out_of_order_duplicated",
    "tag_names_a",
    "tags_100k",
    "tensor_encodings",
    "trunc_in_data_crc",
    "trunc_in_length",
    "unknown_fields",
    "zero_length",
)


def read_folder(folder: Path) -> list[Batch]:
    return [
        batch
        for path in sorted(folder.iterdir())
        if path.is_file() and is_event_file(path.name)
        for batch in read_whole(path.read_bytes(), final=True)
    ]


def read_case(corpus: Path, case: str, run: str = ".") -> list[Batch]:
    return read_folder(corpus / "hostile" / case / "logs" / run)


def reasons(batches: list[Batch]) -> list[str]:
    return [gap.reason for batch in batches for gap in batch.gaps]


def test_every_case_of_the_corpus_is_looked_at(corpus: Path) -> None:
    assert sorted(CASES) == sorted(path.name for path in (corpus / "hostile").iterdir())


@pytest.mark.parametrize("case", CASES)
def test_a_hostile_case_gives_what_it_expects(corpus: Path, case: str) -> None:
    truth = json.loads((corpus / "hostile" / case / "truth.json").read_text())

    for expected in truth["expect"]:
        batches = read_case(corpus, case, expected["run"])
        if "tag" in expected:
            assert_expected(batches, expected)
        else:
            assert sum(len(batch.scalars.value) for batch in batches) == expected["points"]
            tags = {tag for batch in batches for tag in batch.scalars.tags}
            assert len(tags) == expected["tags"]


def assert_expected(batches: list[Batch], expected: dict[str, Any]) -> None:
    tag = expected["tag"]
    points = scalars_of(batches, tag)
    if "values" not in expected:
        others = [point for batch in batches for _, point in batch.points if point.tag == tag]
        assert [step for step, *_ in points] + [point.step for point in others] == (
            expected["steps"]
        )
        return
    found = [(step, repr(value)) for step, _, value in points]
    wanted = [
        (step, repr(float(value)))
        for step, value in zip(expected["steps"], expected["values"], strict=True)
    ]
    if expected.get("at_least"):
        assert set(wanted) <= set(found)
    else:
        assert found == wanted


@pytest.mark.parametrize(
    ("case", "run", "expected"),
    [
        ("corrupt_length_crc_middle", ".", ["length crc"]),
        ("declared_8gib", ".", ["too large"]),
        ("garbage_named_tfevents", "html", ["not an event file"]),
        ("garbage_named_tfevents", "png", ["not an event file"]),
        ("garbage_named_tfevents", "random", ["not an event file"]),
        ("garbage_named_tfevents", "text", ["not an event file"]),
        ("garbage_tail", ".", ["length crc"]),
        ("gzip_records", "gz_plain_name", ["compressed"]),
        ("malformed_proto_in_valid_record", ".", ["not a protobuf", "not a protobuf"]),
        ("trunc_in_data_crc", ".", []),
        ("trunc_in_length", ".", []),
        ("unknown_fields", ".", []),
        ("tensor_encodings", ".", []),
        ("bad_histograms", ".", []),
        ("image_payloads", ".", []),
    ],
)
def test_damage_is_reported_once_each(
    corpus: Path, case: str, run: str, expected: list[str]
) -> None:
    assert reasons(read_case(corpus, case, run)) == expected


@pytest.mark.parametrize("case", ["trunc_in_data_crc", "trunc_in_length"])
def test_a_record_half_written_is_waited_for(corpus: Path, case: str) -> None:
    assert read_case(corpus, case)[-1].pending == "short tail"


def test_a_live_file_of_garbage_waits_where_it_ends_until_it_is_final(corpus: Path) -> None:
    (path,) = (corpus / "hostile" / "garbage_tail" / "logs").iterdir()

    live = read_whole(path.read_bytes())

    assert live[-1].pending == "length crc"
    assert reasons(live) == []


def test_all_steps_of_a_record_with_a_bad_length_checksum_are_there(corpus: Path) -> None:
    batches = read_case(corpus, "corrupt_length_crc_middle")

    assert [step for step, *_ in scalars_of(batches, "loss")] == list(range(10))


def test_kinds_under_one_tag_are_kept_apart(corpus: Path) -> None:
    batches = read_case(corpus, "mixed_kinds_same_tag")

    kinds = [(p.step, p.kind) for batch in batches for _, p in batch.points if p.tag == "m"]

    assert kinds == [(1, "histogram"), (2, "image"), (3, "text")]


def test_one_value_for_four_elements_is_kept_as_a_tensor(corpus: Path) -> None:
    batches = read_case(corpus, "tensor_encodings")

    shapes = {
        getattr(point.value, "shape", None)
        for batch in batches
        for _, point in batch.points
        if point.kind == "tensor"
    }

    assert shapes == {(4,)}


def test_malformed_histograms_are_kept_as_logged_and_have_a_view(corpus: Path) -> None:
    batches = read_case(corpus, "bad_histograms")
    points = [point for batch in batches for _, point in batch.points]

    protos = [point.value for point in points if isinstance(point.value, ProtoHistogram)]

    assert {point.kind for point in points} == {"histogram"}
    assert any(len(proto.limits) != len(proto.counts) for proto in protos)
    assert any(math.isnan(limit) for proto in protos for limit in proto.limits)
    for proto in protos:
        assert len(buckets(proto)) <= min(len(proto.limits), len(proto.counts))


def test_pictures_are_named_by_their_bytes(corpus: Path) -> None:
    batches = read_case(corpus, "image_payloads")

    types = {
        point.tag: [blob.media_type for blob in point.value.blobs]
        for batch in batches
        for _, point in batch.points
        if isinstance(point.value, Media)
    }

    assert types["png"] == types["lying_size"] == ["image/png"]
    assert types["jpeg"] == ["image/jpeg"]
    assert types["gif"] == ["image/gif"]
    assert types["random"] == types["empty"] == ["application/octet-stream"]
    assert len(types["three_frames"]) == 3


def test_tags_keep_their_exact_bytes(corpus: Path) -> None:
    truth = json.loads((corpus / "hostile/tag_names_a/truth.json").read_text())

    batches = read_case(corpus, "tag_names_a")

    assert {tag for batch in batches for tag in batch.scalars.tags} == {
        expected["tag"] for expected in truth["expect"]
    }
