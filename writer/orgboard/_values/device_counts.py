"""Histograms counted where the values are: only counts leave the device.

Per block of values one row is made there: how many values lie below each edge, the smallest,
the largest, the sum and the sum of squares. Values are sorted for it, which takes no
synchronisation, gives the same counts each time, and is as exact as a comparison is: values of
at most 32 bits are compared as float32 with the least float32 at or above each edge, which
changes no comparison's result, and float64 and integers as float64. Sums are float64 on torch's
devices that have it, and else sums of float32 sums.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from orgboard._values import jax_arrays, torch_tensors
from orgboard._values.families import Family, family_of
from orgboard._values.late import Late, library_of

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Floats: TypeAlias = NDArray[np.float64]

__all__ = ["Tally", "count_later", "tally_of_rows"]

INFINITY: Final = float("inf")

BLOCK: Final = 1 << 21
"""Values sorted together: bounds what the device needs beside them, and float32 counts exactly."""

SMALL_BYTES: Final = 1 << 14
"""Values that take less than their counts would are sent as they are."""

AFTER_COUNTS: Final = 4
"""Numbers of a row behind its counts: minimum, maximum, sum, sum of squares."""


class Tally(NamedTuple):
    """What a histogram says of its values."""

    counts: NDArray[np.int64]
    minimum: float
    maximum: float
    number: int
    total: float
    squares: float


def count_later(values: Any, edges: Floats) -> Late | None:
    """Have a device count its values between edges; None when they are better read as they are.

    What is given is the rows; `tally_of_rows` reads them.
    """
    family = family_of(type(values))
    if family is Family.TORCH:
        if not torch_tensors.is_on_accelerator(values):
            return None
        tensor = torch_tensors.detached(values)
        if tensor.numel() * tensor.element_size() < SMALL_BYTES:
            return None
        wide = torch_width(tensor)
        return torch_tensors.then(torch_rows(tensor, edges, wide)) if wide else None
    if family is Family.JAX and jax_arrays.is_on_accelerator(values):
        if values.nbytes < SMALL_BYTES or values.dtype.kind == "c":
            return None
        copy = jax_arrays.copied(values)
        return Late(lambda: jax_rows(copy, edges), tuple(values.shape), int(values.nbytes))
    return None


def tally_of_rows(rows: NDArray[Any], number: int) -> Tally:
    """Sum up the rows of a device's blocks. `number` is that of the values."""
    import numpy as np

    wide = rows.astype(np.float64)
    below, about = wide[:, :-AFTER_COUNTS].sum(axis=0), wide[:, -AFTER_COUNTS:]
    counts = np.diff(below).astype(np.int64)
    smallest, largest = float(about[:, 0].min()), float(about[:, 1].max())
    with np.errstate(all="ignore"):
        sums = about[:, 2:].sum(axis=0)
    return Tally(counts, smallest, largest, number, float(sums[0]), float(sums[1]))


def torch_width(tensor: Any) -> str | None:
    """Name the type in which a tensor's values are compared; None when its device has none."""
    name = torch_tensors.dtype_name(tensor)
    if name.startswith("complex"):
        raise TypeError(f"expected real numbers, got a tensor of {name}")
    if name.startswith(("float8", "bfloat16", "float16", "float32")):
        return "float32"
    return None if tensor.device.type == "mps" else "float64"


def torch_rows(tensor: Any, edges: Floats, wide: str) -> Any:
    """Put the counting of a tensor into its device's queue; gives a tensor, one row a block."""
    library = library_of(tensor)
    compared = getattr(library, wide)
    summed = compared if tensor.device.type == "mps" else library.float64
    # From memory that is not pinned, any other way would wait for all that the device has to do.
    limits = library.from_numpy(_limits(edges.tobytes(), wide))
    limits = limits.to(tensor.device, non_blocking=True)
    rows = []
    for block in tensor.reshape(-1).split(BLOCK):
        values = block.to(compared)
        exact = values.to(summed)
        about = [values.amin(), values.amax(), exact.sum(), exact.square().sum()]
        # A search among sorted numbers may lose its way at a NaN; above all edges it is in none.
        ordered = values.nan_to_num(INFINITY, INFINITY, -INFINITY).sort().values
        below = library.searchsorted(ordered, limits)
        rows.append(library.cat([below.to(summed), library.stack([n.to(summed) for n in about])]))
    return library.stack(rows)


def jax_rows(array: Any, edges: Floats) -> NDArray[np.generic]:
    """Count an array on its device, and wait for it; one row a block."""
    import numpy as np

    jnp = library_of(array).numpy
    flat = array.reshape(-1)
    wide = "float64" if flat.dtype.name == "float64" else "float32"
    limits = jnp.asarray(_limits(edges.tobytes(), wide))
    rows = []
    for start in range(0, flat.size, BLOCK):
        values = flat[start : start + BLOCK].astype(wide)
        is_nan = jnp.isnan(values)
        # XLA's fast minimum and maximum may pass over a NaN.
        nan = jnp.where(is_nan.any(), jnp.nan, 0.0)
        about = [values.min() + nan, values.max() + nan, values.sum(), (values * values).sum()]
        ordered = jnp.sort(jnp.where(is_nan, INFINITY, values))
        below = jnp.searchsorted(ordered, limits)
        rows.append(np.concatenate([np.asarray(below, np.float64), np.asarray(jnp.stack(about))]))
    return np.stack(rows)


@cache
def _limits(edges: bytes, wide: str) -> NDArray[Any]:
    """Give numbers of a type below which the same of its values lie as below the edges.

    The last is just above the last edge, on which a value still counts.
    """
    import numpy as np

    exact = np.frombuffer(edges, np.float64).copy()
    exact[-1] = np.nextafter(exact[-1], np.inf)
    limits = exact.astype(wide)
    is_short = limits < exact
    limits[is_short] = np.nextafter(limits[is_short], np.asarray(np.inf, wide))
    return limits
