"""Keras: a callback that logs what `fit` and `evaluate` report, whatever the backend.

    import keras
    from orgboard.integrations.keras import OrgboardCallback

    model.fit(x, y, validation_split=0.2, epochs=5, callbacks=[OrgboardCallback("runs/first")])

One training is one run. TensorBoard's own callback makes two, `train` and `validation`, only
because its curves must share a tag to share a chart; then a training's settings belong to
neither. Here the two metrics stay `epoch/loss` and `epoch/val_loss`, Keras's names, with the
epoch as the step; values of single batches are `batch/loss`, by the optimizer's count of steps.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import keras  # pyright: ignore[reportMissingImports]

from orgboard.integrations._session import log_outcome, log_settings, open_run

if TYPE_CHECKING:
    from orgboard_schema.wire.graph_pb2 import GraphDef

__all__ = ["OrgboardCallback"]


class OrgboardCallback(keras.callbacks.Callback):
    """Log metrics, learning rate, settings, the model's graph and, if asked, its weights.

    `log_dir` defaults to a new directory under `runs/`. `update_freq` is "epoch", "batch", or a
    number of batches after which `batch/...` values are logged: each costs the training one
    synchronisation with the device. `histogram_freq` is a number of epochs after which all
    weights are logged as histograms; 0 logs none. `config` holds further settings of the run;
    `options` are `SummaryWriter`'s. `writer` is the open run, for values of your own.

    What `evaluate` reports outside of `fit` is `evaluation/...`, by the count of steps.
    """

    def __init__(
        self,
        log_dir: str | os.PathLike[str] | None = None,
        *,
        update_freq: str | int = "epoch",
        histogram_freq: int = 0,
        write_graph: bool = True,
        config: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__()
        words = {"epoch": 0, "batch": 1}
        self._every_batches = int(words.get(str(update_freq), update_freq))
        self._every_epochs = int(histogram_freq)
        self._write_graph = write_graph
        self._config = dict(config or {})
        self.writer = open_run(log_dir, **options)
        self._is_fitting = False
        self._steps_before_epoch = 0
        self._step_logged = 0

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Log the settings and, once, the graph."""
        self._is_fitting = True
        with self.writer._guard:
            self._step_logged = int(self.model.optimizer.iterations)
        with self.writer._guard:
            log_settings(self.writer, {**_settings(self.model, self.params), **self._config})
        if self._write_graph:
            self._write_graph = False
            with self.writer._guard:
                self.writer.add_graph(_graph(self.model))

    def on_train_batch_end(self, batch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the batch's values, if it is one to be logged."""
        if not self._every_batches:
            return
        # Counted here: with JAX, asking the model copies its whole state.
        step = self._steps_before_epoch + batch + 1
        if step - self._step_logged >= self._every_batches:
            self._step_logged = step
            self.writer.log(_named("batch", logs), step)

    def on_epoch_begin(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Note how many steps the optimizer has made."""
        with self.writer._guard:
            self._steps_before_epoch = int(self.model.optimizer.iterations)

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Log the epoch's values and the learning rate, and the weights if it is time."""
        with self.writer._guard:
            rates = _learning_rates(self.model.optimizer)
            self.writer.log(_named("epoch", {**rates, **(logs or {})}), epoch)
        if self._every_epochs and epoch % self._every_epochs == 0:
            for weight in self.model.weights:
                self.writer.add_histogram(f"weights/{weight.path}", weight, epoch)

    def on_test_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Log what an evaluation found; one within `fit` is among the epoch's values."""
        if self._is_fitting:
            return
        with self.writer._guard:
            optimizer = getattr(self.model, "optimizer", None)
            step = int(optimizer.iterations) if optimizer else 0
            self.writer.log(_named("evaluation", logs), step)

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Log that the training ended, and close the file; what comes later opens another."""
        self._is_fitting = False
        log_outcome(self.writer, failed=False)
        self.writer.close()


def _named(prefix: str, logs: Mapping[str, Any] | None) -> dict[str, Any]:
    return {f"{prefix}/{name}": value for name, value in (logs or {}).items()}


def _learning_rates(optimizer: Any) -> dict[str, float]:
    """Read the current rate; an optimizer may wrap another, or consist of several."""
    optimizer = getattr(optimizer, "inner_optimizer", None) or optimizer
    parts = getattr(optimizer, "optimizers", None)
    if parts:
        return {f"learning_rate_{part.name}": _number(part.learning_rate) for part in parts}
    return {"learning_rate": _number(optimizer.learning_rate)}


def _number(value: Any) -> float:
    return float(keras.ops.convert_to_numpy(value))


def _settings(model: Any, params: Mapping[str, Any] | None) -> dict[str, Any]:
    """Collect what the training was compiled and called with."""
    loss = model.loss
    return {
        "epochs": (params or {}).get("epochs"),
        "steps_per_epoch": (params or {}).get("steps"),
        "backend": keras.backend.backend(),
        "loss": loss if isinstance(loss, str) else getattr(loss, "name", None),
        "optimizer": model.optimizer.get_config(),
        "model": {"name": model.name, "parameters": model.count_params()},
    }


def _graph(model: Any) -> GraphDef:
    """Draw a model as a graph of its layers."""
    from orgboard_schema.wire.graph_pb2 import GraphDef

    graph = GraphDef()
    # A Sequential knows only after it is built what its layers take, and it is always the last.
    is_chain = isinstance(model, keras.Sequential)
    before: list[str] = []
    for layer in model.layers:
        node = graph.node.add(name=layer.name, op=type(layer).__name__)
        node.input.extend(before if is_chain else _sources(layer))
        shape = _output_shape(layer)
        if shape is not None:
            dims = node.attr["_output_shapes"].list.shape.add()
            for size in shape:
                dims.dim.add(size=-1 if size is None else size)
        before = [layer.name]
    return graph


def _sources(layer: Any) -> Iterator[str]:
    """Name the layers whose outputs this one takes, at its first use."""
    try:
        given = keras.tree.flatten(layer.input)
    except (AttributeError, ValueError):
        return
    for tensor in given:
        source = tensor._keras_history.operation.name
        if source != layer.name:
            yield source


def _output_shape(layer: Any) -> tuple[int | None, ...] | None:
    try:
        return tuple(keras.tree.flatten(layer.output)[0].shape)
    except (AttributeError, ValueError, IndexError):
        return None
