"""Models watched while they train: histograms of weights and gradients, every so many steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from orgboard._encoding.records import as_given
from orgboard._methods.distributions import Distributions
from orgboard._values.arrays import snapshot

if TYPE_CHECKING:
    from orgboard._watch.watch import Watch

__all__ = ["Watching"]

WHAT: Final = {"gradients": (True, False), "parameters": (False, True), "all": (True, True)}
"""The values of `log`, as people know them from Weights & Biases: gradients?, weights?"""


class Watching(Distributions):
    """Watching models."""

    _watches: tuple[Watch, ...] = ()

    def watch(
        self,
        model: Any,
        every: int = 100,
        gradients: bool = True,
        weights: bool = True,
        log: Literal["gradients", "parameters", "all"] | None = None,
        step: Callable[[], int] | None = None,
    ) -> Watch:
        """Log histograms of a model's weights and gradients while it trains.

        `model` is a torch module, wrapped by DDP or `torch.compile` or not, or a Keras model.
        In each backward pass that is due, the weights as it began are logged under
        `weights/<parameter>` and the gradients under `gradients/<parameter>`: what `.grad`
        holds after this pass, before other processes' gradients are averaged in. The first
        pass is due, and every `every`th after it; a pass's number is its step. With `step`, a
        function that gives the training's own step, passes are due at its multiples of `every`,
        once each. `log`, if given, says instead of `gradients` and `weights` what to log.

        Passes between cost a call of some parameters' hooks, less than 10 µs. The model can be
        copied, saved and compiled meanwhile. Closing what is returned, or the writer, ends it.
        What is on a device is counted there. On the CPU, copies of more than 16 MiB of weights
        would fill the queue: such a model's are counted at once, in 10 ms a million.

            writer.watch(model)

        Keras over TensorFlow or jax tells nobody of its gradients: there,
        `writer.watch(model).log(step)` logs the weights.
        """
        from orgboard._watch.watch import Watch

        watch = Watch(self, [], 1, gradients=False, weights=False, step=None)
        with self._guard:
            from orgboard._watch.parameters import named_parameters

            if log is not None:
                gradients, weights = WHAT[log]
            watch = Watch(
                self,
                named_parameters(model),
                max(1, int(every)),
                gradients=bool(gradients),
                weights=bool(weights),
                step=step,
            )
        self._watches = (*self._watches, watch)
        return watch

    def _add_counted(self, tag: str, values: Any, step: int | None) -> None:
        """Log a histogram that is counted here and now, so that no copy waits."""
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.histogram import TENSORFLOW, Sample, histogram_body

            body = histogram_body(tag, Sample(snapshot(values), TENSORFLOW, None))
            self._put(as_given, tag, body, step, None, size=len(body))

    def close(self) -> None:
        """Stop watching models; write everything, record that the run ended, close the file."""
        watches, self._watches = self._watches, ()
        for watch in watches:
            with self._guard:  # a model's own class of hooks
                watch.close()
        super().close()
