"""Hyperparameters of a run as three records: what may vary, what was chosen, how it ended.

The form is that of torch's and tensorboardX's writers, with two repairs: a bool stays a bool
(torch takes it for a number), and a nested mapping becomes settings named "outer/inner" (torch
raises, tensorboardX loses it). None means "not set" and is left out: the format has no value
for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import metadata
from orgboard._values.arrays import to_float

__all__ = ["HParams", "Setting", "flat", "hparams_bodies", "read_domain", "read_setting"]

_STRING, _BOOL, _FLOAT64 = 1, 2, 3
"""HParamInfo's types."""

_SUCCESS: Final = 1

_DEEPEST: Final = 32
"""Bounds what a mapping that holds itself can do."""

Setting = float | str | bool


class HParams(NamedTuple):
    """Chosen settings, the values each may take where the caller said so, and metric tags."""

    settings: Mapping[str, Setting]
    domains: Mapping[str, Sequence[Setting]]
    metrics: Sequence[str]


def flat(nested: Any, prefix: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """Walk through a mapping of mappings; the names on the way are joined with "/".

    An argparse.Namespace and a dataclass count as mappings. An empty one is a value.

    Raises:
        TypeError: it is no mapping.
        ValueError: it is nested without end.
    """
    given = _as_mapping(nested)
    if given is None:
        raise TypeError(f"hyperparameters must be a dict, got {type(nested).__name__}")
    if depth > _DEEPEST:
        raise ValueError(f"a mapping nested more than {_DEEPEST} deep at {prefix!r}")
    for key, value in given.items():
        name = f"{prefix}{key}"
        if _as_mapping(value):
            yield from flat(value, f"{name}/", depth + 1)
        else:
            yield name, value


def read_setting(value: Any) -> Setting:
    """Take one setting. What is neither number, bool nor text becomes its text or its name."""
    if isinstance(value, (bool, str)):
        return value
    try:
        number = to_float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        return _as_text(value)
    return bool(number) if _is_bool_element(value) else number


def read_domain(name: str, values: Iterable[Any], setting: Setting) -> list[Setting]:
    """Take the values that a setting may have.

    Raises:
        TypeError: they are not all of the setting's own type, and nothing could show both.
    """
    domain = [read_setting(value) for value in values]
    if any(_type(each) != _type(setting) for each in domain):
        raise TypeError(
            f"hparam_domain_discrete[{name!r}] must hold values of the type of {setting!r}"
        )
    return domain


def hparams_bodies(hparams: HParams) -> tuple[bytes, bytes, bytes]:
    """Encode the bodies of the experiment, of the session's start and of its end."""
    infos = b"".join(
        pb.blob(4, _info(name, value, hparams.domains.get(name)))
        for name, value in hparams.settings.items()
    )
    metrics = b"".join(
        pb.blob(5, pb.blob(1, pb.text(2, tag), always=True)) for tag in hparams.metrics
    )
    chosen = b"".join(
        pb.blob(1, pb.text(1, name, always=True) + pb.blob(2, _value(value)))
        for name, value in hparams.settings.items()
    )
    return (
        _body("_hparams_/experiment", pb.blob(2, infos + metrics, always=True)),
        _body("_hparams_/session_start_info", pb.blob(3, chosen, always=True)),
        _body("_hparams_/session_end_info", pb.blob(4, pb.whole(1, _SUCCESS))),
    )


def _body(tag: str, content: bytes) -> bytes:
    return summary_body(pb.text(1, tag) + metadata("hparams", content))


def _info(name: str, value: Setting, domain: Sequence[Setting] | None) -> bytes:
    info = pb.text(1, name) + pb.whole(4, _type(value))
    if domain is None:
        return info
    return info + pb.blob(5, b"".join(pb.blob(1, _value(each)) for each in domain), always=True)


def _type(value: Setting) -> int:
    if isinstance(value, bool):
        return _BOOL
    return _STRING if isinstance(value, str) else _FLOAT64


def _value(value: Setting) -> bytes:
    if isinstance(value, bool):
        return pb.whole(4, value, always=True)
    if isinstance(value, str):
        return pb.text(3, value, always=True)
    return pb.double(2, value, always=True)


def _as_mapping(value: Any) -> Mapping[Any, Any] | None:
    if isinstance(value, Mapping):
        return value
    kind = type(value)
    # By mark and name: dataclasses and argparse are slow to import, and maybe never needed.
    if hasattr(kind, "__dataclass_fields__"):
        return {name: getattr(value, name) for name in kind.__dataclass_fields__}
    if kind.__name__ in ("Namespace", "SimpleNamespace"):
        return getattr(value, "__dict__", None)
    return None


def _as_text(value: Any) -> str:
    try:
        return str(getattr(value, "__name__", value) if callable(value) else value)
    except Exception:  # noqa: BLE001 (the caller's object; its other settings are worth keeping)
        return type(value).__name__


def _is_bool_element(value: Any) -> bool:
    return str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
