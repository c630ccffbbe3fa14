"""Graphs from files, writers of ready messages, the writer of a whole program, and what else."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from support.frameworks import framework
from support.peers.cases import (
    EQUAL,
    WALL,
    Case,
    Differs,
    Lacks,
    Raises,
    calling,
    one_directory,
    one_step,
)

__all__ = ["cases"]

OPENVINO = """<net name="small"><layers>
  <layer id="0" name="x" type="Parameter"/><layer id="1" name="y" type="Result"/>
</layers><edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges></net>
"""


def cases() -> Iterator[Case]:
    """Give the cases of this family."""
    yield from _graph_files()
    yield from _defaults()
    yield from _file_writer()
    yield from _global_writer()
    absent = Lacks("has no such method")
    for method, verdict in (("get_logdir", absent), ("flush", EQUAL), ("close", EQUAL)):
        call = partial(_before_and_after, method)
        yield Case(method, "before and after a value", call, tensorboardx=verdict)


def _before_and_after(method: str, writer: Any) -> None:
    getattr(writer, method)()
    writer.add_scalar("a", 1.0, 3, WALL)
    getattr(writer, method)()


def _graph_files() -> Iterator[Case]:
    yield Case("add_onnx_graph", "an addition", _add_onnx_graph)
    yield Case(
        "add_openvino_graph",
        "two layers",
        _add_openvino_graph,
        torch=Lacks("has no such method"),
    )


def _add_onnx_graph(writer: Any) -> None:
    onnx = framework("onnx")
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [2, 3]) for name in "xyz"
    ]
    node = onnx.helper.make_node("Add", ["x", "y"], ["z"], name="sum")
    graph = onnx.helper.make_graph([node], "small", ends[:2], ends[2:])
    with tempfile.TemporaryDirectory() as directory:
        path = f"{directory}/small.onnx"
        onnx.save(onnx.helper.make_model(graph), path)
        writer.add_onnx_graph(path)


def _add_openvino_graph(writer: Any) -> None:
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory, "small.xml")
        path.write_text(OPENVINO)
        writer.add_openvino_graph(str(path))


def _defaults() -> Iterator[Case]:
    absent = Lacks("has no such method")

    def within(writer: Any) -> None:
        with writer.use_metadata(global_step=5, walltime=WALL):
            writer.add_scalar("a", 1.0)
            writer.add_scalar("a", 2.0, 6)
            writer.add_text("b", "x")
        writer.add_scalar("a", 3.0, 7, WALL)

    yield Case("use_metadata", "step and time", within, torch=absent)

    def export(writer: Any) -> None:
        writer.add_scalars("a/b", {"x": 0.5, "y": 2}, 3, WALL)
        writer.export_scalars_to_json(f"{writer.logdir}/all.json")

    yield Case(
        "export_scalars_to_json",
        "two of add_scalars",
        export,
        torch=absent,
        tensorboardx=Differs(
            "makes directories of main_tag and key; ours, as torch's, one", one_directory
        ),
    )


def _messages(writer: Any) -> Any:
    """Give the messages that a writer takes: tensorboardX takes its own only."""
    own = type(writer).__module__.startswith("tensorboardX")
    return framework(
        "tensorboardX.proto.event_pb2" if own else "tensorboard.compat.proto.event_pb2"
    )


def _summary(writer: Any) -> Any:
    own = type(writer).__module__.startswith("tensorboardX")
    module = "tensorboardX.proto.summary_pb2" if own else "tensorboard.compat.proto.summary_pb2"
    summary = framework(module).Summary()
    summary.value.add(tag="a", simple_value=0.5)
    summary.value.add(tag="b", simple_value=1.5)
    return summary


def _file_writer() -> Iterator[Case]:
    yield Case(
        "FileWriter.add_summary",
        "two values",
        lambda w: w.add_summary(_summary(w), 3, WALL),
    )
    yield Case(
        "FileWriter.add_event",
        "step and time",
        lambda w: w.add_event(_messages(w).Event(summary=_summary(w)), 3, WALL),
    )
    yield Case(
        "FileWriter.add_event",
        "a step of its own",
        lambda w: w.add_event(_messages(w).Event(summary=_summary(w), step=9), None, WALL),
    )
    profiler = Differs("calls the step `profiler`; ours, as torch's, `step1`", one_step)
    yield Case("FileWriter.add_graph", "a traced layer", _add_traced, tensorboardx=profiler)
    yield Case("FileWriter.add_onnx_graph", "a GraphDef", partial(_add_graph_def, "add_onnx_graph"))
    yield Case(
        "FileWriter.add_openvino_graph",
        "a GraphDef",
        partial(_add_graph_def, "add_openvino_graph"),
        torch=Lacks("has no such method"),
    )
    yield Case("FileWriter.get_logdir", "nothing", calling("get_logdir"))
    for method in ("flush", "close"):
        yield Case(f"FileWriter.{method}", "nothing", calling(method))
    yield Case(
        "FileWriter.reopen",
        "nothing",
        calling("reopen"),
        torch=Raises("passes it on to what has no such method", "AttributeError"),
    )


def _traced() -> Any:
    torch = framework("torch")
    trace = framework("torch.utils.tensorboard._pytorch_graph").graph
    return trace(torch.nn.Linear(2, 1), torch.ones(1, 2))


def _add_traced(writer: Any) -> None:
    writer.add_graph(_traced(), WALL)


def _add_graph_def(method: str, writer: Any) -> None:
    getattr(writer, method)(_traced()[0], WALL)


def _global_writer() -> Iterator[Case]:
    absent = Lacks("has no such class")

    def numbers(writer: Any) -> None:
        for value in (0.5, 1.5):
            writer.add_scalar("a", value, WALL)
        writer.add_scalar("b", 2.5, WALL)

    def others(writer: Any) -> None:
        for _ in range(2):
            writer.add_text("a", "x", WALL)
            writer.add_image("a", np.zeros((3, 2, 2), np.uint8), WALL)

    yield Case("GlobalSummaryWriter.add_scalar", "two tags", numbers, torch=absent)
    for method in ("add_image", "add_text", "close"):
        yield Case(f"GlobalSummaryWriter.{method}", "the same tag", others, torch=absent)
