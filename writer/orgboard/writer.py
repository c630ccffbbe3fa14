"""`SummaryWriter`: what a training script calls.

Every method takes a snapshot of its value, queues it and returns; a background thread does the
rest. Names, parameters and results are those of torch's and tensorboardX's class. Two things
differ on purpose: what is logged is on disk after two seconds and not two minutes, and no call
ever waits for a disk.
"""

from __future__ import annotations

import os
import time
import weakref
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any, Final

from orgboard import _disk
from orgboard._arrays import snapshot, to_float, to_step
from orgboard._files import MAIN, RunFiles, finish_run
from orgboard._guard import Guard
from orgboard._histogram import Sample, histogram_body
from orgboard._hparams import hparams_bodies, read_hparams
from orgboard._image import check_layout, image_body
from orgboard._kinds import DescribedScalar, described_scalar_body, text_body
from orgboard._log import EventLog
from orgboard._records import (
    FILE_VERSION,
    START,
    Encode,
    as_given,
    graph_body,
    graph_bytes,
    session_body,
)
from orgboard._run_file import Outside

__all__ = ["SummaryWriter"]

_now = time.time

QUEUE_DEFAULT: Final = 4096
"""Items after which the background thread is woken early. Waking it costs about ten calls."""

ITEM_BYTES: Final = 512
"""What a queued value takes beside its data."""


