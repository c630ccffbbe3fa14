"""What a model is made of: its computation graph, from whichever library it comes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from orgboard._methods.recorder import Recorder

if TYPE_CHECKING:
    from os import PathLike

    from orgboard._graphs.recognise import GraphEvent

__all__ = ["Graphs"]


class Graphs(Recorder):
    """Computation graphs."""

    def add_graph(
        self,
        model: Any,
        input_to_model: Any = None,
        verbose: bool = False,
        use_strict_trace: bool = True,
    ) -> None:
        """Log what a model computes, as a graph of its operations.

            writer.add_graph(net, torch.zeros(1, 3, 32, 32))

        `model` is a torch module, traced with `input_to_model`: a tensor, a tuple of them, or a
        dict of named ones. It runs on this thread, in evaluation mode, and is afterwards as it
        was. Where torch cannot trace it, its modules are shown, with the shapes that one forward
        has; without an input, its modules alone. `verbose` prints the trace; `use_strict_trace`
        is handed to `torch.jit.trace`.

        It may also be a GraphDef (the message or its bytes), a graph or function of TensorFlow,
        a Keras model, a graph of `torch.fx` or `torch.export`, a jaxpr, or a function with the
        arrays of jax to call it with. Constants of more than 64 KiB are left out.
        """
        with self._guard:
            if self._muted:
                return  # no reason to run the model
            from orgboard._graphs.recognise import read_graph

            events = read_graph(
                model,
                input_to_model,
                verbose=bool(verbose),
                strict=bool(use_strict_trace),
                tell=partial(self._guard.tell_once, f"graph of a {type(model).__name__}"),
            )
            self._put_all(events)

    def add_onnx_graph(
        self, prototxt: Any = None, *, onnx_model_file: str | PathLike[str] | None = None
    ) -> None:
        """Log the graph of an ONNX model: a path, the file's bytes or a ModelProto.

        The file is read now, without its weights. `onnx_model_file` is tensorboardX's name.
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._graphs.onnx import read_onnx
            from orgboard._graphs.recognise import nodes_event

            given = prototxt if onnx_model_file is None else onnx_model_file
            self._put_all([nodes_event(read_onnx(given))])

    def add_openvino_graph(self, xmlname: str | PathLike[str]) -> None:
        """Log the graph of an OpenVINO model, from its XML file, which is read now."""
        with self._guard:
            if self._muted:
                return
            from orgboard._graphs.openvino import read_openvino
            from orgboard._graphs.recognise import nodes_event

            self._put_all([nodes_event(read_openvino(xmlname))])

    def _put_all(self, events: list[GraphEvent]) -> None:
        for encode, tag, value, size in events:
            self._put(encode, tag, value, None, None, size=size)
