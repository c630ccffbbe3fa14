"""Hyperparameters as people hold them, and layouts of custom scalars."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orgboard import SummaryWriter
from orgboard._encoding.records import event
from orgboard._kinds.layout import layout_body, read_layout
from orgboard_schema.types import Tensor
from orgboard_schema.wire.event_pb2 import Event
from orgboard_schema.wire.hparams_pb2 import HParamsPluginData
from orgboard_schema.wire.plugins_pb2 import (
    Category,
    Chart,
    Layout,
    MarginChartContent,
    MultilineChartContent,
)
from orgboard_schema.wire.reader import read_file
from orgboard_schema.wire.summary_pb2 import Summary, SummaryMetadata
from orgboard_schema.wire.tensor_pb2 import TensorProto, TensorShapeProto
from support.logged_runs import Logged, event_files, has_ended, scalars, summaries

names = st.text(st.characters(codec="utf-8"), max_size=30)


def chosen(run: Path) -> dict[str, Any]:
    """Read a run's settings, as Python values."""
    (start,) = (
        HParamsPluginData.FromString(value.metadata.plugin_data.content).session_start_info
        for _, value in summaries(run)
        if value.tag == b"_hparams_/session_start_info"
    )
    return {
        name: getattr(value, str(value.WhichOneof("kind"))) for name, value in start.hparams.items()
    }


def infos(run: Path) -> dict[str, Any]:
    """Read what a run says that its settings may be."""
    (experiment,) = (
        HParamsPluginData.FromString(value.metadata.plugin_data.content).experiment
        for _, value in summaries(run)
        if value.tag == b"_hparams_/experiment"
    )
    return {info.name: info for info in experiment.hparam_infos}


@dataclasses.dataclass
class Model:
    """Settings as a class."""

    layers: int = 3
    bias: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    """Settings without a `__dict__`."""

    layers: int = 3


def relu() -> None:
    """Stand for a function among the settings."""


class Hostile:
    """What cannot be shown."""

    def __repr__(self) -> str:
        raise RuntimeError("no text")


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"lr": 0.5, "n": 3}, {"lr": 0.5, "n": 3.0}),
        ({"m": {"layers": 3, "act": {"name": "x"}}}, {"m/layers": 3.0, "m/act/name": "x"}),
        ({"model": Model()}, {"model/layers": 3.0, "model/bias": True}),
        (argparse.Namespace(lr=0.5, amp=False), {"lr": 0.5, "amp": False}),
        (Model(), {"layers": 3.0, "bias": True}),
        ({"empty": {}, "list": [1, 2]}, {"empty": "{}", "list": "[1, 2]"}),
        ({"act": relu, "kind": Model}, {"act": "relu", "kind": "Model"}),
        ({"bad": Hostile(), "lr": 1}, {"bad": "Hostile", "lr": 1.0}),
        ({"big": 10**400, "b": b"x"}, {"big": str(10**400), "b": "b'x'"}),
        ({"a": np.float32(0.5), "b": np.array([2])}, {"a": 0.5, "b": 2.0}),
        ({"a": np.bool_(True), "b": np.array([False])}, {"a": True, "b": False}),
        ({"model": Frozen()}, {"model/layers": 3.0}),
        ({1: 2, None: 3}, {"1": 2.0, "None": 3.0}),
    ],
)  # fmt: skip
def test_settings_of_every_form_are_kept(tmp_path: Path, given: Any, expected: Any) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(given, {}, run_name="trial")
        assert writer.dropped == 0

    found = chosen(tmp_path / "trial")
    assert found == expected
    assert {name: type(value) for name, value in found.items()} == {
        name: type(value) for name, value in expected.items()
    }


def test_none_is_left_out_and_explained_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path) as writer:
        for number in range(2):
            writer.add_hparams({"lr": 1, "drop": None}, {"acc": None, "f": 2}, run_name=str(number))
        assert writer.dropped == 0

    assert chosen(tmp_path / "0") == chosen(tmp_path / "1") == {"lr": 1.0}
    assert scalars(tmp_path / "0") == [Logged("f", 0, 2.0)]
    of_metric, of_setting = (record.getMessage() for record in caplog.records)
    assert of_metric.startswith("add_hparams: the metric 'acc' is None, which means 'not set'")
    assert of_setting.startswith("add_hparams: the setting 'drop' is None, which means 'not set'")
    # A text in place of a metric would be dropped.
    assert ("a text" in of_metric, "a text" in of_setting) == (False, True)


