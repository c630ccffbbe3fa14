"""Where a person is and what they see, as an address. The address is the state.

    /                              the projects
    /p/TEAM/PROJECT/PAGE?…         a page of a project, and the view of it
    /r/UID                         one run
    /account[/mentions], /admin/SECTION  oneself; and, for who runs the board, everybody
    /t/TEAM/feed                   what a team did lately; of all teams: *
    /dictionary                    what the organisation calls its metrics

The query part has short keys (`v q t s x y sel x0 x1 c old bm lx yr ys out sm pin w tip rng g gl gb
e base of cols sort vt ax br hc ht xy hw hv hs hm gr gt go gs gc gx ga gd gk gp`) and leaves out
what has its default value, so that an untouched view has a clean address. `v=ID` stands for what a
saved view says, with the keys that follow put over it; `v=ID,s,c` is the view without what it says
of `s` and `c`. The browser's twin is `assets/ob/state.js`; `tests/dashboard/vectors/urls.json`
keeps the two equal.
Nothing here knows Dash or SQL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qsl, quote, unquote, urlencode

from orgboard_dashboard.settings_view import (
    decode_settings,
    escaped,
    number_of,
    number_text,
    settings_pairs,
    unescaped,
)
from orgboard_dashboard.view_state import (
    COLUMN_PX,
    DEFAULT_SMOOTHING,
    DEFAULT_SORT,
    MAX_CARD,
    MAX_COLUMNS,
    MAX_MOVED_NODES,
    MAX_OPEN_SCOPES,
    MAX_SMOOTHING,
    MIN_CARD,
    NO_VIEW,
    Column,
    Compared,
    GraphColor,
    GraphSide,
    GraphTrace,
    GroupBand,
    GroupLine,
    HistogramView,
    SmoothingKind,
    TipOrder,
    ViewState,
    XAxis,
    YAxis,
)

__all__ = [
    "ACCOUNT_SECTIONS",
    "ADMIN_SECTIONS",
    "PAGES",
    "Page",
    "Place",
    "decode_place",
    "decode_view",
    "encode_place",
    "encode_view",
]

Page: TypeAlias = Literal[
    "runs", "scalars", "histograms", "graphs", "text", "images", "hparams", "compare", "standings"
]
PAGES: Final[tuple[Page, ...]] = get_args(Page)
ADMIN_SECTIONS: Final = (
    *("people", "teams", "projects", "tokens", "sessions"),
    *("directories", "storage", "ingest", "audit"),
)
"""Of the pages for who runs the board; the first one needs no name."""
ACCOUNT_SECTIONS: Final = ("", "mentions")
"""Of the pages about oneself."""

# What JavaScript's encodeURIComponent leaves as it is, and commas, which keep lists readable.
_UNESCAPED: Final = ",!'()*"

_SAVED: Final = re.compile("[0-9A-Za-z]{1,16}|-")

_KEY: Final = re.compile("[0-9a-z]{1,8}")

_MAX_KEYS: Final = 60

_SIZE: Final = re.compile(r"([0-9]{1,6})(?:,([0-9]{1,6}))?")


@dataclass(frozen=True, slots=True)
class Place:
    """A page. Team and project are those of a project's page, or a team's, and empty on others."""

    page: Page | Literal["projects", "run", "feed", "account", "dictionary", "admin"]
    team: str = ""
    project: str = ""
    run: str = ""
    section: str = ""
    """Of the pages about oneself, and of those for who runs the board."""


def encode_place(place: Place, base: str = "/") -> str:
    """Write the path of a page; `base` is the prefix that the app is mounted under."""
    if place.page == "projects":
        return base
    if place.page == "run":
        return f"{base}r/{quote(place.run, safe='')}"
    if place.page == "feed":
        return f"{base}t/{quote(place.team, safe='')}/feed"
    if place.page == "account":
        return f"{base}account/{place.section}" if place.section else f"{base}account"
    if place.page == "dictionary":
        return f"{base}dictionary"
    if place.page == "admin":
        return f"{base}admin/{place.section}"
    return f"{base}p/{quote(place.team, safe='')}/{quote(place.project, safe='')}/{place.page}"


def decode_place(path: str, base: str = "/") -> Place | None:
    """Read the path of a page. None when there is no such page."""
    if not path.startswith(base):
        return Place("projects") if f"{path}/" == base else None
    parts = [unquote(part) for part in path[len(base) :].split("/")]
    if parts == [""]:
        return Place("projects")
    section = "/".join(parts[1:])
    if parts[0] == "account" and parts[-1] and section in ACCOUNT_SECTIONS:
        return Place("account", section=section)
    if parts == ["dictionary"]:
        return Place("dictionary")
    if parts[0] == "admin" and len(parts) <= 2:
        section = parts[1] if len(parts) == 2 else ADMIN_SECTIONS[0]
        return Place("admin", section=section) if section in ADMIN_SECTIONS else None
    if len(parts) == 3 and parts[::2] == ["t", "feed"] and parts[1]:
        return Place("feed", team=parts[1])
    if len(parts) == 2 and parts[0] == "r" and parts[1]:
        return Place("run", run=parts[1])
    if len(parts) == 4 and parts[0] == "p" and all(parts) and parts[3] in PAGES:
        return Place(parts[3], team=parts[1], project=parts[2])
    return None


def encode_view(view: ViewState) -> str:
    """Write the query part, without its question mark. Defaults are left out."""
    pairs: list[tuple[str, str]] = []
    if view.saved:
        pairs.append(("v", ",".join((view.saved, *view.without))))
    if view.run_filter:
        pairs.append(("q", view.run_filter))
    if view.tag_filter:
        pairs.append(("t", view.tag_filter))
    if view.smoothing != DEFAULT_SMOOTHING:
        pairs.append(("s", number_text(view.smoothing)))
    if view.x_axis != "step":
        pairs.append(("x", view.x_axis))
    if view.y_axis != "lin":
        pairs.append(("y", view.y_axis))
    if view.selected is not None:
        pairs.append(("sel", ",".join(view.selected)))
    if view.zoom is not None:
        pairs += [("x0", number_text(view.zoom[0])), ("x1", number_text(view.zoom[1]))]
    pairs += [("c", group) for group in view.collapsed]
    if view.superseded:
        pairs.append(("old", "1"))
    if view.by_metric is not None:
        pairs.append(("bm", str(int(view.by_metric))))
    pairs += _drawing_pairs(view)
    if view.group_by:
        pairs.append(("g", view.group_by))
    if view.group_line != "mean":
        pairs.append(("gl", view.group_line))
    if view.group_band != "minmax":
        pairs.append(("gb", view.group_band))
    pairs += [("e", chart) for chart in view.charts]
    if view.baseline:
        pairs.append(("base", view.baseline))
    if view.compared != "last":
        pairs.append(("of", view.compared))
    if view.columns is not None:
        pairs.append(("cols", ",".join(map(_written, view.columns))))
    if view.sort != DEFAULT_SORT:
        pairs.append(("sort", view.sort))
    if view.value_columns:
        pairs.append(("vt", ",".join(map(escaped, view.value_columns))))
    pairs += settings_pairs(view.settings)
    if view.histograms != "offset":
        pairs.append(("hv", view.histograms))
    if view.at_step is not None:
        pairs.append(("hs", number_text(view.at_step)))
    if view.layer_map:
        pairs.append(("hm", view.layer_map))
    pairs += _graph_pairs(view)
    return urlencode(pairs, quote_via=quote, safe=_UNESCAPED)


def decode_view(query: str) -> ViewState:
    """Read the query part. What cannot be read has its default: an address never fails."""
    pairs = parse_qsl(query.removeprefix("?"), keep_blank_values=True, errors="replace")
    last = dict(pairs)
    ranges = _y_ranges(value for key, value in pairs if key == "yr")
    of_sections = _y_ranges(value for key, value in pairs if key == "ys")
    width, height = _size(last.get("w", ""))
    saved, without = _saved(last.get("v", ""))
    return ViewState(
        run_filter=last.get("q", ""),
        tag_filter=last.get("t", ""),
        smoothing=_smoothing(last.get("s", "")),
        x_axis=_x_axis(last.get("x", "")),
        y_axis=_one_of(last.get("y"), YAxis, "lin"),
        selected=tuple(filter(None, last["sel"].split(","))) if "sel" in last else None,
        zoom=_zoom(last.get("x0", ""), last.get("x1", "")),
        collapsed=tuple(value for key, value in pairs if key == "c"),
        superseded=last.get("old") == "1",
        by_metric={"0": False, "1": True}.get(last.get("bm", "")),
        log_x=last.get("lx") == "1",
        y_range=next((given[:2] for given in ranges if not given[2]), None),
        section_ranges=tuple((group, low, high) for low, high, group in of_sections),
        card_ranges=tuple((tag, low, high) for low, high, tag in ranges if tag),
        outliers_clipped=last.get("out") != "0",
        smoothing_kind=_one_of(last.get("sm"), SmoothingKind, "ema"),
        pinned=tuple(dict.fromkeys(value for key, value in pairs if key == "pin" and value)),
        card_width=width,
        card_height=height,
        tip_order=_one_of(last.get("tip"), TipOrder, "nearest"),
        selected_range=_pair(last.get("rng", "")),
        group_by=_grouping(last.get("g", "")),
        group_line=_one_of(last.get("gl"), GroupLine, "mean"),
        group_band=_one_of(last.get("gb"), GroupBand, "minmax"),
        charts=tuple(value for key, value in pairs if key == "e" and value.strip()),
        baseline=last.get("base", ""),
        compared=_one_of(last.get("of"), Compared, "last"),
        columns=_columns(last["cols"]) if "cols" in last else None,
        sort=last.get("sort") or DEFAULT_SORT,
        value_columns=tuple(column.key for column in _columns(last.get("vt", ""))),
        settings=decode_settings(last, (value for key, value in pairs if key == "br")),
        histograms=_one_of(last.get("hv"), HistogramView, "offset"),
        at_step=number_of(last.get("hs", "")),
        layer_map=_layer_map(last.get("hm", "")),
        graph_run=last.get("gr", ""),
        graph_tag=last.get("gt", ""),
        graph_open=_paths((value for key, value in pairs if key == "go"), MAX_OPEN_SCOPES),
        graph_node=last.get("gs", ""),
        graph_color=_one_of(last.get("gc"), GraphColor, "structure"),
        graph_trace=_one_of(last.get("gx"), GraphTrace, ""),
        graph_aside=last.get("ga") == "1",
        graph_moved=_paths((value for key, value in pairs if key == "gm"), MAX_MOVED_NODES),
        graph_base=last.get("gd", ""),
        graph_stats=last.get("gk", ""),
        graph_side=_one_of(last.get("gp"), GraphSide, "node"),
        saved=saved,
        without=without,
    )


def _saved(text: str) -> tuple[str, tuple[str, ...]]:
    """Read ID or ID,KEY,KEY."""
    key, *without = text.split(",")
    if not _SAVED.fullmatch(key):
        return "", ()
    known = () if key == NO_VIEW else tuple(filter(_KEY.fullmatch, without))
    return key, tuple(dict.fromkeys(known))[:_MAX_KEYS]


def _drawing_pairs(view: ViewState) -> Iterator[tuple[str, str]]:
    if view.log_x:
        yield "lx", "1"
    if view.y_range is not None:
        yield "yr", ",".join(map(number_text, view.y_range))
    for tag, low, high in view.card_ranges:
        yield "yr", f"{number_text(low)},{number_text(high)},{tag}"
    for group, low, high in view.section_ranges:
        yield "ys", f"{number_text(low)},{number_text(high)},{group}"
    if not view.outliers_clipped:
        yield "out", "0"
    if view.smoothing_kind != "ema":
        yield "sm", view.smoothing_kind
    for tag in view.pinned:
        yield "pin", tag
    if view.card_width is not None:
        height = "" if view.card_height is None else f",{view.card_height}"
        yield "w", f"{view.card_width}{height}"
    if view.tip_order != "nearest":
        yield "tip", view.tip_order
    if view.selected_range is not None:
        yield "rng", ",".join(map(number_text, view.selected_range))


def _graph_pairs(view: ViewState) -> list[tuple[str, str]]:
    pairs = [("gr", view.graph_run), ("gt", view.graph_tag)]
    pairs += [("go", path) for path in view.graph_open]
    color = "" if view.graph_color == "structure" else view.graph_color
    side = "" if view.graph_side == "node" else view.graph_side
    pairs += [("gs", view.graph_node), ("gc", color), ("gx", view.graph_trace)]
    pairs += [("ga", "1" if view.graph_aside else "")]
    pairs += [("gm", path) for path in view.graph_moved]
    pairs += [("gd", view.graph_base), ("gk", view.graph_stats), ("gp", side)]
    return [(key, value) for key, value in pairs if value]


def _paths(paths: Iterable[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, paths)))[:most]


def _written(column: Column) -> str:
    """Write a column: pinned, key, width. What parts them is escaped in the key."""
    width = "" if column.width is None else f"~{column.width}"
    return f"{'!' if column.pinned else ''}{escaped(column.key)}{width}"


def _columns(text: str) -> tuple[Column, ...]:
    read = [_column(part) for part in text.split(",")]
    # The first of two of a key stands.
    by_key = {column.key: column for column in reversed(read) if column.key}
    return tuple({c.key: by_key[c.key] for c in read if c.key}.values())[:MAX_COLUMNS]


def _column(text: str) -> Column:
    key, _, width = text.removeprefix("!").partition("~")
    px = int(width) if width.isascii() and width.isdigit() and len(width) < 6 else None
    return Column(
        unescaped(key),
        None if px is None else min(COLUMN_PX[1], max(COLUMN_PX[0], px)),
        text.startswith("!"),
    )


_LAYER_MAP: Final = re.compile("(?:w1|js|std|dead|sat|nan)(?:,[0-9A-Za-z]{1,64}){0,2}")


def _layer_map(text: str) -> str:
    return text if _LAYER_MAP.fullmatch(text) else ""


def _grouping(text: str) -> str:
    sort, _, what = text.partition(":")
    known = (sort in ("hp", "re") and what) or text in ("tag", "user", "host", "project")
    return text if known else ""


def _smoothing(text: str) -> float:
    value = number_of(text)
    return DEFAULT_SMOOTHING if value is None else min(MAX_SMOOTHING, max(0.0, value))


def _zoom(text0: str, text1: str) -> tuple[float, float] | None:
    low, high = number_of(text0), number_of(text1)
    return None if low is None or high is None or not low < high else (low, high)


def _one_of(text: str | None, choices: Any, default: Any) -> Any:
    return text if text in get_args(choices) else default


def _x_axis(text: str) -> str:
    is_metric = text.startswith("m:") and len(text) > 2
    return text if is_metric or text in get_args(XAxis) else "step"


def _pair(text: str) -> tuple[float, float] | None:
    low, _, high = text.partition(",")
    return _zoom(low, high)


def _y_ranges(texts: Iterable[str]) -> list[tuple[float, float, str]]:
    """Read LOW,HIGH and LOW,HIGH,NAME; the last of each name counts."""
    found: dict[str, tuple[float, float, str]] = {}
    for text in texts:
        low, _, rest = text.partition(",")
        high, _, name = rest.partition(",")
        given = _zoom(low, high)
        if given is not None:
            found[name] = (*given, name)
    return list(found.values())


def _size(text: str) -> tuple[int | None, int | None]:
    """Read WIDTH or WIDTH,HEIGHT."""
    found = _SIZE.fullmatch(text)
    if found is None:
        return None, None
    width = min(MAX_CARD, max(MIN_CARD, int(found[1])))
    height = None if found[2] is None else min(MAX_CARD, max(MIN_CARD, int(found[2])))
    return width, height
