"""Names of event files, and hyperparameters as values."""

from __future__ import annotations

import math

import pytest
from google.protobuf.struct_pb2 import ListValue, NullValue, Struct, Value
from hypothesis import given
from hypothesis import strategies as st

from orgboard_schema.wire.hparams import (
    Experiment,
    HParam,
    Metric,
    SessionEnd,
    SessionStart,
    parse_hparams,
)
from orgboard_schema.wire.hparams_pb2 import (
    Experiment as ExperimentProto,
)
from orgboard_schema.wire.hparams_pb2 import (
    HParamInfo,
    HParamsPluginData,
    Interval,
    MetricInfo,
    MetricName,
    SessionEndInfo,
    SessionStartInfo,
)
from orgboard_schema.wire.paths import host_in_name, is_event_file, new_event_file_name


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("events.out.tfevents.1700000000.host.1.0", True),
        ("events.out.tfevents.1700000000.host.1.0.v2", True),
        ("run/a.tfevents.bak", True),
        (".tfevents", True),
        ("events.out.tfevents.1.host.profile-empty", False),
        ("EVENTS.OUT.TFEVENTS.1", False),
        ("tfevents/checkpoint", False),
    ],
)
def test_event_files_are_known_by_name_as_tensorboard_knows_them(name: str, expected: bool) -> None:
    assert is_event_file(name) is expected


def test_a_new_name_is_the_one_torch_would_give() -> None:
    assert (
        new_event_file_name(1700000000.9, "host", 12, 3, ".x")
        == "events.out.tfevents.1700000000.host.12.3.x"
    )


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a/events.out.tfevents.1700000000.gpu-7.example.org.4242.0.v2", "gpu-7.example.org"),
        ("events.out.tfevents.1700000000.host", "host"),
        ("events.out.tfevents.1700000000.host.v2", "host"),
        ("events.out.tfevents.1700000000.host.12.3.suffix.gz", "host"),
        ("events.out.tfevents.1700000000.10.0.0.5.12.3", "10.0.0.5"),
        ("events.out.tfevents.1700000000.3f2a9c.12.0", "3f2a9c"),
        ("events.out.tfevents.1700000000", None),
        ("renamed.tfevents", None),
    ],
)
def test_the_host_is_told_by_the_name(name: str, expected: str | None) -> None:
    assert host_in_name(name) == expected


@given(st.text("aB-7.", max_size=20).filter(lambda host: not host.replace(".", "").isdigit()))
def test_every_name_tells_its_host_up_to_a_number(host: str) -> None:
    told = host_in_name(new_event_file_name(1, host, 12, 3, ".x"))

    assert told is not None
    assert (host or "localhost").startswith(told)


@given(st.text(max_size=20), st.integers(0, 10**10 - 1))
def test_no_host_name_leads_out_of_the_directory(host: str, seconds: int) -> None:
    name = new_event_file_name(seconds, host, 1, 0)

    assert not set("/\\\0") & set(name)
    assert is_event_file(name)


def test_a_session_begins_with_its_hyperparameters() -> None:
    nested = Struct()
    nested["depth"] = 2
    info = SessionStartInfo(
        hparams={
            "lr": Value(number_value=0.1),
            "amp": Value(bool_value=True),
            "act": Value(string_value="relu"),
            "none": Value(null_value=NullValue.NULL_VALUE),
            "list": Value(list_value=ListValue(values=[Value(number_value=1)])),
            "dict": Value(struct_value=nested),
        },
        group_name="g",
        start_time_secs=3.5,
    )
    content = HParamsPluginData(session_start_info=info).SerializeToString()

    found = parse_hparams(content)

    assert found == SessionStart(
        {"act": "relu", "amp": True, "dict": '{"depth": 2.0}', "list": "[1.0]", "lr": 0.1,
         "none": ""},
        "g", "", "", 3.5,
    )  # fmt: skip
    assert isinstance(found, SessionStart)
    assert found.hparams["amp"] is True


def test_a_nested_number_that_json_lacks_is_still_told() -> None:
    numbers = ListValue(values=[Value(number_value=math.nan)])
    info = SessionStartInfo(hparams={"list": Value(list_value=numbers)})

    found = parse_hparams(HParamsPluginData(session_start_info=info).SerializeToString())

    assert isinstance(found, SessionStart)
    assert "nan" in str(found.hparams["list"]).lower()


def test_an_experiment_announces_what_varies_and_what_is_measured() -> None:
    experiment = ExperimentProto(
        name="sweep",
        hparam_infos=[
            HParamInfo(name="lr", domain_interval=Interval(min_value=0, max_value=1), type=3),  # type: ignore[arg-type] # an enum's number
            HParamInfo(
                name="act",
                domain_discrete=ListValue(values=[Value(string_value="relu")]),
                type=1,  # type: ignore[arg-type] # an enum's number
            ),
        ],
        metric_infos=[MetricInfo(name=MetricName(group="val", tag="loss"), display_name="Loss")],
    )

    found = parse_hparams(HParamsPluginData(experiment=experiment).SerializeToString())

    assert found == Experiment(
        "sweep", "", "", 0.0,
        (
            HParam("lr", "", "", "float", (), (0.0, 1.0)),
            HParam("act", "", "", "string", ("relu",), None),
        ),
        (Metric("val", "loss", "Loss", ""),),
    )  # fmt: skip


def test_a_session_ends_somehow() -> None:
    end = SessionEndInfo(status=2, end_time_secs=9.0)  # type: ignore[arg-type] # an enum's number
    later = SessionEndInfo(status=77)  # type: ignore[arg-type] # a status not invented yet

    assert parse_hparams(HParamsPluginData(session_end_info=end).SerializeToString()) == SessionEnd(
        "failure", 9.0
    )
    assert parse_hparams(
        HParamsPluginData(session_end_info=later).SerializeToString()
    ) == SessionEnd("unknown", 0.0)


@pytest.mark.parametrize("content", [b"", b"\x08\x00", b"\x12", b"\x1a\x04\x22\x02\xff\xff"])
def test_a_content_that_says_nothing_is_nothing(content: bytes) -> None:
    assert parse_hparams(content) is None


@given(st.binary(max_size=80))
def test_no_content_whatever_raises(content: bytes) -> None:
    parse_hparams(content)
