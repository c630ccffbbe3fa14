"""A device as far as the SDK sees one: a library whose tensors are slow to read.

Its tensors are numpy arrays underneath. What would wait for a real device notes the thread it was
called on, so that a test can say that no such call came from the training.
"""

from __future__ import annotations

import sys
import threading
import types
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["Device", "lend_device"]

NAME = "slow_device"
"""The library's import name."""


class Device:
    """What happened on the device: who waited for it, and how much left it."""

    def __init__(self) -> None:
        self.waits: list[str] = []
        self.sent: list[tuple[int, ...]] = []
        self.is_capturing = False

    def wait(self) -> None:
        """Note that this thread waits."""
        self.waits.append(threading.current_thread().name)

    def tensor(self, values: Any, dtype: str = "float32", kind: str = "cuda") -> Any:
        """Put values on the device."""
        return _Tensor(np.array(values, dtype), self, kind)


class _Place:
    def __init__(self, kind: str) -> None:
        self.type = kind


class _Tensor:
    """The part of torch's Tensor that the SDK calls."""

    def __init__(self, array: Any, device: Device, kind: str, *, is_due: bool = True) -> None:
        self._array = array
        self._lent = device
        self._is_due = is_due
        self.device = _Place(kind)
        self.shape = array.shape
        self.dtype = f"torch.{array.dtype}"
        self.layout = "torch.strided"

    def _like(self, array: Any) -> _Tensor:
        return _Tensor(np.asarray(array), self._lent, self.device.type)

    def _read(self) -> Any:
        if self.device.type != "cpu":
            self._lent.wait()
        assert self._is_due, "read before its event"
        return self._array

    # What waits, on a real device.

    def item(self) -> Any:
        return self._read().item()

    def cpu(self) -> _Tensor:
        self._lent.sent.append(self.shape)
        return _Tensor(self._read().copy(), self._lent, "cpu")

    def numpy(self) -> Any:
        assert self.device.type == "cpu"
        return self._read()

    def __float__(self) -> float:
        return float(self._read())

    # What does not.

    def to(self, target: Any, *, non_blocking: bool = False) -> _Tensor:
        if isinstance(target, _Place):
            if self.device.type == "cpu" and not non_blocking:
                # A copy from memory that is not pinned ends with the stream's work before it.
                self._lent.wait()
            return _Tensor(self._array, self._lent, target.type)
        if target != "cpu":
            return self._like(self._array.astype(target))
        assert non_blocking
        self._lent.sent.append(self.shape)
        sent = _Tensor(self._array.copy(), self._lent, "cpu", is_due=False)
        _under_way.append(sent)
        return sent

    def numel(self) -> int:
        return int(self._array.size)

    def element_size(self) -> int:
        return int(self._array.itemsize)

    def detach(self) -> _Tensor:
        return self

    def contiguous(self) -> _Tensor:
        return self

    def clone(self) -> _Tensor:
        return self._like(self._array.copy())

    def add_(self, number: float) -> None:
        self._array += number

    def float(self) -> _Tensor:
        return self._like(self._array.astype(np.float32))

    def reshape(self, *shape: int) -> _Tensor:
        return self._like(self._array.reshape(shape))

    def split(self, size: int) -> list[_Tensor]:
        starts = range(0, self._array.size, size)
        return [self._like(self._array[start : start + size]) for start in starts]

    def nan_to_num(self, nan: Any, posinf: Any, neginf: Any) -> _Tensor:
        return self._like(np.nan_to_num(self._array, nan=nan, posinf=posinf, neginf=neginf))

    def sort(self) -> types.SimpleNamespace:
        return types.SimpleNamespace(values=self._like(np.sort(self._array)))

    def amin(self) -> _Tensor:
        return self._like(self._array.min())

    def amax(self) -> _Tensor:
        return self._like(self._array.max())

    def sum(self) -> _Tensor:
        return self._like(self._array.sum())

    def square(self) -> _Tensor:
        return self._like(self._array**2)


_under_way: list[_Tensor] = []
"""Copies to the host that have no event behind them yet."""


class _Event:
    def __init__(self, **_: Any) -> None:
        self._copies: list[_Tensor] = []

    def record(self, _stream: Any) -> None:
        self._copies, _under_way[:] = list(_under_way), []

    def synchronize(self) -> None:
        for copy in self._copies:
            copy._lent.wait()
            copy._is_due = True


@contextmanager
def lend_device() -> Iterator[Device]:
    """Import the device's library, for a time."""
    device = Device()
    library = types.ModuleType(NAME)
    streams = types.SimpleNamespace(
        Event=_Event,
        current_stream=lambda _device: None,
        is_current_stream_capturing=lambda: device.is_capturing,
    )

    def stacked(tensors: list[_Tensor]) -> _Tensor:
        return tensors[0]._like(np.stack([each._array for each in tensors]))

    def joined(tensors: list[_Tensor]) -> _Tensor:
        return tensors[0]._like(np.concatenate([each._array for each in tensors]))

    def searched(ordered: _Tensor, limits: Any) -> _Tensor:
        return ordered._like(ordered._array.searchsorted(limits._array))

    vars(library).update(
        Tensor=_Tensor,
        cuda=streams,
        mps=types.SimpleNamespace(),
        float32=np.float32,
        float64=np.float64,
        from_numpy=lambda array: _Tensor(array, device, "cpu"),
        stack=stacked,
        cat=joined,
        searchsorted=searched,
    )
    _Tensor.__module__ = NAME
    sys.modules[NAME] = library
    try:
        yield device
    finally:
        del sys.modules[NAME]
