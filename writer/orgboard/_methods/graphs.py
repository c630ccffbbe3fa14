"""What a model is made of: its computation graph, from whichever library it comes."""

from __future__ import annotations

from typing import Any

from orgboard._encoding.records import graph_body, graph_bytes
from orgboard._methods.recorder import Recorder

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
        """Log a graph: a GraphDef, as the message or its serialised bytes, or what holds one.

        The other parameters are torch's, for tracing a module; a module is not logged.
        """
        del input_to_model, verbose, use_strict_trace
        with self._guard:
            graph = graph_bytes(model)
            self._put(graph_body, "", graph, None, None, size=len(graph))