def test_a_mapping_that_holds_itself_is_dropped(tmp_path: Path) -> None:
    endless: dict[str, Any] = {}
    endless["again"] = endless
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(endless, {})
        assert writer.dropped == 1


def test_a_metric_that_is_no_number_is_dropped_and_the_rest_kept(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(
            {"lr": 1}, {"acc": 0.5, "curve": [1, 2], "note": "x", "val": {"f": 1}}, None, "trial"
        )
        assert writer.dropped == 2

    assert scalars(tmp_path / "trial") == [Logged("acc", 0, 0.5), Logged("val/f", 0, 1.0)]
    assert chosen(tmp_path / "trial") == {"lr": 1.0}


def test_metrics_may_be_left_out(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, run_name="trial")
        writer.add_hparams({"lr": 2}, None, run_name="other")
        assert writer.dropped == 0

    assert (chosen(tmp_path / "trial"), chosen(tmp_path / "other")) == ({"lr": 1.0}, {"lr": 2.0})


def test_both_orders_of_arguments_are_understood(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, {"a": 1}, {"lr": [1, 2]}, "torch", 5)
        writer.add_hparams({"lr": 1}, {"a": 1}, "named", 6)
        writer.add_hparams({"lr": 1}, {"a": 1}, None, np.int64(7))  # unnamed

    assert scalars(tmp_path / "torch") == [Logged("a", 5, 1.0)]
    assert scalars(tmp_path / "named") == [Logged("a", 6, 1.0)]
    (unnamed,) = (path for path in tmp_path.iterdir() if path.name.startswith("1"))
    assert scalars(unnamed) == [Logged("a", 7, 1.0)]


@pytest.mark.parametrize("name", [".", "./", "x/.."])
def test_a_run_may_hold_its_own_settings(tmp_path: Path, name: str) -> None:
    writer = SummaryWriter(tmp_path)
    writer.add_hparams({"lr": 1}, {"acc": 2}, run_name=name)
    writer.add_scalar("loss", 3.0, 1)
    writer.flush()

    assert chosen(tmp_path) == {"lr": 1.0}
    assert scalars(tmp_path) == [Logged("acc", 0, 2.0), Logged("loss", 1, 3.0)]
    assert not has_ended(tmp_path)
    assert [path for path in tmp_path.iterdir() if path.is_dir()] == []
    writer.close()


def test_a_sub_run_ends_with_its_settings(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 1}, {"acc": 2}, run_name=tmp_path / "trial")
        writer.flush()

        assert has_ended(tmp_path / "trial")


def test_a_domain_of_the_setting_s_type_is_kept(tmp_path: Path) -> None:
    settings = {"lr": 0.1, "opt": "adam", "bn": True, "model": {"n": 1}}
    domains = {"lr": (1, 0.1), "opt": {"adam"}, "bn": [False], "model": {"n": [1, 2]}}
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams(settings, {}, domains, "trial")
        assert writer.dropped == 0

    found = infos(tmp_path / "trial")
    assert [value.number_value for value in found["lr"].domain_discrete.values] == [1.0, 0.1]
    assert [value.string_value for value in found["opt"].domain_discrete.values] == ["adam"]
    assert [value.bool_value for value in found["bn"].domain_discrete.values] == [False]
    assert [value.number_value for value in found["model/n"].domain_discrete.values] == [1.0, 2.0]


@pytest.mark.parametrize("domains", [{"lr": ["a"]}, {"other": [1]}, {"lr": 3}, {"lr": [True]}])
def test_a_domain_that_does_not_fit_is_dropped_and_the_setting_kept(
    tmp_path: Path, domains: dict[str, Any]
) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_hparams({"lr": 0.1}, {"acc": 1}, domains, "trial")
        assert writer.dropped == 1
    with (
        pytest.raises((ValueError, TypeError)),
        SummaryWriter(tmp_path / "strict", strict=True) as strict,
    ):
        strict.add_hparams({"lr": 0.1}, {}, domains)

    assert chosen(tmp_path / "trial") == {"lr": 0.1}
    assert not infos(tmp_path / "trial")["lr"].HasField("domain_discrete")
    assert scalars(tmp_path / "trial") == [Logged("acc", 0, 1.0)]


