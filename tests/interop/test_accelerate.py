"""The Accelerate tracker logs what the Accelerator is given."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from support.frameworks import framework
from support.runs_read import as_stored, read_run, runs_below

torch = framework("torch")
accelerate = framework("accelerate")
OrgboardTracker = framework("orgboard.integrations.accelerate").OrgboardTracker


def test_a_training_is_logged_with_its_settings_values_and_end(tmp_path: Path) -> None:
    tracker = OrgboardTracker("first", tmp_path)
    accelerator = accelerate.Accelerator(cpu=True, log_with=tracker)
    accelerator.init_trackers("project", config={"lr": 0.1, "model": {"depth": 2}, "bn": True})
    model, optimizer = accelerator.prepare(
        layer := torch.nn.Linear(2, 1), torch.optim.SGD(layer.parameters(), lr=0.1)
    )
    losses = []
    for step in range(3):
        loss = model(torch.ones(4, 2)).pow(2).mean()
        accelerator.backward(loss)
        optimizer.step()
        losses.append(loss.item())
        accelerator.log({"loss": loss, "both": {"a": 1, "b": step}, "note": "warm"}, step=step)
    accelerator.end_training()

    run = read_run(tmp_path / "first")
    assert runs_below(tmp_path) == ["first"]
    assert run.scalars["loss"] == as_stored(range(3), losses)
    assert run.scalars["both/b"] == [(0, 0.0), (1, 1.0), (2, 2.0)]
    assert len(run.points["note/text_summary"]) == 3
    assert run.hparams == {"lr": 0.1, "model/depth": 2.0, "bn": True}
    assert (run.outcome, run.is_closed) == ("success", True)
    assert accelerator.get_tracker("orgboard", unwrap=True) is tracker.tracker
    assert tracker.tracker.dropped == 0


def test_pictures_and_tables_are_logged(tmp_path: Path) -> None:
    tracker = OrgboardTracker("first", tmp_path)
    accelerator = accelerate.Accelerator(cpu=True, log_with=tracker)
    accelerator.init_trackers("project")
    picture = np.zeros((4, 6, 3), np.uint8)

    tracker.log_images(
        {"made": [picture, Image.fromarray(picture)], "grey": picture[None, ..., 0]}, 2
    )
    tracker.log_table("answers", columns=["q", "a"], data=[["1|2", "3"], ["x\ny", 4]], step=2)
    accelerator.end_training()

    run = read_run(tmp_path / "first")
    assert [(step, point.value.width) for step, point in run.points["made"]] == [(2, 12)]
    assert [(step, point.value.width) for step, point in run.points["grey"]] == [(2, 6)]
    [(_, text)] = run.points["answers/text_summary"]
    assert text.value.data[0].decode() == ("| q | a |\n| --- | --- |\n| 1\\|2 | 3 |\n| x y | 4 |")
    assert tracker.tracker.dropped == 0
