"""torch's tensors, on any device, and what behaves like them (`Family.TORCH`).

Nothing here waits for a device on the caller's thread: a copy is put on the device's own queue
of work, and the background thread waits for its end. What is done there is done by the caller,
in the order of the training's stream; the background thread launches nothing, so that it can
neither run out of the device's memory nor disturb a CUDA graph that the training captures.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from orgboard._values.late import Late, library_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["detached", "dtype_name", "is_elsewhere", "is_on_accelerator", "take", "then"]

NUMPY_KNOWS: Final = {
    *("bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
}

DENSE_BYTES: Final = 64 << 20
"""A sparse tensor is logged with its zeros, as long as they do not take more than this."""

CAPTURE_RELAXED: Final = 2
"""CUDA's CU_STREAM_CAPTURE_MODE_RELAXED."""

_mine = threading.local()


def is_elsewhere(tensor: Any) -> bool:
    """Tell whether a tensor's values are not in this machine's memory: on a device, or nowhere."""
    return getattr(getattr(tensor, "device", None), "type", "cpu") != "cpu"


def is_on_accelerator(tensor: Any) -> bool:
    """Tell whether reading a tensor would wait for a device. It is not so on the CPU."""
    return is_elsewhere(tensor) and library_of(tensor) is not None


def dtype_name(tensor: Any) -> str:
    """Name a tensor's type as numpy would: "float32", "bfloat16"."""
    return str(tensor.dtype).rpartition(".")[2]


def take(tensor: Any, *, bits: bool = False) -> NDArray[np.generic] | Late:
    """Copy a tensor: at once when it is on the CPU, later when it is on a device.

    What numpy has no type for (bfloat16, float8) becomes float32, or with `bits` integers of
    the same bits.

    Raises:
        TypeError: its values are not here: a meta tensor, a part of a distributed one.
    """
    plain = detached(tensor)
    convert = _bits if bits else _as_numpy_knows
    if is_on_accelerator(plain):
        return then(convert(plain))
    # Made anew for its type or its zeros, or to be copied because training changes it in place.
    whole: NDArray[np.generic] = convert(plain).cpu().numpy()
    return whole if _is_fresh(tensor, whole) else whole.copy()


def detached(tensor: Any) -> Any:
    """Give a tensor's dense values on its own device, without its history.

    Raises:
        TypeError, ValueError: it has none here.
    """
    kind = type(tensor).__name__
    if getattr(getattr(tensor, "device", None), "type", "") == "meta" or kind == "FakeTensor":
        raise TypeError("a meta tensor has a shape and no values")
    if kind == "DTensor":
        if not all(placement.is_replicate() for placement in tensor.placements):
            raise TypeError("of a sharded DTensor only a part is here: log full_tensor()")
        tensor = tensor.to_local()
    tensor = tensor.detach()
    if getattr(tensor, "is_quantized", False):
        tensor = tensor.dequantize()
    if str(getattr(tensor, "layout", "torch.strided")) != "torch.strided":
        if tensor.numel() * tensor.element_size() > DENSE_BYTES:
            raise ValueError(
                f"a sparse tensor of {tensor.numel()} elements is too large with its zeros: "
                "log coalesce().values()"
            )
        tensor = tensor.to_dense()
    for resolve in ("resolve_conj", "resolve_neg"):
        tensor = getattr(tensor, resolve, lambda same=tensor: same)()
    return tensor


def then(tensor: Any) -> Late:
    """Send a device's tensor to the host without waiting; give what waits for it.

    On CUDA (ROCm too) and XPU the copy goes into pinned memory, with an event behind it. Other
    devices keep a copy of their own, and it is read later.
    """
    library = library_of(tensor)
    streams: Any = getattr(library, tensor.device.type, None)
    nbytes = tensor.numel() * tensor.element_size()
    shape = tuple(tensor.shape)
    if tensor.device.type not in ("cuda", "xpu"):
        copy = tensor.clone()
        return Late(lambda: copy.cpu().numpy(), shape, nbytes)
    if getattr(streams, "is_current_stream_capturing", bool)():
        raise RuntimeError("while a CUDA graph is captured its tensors have no values")
    host = tensor.contiguous().to("cpu", non_blocking=True)
    event = streams.Event(blocking=True) if tensor.device.type == "cuda" else streams.Event()
    event.record(streams.current_stream(tensor.device))
    return Late(_reader(event, host), shape, nbytes)


def _reader(event: Any, host: Any) -> Callable[[], NDArray[np.generic]]:
    def read() -> NDArray[np.generic]:
        _allow_captures_elsewhere()
        event.synchronize()
        array: NDArray[np.generic] = host.numpy()
        return array

    return read


def _allow_captures_elsewhere() -> None:
    """Let this thread wait for events while another captures a CUDA graph.

    By default CUDA fails such a capture because of what any thread of the process does.
    """
    if getattr(_mine, "is_relaxed", False):
        return
    _mine.is_relaxed = True
    # Imported here: a tenth of the SDK's import, and only a GPU needs it.
    import ctypes

    with contextlib.suppress(OSError, AttributeError):
        driver = ctypes.CDLL("libcuda.so.1")
        driver.cuThreadExchangeStreamCaptureMode(ctypes.byref(ctypes.c_int(CAPTURE_RELAXED)))


def _as_numpy_knows(tensor: Any) -> Any:
    return tensor if dtype_name(tensor) in NUMPY_KNOWS else tensor.float()


def _bits(tensor: Any) -> Any:
    if dtype_name(tensor) in NUMPY_KNOWS:
        return tensor
    library = library_of(tensor)
    same_size = {1: "uint8", 2: "int16"}[tensor.element_size()]
    return tensor.view(getattr(library, same_size))


def _is_fresh(tensor: Any, array: NDArray[np.generic]) -> bool:
    """Tell an array with memory of its own from a view of a tensor's."""
    place = getattr(tensor, "data_ptr", None)
    try:
        return place is not None and place() != array.ctypes.data
    except RuntimeError:
        return True  # sparse: it has no memory of which the array could be a view