class SummaryWriter:
    """Logs one run: scalars, histograms, images, text, hyperparameters, a graph.

        with SummaryWriter("runs/first") as writer:
            writer.add_scalar("loss", 0.25, step)

    `log_dir` defaults to a new directory under `runs/`. It is created at once, and an error
    there is raised; after that nothing the writer meets stops or delays the training: what
    cannot be written is counted in `dropped` and warned about once on the logger "orgboard".
    With `strict=True` wrong arguments raise instead.

    `max_queue` is the number of waiting values at which writing starts before `flush_secs` are
    over; no call waits for it. `purge_step` tells readers to hide earlier points from that step
    on. A writer may be used from any thread, and after a fork: the child gets a file of its own.
    After `close()` the next value opens a new file.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = QUEUE_DEFAULT,
        flush_secs: float = 2,
        filename_suffix: str = "",
        write_to_disk: bool = True,
        *,
        logdir: str | os.PathLike[str] | None = None,
        strict: bool = False,
        **others: Any,
    ) -> None:
        chosen = log_dir if log_dir is not None else logdir
        self._log_dir = _disk.default_log_dir(comment) if not chosen else os.fspath(chosen)
        if "://" in self._log_dir:
            raise ValueError(
                f"log_dir must be a local directory, got {self._log_dir!r}; log locally and copy"
            )
        self._options = (max_queue, flush_secs, filename_suffix, write_to_disk, strict)
        self._guard = Guard(strict=strict)
        if others.keys() - {"comet_config"}:
            self._guard.tell_once("arguments", f"ignored unknown arguments: {sorted(others)}")
        outside = Outside(time.time, time.monotonic, os.write)
        files = RunFiles(self._log_dir, filename_suffix, self._guard, outside)
        self._log = EventLog(
            files, self._guard, wake_at=int(max_queue), flush_secs=float(flush_secs)
        )
        self._muted = not write_to_disk
        self._finalizer = weakref.finalize(self, self._log.close)
        if not self._muted:
            files.open_main()
            self._mark_restart(purge_step)

    @property
    def log_dir(self) -> str:
        """Directory of the event files, as it was given."""
        return self._log_dir

    @property
    def logdir(self) -> str:
        """Directory of the event files, by tensorboardX's name."""
        return self._log_dir

    @property
    def dropped(self) -> int:
        """Values that were given and will not be in a file: wrong, or too many while it failed."""
        return self._guard.dropped

    def get_logdir(self) -> str:
        """Give the directory of the event files."""
        return self._log_dir

    def add_scalar(
        self,
        tag: str,
        scalar_value: Any,
        global_step: Any = None,
        walltime: float | None = None,
        new_style: bool = False,
        double_precision: bool = False,
        display_name: str = "",
        summary_description: str = "",
    ) -> None:
        """Log a number, or an array or tensor of one element.

        It is stored as float32; with `double_precision` as float64. `new_style` chooses
        TensorFlow 2's form. `display_name` and `summary_description` (Markdown) describe the tag.
        """
        log = self._log
        # One comparison stands for: running, not forked, not closed, not crowded.
        if (
            len(log.queue) < log.room
            and scalar_value.__class__ is float
            and global_step.__class__ is int
            and tag.__class__ is str
            and not (new_style or double_precision or display_name or summary_description)
        ):
            when = _now() if walltime is None else walltime
            log.queue.append((MAIN, None, tag, scalar_value, global_step, when, 0))
            return
        with self._guard:
            value = to_float(scalar_value)
            if not (new_style or double_precision or display_name or summary_description):
                self._put(None, tag, value, global_step, walltime)
                return
            described = DescribedScalar(
                value, bool(new_style), bool(double_precision), display_name, summary_description
            )
            self._put(described_scalar_body, tag, described, global_step, walltime)

    def add_scalars(
        self,
        main_tag: str,
        tag_scalar_dict: Mapping[str, Any],
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log several numbers under one tag, each in a sub-run `<main_tag>_<key>` of its own."""
        with self._guard:
            stem = main_tag.replace("/", "_")
            for key, scalar_value in tag_scalar_dict.items():
                with self._guard:
                    value = to_float(scalar_value)
                    where = f"{stem}_{key}"
                    self._put(None, main_tag, value, global_step, walltime, where=where)

    def add_histogram(
        self,
        tag: str,
        values: Any,
        global_step: Any = None,
        bins: Any = "tensorflow",
        walltime: float | None = None,
        max_bins: int | None = None,
    ) -> None:
        """Log the distribution of the values of an array of any shape.

        `bins` is "tensorflow" (edges at powers of 1.1) or what `np.histogram` takes. The values
        are copied now and counted in the background.
        """
        with self._guard:
            sample = Sample(snapshot(values), bins, max_bins)
            self._put(histogram_body, tag, sample, global_step, walltime, size=sample.values.nbytes)

    def add_image(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "CHW",
    ) -> None:
        """Log a picture of 1 to 4 channels: uint8 as it is, other types from 0..1.

        `dataformats` names the order of the axes: "CHW", "HWC", "HW".
        """
        with self._guard:
            picture = check_layout(snapshot(img_tensor), dataformats)
            self._put(image_body, tag, picture, global_step, walltime, size=picture.array.nbytes)

    def add_images(
        self,
        tag: str,
        img_tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
        dataformats: str = "NCHW",
    ) -> None:
        """Log a batch of pictures as one, eight to a row."""
        self.add_image(tag, img_tensor, global_step, walltime, dataformats)

    def add_text(
        self,
        tag: str,
        text_string: str,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a text (Markdown). It is stored under `<tag>/text_summary`, as by torch."""
        with self._guard:
            content = str(text_string)
            tag = f"{tag}/text_summary"
            self._put(text_body, tag, content, global_step, walltime, size=4 * len(content))

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

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any],
        hparam_domain_discrete: Mapping[str, Iterable[Any]] | str | None = None,
        run_name: str | None = None,
        global_step: Any = None,
        *,
        name: str | None = None,
    ) -> None:
        """Log hyperparameters, and the metrics they led to, in a sub-run of their own.

        `run_name` (tensorboardX: `name`) names the sub-run; by default it is the time. A bool
        stays a bool; None means not set and is left out.
        """
        with self._guard:
            if isinstance(hparam_domain_discrete, str):
                # tensorboardX's third parameter is the name.
                name, hparam_domain_discrete = hparam_domain_discrete, None
            where = str(run_name or name or _now())
            metrics = {tag: value for tag, value in metric_dict.items() if value is not None}
            hparams = read_hparams(hparam_dict, hparam_domain_discrete or {}, metrics)
            for body in hparams_bodies(hparams):
                self._put(as_given, "", body, global_step, None, size=len(body), where=where)
            for tag, value in metrics.items():
                with self._guard:
                    self._put(None, tag, to_float(value), global_step, None, where=where)
            self._put(finish_run, "", None, None, None, size=1, where=where)

    def flush(self) -> None:
        """Return when everything logged so far is in the file, for other programs to read.

        Waits at most ten seconds, and not at all for a disk known to refuse.
        """
        self._log.flush()

    def close(self) -> None:
        """Write everything, record that the run ended, close the file. Twice is no error."""
        self._log.close()

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, in another process or this one, is a writer with a file of its own.
        return _reopen, (type(self), self._log_dir, self._options)

    def _mark_restart(self, purge_step: int | None) -> None:
        if purge_step is None:
            return
        for body in (FILE_VERSION, session_body(START)):
            self._put(as_given, "", body, purge_step, None, size=len(body))

    def _put(
        self,
        encode: Encode | None,
        tag: str,
        value: Any,
        step: Any,
        wall_time: float | None,
        *,
        size: int = 0,
        where: str = MAIN,
    ) -> None:
        if self._muted:
            return
        if not isinstance(tag, str):
            raise TypeError(f"a tag must be a string, got {type(tag).__name__}")
        if self._guard.strict and encode is not None and encode is not finish_run:
            # Encoded here and now, so that an error reaches the caller.
            encode, value = as_given, encode(tag, value)
        when = _now() if wall_time is None else float(wall_time)
        account = size + ITEM_BYTES if size or encode is not None else 0
        self._log.put((where, encode, tag, value, to_step(step), when, account))


def _reopen(
    kind: type[SummaryWriter], log_dir: str, options: tuple[int, float, str, bool, bool]
) -> SummaryWriter:
    max_queue, flush_secs, suffix, write_to_disk, strict = options
    return kind(
        log_dir,
        max_queue=max_queue,
        flush_secs=flush_secs,
        filename_suffix=suffix,
        write_to_disk=write_to_disk,
        strict=strict,
    )
