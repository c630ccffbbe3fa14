"""The Optuna callback makes each trial a run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.frameworks import framework
from support.runs_read import as_stored, read_run, runs_below

optuna = framework("optuna")
OrgboardCallback = framework("orgboard.integrations.optuna").OrgboardCallback


@pytest.fixture(autouse=True)
def _quiet() -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)


def objective(trial: Any) -> float:
    """Fit a line by gradient descent; the second trial is pruned and the third fails."""
    lr = trial.suggest_float("lr", 0.05, 0.2)
    trial.suggest_categorical("momentum", [True, False])
    slope, loss = 0.0, 0.0
    for step in range(4):
        loss = (slope - 2) ** 2
        slope -= lr * 2 * (slope - 2)
        trial.report(loss, step)
        if trial.number == 1 and step == 1:
            raise optuna.TrialPruned
        if trial.number == 2:
            raise ArithmeticError("diverged")
    trial.set_user_attr("slope", slope)
    return loss


def test_each_trial_is_a_run_with_its_parameters_reports_value_and_state(tmp_path: Path) -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=1))

    study.optimize(
        objective, n_trials=4, callbacks=[OrgboardCallback(tmp_path)], catch=[ArithmeticError]
    )

    assert runs_below(tmp_path) == [f"trial-{number}" for number in range(4)]
    for trial in study.trials:
        run = read_run(tmp_path / f"trial-{trial.number}")
        assert run.hparams == {**trial.params, "optuna/state": trial.state.name}
        assert run.scalars["intermediate"] == as_stored(
            *zip(*trial.intermediate_values.items(), strict=True)
        )
        assert run.outcome == ("failure" if trial.number == 2 else "success")
        assert run.is_closed
    complete = read_run(tmp_path / "trial-0")
    assert complete.scalars["value"] == as_stored([3], [study.trials[0].value])
    assert "user_attrs/slope/text_summary" in complete.points
    assert "value" not in read_run(tmp_path / "trial-1").scalars


def test_several_objectives_have_the_names_of_the_study(tmp_path: Path) -> None:
    study = optuna.create_study(directions=["minimize", "maximize"])
    study.set_metric_names(["loss", "accuracy"])

    study.optimize(lambda trial: (0.25, 0.75), n_trials=1, callbacks=[OrgboardCallback(tmp_path)])

    assert read_run(tmp_path / "trial-0").scalars == {
        "loss": [(0, 0.25)],
        "accuracy": [(0, 0.75)],
    }


def test_threads_log_their_trials_side_by_side(tmp_path: Path) -> None:
    study = optuna.create_study()

    study.optimize(
        lambda trial: trial.suggest_float("x", 0, 1),
        n_trials=12,
        n_jobs=4,
        callbacks=[OrgboardCallback(tmp_path, metric_name="x squared")],
    )

    found = {
        number: read_run(tmp_path / f"trial-{number}").scalars["x squared"] for number in range(12)
    }
    assert found == {trial.number: as_stored([0], [trial.value]) for trial in study.trials}


def test_a_disk_that_refuses_does_not_stop_a_study(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    study = optuna.create_study()

    study.optimize(
        lambda trial: trial.suggest_float("x", 0, 1),
        n_trials=2,
        callbacks=[OrgboardCallback(tmp_path / "taken")],
    )

    assert len(study.trials) == 2
    assert (tmp_path / "taken").read_text() == "a file"
