"""A model's parameters by name, as torch and Keras give them."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

from orgboard._values.families import Family, family_of
from orgboard._values.tensorflow_tensors import unwrapped

__all__ = ["Named", "named_parameters"]

Named: TypeAlias = tuple[str, Any]
"""A parameter's name, and the parameter."""

PARALLEL: Final = ("DataParallel", "DistributedDataParallel")
"""Wrappers that call the model in them "module"."""

COMPILED: Final = "_orig_mod."
"""What `torch.compile` calls the model in its wrapper, at any depth."""


def named_parameters(model: Any) -> list[Named]:
    """Give a model's parameters with their names, those of a wrapped model as if it were not.

    Raises:
        TypeError: it is neither a torch module nor a Keras model or layer.
    """
    weights: Any = getattr(model, "weights", None)
    if isinstance(weights, list) and all(hasattr(weight, "path") for weight in weights):
        # Keras; over torch its models are torch modules too, but without the names.
        return [(str(weight.path), _of_backend(weight)) for weight in weights]
    listed: Any = getattr(model, "named_parameters", None)
    if listed is None:
        raise TypeError(
            f"watch takes a torch module or a Keras model, got {type(model).__name__}; "
            "other arrays go to add_histogram"
        )
    is_wrapper = any(kind.__name__ in PARALLEL for kind in type(model).__mro__)
    prefix = "module." if is_wrapper else ""
    return [
        (name.replace(COMPILED, "").removeprefix(prefix), parameter) for name, parameter in listed()
    ]


def _of_backend(weight: Any) -> Any:
    """Give a Keras variable as torch's parameter, which takes hooks; else the variable itself."""
    inner = unwrapped(weight)
    return inner if family_of(type(inner)) is Family.TORCH else weight
