"""The content of plugin `hparams` as frozen values: what a session was given, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from google.protobuf.message import DecodeError

from orgboard_schema.wire import hparams_pb2

__all__ = [
    "EXPERIMENT_TAG",
    "SESSION_END_TAG",
    "SESSION_START_TAG",
    "Experiment",
    "HParam",
    "HParamValue",
    "Metric",
    "SessionEnd",
    "SessionStart",
    "parse_hparams",
]

EXPERIMENT_TAG: Final = "_hparams_/experiment"
SESSION_START_TAG: Final = "_hparams_/session_start_info"
SESSION_END_TAG: Final = "_hparams_/session_end_info"

HParamValue = float | bool | str

_TYPES: Final[dict[int, Literal["", "string", "bool", "float"]]] = {
    1: "string",
    2: "bool",
    3: "float",
}
_ENDS: Final[dict[int, Literal["unknown", "success", "failure", "running"]]] = {
    1: "success",
    2: "failure",
    3: "running",
}


@dataclass(frozen=True, slots=True)
class HParam:
    """A hyperparameter as an experiment announces it."""

    name: str
    display_name: str
    description: str
    type: Literal["", "string", "bool", "float"]
    choices: tuple[HParamValue, ...]
    interval: tuple[float, float] | None


@dataclass(frozen=True, slots=True)
class Metric:
    """A scalar by which sessions are compared: tag `tag` in run `<session>/<group>`."""

    group: str
    tag: str
    display_name: str
    description: str


@dataclass(frozen=True, slots=True)
class Experiment:
    """What is varied and what is measured."""

    name: str
    description: str
    user: str
    created: float
    """Seconds since the epoch."""
    hparams: tuple[HParam, ...]
    metrics: tuple[Metric, ...]


@dataclass(frozen=True, slots=True)
class SessionStart:
    """One training's hyperparameters."""

    hparams: Mapping[str, HParamValue]
    """In order of name: the file has no order."""
    group: str
    model_uri: str
    monitor_url: str
    started: float
    """Seconds since the epoch."""


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a training ended."""

    status: Literal["unknown", "success", "failure", "running"]
    ended: float
    """Seconds since the epoch."""


def parse_hparams(content: bytes) -> Experiment | SessionStart | SessionEnd | None:
    """Read a plugin content; None when it is no such message or says nothing."""
    try:
        message = hparams_pb2.HParamsPluginData.FromString(content)
    except DecodeError:
        return None
    match message.WhichOneof("data"):
        case "experiment":
            return _experiment(message.experiment)
        case "session_start_info":
            return _session_start(message.session_start_info)
        case "session_end_info":
            end = message.session_end_info
            return SessionEnd(_ENDS.get(end.status, "unknown"), end.end_time_secs)
        case _:
            return None


def _experiment(message: hparams_pb2.Experiment) -> Experiment:
    return Experiment(
        name=message.name,
        description=message.description,
        user=message.user,
        created=message.time_created_secs,
        hparams=tuple(_hparam(info) for info in message.hparam_infos),
        metrics=tuple(
            Metric(info.name.group, info.name.tag, info.display_name, info.description)
            for info in message.metric_infos
        ),
    )


def _hparam(info: hparams_pb2.HParamInfo) -> HParam:
    domain = info.WhichOneof("domain")
    return HParam(
        name=info.name,
        display_name=info.display_name,
        description=info.description,
        type=_TYPES.get(info.type, ""),
        choices=tuple(_value(value) for value in info.domain_discrete.values)
        if domain == "domain_discrete"
        else (),
        interval=(info.domain_interval.min_value, info.domain_interval.max_value)
        if domain == "domain_interval"
        else None,
    )


def _session_start(info: hparams_pb2.SessionStartInfo) -> SessionStart:
    return SessionStart(
        hparams={name: _value(info.hparams[name]) for name in sorted(info.hparams)},
        group=info.group_name,
        model_uri=info.model_uri,
        monitor_url=info.monitor_url,
        started=info.start_time_secs,
    )


def _value(value: Any) -> HParamValue:  # protobuf's stubs name no type for Value
    """Return the number, text or truth value; what nests becomes its JSON text, null nothing."""
    match value.WhichOneof("kind"):
        case "number_value":
            return float(value.number_value)
        case "bool_value":
            return bool(value.bool_value)
        case "string_value":
            return str(value.string_value)
        case "struct_value" | "list_value":
            return _nested(value)
        case _:
            return ""


def _nested(value: Any) -> str:
    # Few runs log lists or structs, and every ingest would wait for it.
    from google.protobuf import json_format

    try:
        return json_format.MessageToJson(value, indent=None)
    except (json_format.SerializeToJsonError, ValueError, RecursionError):
        # JSON has no NaN, which a nested number may be.
        return str(value)
