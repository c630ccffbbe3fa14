"""The Lightning logger takes TensorBoardLogger's place: same directories, tags, steps, values."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

from orgboard_schema.wire.graph_pb2 import GraphDef
from support.event_files import read_whole
from support.frameworks import framework
from support.runs_read import read_run, runs_below

torch = framework("torch")
lightning = framework("lightning.pytorch")
pytorch_lightning = framework("pytorch_lightning")
OrgboardLogger = framework("orgboard.integrations.lightning").OrgboardLogger

BATCHES = 6


def module_of(package: Any) -> Any:
    """Make a module of either package that logs under TensorBoard's rules."""

    class Line(package.LightningModule):  # type: ignore[misc]
        def __init__(self, lr: float, width: int = 3) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.layer = torch.nn.Linear(width, 1)
            self.example_input_array = torch.zeros(2, width)

        def forward(self, x: Any) -> Any:
            return self.layer(x)

        def training_step(self, batch: Any, index: int) -> Any:
            loss = ((self(batch) - batch.sum(1, keepdim=True)) ** 2).mean()
            self.log("train/loss", loss, on_step=True, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, index: int) -> None:
            self.log_dict({"val/size": float(len(batch)), "val/index": float(index)})

        def configure_optimizers(self) -> Any:
            return torch.optim.SGD(self.parameters(), lr=self.hparams.lr)

    package.seed_everything(3, verbose=False)
    return Line(lr=0.05)


def fit(package: Any, loggers: Any, folder: Path, module: Any = None) -> Any:
    """Train two epochs of six batches, logging every second step."""
    module = module or module_of(package)
    data = torch.utils.data.DataLoader(torch.randn(BATCHES * 2, 3), batch_size=2)
    trainer = package.Trainer(
        max_epochs=2,
        logger=loggers,
        log_every_n_steps=2,
        accelerator="cpu",
        default_root_dir=folder,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    trainer.fit(module, data, data)
    return trainer


@pytest.mark.parametrize("package", [lightning, pytorch_lightning], ids=lambda p: p.__name__)
def test_tags_steps_and_values_are_those_of_tensorboard_logger(
    package: Any, tmp_path: Path
) -> None:
    theirs = package.loggers.TensorBoardLogger(tmp_path / "theirs")
    ours = OrgboardLogger(tmp_path / "ours")

    fit(package, [theirs, ours], tmp_path)

    expected = read_run(Path(theirs.log_dir)).scalars
    found = read_run(Path(ours.log_dir)).scalars
    assert expected["train/loss_step"]
    # Theirs invents a metric to have its settings shown.
    assert found == {tag: points for tag, points in expected.items() if tag != "hp_metric"}
    assert runs_below(tmp_path / "ours") == ["lightning_logs/version_0"]
    assert (Path(ours.log_dir) / "hparams.yaml").read_text() == (
        Path(theirs.log_dir) / "hparams.yaml"
    ).read_text()


def test_settings_graph_and_end_are_logged_and_the_checkpoint_lies_beside(tmp_path: Path) -> None:
    logger = OrgboardLogger(tmp_path, name="line", log_graph=True, prefix="a", sub_dir="b")

    trainer = fit(lightning, logger, tmp_path)

    run = read_run(tmp_path / "line" / "version_0" / "b")
    assert run.hparams == {"lr": 0.05, "width": 3.0}
    assert "a-train/loss_epoch" in run.scalars
    assert (run.outcome, run.is_closed) == ("success", True)
    assert logger.experiment.dropped == 0
    graph = next(points for points in run.points.values() if points[0][1].kind == "graph")
    assert len(GraphDef.FromString(graph[0][1].value.blobs[0].data).node) > 2
    assert trainer.checkpoint_callback.best_model_path.startswith(
        str(tmp_path / "line" / "version_0" / "checkpoints")
    )


def test_a_version_is_the_next_free_number_or_a_name(tmp_path: Path) -> None:
    for number in (0, 1):
        logger = OrgboardLogger(tmp_path, name="line")
        assert logger.version == number
        logger.log_metrics({"loss": 1.0}, 0)
        logger.finalize("success")

    named = OrgboardLogger(tmp_path, name="", version="best")

    assert named.log_dir == str(tmp_path / "best")


def test_a_training_that_fails_is_a_failed_run(tmp_path: Path) -> None:
    module = module_of(lightning)
    module.validation_step = lambda batch: 1 / 0
    logger = OrgboardLogger(tmp_path)

    with pytest.raises(ZeroDivisionError):
        fit(lightning, logger, tmp_path, module)

    assert read_run(Path(logger.log_dir)).outcome == "failure"


def test_other_ranks_write_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logger = OrgboardLogger(tmp_path)
    monkeypatch.setattr(lightning.utilities.rank_zero_only, "rank", 1)

    logger.log_metrics({"loss": 1.0}, 0)
    logger.experiment.add_scalar("loss", 1.0, 0)
    logger.log_hyperparams({"lr": 0.1})
    logger.finalize("success")

    assert list(tmp_path.iterdir()) == []


def test_a_copy_of_a_logger_that_is_open_writes_a_file_of_its_own(tmp_path: Path) -> None:
    logger = OrgboardLogger(tmp_path)
    logger.log_metrics({"loss": 1.0}, 0)

    copied = copy.deepcopy(logger)
    copied.log_metrics({"loss": 2.0}, 1)
    copied.finalize("success")
    logger.finalize("success")

    assert read_run(Path(logger.log_dir)).scalars == {"loss": [(0, 1.0), (1, 2.0)]}
    files = list(Path(logger.log_dir).glob("events.*"))
    assert all(len(read_whole(file.read_bytes(), final=True)) for file in files)
    assert len(files) == 2
