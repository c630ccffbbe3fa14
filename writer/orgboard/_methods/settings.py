"""A run's settings: hyperparameters, and how its board is laid out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from orgboard._encoding.records import as_given
from orgboard._log.files import finish_run
from orgboard._methods.recorder import Recorder
from orgboard._values.arrays import to_float

__all__ = ["Settings"]


class Settings(Recorder):
    """Hyperparameters and layouts."""

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
            from orgboard._kinds.hparams import hparams_bodies, read_hparams

            if isinstance(hparam_domain_discrete, str):
                # tensorboardX's third parameter is the name.
                name, hparam_domain_discrete = hparam_domain_discrete, None
            where = str(run_name or name or time.time())
            metrics = {tag: value for tag, value in metric_dict.items() if value is not None}
            hparams = read_hparams(hparam_dict, hparam_domain_discrete or {}, metrics)
            for body in hparams_bodies(hparams):
                self._put(as_given, "", body, global_step, None, size=len(body), where=where)
            for tag, value in metrics.items():
                with self._guard:
                    self._put(None, tag, to_float(value), global_step, None, where=where)
            self._put(finish_run, "", None, None, None, size=1, where=where)
