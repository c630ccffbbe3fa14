"""Tensors, whole."""

from __future__ import annotations

from typing import Any

from orgboard._methods.recorder import Recorder

__all__ = ["Tensors"]


class Tensors(Recorder):
    """Tensors of any type and shape."""

    def add_tensor(
        self,
        tag: str,
        tensor: Any,
        global_step: Any = None,
        walltime: float | None = None,
    ) -> None:
        """Log a whole tensor, with its type and to the bit.

        `tensor` is an array or tensor of any shape: bool, integers, floats from float8 and
        bfloat16 to float64, complex numbers, or text (a string, or a list of them). Its values
        are copied now; one of a device is sent for and read in the background. A record holds
        at most 256 MiB.

            writer.add_tensor("attention/0", weights, step)
        """
        with self._guard:
            if self._muted:
                return
            from orgboard._kinds.tensor import tensor_body
            from orgboard._values.whole import take_whole

            # Asked before it is copied, and after, of what says its size only then.
            _check_size(getattr(tensor, "nbytes", 0))
            whole = take_whole(tensor)
            _check_size(whole.nbytes)
            self._put(tensor_body, tag, whole, global_step, walltime, size=whole.nbytes)


def _check_size(nbytes: Any) -> None:
    from orgboard_schema.wire.frames import MAX_RECORD_BYTES

    if isinstance(nbytes, int) and nbytes > MAX_RECORD_BYTES:
        raise ValueError(
            f"a tensor of {nbytes} bytes is larger than the {MAX_RECORD_BYTES} of a record"
        )