charts = st.one_of(
    st.tuples(st.just("Margin"), st.lists(names, min_size=3, max_size=3)),
    st.tuples(st.sampled_from(["Multiline", "anything"]), st.lists(names, max_size=3)),
)


@given(st.dictionaries(names, st.dictionaries(names, charts, max_size=3), max_size=3))
def test_a_layout_is_the_bytes_that_protobuf_writes(
    layout: dict[str, dict[str, tuple[str, list[str]]]],
) -> None:
    written = Layout(
        category=[
            Category(title=title, chart=[_chart(name, *chart) for name, chart in charts.items()])
            for title, charts in layout.items()
        ]
    )
    value = Summary.Value(
        tag=b"custom_scalars__config__",
        metadata=SummaryMetadata(
            plugin_data=SummaryMetadata.PluginData(plugin_name=b"custom_scalars")
        ),
        tensor=TensorProto(
            dtype="DT_STRING",
            string_val=[written.SerializeToString()],
            tensor_shape=TensorShapeProto(),
        ),
    )
    expected = Event(wall_time=1.5, summary=Summary(value=[value]))

    body = layout_body("", read_layout(layout))

    assert event(body, 0, 1.5) == expected.SerializeToString()


def _chart(title: str, kind: str, tags: list[str]) -> Chart:
    if kind != "Margin":
        return Chart(title=title, multiline=MultilineChartContent(tag=tags))
    series = MarginChartContent.Series(value=tags[0], lower=tags[1], upper=tags[2])
    return Chart(title=title, margin=MarginChartContent(series=[series]))


def test_the_reader_takes_layouts_and_settings_as_what_they_are(tmp_path: Path) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_custom_scalars_multilinechart(["a", "b"], "c", "t")
        writer.add_hparams({"lr": 1}, {}, run_name=".")

    with event_files(tmp_path)[0].open("rb") as file:
        found = {point.tag: point for _, point in read_file(file, 0, {}).points}
    layout = found["custom_scalars__config__"]
    assert isinstance(layout.value, Tensor)
    assert layout.kind == "layout"
    assert layout.value.data == (
        Layout(
            category=[
                Category(
                    title="c",
                    chart=[Chart(title="t", multiline=MultilineChartContent(tag=["a", "b"]))],
                )
            ]
        ).SerializeToString(),
    )
    settings = found["_hparams_/session_start_info"]
    assert settings.metadata is not None
    assert settings.kind == "hparams"
    assert b"lr" in settings.metadata.content


def test_a_second_layout_is_written_and_the_user_told_that_it_replaces_the_first(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with SummaryWriter(tmp_path) as writer:
        for tag in "abc":
            writer.add_custom_scalars_multilinechart([tag])
        assert writer.dropped == 0

    layouts = [
        Layout.FromString(value.tensor.string_val[0])
        for _, value in summaries(tmp_path)
        if value.tag == b"custom_scalars__config__"
    ]
    assert [layout.category[0].chart[0].multiline.tag for layout in layouts] == [
        ["a"],
        ["b"],
        ["c"],
    ]
    assert caplog.text.count("a run has one layout") == 1


@pytest.mark.parametrize(
    "layout",
    [
        {"c": {"t": ["Margin", ["a", "b"]]}},
        {"c": {"t": ["Multiline", "loss"]}},
        {"c": {"t": ["Multiline"]}},
        {"c": ["t"]},
        ["c"],
        None,
    ],
)
def test_a_layout_of_another_form_is_dropped(tmp_path: Path, layout: Any) -> None:
    with SummaryWriter(tmp_path) as writer:
        writer.add_custom_scalars(layout)
        writer.add_custom_scalars_marginchart(["a", "b"])
        assert writer.dropped == 2

    assert [value.tag for _, value in summaries(tmp_path) if b"custom" in value.tag] == []
