"""Transformers: a callback that takes TensorBoardCallback's place.

    from orgboard.integrations.transformers import OrgboardCallback
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments("out", report_to="none")
    trainer = Trainer(model, arguments, callbacks=[OrgboardCallback("runs/first")], ...)

What the Trainer reports is `train/...`, `eval/...` and `test/...` at its global step, as there;
its arguments and the model's configuration are the run's settings, and texts in full.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from transformers import TrainerCallback  # pyright: ignore[reportMissingImports]

from orgboard._log.disk import default_log_dir
from orgboard.integrations._session import log_outcome, log_settings, open_run_midway
from orgboard.writer import SummaryWriter

__all__ = ["OrgboardCallback"]


class OrgboardCallback(TrainerCallback):
    """Log what the Trainer reports, on the process of rank 0.

    `log_dir` is, when it is not given, `$TENSORBOARD_LOGGING_DIR`, or a new directory under
    `runs/` in the Trainer's output directory. In a hyperparameter search each trial is a run
    below it. Training that goes on from a checkpoint hides what an earlier life of the same
    run had logged beyond it. `options` are `SummaryWriter`'s; `writer` is the open one.
    """

    def __init__(self, log_dir: str | os.PathLike[str] | None = None, **options: Any) -> None:
        self._log_dir = log_dir or os.environ.get("TENSORBOARD_LOGGING_DIR")
        self._options = options
        self.writer: SummaryWriter | None = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Open the run; log arguments and configuration."""
        if not state.is_world_process_zero:
            return
        if self.writer is not None:
            self.writer.close()
        # Beyond the checkpoint's step are only points of a life that is not gone on with.
        purge_step = state.global_step + 1 if state.global_step else None
        writer = self._opened(args, state, purge_step=purge_step)
        with writer._guard:
            config = getattr(kwargs.get("model"), "config", None)
            settings = args.to_sanitized_dict()
            writer.add_text("args", _as_code(args.to_json_string()))
            if config is not None:
                settings = {**settings, "model": _simple(config.to_dict())}
                writer.add_text("model_config", _as_code(config.to_json_string()))
            log_settings(writer, {**settings, **(getattr(state, "trial_params", None) or {})})

    def on_log(
        self,
        args: Any,
        state: Any,
        control: Any,
        logs: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Log what is reported at this step."""
        if not state.is_world_process_zero or not logs:
            return
        writer = self.writer or self._opened(args, state)
        writer.log({_tag(name): value for name, value in logs.items()}, state.global_step)

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Log that the training ended, and close the file; what comes later opens another."""
        if self.writer is not None:
            log_outcome(self.writer, failed=False)
            self.writer.close()

    def _opened(self, args: Any, state: Any, **options: Any) -> SummaryWriter:
        log_dir = self._log_dir or Path(args.output_dir, default_log_dir(""))
        if state.is_hyper_param_search and state.trial_name:
            log_dir = Path(self._log_dir or Path(args.output_dir, "runs"), state.trial_name)
        self.writer = open_run_midway(log_dir, **options, **self._options)
        return self.writer


def _tag(name: str) -> str:
    for stage in ("eval", "test"):
        if name.startswith(f"{stage}_"):
            return f"{stage}/{name.removeprefix(f'{stage}_')}"
    return f"train/{name}"


def _as_code(json_text: str) -> str:
    return f"```json\n{json_text}\n```"


def _simple(config: Mapping[str, Any]) -> dict[str, Any]:
    """Take what is a number, a bool or a word; tables of labels stay in the text."""
    return {
        name: value for name, value in config.items() if isinstance(value, (bool, int, float, str))
    }
