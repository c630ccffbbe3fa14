"""`FileWriter`: takes events and summaries as the protobuf messages that scripts made themselves.

    writer.file_writer.add_summary(summary, step)

`SummaryWriter.file_writer` gives one for its own run; made by itself it is a run's only writer.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from typing import Any

from orgboard._encoding.records import as_given, graph_body
from orgboard._kinds.messages import (
    read_event,
    run_metadata_body,
    serialised,
    summary_message_body,
)
from orgboard._methods.recorder import QUEUE_DEFAULT, Recorder

__all__ = ["FileWriter"]


class FileWriter:
    """Writes events to one run's files, by the names of torch's and tensorboardX's class.

    Messages may be of any protobuf package (tensorboard's, TensorFlow's, tensorboardX's), or the
    bytes of one; they are read at once, so that they may be used again. As with every writer
    of ours, nothing but the constructor raises: what is no such message is dropped and counted.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        max_queue: int = QUEUE_DEFAULT,
        flush_secs: float = 2,
        filename_suffix: str = "",
        *,
        logdir: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        self._recorder = Recorder(
            log_dir if log_dir is not None else logdir,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
            **options,
        )

    @classmethod
    def of(cls, recorder: Recorder) -> FileWriter:
        """Give the file writer of a run that a `SummaryWriter` records."""
        writer = cls.__new__(cls)
        writer._recorder = recorder
        return writer

    @property
    def dropped(self) -> int:
        """Values that were given to this run's writer and will not be in a file."""
        return self._recorder.dropped

    def get_logdir(self) -> str:
        """Give the directory of the event files."""
        return self._recorder.get_logdir()

    def add_event(self, event: Any, step: Any = None, walltime: float | None = None) -> None:
        """Write an Event: at `walltime`, else now; at `step`, else at its own."""
        recorder = self._recorder
        with recorder._guard:
            given = read_event(serialised(event))
            step = recorder._default_step if step is None else step
            step = given.step if step is None else step
            recorder._put(as_given, "", given.body, step, walltime, size=len(given.body))

    def add_summary(
        self, summary: Any, global_step: Any = None, walltime: float | None = None
    ) -> None:
        """Write a Summary as an event."""
        recorder = self._recorder
        with recorder._guard:
            message = serialised(summary)
            recorder._put(
                summary_message_body, "", message, global_step, walltime, size=len(message)
            )

    def add_graph(self, graph_profile: Any, walltime: float | None = None) -> None:
        """Write a graph: a pair of GraphDef and RunMetadata, as torch's tracing returns it."""
        recorder = self._recorder
        with recorder._guard:
            graph, run_metadata = map(serialised, graph_profile)
            recorder._put(graph_body, "", graph, None, walltime, size=len(graph))
            size = len(run_metadata)
            recorder._put(run_metadata_body, "step1", run_metadata, None, walltime, size=size)

    def add_onnx_graph(self, graph: Any, walltime: float | None = None) -> None:
        """Write a GraphDef that was made of an ONNX model."""
        recorder = self._recorder
        with recorder._guard:
            message = serialised(graph)
            recorder._put(graph_body, "", message, None, walltime, size=len(message))

    def add_openvino_graph(self, graph: Any, walltime: float | None = None) -> None:
        """Write a GraphDef that was made of an OpenVINO model."""
        self.add_onnx_graph(graph, walltime)

    def flush(self) -> None:
        """Return when all that was given is in the file; waits at most ten seconds."""
        self._recorder.flush()

    def close(self) -> None:
        """Write everything and close the files. Twice is no error."""
        self._recorder.close()

    def reopen(self) -> None:
        """Do nothing: after `close` the next value opens a new file by itself."""

    def use_metadata(
        self, *, global_step: Any = None, walltime: float | None = None
    ) -> AbstractContextManager[Any]:
        """Give a step, a time or both to every event inside that is given none itself."""
        return self._recorder.use_metadata(global_step=global_step, walltime=walltime)

    def __enter__(self) -> FileWriter:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()
