"""Lightning: a logger that takes TensorBoardLogger's place.

    from lightning.pytorch import Trainer
    from orgboard.integrations.lightning import OrgboardLogger

    trainer = Trainer(logger=OrgboardLogger("runs", name="mnist"))

Directories, tags and steps are TensorBoardLogger's: `runs/mnist/version_0`, what a module logs
under the name it gives, and "epoch". Works with `lightning` and with `pytorch_lightning`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from orgboard.integrations._session import log_outcome, log_settings, open_run_midway
from orgboard.writer import SummaryWriter

__all__ = ["OrgboardLogger"]

_PACKAGES: Final = ("lightning.pytorch", "pytorch_lightning")


def _package() -> str:
    """Name the package of which there are two: the one that is loaded, or is installed."""
    installed = [name for name in _PACKAGES if find_spec(name.partition(".")[0])]
    return next((name for name in _PACKAGES if name in sys.modules), (installed or _PACKAGES)[0])


_lightning: Any = import_module(_package())
_logger: Any = import_module(f"{_package()}.loggers.logger")
_rank_zero_only: Any = _lightning.utilities.rank_zero_only
_rank_zero_experiment: Any = _logger.rank_zero_experiment


class OrgboardLogger(_logger.Logger):  # type: ignore[misc, name-defined, unused-ignore]
    """Log what a LightningModule logs, its hyperparameters and, if asked, its graph.

    A run is `save_dir/name/version_N`, and `sub_dir` below it; `version` counts on by itself, or
    is a text that names the directory. `prefix` stands before every tag, with a hyphen.
    `log_graph` needs the module's `example_input_array`. `default_hp_metric` is accepted and
    has no effect: settings are shown without a metric invented for them. `options` are
    `SummaryWriter`'s.

    `experiment` is the open `SummaryWriter`, for values of other kinds. Only rank 0 writes.
    """

    LOGGER_JOIN_CHAR = "-"

    def __init__(
        self,
        save_dir: str | os.PathLike[str],
        name: str | None = "lightning_logs",
        version: int | str | None = None,
        log_graph: bool = False,
        default_hp_metric: bool = True,
        prefix: str = "",
        sub_dir: str | os.PathLike[str] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        self._save_dir = os.fspath(save_dir)
        self._name = name or ""
        self._version = version
        self._log_graph = log_graph
        self._prefix = f"{prefix}{self.LOGGER_JOIN_CHAR}" if prefix else ""
        self._sub_dir = os.fspath(sub_dir) if sub_dir is not None else ""
        self._options = options
        self._writer: SummaryWriter | None = None
        self._is_saved = False
        self.hparams: dict[str, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out the open run: a copy, in another process or this one, opens its own file."""
        return {**self.__dict__, "_writer": None}

    @property
    def name(self) -> str:
        """The experiment's name, a directory below `save_dir`."""
        return self._name

    @property
    def version(self) -> int | str:
        """The run's number within the experiment, or the text that names it."""
        if self._version is None:
            self._version = _next_version(Path(self.root_dir))
        return self._version

    @property
    def save_dir(self) -> str:
        """The directory of all experiments."""
        return self._save_dir

    @property
    def root_dir(self) -> str:
        """The experiment's directory."""
        return str(Path(self._save_dir, self._name))

    @property
    def log_dir(self) -> str:
        """The run's directory."""
        version = self.version if isinstance(self.version, str) else f"version_{self.version}"
        path = Path(os.path.expandvars(Path(self.root_dir, version, self._sub_dir)))
        return str(path.expanduser())

    @property
    @_rank_zero_experiment
    def experiment(self) -> SummaryWriter:
        """The open `SummaryWriter`; on other ranks one whose calls do nothing."""
        if self._writer is None:
            self._writer = open_run_midway(self.log_dir, **self._options)
        return self._writer

    @_rank_zero_only
    def log_metrics(self, metrics: Mapping[str, Any], step: int | None = None) -> None:
        """Log numbers at a step; a dict among them becomes a tag for each of its entries."""
        self.experiment.log({f"{self._prefix}{tag}": each for tag, each in metrics.items()}, step)

    @_rank_zero_only
    def log_hyperparams(
        self, params: Any, metrics: Mapping[str, Any] | None = None, step: int | None = None
    ) -> None:
        """Log settings (a dict or Namespace) beside those that were logged before."""
        with self.experiment._guard:
            self.hparams.update(vars(params) if hasattr(params, "__dict__") else params or {})
        log_settings(self.experiment, self.hparams)
        if metrics:
            self.log_metrics(metrics, step)

    @_rank_zero_only
    def log_graph(self, model: Any, input_array: Any = None) -> None:
        """Log the module's graph, by its `example_input_array`, if that was asked for."""
        if not self._log_graph:
            return
        with self.experiment._guard:
            given = model.example_input_array if input_array is None else input_array
            if given is None:
                raise ValueError("log_graph=True needs the module's `example_input_array`")
            given = model._on_before_batch_transfer(given)
            given = model._apply_batch_transfer_handler(given)
            self.experiment.add_graph(model, given)

    @_rank_zero_only
    def save(self) -> None:
        """Keep the hyperparameters as `hparams.yaml` too, which `load_from_checkpoint` reads."""
        if self._is_saved or self._writer is None:
            return
        self._is_saved = True
        with self._writer._guard:
            path = Path(self.log_dir, "hparams.yaml")
            if not path.exists():
                saving = import_module(f"{_package()}.core.saving")
                saving.save_hparams_to_yaml(str(path), self.hparams)

    @_rank_zero_only
    def finalize(self, status: str) -> None:
        """Log how it ended, and close the file; what comes later opens another."""
        if self._writer is None:
            return
        if status == "success":
            self.save()
        log_outcome(self._writer, failed=status != "success")
        self._writer.close()


def _next_version(root: Path) -> int:
    taken = [
        int(number)
        for number in (path.name.removeprefix("version_") for path in root.glob("version_*"))
        if number.isdecimal()
    ]
    return max(taken, default=-1) + 1
