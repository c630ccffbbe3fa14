"""How many parameters a Keras layer holds, from its settings and what goes in. Pure."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

__all__ = ["count_parameters"]

Config: TypeAlias = Mapping[str, Any]
Sizes: TypeAlias = tuple[int, ...]
Count: TypeAlias = Callable[[Config, Sequence[Sizes]], int]


def count_parameters(kind: str, config: Config, inputs: Sequence[Sizes]) -> int | None:
    """Return how many parameters a layer holds; None where nothing tells it."""
    if kind in _HOLD_NOTHING:
        return 0
    counted = _COUNTED.get(kind)
    if counted is None:
        return None
    try:
        count = int(counted(config, inputs))
    except (IndexError, KeyError, OverflowError, TypeError, ValueError):
        return None
    return count if count >= 0 else None


def _known(size: int) -> int:
    if size < 0:
        raise ValueError
    return size


def _width(_config: Config, inputs: Sequence[Sizes]) -> int:
    return _known(inputs[0][-1])


def _channels(config: Config, inputs: Sequence[Sizes]) -> int:
    return _known(inputs[0][1 if config.get("data_format") == "channels_first" else -1])


def _has_bias(config: Config) -> bool:
    return bool(config.get("use_bias", True))


def _area(config: Config, inputs: Sequence[Sizes]) -> int:
    """Return how many places a window covers."""
    given = config["kernel_size"]
    return math.prod(given) if isinstance(given, list) else int(given) ** (len(inputs[0]) - 2)


def _dense(config: Config, inputs: Sequence[Sizes]) -> int:
    return int(config["units"] * (_width(config, inputs) + _has_bias(config)))


def _conv(config: Config, inputs: Sequence[Sizes]) -> int:
    per_filter = _area(config, inputs) * _channels(config, inputs) // (config.get("groups") or 1)
    return int(config["filters"] * (per_filter + _has_bias(config)))


def _depthwise(config: Config, inputs: Sequence[Sizes]) -> int:
    deep = _channels(config, inputs) * (config.get("depth_multiplier") or 1)
    return int(deep * (_area(config, inputs) + _has_bias(config)))


def _separable(config: Config, inputs: Sequence[Sizes]) -> int:
    deep = _channels(config, inputs) * (config.get("depth_multiplier") or 1)
    filters = config["filters"]
    return int(deep * _area(config, inputs) + filters * (deep + _has_bias(config)))


def _norm(config: Config, inputs: Sequence[Sizes]) -> int:
    axis = config.get("axis", -1)
    axes = axis if isinstance(axis, list) else [axis]
    held = bool(config.get("center")) + bool(config.get("scale"))
    return held * math.prod(_known(inputs[0][int(one)]) for one in axes)


def _batch_norm(config: Config, inputs: Sequence[Sizes]) -> int:
    # Besides what is learned, the mean and the variance that it keeps.
    return _norm(config, inputs) + 2 * _norm({**config, "center": True, "scale": False}, inputs)


def _recurrent(gates: int) -> Count:
    def count(config: Config, inputs: Sequence[Sizes]) -> int:
        units = int(config["units"])
        biases = 2 if config.get("reset_after") and gates == 3 else 1
        per_gate = units * (_width(config, inputs) + units) + biases * units * _has_bias(config)
        return gates * per_gate

    return count


def _attention(config: Config, inputs: Sequence[Sizes]) -> int:
    query, value = inputs[0][-1], inputs[min(1, len(inputs) - 1)][-1]
    key = inputs[2][-1] if len(inputs) > 2 else value
    if config.get("output_shape") is not None:
        raise ValueError
    heads, bias = int(config["num_heads"]), _has_bias(config)
    narrow = heads * int(config["key_dim"])
    wide = heads * int(config.get("value_dim") or config["key_dim"])
    into = narrow * (_known(query) + _known(key) + 2 * bias) + wide * (_known(value) + bias)
    return into + query * (wide + bias)


def _inner(times: int) -> Count:
    def count(config: Config, inputs: Sequence[Sizes]) -> int:
        layer = config["layer"]
        # A layer at each step takes what is left without the steps.
        given = inputs if times == 2 else [(shape[0], *shape[2:]) for shape in inputs]
        held = count_parameters(layer["class_name"], layer["config"], given)
        if held is None:
            raise ValueError
        return times * held

    return count


def _of_all_ranks(*names: str) -> tuple[str, ...]:
    return tuple(name.format(rank) for name in names for rank in (1, 2, 3))


_COUNTED: Final[Mapping[str, Count]] = {
    **dict.fromkeys(_of_all_ranks("Conv{}D", "Conv{}DTranspose"), _conv),
    **dict.fromkeys(_of_all_ranks("DepthwiseConv{}D"), _depthwise),
    **dict.fromkeys(_of_all_ranks("SeparableConv{}D"), _separable),
    "BatchNormalization": _batch_norm,
    "Bidirectional": _inner(2),
    "Dense": _dense,
    "Embedding": lambda config, _inputs: config["input_dim"] * config["output_dim"],
    "GRU": _recurrent(3),
    "GroupNormalization": _norm,
    "LSTM": _recurrent(4),
    "LayerNormalization": _norm,
    "MultiHeadAttention": _attention,
    "SimpleRNN": _recurrent(1),
    "TimeDistributed": _inner(1),
}

_HOLD_NOTHING: Final = frozenset(
    (
        *(
            "InputLayer",
            "Activation",
            "ReLU",
            "LeakyReLU",
            "ELU",
            "Softmax",
            "Rescaling",
            "Identity",
        ),
        *("Dropout", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization"),
        *("Masking", "UnitNormalization", "Flatten", "Reshape", "Permute", "RepeatVector"),
        *("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"),
        *_of_all_ranks("SpatialDropout{}D", "UpSampling{}D", "ZeroPadding{}D", "Cropping{}D"),
        *_of_all_ranks("MaxPooling{}D", "AveragePooling{}D"),
        *_of_all_ranks("GlobalMaxPooling{}D", "GlobalAveragePooling{}D"),
    )
)
