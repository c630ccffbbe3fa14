"""What shape a Keras layer gives, from its settings and the shapes that go in. Pure.

Keras writes shapes of most layers and leaves out some: of the last one always, of layers that
hold nothing often. For layers of the usual kinds the rest follows, and is said to be inferred.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from orgboard_dashboard.graphs.model import Shape

__all__ = ["output_shape"]

Config: TypeAlias = Mapping[str, Any]
Sizes: TypeAlias = tuple[int, ...]
Rule: TypeAlias = Callable[[Config, Sequence[Sizes]], Shape]

UNKNOWN: Final = -1
"""In place of a size that is not known."""


def output_shape(kind: str, config: Config, inputs: Sequence[Shape]) -> Shape:
    """Return the shape of what a layer gives; None where nothing tells it."""
    rule = _RULES.get(kind)
    known = [shape for shape in inputs if shape is not None]
    if rule is None or not known or len(known) < len(inputs):
        return None
    try:
        return rule(config, known)
    except (ArithmeticError, IndexError, KeyError, TypeError, ValueError):
        return None


def _same(_config: Config, inputs: Sequence[Sizes]) -> Shape:
    return inputs[0]


def _dense(config: Config, inputs: Sequence[Sizes]) -> Shape:
    return (*inputs[0][:-1], int(config["units"]))


def _embedding(config: Config, inputs: Sequence[Sizes]) -> Shape:
    return (*inputs[0], int(config["output_dim"]))


def _flatten(_config: Config, inputs: Sequence[Sizes]) -> Shape:
    batch, *rest = inputs[0]
    return (batch, UNKNOWN if UNKNOWN in rest else math.prod(rest))


def _reshape(config: Config, inputs: Sequence[Sizes]) -> Shape:
    batch, *rest = inputs[0]
    target = [int(size) for size in config["target_shape"]]
    if UNKNOWN in target and UNKNOWN not in rest:
        target[target.index(UNKNOWN)] = math.prod(rest) // -math.prod(target)
    return (batch, *target)


def _permute(config: Config, inputs: Sequence[Sizes]) -> Shape:
    return (inputs[0][0], *(inputs[0][int(axis)] for axis in config["dims"]))


def _repeat(config: Config, inputs: Sequence[Sizes]) -> Shape:
    batch, width = inputs[0]
    return (batch, int(config["n"]), width)


def _split(config: Config, shape: Sizes) -> tuple[Sizes, int]:
    """Return the sizes of space and the channels of a batch of pictures."""
    if config.get("data_format") == "channels_first":
        return shape[2:], shape[1]
    return shape[1:-1], shape[-1]


def _whole(config: Config, shape: Sizes, space: Sequence[int], channels: int) -> Shape:
    if config.get("data_format") == "channels_first":
        return (shape[0], channels, *space)
    return (shape[0], *space, channels)


def _each(given: Any, n: int) -> list[int]:
    """Read 2 or [2, 3] as one number a dimension."""
    numbers = list(given) if isinstance(given, (list, tuple)) else [given] * n
    if len(numbers) != n:
        raise ValueError
    return [int(number) for number in numbers]


def _slid(size: int, window: int, stride: int, padding: str) -> int:
    """Return at how many places a window stands along one dimension."""
    if size == UNKNOWN:
        return UNKNOWN
    if padding == "valid":
        size -= window - 1
    elif padding not in ("same", "causal"):
        raise ValueError
    return max(0, -(-size // stride))


def _windows(config: Config, shape: Sizes, window: Any, channels: int | None) -> Shape:
    space, given = _split(config, shape)
    n = len(space)
    sizes = _each(window, n)
    strides = _each(config["strides"] if config.get("strides") else window, n)
    widened = _each(config.get("dilation_rate") or 1, n)
    places = [
        _slid(size, (wide - 1) * apart + 1, stride, config.get("padding") or "valid")
        for size, wide, apart, stride in zip(space, sizes, widened, strides, strict=True)
    ]
    return _whole(config, shape, places, given if channels is None else channels)


def _conv(config: Config, inputs: Sequence[Sizes]) -> Shape:
    return _windows(config, inputs[0], config["kernel_size"], int(config["filters"]))


def _depthwise(config: Config, inputs: Sequence[Sizes]) -> Shape:
    channels = _split(config, inputs[0])[1] * int(config.get("depth_multiplier") or 1)
    return _windows(config, inputs[0], config["kernel_size"], channels)


def _transposed(config: Config, inputs: Sequence[Sizes]) -> Shape:
    space, _ = _split(config, inputs[0])
    if config.get("output_padding") is not None or config.get("padding") not in ("valid", "same"):
        return None
    n = len(space)
    wide, strides = _each(config["kernel_size"], n), _each(config["strides"], n)
    apart = _each(config.get("dilation_rate") or 1, n)
    # Where the window is wider than its stride it reaches beyond the last place.
    beyond = [max((w - 1) * a + 1 - s, 0) for w, a, s in zip(wide, apart, strides, strict=True)]
    if config["padding"] == "same":
        beyond = [0] * n
    grown = [
        UNKNOWN if size == UNKNOWN else size * stride + more
        for size, stride, more in zip(space, strides, beyond, strict=True)
    ]
    return _whole(config, inputs[0], grown, int(config["filters"]))


def _pool(config: Config, inputs: Sequence[Sizes]) -> Shape:
    return _windows(config, inputs[0], config["pool_size"], None)


def _pool_all(config: Config, inputs: Sequence[Sizes]) -> Shape:
    space, channels = _split(config, inputs[0])
    kept = [1] * len(space) if config.get("keepdims") else []
    return _whole(config, inputs[0], kept, channels)


def _resized(config: Config, inputs: Sequence[Sizes], by: Callable[[int, int], int]) -> Shape:
    space, channels = _split(config, inputs[0])
    sizes = [UNKNOWN if size == UNKNOWN else by(at, size) for at, size in enumerate(space)]
    return _whole(config, inputs[0], sizes, channels)


def _enlarged(config: Config, inputs: Sequence[Sizes]) -> Shape:
    times = _each(config["size"], len(inputs[0]) - 2)
    return _resized(config, inputs, lambda at, size: size * times[at])


def _sides(given: Any, n: int) -> list[int]:
    """Read 1, [1, 2] or [[1, 1], [2, 2]] as what both sides of each dimension come to."""
    if n == 1 and isinstance(given, list):
        return [sum(map(int, given))]
    sides = list(given) if isinstance(given, list) else [given] * n
    return [sum(map(int, side)) if isinstance(side, list) else 2 * int(side) for side in sides]


def _padded(config: Config, inputs: Sequence[Sizes]) -> Shape:
    more = _sides(config["padding"], len(inputs[0]) - 2)
    return _resized(config, inputs, lambda at, size: size + more[at])


def _cropped(config: Config, inputs: Sequence[Sizes]) -> Shape:
    less = _sides(config["cropping"], len(inputs[0]) - 2)
    return _resized(config, inputs, lambda at, size: size - less[at])


def _merged(_config: Config, inputs: Sequence[Sizes]) -> Shape:
    if len({len(shape) for shape in inputs}) != 1:
        return None
    merged = []
    for sizes in zip(*inputs, strict=True):
        known = {size for size in sizes if size not in (1, UNKNOWN)}
        if len(known) > 1:
            return None
        merged.append(known.pop() if known else UNKNOWN if UNKNOWN in sizes else 1)
    return tuple(merged)


def _concatenated(config: Config, inputs: Sequence[Sizes]) -> Shape:
    axis = int(config["axis"]) % len(inputs[0])
    along = [shape[axis] for shape in inputs]
    total = UNKNOWN if UNKNOWN in along else sum(along)
    return (*inputs[0][:axis], total, *inputs[0][axis + 1 :])


def _recurrent(config: Config, inputs: Sequence[Sizes]) -> Shape:
    batch, steps, _ = inputs[0]
    if config.get("return_state"):
        return None
    units = int(config["units"])
    return (batch, steps, units) if config.get("return_sequences") else (batch, units)


def _both_ways(config: Config, inputs: Sequence[Sizes]) -> Shape:
    inner = config["layer"]
    one = output_shape(inner["class_name"], inner["config"], inputs)
    if one is None or config.get("merge_mode") is None:
        return None
    return (*one[:-1], 2 * one[-1]) if config["merge_mode"] == "concat" else one


def _each_step(config: Config, inputs: Sequence[Sizes]) -> Shape:
    inner = config["layer"]
    batch, steps, *rest = inputs[0]
    one = output_shape(inner["class_name"], inner["config"], [(batch, *rest)])
    return None if one is None else (batch, steps, *one[1:])


def _of_all_ranks(name: str) -> tuple[str, ...]:
    return tuple(name.format(rank) for rank in (1, 2, 3))


_RULES: Final[Mapping[str, Rule]] = {
    **dict.fromkeys(
        (
            *("Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "Softmax", "Rescaling"),
            *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise"),
            *("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D", "ActivityRegularization"),
            *("BatchNormalization", "LayerNormalization", "GroupNormalization", "Normalization"),
            *("UnitNormalization", "SpectralNormalization", "Masking", "Identity"),
            *("MultiHeadAttention", "GroupQueryAttention"),
        ),
        _same,
    ),
    **dict.fromkeys(("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"), _merged),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    **dict.fromkeys((*_of_all_ranks("Conv{}D"), *_of_all_ranks("SeparableConv{}D")), _conv),
    **dict.fromkeys(_of_all_ranks("Conv{}DTranspose"), _transposed),
    **dict.fromkeys(_of_all_ranks("DepthwiseConv{}D"), _depthwise),
    **dict.fromkeys((*_of_all_ranks("MaxPooling{}D"), *_of_all_ranks("AveragePooling{}D")), _pool),
    **dict.fromkeys(
        (*_of_all_ranks("GlobalMaxPooling{}D"), *_of_all_ranks("GlobalAveragePooling{}D")),
        _pool_all,
    ),
    **dict.fromkeys(_of_all_ranks("UpSampling{}D"), _enlarged),
    **dict.fromkeys(_of_all_ranks("ZeroPadding{}D"), _padded),
    **dict.fromkeys(_of_all_ranks("Cropping{}D"), _cropped),
    "Bidirectional": _both_ways,
    "Concatenate": _concatenated,
    "Dense": _dense,
    "Embedding": _embedding,
    "Flatten": _flatten,
    "Permute": _permute,
    "RepeatVector": _repeat,
    "Reshape": _reshape,
    "TimeDistributed": _each_step,
}
