"""Ray Tune: a callback that makes each trial a run, in the trial's own directory.

    from orgboard.integrations.ray import OrgboardLoggerCallback
    from ray import tune

    tune.Tuner(
        trainable,
        param_space={"lr": tune.loguniform(1e-4, 1e-1)},
        run_config=tune.RunConfig(callbacks=[OrgboardLoggerCallback()]),
    ).fit()

A result's numbers are tags of their own names, nested ones joined with "/", and not below
`ray/tune` as with TBXLoggerCallback; the step is the same: `timesteps_total` where the trainable
counts them, else `training_iteration`. The trial's configuration is the run's settings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from ray.tune.logger import LoggerCallback  # pyright: ignore[reportMissingImports]

from orgboard.integrations._session import log_outcome, log_settings, open_run_midway
from orgboard.writer import SummaryWriter

__all__ = ["OrgboardLoggerCallback"]

_ABOUT_THE_TRIAL: Final = frozenset(
    {
        "config",
        "date",
        "done",
        "experiment_tag",
        "hostname",
        "node_ip",
        "pid",
        "should_checkpoint",
        "time_total_s",
        "timestamp",
        "training_iteration",
        "trial_id",
    }
)
"""Entries of a result that are no measurements: they stand in every one, or count steps."""


class OrgboardLoggerCallback(LoggerCallback):
    """Log every result of every trial, from the process that runs the search.

    `options` are `SummaryWriter`'s.
    """

    _SAVED_FILE_TEMPLATES: Final = ("events.out.tfevents.*",)

    def __init__(self, **options: Any) -> None:
        super().__init__()
        self._options = options
        self._writers: dict[Any, SummaryWriter] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the open runs: a copy is for another process, or for a search gone on with."""
        return {**self.__dict__, "_writers": {}}

    def log_trial_start(self, trial: Any) -> None:
        """Open the trial's run; log its configuration."""
        self._close(trial)
        trial.init_local_path()
        writer = open_run_midway(trial.local_path, **self._options)
        self._writers[trial] = writer
        with writer._guard:
            log_settings(writer, trial.config)

    def log_trial_restore(self, trial: Any) -> None:
        """Go on with a trial that began in an earlier process."""
        if trial not in self._writers:
            self.log_trial_start(trial)

    def log_trial_result(self, iteration: int, trial: Any, result: Mapping[str, Any]) -> None:
        """Log a result."""
        if trial not in self._writers:
            self.log_trial_start(trial)
        step = result.get("timesteps_total") or result.get("training_iteration", iteration)
        measured = {name: value for name, value in result.items() if name not in _ABOUT_THE_TRIAL}
        self._writers[trial].log(measured, step)

    def log_trial_end(self, trial: Any, failed: bool = False) -> None:
        """Log how the trial ended, and close its file."""
        writer = self._writers.get(trial)
        if writer is not None:
            log_outcome(writer, failed=failed)
        self._close(trial)

    def _close(self, trial: Any) -> None:
        writer = self._writers.pop(trial, None)
        if writer is not None:
            writer.close()
