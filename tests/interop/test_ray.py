"""The Ray Tune callback makes each trial a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.frameworks import framework
from support.runs_read import as_stored, read_run, runs_below

tune = framework("ray.tune")
OrgboardLoggerCallback = framework("orgboard.integrations.ray").OrgboardLoggerCallback


def trainable() -> Callable[[dict[str, Any]], None]:
    """Make a function that Ray's workers, which know nothing of this module, are sent whole."""

    def fit_line(config: dict[str, Any]) -> None:
        from ray import tune  # type: ignore[import-not-found, unused-ignore]

        slope = 0.0
        for _ in range(3):
            if config["lr"] > 0.4:
                raise ArithmeticError("diverged")
            loss = (slope - 2) ** 2
            slope -= config["lr"] * 2 * (slope - 2)
            tune.report({"loss": loss, "slope": {"now": slope}})

    return fit_line


@pytest.mark.usefixtures("ray_cluster")
def test_each_trial_is_a_run_with_its_settings_results_and_end(tmp_path: Path) -> None:
    found = tune.Tuner(
        trainable(),
        param_space={"lr": tune.grid_search([0.1, 0.5]), "model": {"depth": 2}},
        run_config=tune.RunConfig(
            name="search",
            storage_path=str(tmp_path),
            callbacks=[OrgboardLoggerCallback()],
            verbose=0,
        ),
    ).fit()

    runs = {result.config["lr"]: read_run(Path(result.path)) for result in found}
    assert len(runs_below(tmp_path)) == 2
    good, bad = runs[0.1], runs[0.5]
    [history] = [result.metrics_dataframe for result in found if result.config["lr"] == 0.1]
    assert good.scalars["loss"] == as_stored(history["training_iteration"], history["loss"])
    assert good.scalars["slope/now"] == as_stored(
        history["training_iteration"], history["slope/now"]
    )
    assert good.hparams == {"lr": 0.1, "model/depth": 2.0}
    assert (good.outcome, good.is_closed) == ("success", True)
    assert (bad.outcome, bad.is_closed) == ("failure", True)
