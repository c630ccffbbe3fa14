"""What is seen on the page of settings, as the part of an address that `urls` leaves to it.

    ax=hp:lr~log,best:val/loss   the axes, with the scales that were chosen
    br=hp:lr~0.001~0.1           what is brushed on one of them; also (VALUE~VALUE, !VALUE~VALUE
                                 (all but these), - (has none) and * (is not finite)
    hc, ht, xy, hw               colour by, importance for, the pair of one plot, only shown runs

The browser's twin is `assets/ob/axesview.js`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args

__all__ = [
    "MAX_AXES",
    "MAX_BRUSHED",
    "Axis",
    "AxisScale",
    "Brush",
    "BrushKind",
    "Settings",
    "decode_settings",
    "escaped",
    "number_of",
    "number_text",
    "settings_pairs",
    "unescaped",
]

AxisScale: TypeAlias = Literal["auto", "lin", "log", "q"]
"""q: by rank, so that equal distances hold equally many runs."""

BrushKind: TypeAlias = Literal["range", "in", "out", "none", "odd"]

MAX_AXES: Final = 12
"""As many as a wide screen can hold."""
MAX_BRUSHED: Final = 50
"""Values of one brush; a query's list has room for more."""

_SIGNS: Final = re.compile("[%,~!]")
_ESCAPED: Final = re.compile("%(25|2C|7E|21)")
_LISTS: Final[dict[str, BrushKind]] = {"(": "in", "!": "out"}
_PLACES: Final[dict[str, BrushKind]] = {"-": "none", "*": "odd"}


@dataclass(frozen=True, slots=True)
class Axis:
    """A setting or a metric by its column's key: `hp:lr`, `best:val/loss`."""

    key: str
    scale: AxisScale = "auto"


@dataclass(frozen=True, slots=True)
class Brush:
    """What is let through on an axis: a range, some values or all others, those without one."""

    key: str
    kind: BrushKind
    low: float | None = None
    high: float | None = None
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """What the page of settings shows. Empty texts: what the page chooses itself."""

    axes: tuple[Axis, ...] | None = None
    brushes: tuple[Brush, ...] = ()
    colour: str = ""
    """A column's key, or `run`: each in its own colour."""
    target: str = ""
    """The metric that settings are held against."""
    pair: tuple[str, str] | None = None
    """Of one large plot in place of a matrix."""
    shown: bool = False
    """Only the selected runs, and not all that match."""


def settings_pairs(settings: Settings) -> Iterator[tuple[str, str]]:
    """Write the keys of an address. Defaults are left out."""
    if settings.axes is not None:
        yield "ax", ",".join(map(_axis_text, settings.axes))
    for brush in settings.brushes:
        yield "br", _brush_text(brush)
    if settings.colour:
        yield "hc", settings.colour
    if settings.target:
        yield "ht", settings.target
    if settings.pair is not None:
        yield "xy", "~".join(map(escaped, settings.pair))
    if settings.shown:
        yield "hw", "1"


def decode_settings(last: Mapping[str, str], brushes: Iterable[str]) -> Settings:
    """Read the last of each key, and all brushes. What cannot be read is not there."""
    read = [brush for brush in map(_brush, brushes) if brush is not None]
    pair = tuple(map(unescaped, last.get("xy", "").split("~")))
    return Settings(
        axes=_axes(last["ax"]) if "ax" in last else None,
        brushes=_first_of_each(read),
        colour=last.get("hc", ""),
        target=last.get("ht", ""),
        pair=(pair[0], pair[1]) if len(pair) == 2 and all(pair) else None,
        shown=last.get("hw") == "1",
    )


def _axis_text(axis: Axis) -> str:
    return escaped(axis.key) + ("" if axis.scale == "auto" else f"~{axis.scale}")


def _axes(text: str) -> tuple[Axis, ...]:
    read = []
    for part in text.split(","):
        key, _, scale = part.partition("~")
        known: Any = scale if scale in get_args(AxisScale) else "auto"
        if key:
            read.append(Axis(unescaped(key), known))
    return _first_of_each(read)


def _first_of_each(read: list[Any]) -> tuple[Any, ...]:
    by_key: dict[str, Any] = {}
    for one in read:
        by_key.setdefault(one.key, one)
    return tuple(by_key.values())[:MAX_AXES]


def _brush_text(brush: Brush) -> str:
    key = escaped(brush.key)
    if brush.kind == "range":
        return f"{key}~{number_text(brush.low or 0.0)}~{number_text(brush.high or 0.0)}"
    for sign, kind in _PLACES.items():
        if kind == brush.kind:
            return f"{key}~{sign}"
    return f"{key}~{'(' if brush.kind == 'in' else '!'}{'~'.join(map(escaped, brush.values))}"


def _brush(text: str) -> Brush | None:
    key, *parts = text.split("~")
    if not key or not parts:
        return None
    name, first = unescaped(key), parts[0]
    if len(parts) == 1 and first in _PLACES:
        return Brush(name, _PLACES[first])
    if first[:1] in _LISTS:
        values = dict.fromkeys(map(unescaped, [first[1:], *parts[1:]]))
        return Brush(name, _LISTS[first[:1]], values=tuple(values)[:MAX_BRUSHED])
    low, high = number_of(first), number_of(parts[1]) if len(parts) == 2 else None
    is_range = low is not None and high is not None and low <= high
    return Brush(name, "range", low, high) if is_range else None


def escaped(text: str) -> str:
    """Escape what parts lists in an address."""
    return _SIGNS.sub(lambda sign: f"%{ord(sign[0]):02X}", text)


def unescaped(text: str) -> str:
    """Read what `escaped` wrote."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def number_text(value: float) -> str:
    """Write a number as JavaScript would: whole ones without a point."""
    is_whole = float(value).is_integer() and abs(value) < 2**53
    return str(int(value)) if is_whole else repr(value)


def number_of(text: str) -> float | None:
    """Read a finite number; None: it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
