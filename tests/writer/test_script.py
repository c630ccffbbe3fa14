"""`orgboard.run`: a script's run, opened and ended as the script ends."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from pathlib import Path

import pytest

import orgboard
from orgboard import SummaryWriter
from orgboard.integrations._session import is_main_process
from support.runs_read import read_run, runs_below


def test_a_block_is_a_run_with_its_settings_that_succeeds(tmp_path: Path) -> None:
    with orgboard.run(tmp_path, config={"lr": 0.1, "model": {"depth": 2}, "seed": None}) as run:
        run.add_scalar("loss", 0.5, 3)

    found = read_run(tmp_path)
    assert runs_below(tmp_path) == ["."]
    assert found.hparams == {"lr": 0.1, "model/depth": 2.0}
    assert found.scalars == {"loss": [(3, 0.5)]}
    assert (found.outcome, found.is_closed) == ("success", True)


def test_a_block_that_raises_is_a_failed_run_and_the_error_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ArithmeticError, match="diverged"), orgboard.run(tmp_path):
        raise ArithmeticError("diverged")

    found = read_run(tmp_path)
    [(_, remark)] = found.points["orgboard/annotation"]
    assert b"failed: ArithmeticError: diverged" in remark.value.data[0]
    assert (found.outcome, found.is_closed) == ("failure", True)


@pytest.mark.parametrize(
    ("code", "outcome"), [(None, "success"), (0, "success"), (3, "failure"), ("no", "failure")]
)
def test_a_script_that_exits_fails_unless_it_says_it_is_done(
    tmp_path: Path, code: object, outcome: str
) -> None:
    with pytest.raises(SystemExit), orgboard.run(tmp_path):
        raise SystemExit(code)

    assert read_run(tmp_path).outcome == outcome


def test_an_interrupt_goes_on_and_fails_the_run(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), orgboard.run(tmp_path):
        raise KeyboardInterrupt

    assert read_run(tmp_path).outcome == "failure"


def test_each_call_of_a_decorated_function_is_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    @orgboard.run(config=Namespace(lr=0.1))
    def train(run: SummaryWriter, loss: float) -> str:
        run.add_scalar("loss", loss)
        return run.log_dir

    names = [train(0.5), train(loss=0.25)]

    losses = [
        loss for name in dict.fromkeys(names) for loss in read_run(Path(name)).scalars["loss"]
    ]
    assert train.__name__ == "train"
    assert losses == [(0, 0.5), (0, 0.25)]
    assert read_run(Path(names[0])).hparams == {"lr": 0.1}


def test_runs_may_be_open_within_one_another(tmp_path: Path) -> None:
    opened = orgboard.run(tmp_path / "a")
    with opened as outer, opened as inner:
        outer.add_scalar("loss", 1.0)
        inner.add_scalar("loss", 2.0)

    assert sorted(read_run(tmp_path / "a").scalars["loss"]) == [(0, 1.0), (0, 2.0)]


CLUSTERS: dict[str, dict[str, list[str]]] = {
    "workers": {"worker": []},
    "chief": {"chief": [], "worker": []},
}


def task(cluster: str, kind: str, index: int) -> dict[str, str]:
    """Make the environment that TensorFlow's launchers give a process."""
    config = {"cluster": CLUSTERS[cluster], "task": {"type": kind, "index": index}}
    return {"TF_CONFIG": json.dumps(config)}


@pytest.mark.parametrize(
    ("environment", "is_main"),
    [
        ({}, True),
        ({"RANK": "0"}, True),
        ({"RANK": "1"}, False),
        ({"RANK": "one"}, True),
        (task("workers", "worker", 0), True),
        (task("workers", "worker", 1), False),
        (task("chief", "chief", 0), True),
        (task("chief", "worker", 0), False),
        ({"TF_CONFIG": "not JSON"}, True),
    ],
)
def test_only_the_first_process_writes(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    *,
    is_main: bool,
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    with orgboard.run(tmp_path / "run") as run:
        run.add_scalar("loss", 1.0)

    assert is_main_process() == is_main
    assert (tmp_path / "run").exists() == is_main


def test_settings_that_cannot_be_read_do_not_stop_a_script(tmp_path: Path) -> None:
    with orgboard.run(tmp_path, config=3) as run:
        run.add_scalar("loss", 1.0)

    assert run.dropped == 1
    assert read_run(tmp_path).scalars == {"loss": [(0, 1.0)]}


def test_the_sdk_does_not_load_its_integrations() -> None:
    assert "orgboard.integrations.keras" not in sys.modules
