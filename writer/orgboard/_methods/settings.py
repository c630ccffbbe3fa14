"""A run's settings: hyperparameters, and how its board is laid out."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, SupportsIndex

from orgboard._encoding.records import as_given
from orgboard._log.files import MAIN, finish_run
from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import to_float

if TYPE_CHECKING:
    from orgboard._kinds.hparams import HParams

__all__ = ["Settings"]


class Settings(Recorder):
    """Hyperparameters and layouts."""

    _has_layout = False

    def add_hparams(
        self,
        hparam_dict: Mapping[str, Any],
        metric_dict: Mapping[str, Any] | None = None,
        hparam_domain_discrete: Mapping[str, Iterable[Any]] | str | None = None,
        run_name: str | os.PathLike[str] | SupportsIndex | None = None,
        global_step: Any = None,
        *,
        name: str | None = None,
    ) -> None:
        """Log hyperparameters, and the metrics they led to, in a sub-run of their own.

            writer.add_hparams({"lr": 0.1, "model": {"layers": 3}}, {"accuracy": 0.97})

        A setting is a number, a bool (it stays one), a text, or one element of an array; of
        anything else its text is kept, of a function or class its name. Nested mappings,
        dataclasses and argparse's Namespace are flattened: the setting above is
        "model/layers". None means "not set": the format has no value for it, so the setting is
        left out here and stands empty beside the runs that have it.

        Each metric is one number, or an array of one element; it becomes a scalar of that tag
        at `global_step`. `hparam_domain_discrete` lists what values a setting may have, of the
        setting's own type. `run_name` (tensorboardX: `name`) names the sub-run; by default it
        is the time, and "." is this run itself. tensorboardX's order of arguments,
        `(hparam_dict, metric_dict, name, global_step)`, is understood too.
        """
        with self._guard:
            if self._muted:
                return
            if isinstance(hparam_domain_discrete, str):
                name, hparam_domain_discrete = hparam_domain_discrete, None
            if global_step is None and isinstance(run_name, SupportsIndex):
                run_name, global_step = None, run_name
            metrics = self._read_metrics(metric_dict or {})
            hparams = self._read_hparams(hparam_dict, hparam_domain_discrete or {}, metrics)
            where = self._sub_run(run_name or name or time.time())
            from orgboard._kinds.hparams import hparams_bodies

            for body in hparams_bodies(hparams):
                self._put(as_given, "", body, global_step, None, size=len(body), where=where)
            for tag, value in metrics.items():
                self._put(None, tag, value, global_step, None, where=where)
            if where != MAIN:
                self._put(finish_run, "", None, None, None, size=1, where=where)

    def add_custom_scalars(self, layout: Mapping[str, Mapping[str, Sequence[Any]]]) -> None:
        """Log how TensorBoard's "Custom Scalars" page shows this run's scalars.

            writer.add_custom_scalars({
                "losses": {
                    "all": ["Multiline", ["loss/train", "loss/.*"]],
                    "band": ["Margin", ["loss/mean", "loss/low", "loss/high"]],
                },
            })

        `layout` is {category: {chart title: [type, tags]}}. In a "Margin" chart the three tags
        are a value, its lower and its upper bound; in any other each tag, a regular expression,
        is a line. A run has one layout: what is logged later takes the place of what was.
        """
        with self._guard:
            from orgboard._kinds.layout import layout_body, read_layout

            charts = read_layout(layout)
            if self._has_layout:
                self._guard.tell_once(
                    "layout",
                    "add_custom_scalars: a run has one layout, and this one takes the place of"
                    " the one before. Give all charts in one call to see them all.",
                )
            self._has_layout = True
            size = 64 + len(repr(charts))
            self._put(layout_body, "", charts, None, None, size=size)

    def add_custom_scalars_multilinechart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Log a layout of one chart with a line for each tag; see `add_custom_scalars`."""
        with self._guard:  # a name that cannot be hashed
            self.add_custom_scalars({category: {title: ["Multiline", tags]}})

    def add_custom_scalars_marginchart(
        self, tags: Sequence[str], category: str = "default", title: str = "untitled"
    ) -> None:
        """Log a layout of one chart: a value's tag, its lower and its upper bound's."""
        with self._guard:  # a name that cannot be hashed
            self.add_custom_scalars({category: {title: ["Margin", tags]}})

    def _read_metrics(self, given: Mapping[str, Any]) -> dict[str, float]:
        """Take the metrics that are numbers; another is dropped, and the rest kept."""
        from orgboard._kinds.hparams import flat

        metrics = {}
        for tag, value in flat(given):
            with self._guard:
                if value is None:
                    self._tell_unset("metric", tag)
                else:
                    metrics[tag] = to_float(value)
        return metrics

    def _read_hparams(
        self, given: Mapping[str, Any], domains: Mapping[str, Any], metrics: Iterable[str]
    ) -> HParams:
        from orgboard._kinds.hparams import HParams, flat, read_domain, read_setting

        settings = {}
        for name, value in flat(given):
            if value is None:
                self._tell_unset("setting", name)
            else:
                settings[name] = read_setting(value)
        read = {}
        for name, values in flat(domains):
            with self._guard:
                if name not in settings:
                    raise ValueError(f"hparam_domain_discrete names no setting: {name!r}")
                read[name] = read_domain(name, values, settings[name])
        return HParams(settings, read, list(metrics))

    def _tell_unset(self, what: str, name: str) -> None:
        instead = " Give a text such as 'none' to see it." if what == "setting" else ""
        self._guard.tell_once(
            f"unset {what}",
            f"add_hparams: the {what} {name!r} is None, which means 'not set' and has no value in"
            f" the format: it is left out.{instead}",
        )

    def _sub_run(self, chosen: object) -> str:
        """Name the sub-run; the log directory itself, however it is written, is the run itself."""
        where = os.fspath(chosen) if isinstance(chosen, os.PathLike) else str(chosen)
        here = os.path.abspath(self._log_dir)  # noqa: PTH100 (pathlib is 10 ms of import)
        there = os.path.abspath(os.path.join(here, where))  # noqa: PTH100, PTH118 (as above)
        return MAIN if there == here else where
