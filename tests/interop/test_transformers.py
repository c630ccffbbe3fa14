"""The Transformers callback takes TensorBoardCallback's place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from support.frameworks import framework
from support.runs_read import as_stored, read_run, runs_below

torch = framework("torch")
transformers = framework("transformers")
framework("accelerate")
OrgboardCallback = framework("orgboard.integrations.transformers").OrgboardCallback
TensorBoardCallback = framework("transformers.integrations").TensorBoardCallback


def trainer(folder: Path, *callbacks: Any, **arguments: Any) -> Any:
    """Set up the training of a BERT of some thousand weights on made-up sentences."""
    transformers.set_seed(5)
    config = transformers.BertConfig(
        vocab_size=16,
        hidden_size=8,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=8,
    )
    sentences = [
        {"input_ids": torch.randint(0, 16, (6,)), "labels": torch.tensor(at % 2)} for at in range(8)
    ]
    settings = {"max_steps": 4, "logging_steps": 1, "eval_strategy": "steps", "eval_steps": 2}
    return transformers.Trainer(
        transformers.BertForSequenceClassification(config),
        transformers.TrainingArguments(
            folder,
            report_to="none",
            per_device_train_batch_size=2,
            disable_tqdm=True,
            use_cpu=True,
            **{**settings, **arguments},
        ),
        train_dataset=sentences,
        eval_dataset=sentences,
        callbacks=list(callbacks),
    )


def test_tags_steps_and_values_are_those_of_tensorboard_callback(tmp_path: Path) -> None:
    from torch.utils.tensorboard import SummaryWriter  # type: ignore[import-not-found, unused-ignore]  # isort: skip

    theirs = TensorBoardCallback(SummaryWriter(tmp_path / "theirs"))
    ours = OrgboardCallback(tmp_path / "ours")

    trainer(tmp_path, theirs, ours).train()

    expected = read_run(tmp_path / "theirs")
    found = read_run(tmp_path / "ours")
    assert [step for step, _ in found.scalars["train/loss"]] == [1, 2, 3, 4]
    assert [step for step, _ in found.scalars["eval/loss"]] == [2, 4]
    assert found.scalars == expected.scalars
    assert {"args/text_summary", "model_config/text_summary"} <= found.points.keys()
    assert found.hparams["max_steps"] == 4
    assert found.hparams["model/hidden_size"] == 8
    assert (found.outcome, found.is_closed) == ("success", True)
    assert ours.writer.dropped == 0


def test_a_training_gone_on_with_hides_what_was_logged_beyond_its_checkpoint(
    tmp_path: Path,
) -> None:
    run = tmp_path / "run"
    saving = {"save_strategy": "steps", "save_steps": 2, "eval_strategy": "no"}
    trainer(tmp_path, OrgboardCallback(run), **saving).train()

    trainer(tmp_path, OrgboardCallback(run), max_steps=3, **saving).train(
        resume_from_checkpoint=str(tmp_path / "checkpoint-2")
    )

    found = read_run(run)
    assert [step for step, _ in found.scalars["train/loss"]] == [1, 2, 3, 4, 3]
    assert found.restarts == [3]


def test_an_evaluation_after_training_is_logged_to_the_same_run(tmp_path: Path) -> None:
    callback = OrgboardCallback(tmp_path / "run")
    trained = trainer(tmp_path, callback, eval_strategy="no")
    trained.train()

    reported = trained.evaluate(metric_key_prefix="test")
    callback.writer.close()

    found = read_run(tmp_path / "run")
    assert found.scalars["test/loss"] == as_stored([4], [reported["test_loss"]])
    assert runs_below(tmp_path) == ["run"]


def test_the_default_place_is_that_of_tensorboard_callback(tmp_path: Path) -> None:
    trainer(tmp_path, OrgboardCallback(), eval_strategy="no", max_steps=1).train()

    [run] = runs_below(tmp_path)
    assert run.startswith("runs/")
