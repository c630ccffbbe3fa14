"""Hyperparameters of a run as three records: what may vary, what was chosen, how it ended.

The form is that of torch's and tensorboardX's writers, with one repair: a bool stays a bool
(torch takes it for a number). None means "not set" and is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from orgboard._encoding import protobuf as pb
from orgboard._encoding.records import summary_body
from orgboard._kinds.metadata import metadata
from orgboard._values.arrays import to_float

__all__ = ["HParams", "hparams_bodies", "read_hparams"]

_STRING, _BOOL, _FLOAT64 = 1, 2, 3
"""HParamInfo's types."""

_SUCCESS: Final = 1

Setting = float | str | bool


class HParams(NamedTuple):
    """Chosen settings, the values each may take where the caller said so, and metric tags."""

    settings: Mapping[str, Setting]
    domains: Mapping[str, Sequence[Setting]]
    metrics: Sequence[str]


def read_hparams(
    settings: Mapping[Any, Any], domains: Mapping[Any, Iterable[Any]], metrics: Iterable[Any]
) -> HParams:
    """Take what a caller gave. What is neither number, bool nor text becomes its text."""
    return HParams(
        {str(name): _setting(value) for name, value in settings.items() if value is not None},
        {str(name): [_setting(value) for value in values] for name, values in domains.items()},
        [str(tag) for tag in metrics],
    )


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


def _setting(value: Any) -> Setting:
    if isinstance(value, (bool, str)):
        return value
    try:
        number = to_float(value)
    except (TypeError, ValueError, RuntimeError, OverflowError):
        # A list of layers, a function, an optimiser: its text is better than nothing.
        return str(value)
    return bool(number) if _is_bool_element(value) else number


def _is_bool_element(value: Any) -> bool:
    return str(getattr(value, "dtype", "")) in ("bool", "torch.bool")
