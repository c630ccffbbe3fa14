"""Optuna: a callback that makes each trial of a study a run.

    import optuna
    from orgboard.integrations.optuna import OrgboardCallback

    study = optuna.create_study(study_name="search")
    study.optimize(objective, n_trials=20, callbacks=[OrgboardCallback("runs/search")])

A trial is the run `runs/search/trial-7`, written when the trial has ended: its parameters are
the settings, beside its state as `optuna/state`; each value is a scalar, at the number of the
trial's last report; what it reported on the way is `intermediate`, at its own steps.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from orgboard.integrations._session import log_outcome, log_settings, open_run_midway

__all__ = ["OrgboardCallback"]


class OrgboardCallback:
    """Log each trial when it has ended. May be called from several threads, as by `n_jobs`.

    `metric_name` names the value, or in order the values of a study of several objectives; by
    default they have the study's `metric_names`, or are `value`, or `value_0`, `value_1`, ….
    `options` are `SummaryWriter`'s. It writes whole runs: processes that share a study may
    share `log_dir`.

    A failed trial is a failed run. A pruned one is not: it has no value, but its last
    intermediate one.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str],
        *,
        metric_name: str | Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        self._log_dir = Path(log_dir)
        self._names = [metric_name] if isinstance(metric_name, str) else metric_name
        self._options = options

    def __call__(self, study: Any, trial: Any) -> None:
        """Log a trial that has ended."""
        with open_run_midway(self._log_dir / f"trial-{trial.number}", **self._options) as writer:
            with writer._guard:
                log_settings(writer, {**trial.params, "optuna/state": trial.state.name})
                for name, value in trial.user_attrs.items():
                    writer.add_text(f"user_attrs/{name}", str(value))
                for step, value in sorted(trial.intermediate_values.items()):
                    writer.add_scalar("intermediate", value, step)
                # A pruned trial has its last intermediate value for a value.
                values = trial.values if trial.state.name == "COMPLETE" else None
                names = self._names or _names(study, len(values or ()))
                for name, value in zip(names, values or (), strict=True):
                    writer.add_scalar(name, value, trial.last_step)
            log_outcome(writer, failed=trial.state.name == "FAIL")


def _names(study: Any, number: int) -> Sequence[str]:
    given: Sequence[str] | None = getattr(study, "metric_names", None)
    if given:
        return given
    return ["value"] if number == 1 else [f"value_{at}" for at in range(number)]
